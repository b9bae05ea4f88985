/* A PKCS#11 module between the program and a real one: writes down every call and, by a control file read at each
 * call, makes it fail. For what SoftHSM can't do: lock, ask again, hang, crash, vanish, lie.
 *
 * Compiled by tests/support/pkcs11_shim.py with TARGET (the real module) as a C string. Its files lie beside this
 * module, wherever it was copied to, under its name with another end:
 *   NAME.log       one line per call, in order: "C_Login 1" with the user type, else the name alone; never a PIN. A
 *                  C_Sign that only asks for the length is none.
 *   NAME.control   lines "NAME VALUE", see below; read anew at each call
 *   NAME.counts    calls since the control file was written, for the rules with "@"
 *   NAME.tries     wrong PINs per token, "SERIAL USER SIGNATURE"; outlives every process, as on a real token
 *   NAME.sessions  how many sessions are open
 *   NAME.times     with "times": one line per C_Sign, when it began and when it ended, in ns of the monotonic clock
 *   NAME.unplugged the serial number of the token that "unplug" has taken away, until the file is removed
 *
 * Faults: NAME is any function of PKCS#11 2.40, "C_Login_context" for logins of type CKU_CONTEXT_SPECIFIC, or "load"
 * for the moment when the module is loaded. VALUE is one of these, with "@3" only at the third call since the control
 * file was written, with "@3+" from the third on:
 *   0x..     return this without calling on        crash    SIGSEGV          abort    SIGABRT
 *   250ms    go on after that time                 hang     never return     print    write to stdout, then go on
 *   =250ms   the call takes that time, what the real module needs of it included
 *   garbage, short   C_Sign: a bit flipped, a byte missing                    empty    C_GetSlotList: no slots
 *   nohash   C_GetMechanismList: without CKM_SHA256_RSA_PKCS
 *   unplug   the slot of this call holds no token any more, as with "gone" below
 * The token, for as long as the line stands; tokens are named by serial number, slots as "#0" by place, all as "all":
 *   gone T,T            these slots hold no token; sessions on them are lost for good
 *   sick T,T            C_GetTokenInfo fails for these with CKR_DEVICE_ERROR
 *   one_serial TEXT     all say that this is their serial number; tries are counted by the real ones
 *   flags 0x..          C_GetTokenInfo adds these bits; clear_flags: takes them away
 *   flags_after_login   C_GetTokenInfo adds these bits once C_Login was called
 *   locks N             N wrong user PINs lock it, with the flags that tell of it on the way; 0xa0 for the last one too
 *   always_auth T,T     private keys say CKA_ALWAYS_AUTHENTICATE and sign once after each login of that kind
 *   signature_pin PIN   what that login wants (without the line: the user PIN); the third wrong one locks it
 *   times on            write NAME.times
 *   pin_pad PIN         the user PIN is typed on the device, and this is what is typed; "cancel": nothing is
 *
 * The few types are our own (PKCS#11 2.40, unix layout), so that no header package is needed. Each argument of each
 * function fits a word, and passing some words too many harms no callee (System V and AAPCS64), so one stub fits all.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef unsigned long word;                                                          /* CK_ULONG */
typedef struct { unsigned char version[2]; void *call[68]; } functions;              /* CK_FUNCTION_LIST */
typedef struct { unsigned char names[80]; char serial[16]; word flags, rest[16]; } token_info;  /* CK_TOKEN_INFO */
typedef struct { unsigned char names[96]; word flags; } slot_info;                   /* start of CK_SLOT_INFO */
typedef struct { word type; void *value; word length; } attribute;                   /* CK_ATTRIBUTE */
typedef word (*any_call)(word, word, word, word, word, word, word, word);

