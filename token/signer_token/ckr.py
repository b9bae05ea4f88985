"""Names and numbers of the return values of PKCS#11 (CKR_…), from what python-pkcs11 raises.

Pure tables, used in the token host. python-pkcs11 turns a return value into an exception class and drops
the number; people who support a driver need the number back. What a value means for the clerk is decided in
`host`, not here.
"""

import re

import pkcs11

_CODES: dict[type[pkcs11.PKCS11Error], tuple[int, str]] = {
    pkcs11.HostMemory: (0x002, "CKR_HOST_MEMORY"),
    pkcs11.SlotIDInvalid: (0x003, "CKR_SLOT_ID_INVALID"),
    pkcs11.GeneralError: (0x005, "CKR_GENERAL_ERROR"),
    pkcs11.FunctionFailed: (0x006, "CKR_FUNCTION_FAILED"),
    pkcs11.ArgumentsBad: (0x007, "CKR_ARGUMENTS_BAD"),
    pkcs11.NoEvent: (0x008, "CKR_NO_EVENT"),
    pkcs11.AttributeReadOnly: (0x010, "CKR_ATTRIBUTE_READ_ONLY"),
    pkcs11.AttributeSensitive: (0x011, "CKR_ATTRIBUTE_SENSITIVE"),
    pkcs11.AttributeTypeInvalid: (0x012, "CKR_ATTRIBUTE_TYPE_INVALID"),
    pkcs11.AttributeValueInvalid: (0x013, "CKR_ATTRIBUTE_VALUE_INVALID"),
    pkcs11.DataInvalid: (0x020, "CKR_DATA_INVALID"),
    pkcs11.DataLenRange: (0x021, "CKR_DATA_LEN_RANGE"),
    pkcs11.DeviceError: (0x030, "CKR_DEVICE_ERROR"),
    pkcs11.DeviceMemory: (0x031, "CKR_DEVICE_MEMORY"),
    pkcs11.DeviceRemoved: (0x032, "CKR_DEVICE_REMOVED"),
    pkcs11.EncryptedDataInvalid: (0x040, "CKR_ENCRYPTED_DATA_INVALID"),
    pkcs11.EncryptedDataLenRange: (0x041, "CKR_ENCRYPTED_DATA_LEN_RANGE"),
    pkcs11.FunctionCancelled: (0x050, "CKR_FUNCTION_CANCELED"),
    pkcs11.FunctionNotSupported: (0x054, "CKR_FUNCTION_NOT_SUPPORTED"),
    pkcs11.KeyHandleInvalid: (0x060, "CKR_KEY_HANDLE_INVALID"),
    pkcs11.KeySizeRange: (0x062, "CKR_KEY_SIZE_RANGE"),
    pkcs11.KeyTypeInconsistent: (0x063, "CKR_KEY_TYPE_INCONSISTENT"),
    pkcs11.KeyNotNeeded: (0x064, "CKR_KEY_NOT_NEEDED"),
    pkcs11.KeyNeeded: (0x066, "CKR_KEY_NEEDED"),
    pkcs11.KeyIndigestible: (0x067, "CKR_KEY_INDIGESTIBLE"),
    pkcs11.KeyNotWrappable: (0x069, "CKR_KEY_NOT_WRAPPABLE"),
    pkcs11.KeyUnextractable: (0x06A, "CKR_KEY_UNEXTRACTABLE"),
    pkcs11.MechanismInvalid: (0x070, "CKR_MECHANISM_INVALID"),
    pkcs11.MechanismParamInvalid: (0x071, "CKR_MECHANISM_PARAM_INVALID"),
    pkcs11.ObjectHandleInvalid: (0x082, "CKR_OBJECT_HANDLE_INVALID"),
    pkcs11.OperationActive: (0x090, "CKR_OPERATION_ACTIVE"),
    pkcs11.OperationNotInitialized: (0x091, "CKR_OPERATION_NOT_INITIALIZED"),
    pkcs11.PinIncorrect: (0x0A0, "CKR_PIN_INCORRECT"),
    pkcs11.PinInvalid: (0x0A1, "CKR_PIN_INVALID"),
    pkcs11.PinLenRange: (0x0A2, "CKR_PIN_LEN_RANGE"),
    pkcs11.PinExpired: (0x0A3, "CKR_PIN_EXPIRED"),
    pkcs11.PinLocked: (0x0A4, "CKR_PIN_LOCKED"),
    pkcs11.SessionClosed: (0x0B0, "CKR_SESSION_CLOSED"),
    pkcs11.SessionCount: (0x0B1, "CKR_SESSION_COUNT"),
    pkcs11.SessionHandleInvalid: (0x0B3, "CKR_SESSION_HANDLE_INVALID"),
    pkcs11.SessionReadOnly: (0x0B5, "CKR_SESSION_READ_ONLY"),
    pkcs11.SessionExists: (0x0B6, "CKR_SESSION_EXISTS"),
    pkcs11.SessionReadOnlyExists: (0x0B7, "CKR_SESSION_READ_ONLY_EXISTS"),
    pkcs11.SessionReadWriteSOExists: (0x0B8, "CKR_SESSION_READ_WRITE_SO_EXISTS"),
    pkcs11.SignatureInvalid: (0x0C0, "CKR_SIGNATURE_INVALID"),
    pkcs11.SignatureLenRange: (0x0C1, "CKR_SIGNATURE_LEN_RANGE"),
    pkcs11.TemplateIncomplete: (0x0D0, "CKR_TEMPLATE_INCOMPLETE"),
    pkcs11.TemplateInconsistent: (0x0D1, "CKR_TEMPLATE_INCONSISTENT"),
    pkcs11.TokenNotPresent: (0x0E0, "CKR_TOKEN_NOT_PRESENT"),
    pkcs11.TokenNotRecognised: (0x0E1, "CKR_TOKEN_NOT_RECOGNIZED"),
    pkcs11.TokenWriteProtected: (0x0E2, "CKR_TOKEN_WRITE_PROTECTED"),
    pkcs11.UnwrappingKeyHandleInvalid: (0x0F0, "CKR_UNWRAPPING_KEY_HANDLE_INVALID"),
    pkcs11.UnwrappingKeySizeRange: (0x0F1, "CKR_UNWRAPPING_KEY_SIZE_RANGE"),
    pkcs11.UnwrappingKeyTypeInconsistent: (0x0F2, "CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT"),
    pkcs11.UserAlreadyLoggedIn: (0x100, "CKR_USER_ALREADY_LOGGED_IN"),
    pkcs11.UserNotLoggedIn: (0x101, "CKR_USER_NOT_LOGGED_IN"),
    pkcs11.UserPinNotInitialized: (0x102, "CKR_USER_PIN_NOT_INITIALIZED"),
    pkcs11.AnotherUserAlreadyLoggedIn: (0x104, "CKR_USER_ANOTHER_ALREADY_LOGGED_IN"),
    pkcs11.UserTooManyTypes: (0x105, "CKR_USER_TOO_MANY_TYPES"),
    pkcs11.WrappedKeyInvalid: (0x110, "CKR_WRAPPED_KEY_INVALID"),
    pkcs11.WrappedKeyLenRange: (0x112, "CKR_WRAPPED_KEY_LEN_RANGE"),
    pkcs11.WrappingKeyHandleInvalid: (0x113, "CKR_WRAPPING_KEY_HANDLE_INVALID"),
    pkcs11.WrappingKeySizeRange: (0x114, "CKR_WRAPPING_KEY_SIZE_RANGE"),
    pkcs11.WrappingKeyTypeInconsistent: (0x115, "CKR_WRAPPING_KEY_TYPE_INCONSISTENT"),
    pkcs11.RandomSeedNotSupported: (0x120, "CKR_RANDOM_SEED_NOT_SUPPORTED"),
    pkcs11.RandomNoRNG: (0x121, "CKR_RANDOM_NO_RNG"),
    pkcs11.DomainParamsInvalid: (0x130, "CKR_DOMAIN_PARAMS_INVALID"),
    pkcs11.ExceededMaxIterations: (0x1C0, "CKR_EXCEEDED_MAX_ITERATIONS"),
    pkcs11.PinTooWeak: (0x1C3, "CKR_PIN_TOO_WEAK"),
    pkcs11.PublicKeyInvalid: (0x1C4, "CKR_PUBLIC_KEY_INVALID"),
    pkcs11.FunctionRejected: (0x200, "CKR_FUNCTION_REJECTED"),
}

