"""Every return value of PKCS#11 2.40 and 3.0 (CKR_…): its number, its name, what it means for the clerk.

Pure tables, used in the token host. python-pkcs11 turns a return value into an exception class and drops the number;
people who support a driver need the number back. What is not in the table (a vendor's own value) is a "driver error"
with its number, never a "wrong PIN".
"""

import re
from dataclasses import dataclass

import pkcs11

DRIVER_ERROR = "driver_error"
"""What everything means that says nothing better."""


@dataclass(frozen=True)
class ReturnValue:
    """A return value of a driver; `meaning` is an error of the catalogue.

    `goes_on`: whether only the document in hand is concerned, so that a batch may go on with the next.
    """

    number: int
    name: str
    meaning: str = DRIVER_ERROR
    goes_on: bool = False

    def __str__(self) -> str:
        return f"0x{self.number:08x} {self.name}".rstrip()


_TABLE = """
001 CANCEL pin_pad_cancelled
002 HOST_MEMORY driver_resources
003 SLOT_ID_INVALID token_removed
005 GENERAL_ERROR
006 FUNCTION_FAILED
007 ARGUMENTS_BAD
008 NO_EVENT
009 NEED_TO_CREATE_THREADS
00a CANT_LOCK
010 ATTRIBUTE_READ_ONLY
011 ATTRIBUTE_SENSITIVE
012 ATTRIBUTE_TYPE_INVALID
013 ATTRIBUTE_VALUE_INVALID
01b ACTION_PROHIBITED key_unsupported
020 DATA_INVALID data_refused goes_on
021 DATA_LEN_RANGE data_refused goes_on
030 DEVICE_ERROR
031 DEVICE_MEMORY driver_resources
032 DEVICE_REMOVED token_removed
040 ENCRYPTED_DATA_INVALID
041 ENCRYPTED_DATA_LEN_RANGE
042 AEAD_DECRYPT_FAILED
050 FUNCTION_CANCELED pin_pad_cancelled
051 FUNCTION_NOT_PARALLEL
054 FUNCTION_NOT_SUPPORTED
060 KEY_HANDLE_INVALID session_lost
062 KEY_SIZE_RANGE key_unsupported
063 KEY_TYPE_INCONSISTENT key_unsupported
064 KEY_NOT_NEEDED
065 KEY_CHANGED session_lost
066 KEY_NEEDED
067 KEY_INDIGESTIBLE
068 KEY_FUNCTION_NOT_PERMITTED key_unsupported
069 KEY_NOT_WRAPPABLE
06a KEY_UNEXTRACTABLE
070 MECHANISM_INVALID key_unsupported
071 MECHANISM_PARAM_INVALID key_unsupported
082 OBJECT_HANDLE_INVALID session_lost
090 OPERATION_ACTIVE
091 OPERATION_NOT_INITIALIZED
0a0 PIN_INCORRECT pin_incorrect
0a1 PIN_INVALID pin_rejected
0a2 PIN_LEN_RANGE pin_length
0a3 PIN_EXPIRED pin_expired
0a4 PIN_LOCKED pin_locked
0b0 SESSION_CLOSED session_lost
0b1 SESSION_COUNT driver_resources
0b3 SESSION_HANDLE_INVALID session_lost
0b4 SESSION_PARALLEL_NOT_SUPPORTED
0b5 SESSION_READ_ONLY token_read_only
0b6 SESSION_EXISTS
0b7 SESSION_READ_ONLY_EXISTS
0b8 SESSION_READ_WRITE_SO_EXISTS token_in_use
0c0 SIGNATURE_INVALID
0c1 SIGNATURE_LEN_RANGE
0d0 TEMPLATE_INCOMPLETE
0d1 TEMPLATE_INCONSISTENT
0e0 TOKEN_NOT_PRESENT token_removed
0e1 TOKEN_NOT_RECOGNIZED token_removed
0e2 TOKEN_WRITE_PROTECTED token_read_only
0f0 UNWRAPPING_KEY_HANDLE_INVALID
0f1 UNWRAPPING_KEY_SIZE_RANGE
0f2 UNWRAPPING_KEY_TYPE_INCONSISTENT
100 USER_ALREADY_LOGGED_IN session_lost
101 USER_NOT_LOGGED_IN session_lost
102 USER_PIN_NOT_INITIALIZED pin_not_set
103 USER_TYPE_INVALID
104 USER_ANOTHER_ALREADY_LOGGED_IN token_in_use
105 USER_TOO_MANY_TYPES token_in_use
110 WRAPPED_KEY_INVALID
112 WRAPPED_KEY_LEN_RANGE
113 WRAPPING_KEY_HANDLE_INVALID
114 WRAPPING_KEY_SIZE_RANGE
115 WRAPPING_KEY_TYPE_INCONSISTENT
120 RANDOM_SEED_NOT_SUPPORTED
121 RANDOM_NO_RNG
130 DOMAIN_PARAMS_INVALID
140 CURVE_NOT_SUPPORTED key_unsupported
150 BUFFER_TOO_SMALL
160 SAVED_STATE_INVALID
170 INFORMATION_SENSITIVE
180 STATE_UNSAVEABLE
190 CRYPTOKI_NOT_INITIALIZED session_lost
191 CRYPTOKI_ALREADY_INITIALIZED
1a0 MUTEX_BAD
1a1 MUTEX_NOT_LOCKED
1b0 NEW_PIN_MODE
1b1 NEXT_OTP
1b5 EXCEEDED_MAX_ITERATIONS
1b6 FIPS_SELF_TEST_FAILED
1b7 LIBRARY_LOAD_FAILED
1b8 PIN_TOO_WEAK pin_rejected
1b9 PUBLIC_KEY_INVALID
200 FUNCTION_REJECTED pin_pad_cancelled
201 TOKEN_RESOURCE_EXCEEDED driver_resources
202 OPERATION_CANCEL_FAILED
"""
"""Number, name, meaning, whether a batch may go on (OASIS PKCS#11 base specification 2.40 and 3.0, return values)."""