static const char *const NAMES[] = {
    "C_Initialize", "C_Finalize", "C_GetInfo", "C_GetFunctionList", "C_GetSlotList", "C_GetSlotInfo", "C_GetTokenInfo",
    "C_GetMechanismList", "C_GetMechanismInfo", "C_InitToken", "C_InitPIN", "C_SetPIN", "C_OpenSession",
    "C_CloseSession", "C_CloseAllSessions", "C_GetSessionInfo", "C_GetOperationState", "C_SetOperationState", "C_Login",
    "C_Logout", "C_CreateObject", "C_CopyObject", "C_DestroyObject", "C_GetObjectSize", "C_GetAttributeValue",
    "C_SetAttributeValue", "C_FindObjectsInit", "C_FindObjects", "C_FindObjectsFinal", "C_EncryptInit", "C_Encrypt",
    "C_EncryptUpdate", "C_EncryptFinal", "C_DecryptInit", "C_Decrypt", "C_DecryptUpdate", "C_DecryptFinal",
    "C_DigestInit", "C_Digest", "C_DigestUpdate", "C_DigestKey", "C_DigestFinal", "C_SignInit", "C_Sign",
    "C_SignUpdate", "C_SignFinal", "C_SignRecoverInit", "C_SignRecover", "C_VerifyInit", "C_Verify", "C_VerifyUpdate",
    "C_VerifyFinal", "C_VerifyRecoverInit", "C_VerifyRecover", "C_DigestEncryptUpdate", "C_DecryptDigestUpdate",
    "C_SignEncryptUpdate", "C_DecryptVerifyUpdate", "C_GenerateKey", "C_GenerateKeyPair", "C_WrapKey", "C_UnwrapKey",
    "C_DeriveKey", "C_SeedRandom", "C_GenerateRandom", "C_GetFunctionStatus", "C_CancelFunction", "C_WaitForSlotEvent",
    "C_Login_context", "load",                                  /* no functions, but may be told to fail like them */
};
enum { INITIALIZE = 0, FINALIZE = 1, GET_FUNCTION_LIST = 3, GET_SLOT_LIST = 4, GET_SLOT_INFO = 5, GET_TOKEN_INFO = 6,
       GET_MECHANISM_LIST = 7, INIT_TOKEN = 9, INIT_PIN = 10, SET_PIN = 11, OPEN_SESSION = 12, CLOSE_SESSION = 13,
       CLOSE_ALL_SESSIONS = 14, LOGIN = 18, LOGOUT = 19, GET_ATTRIBUTE_VALUE = 24, SIGN_INIT = 42, SIGN = 43,
       WAIT_FOR_SLOT_EVENT = 67, FUNCTIONS = 68, CONTEXT_LOGIN = 68, LOAD = 69, NAMED = 70 };
enum { CKR_OK = 0, CKR_GENERAL_ERROR = 5, CKR_ARGUMENTS_BAD = 7, CKR_DEVICE_ERROR = 0x30, CKR_DEVICE_REMOVED = 0x32,
       CKR_FUNCTION_CANCELED = 0x50, CKR_OPERATION_NOT_INITIALIZED = 0x91, CKR_PIN_INCORRECT = 0xa0,
       CKR_PIN_LOCKED = 0xa4, CKR_SESSION_HANDLE_INVALID = 0xb3, CKR_TOKEN_NOT_PRESENT = 0xe0,
       CKR_USER_NOT_LOGGED_IN = 0x101, CKR_BUFFER_TOO_SMALL = 0x150 };
enum { CKM_MD2 = 0x200, CKM_SHA256_RSA_PKCS = 0x40, CKU_USER = 1, CKU_CONTEXT_SPECIFIC = 2, CKA_CLASS = 0,
       CKA_ALWAYS_AUTHENTICATE = 0x202, CKO_PRIVATE_KEY = 3, CKF_TOKEN_PRESENT = 1, CKF_PIN_PAD = 0x100,
       CKF_LOW = 0x10000, CKF_FINAL = 0x20000, CKF_LOCKED = 0x40000 };
