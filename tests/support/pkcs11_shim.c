/* A PKCS#11 module between the program and a real one: writes down each watched call and, by a control file read at
 * each call, makes it fail. For what SoftHSM can't do: lock, hang, crash, vanish, lie.
 *
 * Compiled by tests/support/pkcs11_shim.py with TARGET (the real module) as a C string. The log and the control file lie
 * beside this module, wherever it was copied to, under its name with another end: NAME.so, NAME.log, NAME.control.
 * Log: one line per call, "C_Login 1" with the user type, else the name alone.
 * Control: lines "NAME ACTION". NAME is a watched function, "flags" or "flags_after_login"; ACTION is one of
 *   0x..     flags, flags_after_login: C_GetTokenInfo adds these bits (the second once C_Login was called);
 *            a function: return this value without calling on
 *   crash    abort       hang   never return      print  write to stdout, then go on
 *   garbage  C_Sign: spoil the signature          empty  C_GetSlotList: no slots
 *   nohash   C_GetMechanismList: without CKM_SHA256_RSA_PKCS
 *
 * The few types are our own (PKCS#11 2.40, unix layout), so that no header package is needed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long ulong_t;
typedef struct { unsigned char version[2]; void *call[68]; } functions;              /* CK_FUNCTION_LIST */
typedef struct { unsigned char names[96]; ulong_t flags; } token_info;               /* start of CK_TOKEN_INFO */

enum { INITIALIZE = 0, FINALIZE = 1, GET_SLOT_LIST = 4, GET_TOKEN_INFO = 6, GET_MECHANISM_LIST = 7,
       LOGIN = 18, LOGOUT = 19, SIGN = 43 };
enum { CKR_GENERAL_ERROR = 5, CKM_MD2 = 0x200, CKM_SHA256_RSA_PKCS = 0x40 };

static functions real, ours;
static int login_called;

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

/* The action for NAME, empty if there is none. */
static const char *action(const char *name)
{
    static char found[64];
    char line[128], key[64], value[64];
    FILE *control = beside(".control", "r");
    found[0] = 0;
    if (control == NULL) return found;
    while (fgets(line, sizeof line, control) != NULL)
        if (sscanf(line, "%63s %63s", key, value) == 2 && strcmp(key, name) == 0) strcpy(found, value);
    fclose(control);
    return found;
}

/* Log the call and do what NAME's action says; true when RV is already the answer. */
static int met(const char *name, const char *line, ulong_t *rv)
{
    const char *what = action(name);
    note(line);
    if (strcmp(what, "crash") == 0) abort();
    if (strcmp(what, "hang") == 0) for (;;) pause();
    if (strcmp(what, "print") == 0) { printf("hello from a driver\n"); fflush(stdout); }
    if (strncmp(what, "0x", 2) != 0) return 0;
    *rv = strtoul(what, NULL, 16);
    return 1;
}

#define WATCH(name) ulong_t rv; if (met(name, name, &rv)) return rv

static ulong_t initialize(void *args)
{
    WATCH("C_Initialize");
    return ((ulong_t (*)(void *)) real.call[INITIALIZE])(args);
}

static ulong_t finalize(void *args)
{
    WATCH("C_Finalize");
    return ((ulong_t (*)(void *)) real.call[FINALIZE])(args);
}

static ulong_t get_slot_list(unsigned char present, ulong_t *slots, ulong_t *count)
{
    WATCH("C_GetSlotList");
    rv = ((ulong_t (*)(unsigned char, ulong_t *, ulong_t *)) real.call[GET_SLOT_LIST])(present, slots, count);
    if (strcmp(action("C_GetSlotList"), "empty") == 0) *count = 0;
    return rv;
}

static ulong_t get_token_info(ulong_t slot, token_info *info)
{
    WATCH("C_GetTokenInfo");
    rv = ((ulong_t (*)(ulong_t, token_info *)) real.call[GET_TOKEN_INFO])(slot, info);
    info->flags |= strtoul(action("flags"), NULL, 16);
    if (login_called) info->flags |= strtoul(action("flags_after_login"), NULL, 16);
    return rv;
}

static ulong_t get_mechanism_list(ulong_t slot, ulong_t *list, ulong_t *count)
{
    ulong_t i;
    WATCH("C_GetMechanismList");
    rv = ((ulong_t (*)(ulong_t, ulong_t *, ulong_t *)) real.call[GET_MECHANISM_LIST])(slot, list, count);
    if (list != NULL && strcmp(action("C_GetMechanismList"), "nohash") == 0)
        for (i = 0; i < *count; i++)
            if (list[i] == CKM_SHA256_RSA_PKCS) list[i] = CKM_MD2;
    return rv;
}

static ulong_t login(ulong_t session, ulong_t user, unsigned char *pin, ulong_t length)
{
    char line[32];
    ulong_t rv;
    login_called = 1;
    snprintf(line, sizeof line, "C_Login %lu", user);
    if (met("C_Login", line, &rv)) return rv;
    return ((ulong_t (*)(ulong_t, ulong_t, unsigned char *, ulong_t)) real.call[LOGIN])(session, user, pin, length);
}

static ulong_t logout(ulong_t session)
{
    WATCH("C_Logout");
    return ((ulong_t (*)(ulong_t)) real.call[LOGOUT])(session);
}

typedef ulong_t (*sign_call)(ulong_t, unsigned char *, ulong_t, unsigned char *, ulong_t *);

static ulong_t sign(ulong_t session, unsigned char *data, ulong_t size, unsigned char *signature, ulong_t *length)
{
    sign_call forward = (sign_call) real.call[SIGN];
    if (signature == NULL) return forward(session, data, size, signature, length); /* asks for the length only */
    WATCH("C_Sign");
    rv = forward(session, data, size, signature, length);
    if (rv == 0 && strcmp(action("C_Sign"), "garbage") == 0) signature[*length - 1] ^= 1;
    return rv;
}

ulong_t C_GetFunctionList(functions **list)
{
    functions *found;
    ulong_t (*get)(functions **);
    void *module = dlopen(TARGET, RTLD_NOW | RTLD_LOCAL);
    if (module == NULL) return CKR_GENERAL_ERROR;
    get = (ulong_t (*)(functions **)) dlsym(module, "C_GetFunctionList");
    if (get == NULL || get(&found) != 0) return CKR_GENERAL_ERROR;
    real = ours = *found;
    ours.call[INITIALIZE] = initialize;
    ours.call[FINALIZE] = finalize;
    ours.call[GET_SLOT_LIST] = get_slot_list;
    ours.call[GET_TOKEN_INFO] = get_token_info;
    ours.call[GET_MECHANISM_LIST] = get_mechanism_list;
    ours.call[LOGIN] = login;
    ours.call[LOGOUT] = logout;
    ours.call[SIGN] = sign;
    *list = &ours;
    return 0;
}