def _read(line: str) -> ReturnValue:
    number, name, *meaning = line.split()
    goes_on = meaning[1:] == ["goes_on"]
    return ReturnValue(int(number, 16), f"CKR_{name}", meaning[0] if meaning else DRIVER_ERROR, goes_on)


RETURN_VALUES = {value.number: value for value in map(_read, _TABLE.strip().splitlines())}
"""By number."""

_NUMBERS = {value.name: number for number, value in RETURN_VALUES.items()}

_OTHER_NAMES: dict[type[pkcs11.PKCS11Error], str] = {
    # Where the wrapper's class is not called as the return value is.
    pkcs11.FunctionCancelled: "CKR_FUNCTION_CANCELED",
    pkcs11.TokenNotRecognised: "CKR_TOKEN_NOT_RECOGNIZED",
    pkcs11.UserPinNotInitialized: "CKR_USER_PIN_NOT_INITIALIZED",
    pkcs11.AnotherUserAlreadyLoggedIn: "CKR_USER_ANOTHER_ALREADY_LOGGED_IN",
    pkcs11.SessionReadWriteSOExists: "CKR_SESSION_READ_WRITE_SO_EXISTS",
    pkcs11.RandomNoRNG: "CKR_RANDOM_NO_RNG",
    pkcs11.SlotIDInvalid: "CKR_SLOT_ID_INVALID",
}

_BY_TEXT = {
    # python-pkcs11 0.10 has no class of their own for these; its text is all there is.
    "Buffer was too small": 0x150,
    "Initialisation error (not": 0x190,
    "Initialisation error (already": 0x191,
    "Parallel not supported": 0x0B4,
    "User type invalid": 0x103,
}

_UNMAPPED = re.compile(r"Unmapped error code 0x([0-9a-fA-F]{1,16})")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _number(error: pkcs11.PKCS11Error) -> int | None:
    kind, text = type(error), str(error)
    for start, number in _BY_TEXT.items():
        if text.startswith(start):
            return number
    if unmapped := _UNMAPPED.match(text):
        return int(unmapped[1], 16)
    name = _OTHER_NAMES.get(kind) or "CKR_" + _WORD.sub("_", kind.__name__).upper()
    return _NUMBERS.get(name)


def value_of(error: pkcs11.PKCS11Error) -> ReturnValue:
    """The return value behind `error`; one that no standard knows has no name.

    Errors that the wrapper makes up itself have the number 0 and the name of their class.
    """
    number = _number(error)
    if number is None:
        return ReturnValue(0, type(error).__name__)
    return RETURN_VALUES.get(number, ReturnValue(number, ""))


def describe(error: pkcs11.PKCS11Error) -> str:
    """`error` as "0x00000006 CKR_FUNCTION_FAILED", a value without a name as "0x80000001"."""
    value = value_of(error)
    return str(value) if value.number else value.name