enum { SETTINGS = 64, SESSIONS = 256, TOKENS = 16, SLOTS = 64, SIGNATURE_TRIES = 3 };

typedef struct { word handle, slot; int used, dead, pending, authorised; } session;
typedef struct { char serial[17]; unsigned user, signature; } tried;

static functions real, ours;
static struct { char key[32], value[256]; } settings[SETTINGS];
static session sessions[SESSIONS];
static tried tries[TOKENS];
static int login_called;
static char accepted_pin[256];      /* the last user PIN that was right: context logins are held against it */

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* The file beside this module whose name ends in END. */
static FILE *beside(const char *end, const char *mode)
{
    char path[4096];
    Dl_info own;
    if (dladdr(&real, &own) == 0) abort();
    size_t stem = strlen(own.dli_fname) - strlen(".so");
    if (stem + strlen(end) >= sizeof path) abort();
    memcpy(path, own.dli_fname, stem);
    strcpy(path + stem, end);
    return fopen(path, mode);
}

static void note(const char *line)
{
    FILE *log = beside(".log", "a");
    if (log == NULL) abort();
    fprintf(log, "%s\n", line);
    fclose(log);
}

static void note_times(long long begun, long long ended)
{
    FILE *times = beside(".times", "a");
    if (times == NULL) abort();
    fprintf(times, "%lld %lld\n", begun, ended);
    fclose(times);
}

static void read_control(void)
{
    char line[sizeof settings[0]];
    int filled = 0;
    FILE *control = beside(".control", "r");
    memset(settings, 0, sizeof settings);
    if (control == NULL) return;
    while (filled < SETTINGS && fgets(line, sizeof line, control) != NULL)
        filled += sscanf(line, "%31s %255[^\n]", settings[filled].key, settings[filled].value) == 2;
    fclose(control);
}

/* The value of the line KEY, empty if there is none. */
static const char *setting(const char *key)
{
    int i;
    for (i = 0; i < SETTINGS; i++)
        if (strcmp(settings[i].key, key) == 0) return settings[i].value;
    return "";
}

/* Which call of WHICH this is since the control file was written, from 1. */
static unsigned count(int which)
{
    unsigned counts[NAMED] = {0};
    FILE *file = beside(".counts", "rb");
    if (file != NULL) {
        if (fread(counts, sizeof counts, 1, file) != 1) memset(counts, 0, sizeof counts);
        fclose(file);
    }
    counts[which]++;
    if ((file = beside(".counts", "wb")) == NULL || fwrite(counts, sizeof counts, 1, file) != 1) abort();
    fclose(file);
    return counts[which];
}

static void write_sessions(void)
{
    int i, open = 0;
    FILE *file = beside(".sessions", "w");
    for (i = 0; i < SESSIONS; i++) open += sessions[i].used && !sessions[i].dead;
    if (file == NULL) abort();
    fprintf(file, "%d\n", open);
    fclose(file);
}

static void read_tries(void)
{
    int filled = 0;
    FILE *file = beside(".tries", "r");
    memset(tries, 0, sizeof tries);
    if (file == NULL) return;
    while (filled < TOKENS && fscanf(file, "%16s %u %u", tries[filled].serial, &tries[filled].user,
                                     &tries[filled].signature) == 3) filled++;
    fclose(file);
}

static void write_tries(void)
{
    int i;
    FILE *file = beside(".tries", "w");
    if (file == NULL) abort();
    for (i = 0; i < TOKENS && tries[i].serial[0]; i++)
        fprintf(file, "%s %u %u\n", tries[i].serial, tries[i].user, tries[i].signature);
    fclose(file);
}

/* ---- the real module --------------------------------------------------------------------------------------------- */

