import inspect
import re
from pathlib import Path

import pkcs11
import pytest

from signer_resources.messages import catalogue
from signer_token.ckr import RETURN_VALUES, describe, value_of

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


NEW_IN_3_0 = {
    "CKR_ACTION_PROHIBITED": 0x1B,
    "CKR_AEAD_DECRYPT_FAILED": 0x42,
    "CKR_CURVE_NOT_SUPPORTED": 0x140,
    "CKR_LIBRARY_LOAD_FAILED": 0x1B7,
    "CKR_PIN_TOO_WEAK": 0x1B8,
    "CKR_PUBLIC_KEY_INVALID": 0x1B9,
    "CKR_FUNCTION_REJECTED": 0x200,
    "CKR_TOKEN_RESOURCE_EXCEEDED": 0x201,
    "CKR_OPERATION_CANCEL_FAILED": 0x202,
}
"""And the latest of 2.40."""
NO_ERRORS = {"CKR_OK", "CKR_VENDOR_DEFINED"}


def test_no_return_value_of_the_standard_is_missing() -> None:
    # The wrapper declares all that its header knows.
    declared = Path(pkcs11.__file__).with_name("_pkcs11.pxd").read_text(encoding="utf-8")
    names = set(re.findall(r"\bCKR_[A-Z_0-9]+", declared)) - NO_ERRORS
    assert len(names) > 80
    ours = {value.name: value.number for value in RETURN_VALUES.values()}
    assert names - ours.keys() == set()
    assert {name: ours[name] for name in NEW_IN_3_0} == NEW_IN_3_0
    assert len(ours) == len(RETURN_VALUES)


def test_every_meaning_has_its_words_and_a_batch_goes_on_only_after_what_concerns_one_document() -> None:
    assert {value.meaning for value in RETURN_VALUES.values()} <= catalogue().errors.keys()
    assert {value.name for value in RETURN_VALUES.values() if value.goes_on} == {
        "CKR_DATA_INVALID",
        "CKR_DATA_LEN_RANGE",
    }


@pytest.mark.parametrize("number", [0x80000001, 0xFFFFFFFF, 0x7FFF, 0x1C3])
def test_a_vendors_own_value_is_a_drivers_error_with_its_number_and_never_a_wrong_pin(number: int) -> None:
    value = value_of(pkcs11.PKCS11Error(f"Unmapped error code 0x{number:x}"))
    assert (value.number, value.meaning, value.goes_on) == (number, "driver_error", False)
    assert str(value) == f"0x{number:08x}"


def test_a_wrong_pin_has_one_value_alone() -> None:
    assert [value.name for value in RETURN_VALUES.values() if value.meaning == "pin_incorrect"] == ["CKR_PIN_INCORRECT"]