_BY_TEXT: dict[str, tuple[int, str]] = {
    # python-pkcs11 0.10 has no class of their own for these; its text is all there is.
    "Buffer was too small": (0x150, "CKR_BUFFER_TOO_SMALL"),
    "Initialisation error (not": (0x190, "CKR_CRYPTOKI_NOT_INITIALIZED"),
    "Initialisation error (already": (0x191, "CKR_CRYPTOKI_ALREADY_INITIALIZED"),
    "Parallel not supported": (0x0B4, "CKR_SESSION_PARALLEL_NOT_SUPPORTED"),
    "User type invalid": (0x103, "CKR_USER_TYPE_INVALID"),
}

_UNMAPPED = re.compile(r"Unmapped error code 0x([0-9a-fA-F]{1,16})")


def describe(error: pkcs11.PKCS11Error) -> str:
    """`error` as "0x00000006 CKR_FUNCTION_FAILED", a value without a name as "0x80000001".

    Errors that the wrapper makes up itself have no value and give the name of their class.
    """
    known = _CODES.get(type(error))
    text = str(error)
    if known is None:
        known = next((code for start, code in _BY_TEXT.items() if text.startswith(start)), None)
    if known is not None:
        return f"0x{known[0]:08x} {known[1]}"
    if unmapped := _UNMAPPED.match(text):
        return f"0x{int(unmapped[1], 16):08x}"
    return type(error).__name__