static word forward(int which, const word *a)
{
    return ((any_call) real.call[which])(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
}

/* Call WHICH of the real module for ourselves. */
static word ask(int which, word a, word b, word c, word d)
{
    word all[8] = {a, b, c, d};
    return forward(which, all);
}

static word real_slots(word present, word *slots)
{
    word found = 0, all = SLOTS;
    /* The first of the two calls has the real module look anew. */
    if (ask(GET_SLOT_LIST, present, 0, (word) &found, 0) != CKR_OK) return 0;
    return ask(GET_SLOT_LIST, present, (word) slots, (word) &all, 0) == CKR_OK ? all : 0;
}

/* The serial number of the token in SLOT, empty without one. */
static const char *serial_of(word slot)
{
    static char serial[17];
    token_info info;
    size_t length = 16;
    serial[0] = 0;
    if (ask(GET_TOKEN_INFO, slot, (word) &info, 0, 0) != CKR_OK) return serial;
    memcpy(serial, info.serial, 16);
    while (length > 0 && (serial[length - 1] == ' ' || serial[length - 1] == 0)) length--;
    serial[length] = 0;
    return serial;
}

/* Whether the line KEY names the token in SLOT. */
static int names(const char *key, word slot)
{
    char list[256], *rest = NULL, *name;
    word slots[SLOTS], place;
    snprintf(list, sizeof list, "%s", setting(key));
    for (name = strtok_r(list, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest)) {
        if (strcmp(name, "all") == 0) return 1;
        if (name[0] != '#') {
            if (strcmp(name, serial_of(slot)) == 0) return 1;
            continue;
        }
        place = strtoul(name + 1, NULL, 10);
        if (place < real_slots(1, slots) && slots[place] == slot) return 1;
    }
    return 0;
}

/* Whether the token in SLOT has been taken away. */
static int is_gone(word slot)
{
    char serial[17] = "";
    FILE *file = beside(".unplugged", "r");
    if (file != NULL) {
        if (fscanf(file, "%16s", serial) != 1) serial[0] = 0;
        fclose(file);
    }
    return (serial[0] && strcmp(serial, serial_of(slot)) == 0) || names("gone", slot);
}

/* Take away the token in SLOT. */
static void unplug(word slot)
{
    FILE *file = beside(".unplugged", "w");
    if (file == NULL) abort();
    fprintf(file, "%s\n", serial_of(slot));
    fclose(file);
}

/* ---- sessions ---------------------------------------------------------------------------------------------------- */

static session *session_of(word handle)
{
    int i;
    for (i = 0; i < SESSIONS; i++)
        if (sessions[i].used && sessions[i].handle == handle) return &sessions[i];
    return NULL;
}

static void open_session(word handle, word slot)
{
    int i;
    for (i = 0; i < SESSIONS && sessions[i].used; i++);
    if (i == SESSIONS) abort();
    sessions[i] = (session) {.handle = handle, .slot = slot, .used = 1};
    write_sessions();
}

static void forget_sessions(void)
{
    memset(sessions, 0, sizeof sessions);
    memset(accepted_pin, 0, sizeof accepted_pin);
    write_sessions();
}

/* Sessions on tokens that have vanished: gone in the real module too, so that nobody is logged in when it is back. */
static void notice_removals(void)
{
    int i;
    for (i = 0; i < SESSIONS; i++)
        if (sessions[i].used && !sessions[i].dead && is_gone(sessions[i].slot)) {
            ask(CLOSE_SESSION, sessions[i].handle, 0, 0, 0);
            sessions[i].dead = 1;
            write_sessions();
        }
}

/* The tries of the token in SLOT; read anew, to be written by `write_tries`. */
static tried *tries_of(word slot)
{
    const char *serial = serial_of(slot);
    int i;
    read_tries();
    for (i = 0; i < TOKENS - 1 && tries[i].serial[0] && strcmp(tries[i].serial, serial) != 0; i++);
    strcpy(tries[i].serial, serial);
    return &tries[i];
}

static unsigned locks_after(void)
{
    return (unsigned) strtoul(setting("locks"), NULL, 10);
}

/* Count RV, what a user PIN came to on the token in SLOT. */
static word count_user_try(word slot, word rv)
{
    tried *token;
    if (locks_after() == 0 || (rv != CKR_OK && rv != CKR_PIN_INCORRECT)) return rv;
    token = tries_of(slot);
    token->user = rv == CKR_OK ? 0 : token->user + 1;
    write_tries();
    return rv;
}

static int user_locked(word slot)
{
    return locks_after() > 0 && tries_of(slot)->user >= locks_after();
}

static int asks_again(word handle)
{
    session *found = session_of(handle);
    return found != NULL && names("always_auth", found->slot);
}

/* ---- what some functions do differently; WHAT is the fault that is due ------------------------------------------- */

static word initialize(word *a, const char *what)
{
    (void) what;
    forget_sessions();
    return forward(INITIALIZE, a);
}

static word finalize(word *a, const char *what)
{
    (void) what;
    forget_sessions();
    return forward(FINALIZE, a);
}

static word get_function_list(word *a, const char *what)
{
    (void) what;
    *(functions **) a[0] = &ours;
    return CKR_OK;
}

static word get_slot_list(word *a, const char *what)
{
    word slots[SLOTS], *list = (word *) a[1], *wanted = (word *) a[2];
    word i, present = (unsigned char) a[0], found = real_slots(present, slots), kept = 0;
    for (i = 0; i < found; i++)
        if (!present || !is_gone(slots[i])) slots[kept++] = slots[i];
    if (strcmp(what, "empty") == 0) kept = 0;
    if (list != NULL && *wanted < kept) return CKR_BUFFER_TOO_SMALL;
    if (list != NULL) memcpy(list, slots, kept * sizeof *list);
    *wanted = kept;
    return CKR_OK;
}

static word get_slot_info(word *a, const char *what)
{
    word rv = forward(GET_SLOT_INFO, a);
    (void) what;
    if (rv == CKR_OK && is_gone(a[0])) ((slot_info *) a[1])->flags &= ~(word) CKF_TOKEN_PRESENT;
    return rv;
}

static word get_token_info(word *a, const char *what)
{
    token_info *info = (token_info *) a[1];
    word rv = forward(GET_TOKEN_INFO, a);
    unsigned wrong, limit = locks_after();
    const char *serial = setting("one_serial");
    (void) what;
    if (rv != CKR_OK) return rv;
    if (names("sick", a[0])) return CKR_DEVICE_ERROR;
    if (serial[0]) {
        memset(info->serial, ' ', sizeof info->serial);
        memcpy(info->serial, serial, strnlen(serial, sizeof info->serial));
    }
    if (limit > 0) {
        wrong = tries_of(a[0])->user;
        info->flags &= ~(word) (CKF_LOW | CKF_FINAL | CKF_LOCKED);
        if (wrong > 0) info->flags |= CKF_LOW;
        if (wrong == limit - 1) info->flags |= CKF_FINAL;
        if (wrong >= limit) info->flags |= CKF_LOCKED;
    }
    if (setting("pin_pad")[0]) info->flags |= CKF_PIN_PAD;
    info->flags &= ~strtoul(setting("clear_flags"), NULL, 16);
    info->flags |= strtoul(setting("flags"), NULL, 16);
    if (login_called) info->flags |= strtoul(setting("flags_after_login"), NULL, 16);
    return rv;
}

static word get_mechanism_list(word *a, const char *what)
{
    word i, *list = (word *) a[1], rv = forward(GET_MECHANISM_LIST, a);
    if (list != NULL && strcmp(what, "nohash") == 0)
        for (i = 0; i < *(word *) a[2]; i++)
            if (list[i] == CKM_SHA256_RSA_PKCS) list[i] = CKM_MD2;
    return rv;
}

static word new_session(word *a, const char *what)
{
    word rv = forward(OPEN_SESSION, a);
    (void) what;
    if (rv == CKR_OK) open_session(*(word *) a[4], a[0]);
    return rv;
}

static word close_session(word *a, const char *what)
{
    session *found = session_of(a[0]);
    (void) what;
    if (found != NULL) found->used = 0;
    write_sessions();
    return forward(CLOSE_SESSION, a);
}

static word close_all_sessions(word *a, const char *what)
{
    int i;
    (void) what;
    for (i = 0; i < SESSIONS; i++)
        if (sessions[i].slot == a[0]) sessions[i].used = 0;
    write_sessions();
    return forward(CLOSE_ALL_SESSIONS, a);
}

/* The login that a key of `always_auth` wants between C_SignInit and C_Sign. */
static word context_login(session *on, const char *pin, word length)
{
    const char *own = setting("signature_pin"), *wanted = own[0] ? own : accepted_pin;
    int right;
    tried *token;
    if (!on->pending) return CKR_OPERATION_NOT_INITIALIZED;
    if (own[0] ? tries_of(on->slot)->signature >= SIGNATURE_TRIES : user_locked(on->slot)) return CKR_PIN_LOCKED;
    right = wanted[0] && pin != NULL && strlen(wanted) == length && memcmp(wanted, pin, length) == 0;
    on->authorised = right;
    if (!own[0]) return count_user_try(on->slot, right ? CKR_OK : CKR_PIN_INCORRECT);
    token = tries_of(on->slot);
    token->signature = right ? 0 : token->signature + 1;
    write_tries();
    if (right) return CKR_OK;
    return token->signature >= SIGNATURE_TRIES ? CKR_PIN_LOCKED : CKR_PIN_INCORRECT;
}

static word login(word *a, const char *what)
{
    const char *pad = setting("pin_pad");
    session *on = session_of(a[0]);
    word rv;
    (void) what;
    if (a[1] == CKU_CONTEXT_SPECIFIC && asks_again(a[0])) {
        rv = context_login(on, (const char *) a[2], a[3]);
        /* Also for a key that SoftHSM itself asks again for; for others it knows of no such login. */
        if (rv == CKR_OK) ask(LOGIN, a[0], CKU_CONTEXT_SPECIFIC, (word) accepted_pin, strlen(accepted_pin));
        return rv;
    }
    if (a[1] != CKU_USER || on == NULL) return forward(LOGIN, a);
    if (pad[0]) {
        if (a[2] != 0) return CKR_ARGUMENTS_BAD;
        if (strcmp(pad, "cancel") == 0) return CKR_FUNCTION_CANCELED;
        a[2] = (word) pad;
        a[3] = strlen(pad);
    }
    if (user_locked(on->slot)) return CKR_PIN_LOCKED;
    rv = count_user_try(on->slot, forward(LOGIN, a));
    if (rv == CKR_OK && a[3] < sizeof accepted_pin) {
        memcpy(accepted_pin, (const void *) a[2], a[3]);
        accepted_pin[a[3]] = 0;
    }
    return rv;
}

static word set_pin(word *a, const char *what)
{
    session *on = session_of(a[0]);
    (void) what;
    if (on == NULL) return forward(SET_PIN, a);
    if (user_locked(on->slot)) return CKR_PIN_LOCKED;
    return count_user_try(on->slot, forward(SET_PIN, a));
}

static word get_attribute_value(word *a, const char *what)
{
    attribute *asked = (attribute *) a[2];
    word kind = 0, i, rv = forward(GET_ATTRIBUTE_VALUE, a);
    attribute class = {CKA_CLASS, &kind, sizeof kind};
    (void) what;
    if (!asks_again(a[0])) return rv;
    if (ask(GET_ATTRIBUTE_VALUE, a[0], a[1], (word) &class, 1) != CKR_OK || kind != CKO_PRIVATE_KEY) return rv;
    for (i = 0; i < a[3]; i++)
        if (asked[i].type == CKA_ALWAYS_AUTHENTICATE) {
            asked[i].length = 1;
            if (asked[i].value != NULL) *(unsigned char *) asked[i].value = 1;
        }
    return rv;
}

static word sign_init(word *a, const char *what)
{
    word rv = forward(SIGN_INIT, a);
    session *on = session_of(a[0]);
    (void) what;
    if (on != NULL) {
        on->pending = rv == CKR_OK;
        on->authorised = 0;
    }
    return rv;
}

static word sign(word *a, const char *what)
{
    unsigned char scratch[1024], *signature = (unsigned char *) a[3];
    word rv, *length = (word *) a[4], room = sizeof scratch;
    session *on = session_of(a[0]);
    int refused = on != NULL && asks_again(a[0]) && !on->authorised;
    if (refused) {                                      /* an operation that failed is over, in the real module too */
        a[3] = (word) scratch;
        a[4] = (word) &room;
    }
    rv = forward(SIGN, a);
    if (on != NULL) on->pending = on->authorised = 0;
    if (refused) return CKR_USER_NOT_LOGGED_IN;
    if (rv == CKR_OK && strcmp(what, "garbage") == 0) signature[*length - 1] ^= 1;
    if (rv == CKR_OK && strcmp(what, "short") == 0) --*length;
    return rv;
}

static word (*const handlers[FUNCTIONS])(word *, const char *) = {
    [INITIALIZE] = initialize, [FINALIZE] = finalize, [GET_FUNCTION_LIST] = get_function_list,
    [GET_SLOT_LIST] = get_slot_list, [GET_SLOT_INFO] = get_slot_info, [GET_TOKEN_INFO] = get_token_info,
    [GET_MECHANISM_LIST] = get_mechanism_list, [SET_PIN] = set_pin, [OPEN_SESSION] = new_session,
    [CLOSE_SESSION] = close_session, [CLOSE_ALL_SESSIONS] = close_all_sessions, [LOGIN] = login,
    [GET_ATTRIBUTE_VALUE] = get_attribute_value, [SIGN_INIT] = sign_init, [SIGN] = sign,
};

/* ---- every call -------------------------------------------------------------------------------------------------- */

/* The fault for WHICH whose turn it is, empty if there is none. */
static void due(int which, char *what)
{
    char *when;
    unsigned at, now;
    strcpy(what, setting(NAMES[which]));
    if ((when = strchr(what, '@')) == NULL) return;
    *when++ = 0;
    at = (unsigned) strtoul(when, NULL, 10);
    now = count(which);
    if (strchr(when, '+') != NULL ? now < at : now != at) what[0] = 0;
}

static long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void rest(long long ns)
{
    struct timespec left = {(time_t) (ns / 1000000000LL), (long) (ns % 1000000000LL)};
    if (ns > 0) while (nanosleep(&left, &left) != 0);
}

/* Do WHAT, as far as it is the same for all functions; true when RV is the answer. */
static int met(const char *what, word *rv)
{
    char *end;
    word number;
    if (strcmp(what, "crash") == 0) raise(SIGSEGV);
    if (strcmp(what, "abort") == 0) abort();
    if (strcmp(what, "hang") == 0) for (;;) pause();
    if (strcmp(what, "print") == 0) { printf("hello from a driver\n"); fflush(stdout); }
    number = strtoul(what, &end, 0);
    if (strcmp(end, "ms") == 0) rest(number * 1000000LL);
    *rv = number;
    return what[0] != 0 && *end == 0;
}

/* Whether the first argument of WHICH is a slot; of all others but the first few and the last it is a session. */
static int takes_slot(int which)
{
    return (which > GET_SLOT_INFO && which <= INIT_TOKEN) || which == OPEN_SESSION || which == CLOSE_ALL_SESSIONS;
}

/* True when the token that WHICH is about has vanished; RV is the answer. */
static int removed(int which, word first, word *rv)
{
    session *on;
    if (takes_slot(which)) {
        *rv = CKR_TOKEN_NOT_PRESENT;
        return is_gone(first);
    }
    if (which < INIT_PIN || which == WAIT_FOR_SLOT_EVENT || (on = session_of(first)) == NULL || !on->dead) return 0;
    *rv = is_gone(on->slot) ? CKR_DEVICE_REMOVED : CKR_SESSION_HANDLE_INVALID;
    return 1;
}

static word pass(int which, word *a)
{
    char line[64], what[256];
    long long begun = now_ns();
    session *on;
    word rv;
    if (which == SIGN && a[3] == 0) return forward(SIGN, a);                     /* asks for the length only */
    read_control();
    strcpy(line, NAMES[which]);
    what[0] = 0;
    if (which == LOGIN) {
        login_called = 1;
        snprintf(line, sizeof line, "C_Login %lu", a[1]);
        if (a[1] == CKU_CONTEXT_SPECIFIC) due(CONTEXT_LOGIN, what);
    }
    note(line);
    if (what[0] == 0) due(which, what);
    if (met(what, &rv)) return rv;
    on = session_of(a[0]);
    if (strcmp(what, "unplug") == 0) unplug(takes_slot(which) || on == NULL ? a[0] : on->slot);
    notice_removals();
    if (removed(which, a[0], &rv)) return rv;
    rv = handlers[which] != NULL ? handlers[which](a, what) : forward(which, a);
    if (what[0] == '=') rest(begun + atoll(what + 1) * 1000000LL - now_ns());
    if (which == SIGN && setting("times")[0]) note_times(begun, now_ns());
    return rv;
}

#define STUB(tens, ones) static word stub_##tens##ones(word a, word b, word c, word d, word e, word f, word g, word h) \
    { word all[8] = {a, b, c, d, e, f, g, h}; return pass(tens * 10 + ones, all); }
#define STUBS(t) STUB(t, 0) STUB(t, 1) STUB(t, 2) STUB(t, 3) STUB(t, 4) STUB(t, 5) STUB(t, 6) STUB(t, 7) STUB(t, 8) \
    STUB(t, 9)
#define STUBS_OF(t) stub_##t##0, stub_##t##1, stub_##t##2, stub_##t##3, stub_##t##4, stub_##t##5, stub_##t##6, \
    stub_##t##7, stub_##t##8, stub_##t##9
STUBS(0) STUBS(1) STUBS(2) STUBS(3) STUBS(4) STUBS(5)
STUB(6, 0) STUB(6, 1) STUB(6, 2) STUB(6, 3) STUB(6, 4) STUB(6, 5) STUB(6, 6) STUB(6, 7)

static const any_call stubs[FUNCTIONS] = {
    STUBS_OF(0), STUBS_OF(1), STUBS_OF(2), STUBS_OF(3), STUBS_OF(4), STUBS_OF(5),
    stub_60, stub_61, stub_62, stub_63, stub_64, stub_65, stub_66, stub_67,
};

__attribute__((constructor)) static void loaded(void)
{
    char what[256];
    word rv;
    read_control();
    due(LOAD, what);
    if (what[0] == 0) return;
    note(NAMES[LOAD]);
    met(what, &rv);
}

word C_GetFunctionList(functions **list)
{
    functions *found;
    word (*get)(functions **), rv;
    int which;
    char what[256];
    void *module;
    read_control();
    note(NAMES[GET_FUNCTION_LIST]);
    due(GET_FUNCTION_LIST, what);
    if (met(what, &rv)) return rv;
    if ((module = dlopen(TARGET, RTLD_NOW | RTLD_LOCAL)) == NULL) return CKR_GENERAL_ERROR;
    get = (word (*)(functions **)) dlsym(module, "C_GetFunctionList");
    if (get == NULL || get(&found) != CKR_OK) return CKR_GENERAL_ERROR;
    real = ours = *found;
    for (which = 0; which < FUNCTIONS; which++) ours.call[which] = (void *) stubs[which];
    *list = &ours;
    return CKR_OK;
}
