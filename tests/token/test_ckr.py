import inspect

import pkcs11
import pytest

from signer_token.ckr import describe

WITHOUT_VALUE = {
    pkcs11.PKCS11Error,
    # Made up by the wrapper, no return values of a driver.
    pkcs11.MultipleObjectsReturned,
    pkcs11.MultipleTokensReturned,
    pkcs11.NoSuchKey,
    pkcs11.NoSuchToken,
}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (pkcs11.FunctionFailed(), "0x00000006 CKR_FUNCTION_FAILED"),
        (pkcs11.PinLocked(), "0x000000a4 CKR_PIN_LOCKED"),
        (pkcs11.PKCS11Error("Unmapped error code 0x80000123"), "0x80000123"),
        (
            pkcs11.PKCS11Error("Initialisation error (not initialized). Should never see this."),
            "0x00000190 CKR_CRYPTOKI_NOT_INITIALIZED",
        ),
        (pkcs11.NoSuchKey(), "NoSuchKey"),
    ],
)
def test_an_error_is_told_with_its_number(error: pkcs11.PKCS11Error, told: str) -> None:
    assert describe(error) == told


def test_every_exception_that_the_wrapper_maps_from_a_return_value_has_its_number() -> None:
    classes = {
        found
        for _, found in inspect.getmembers(pkcs11.exceptions, inspect.isclass)
        if issubclass(found, pkcs11.PKCS11Error)
    }
    nameless = {found for found in classes if not describe(found()).startswith("0x")}
    assert nameless == WITHOUT_VALUE
