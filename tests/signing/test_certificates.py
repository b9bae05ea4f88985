"""When a certificate may sign, to the second, and what is said of it before its end."""

import datetime as dt
from pathlib import Path

import pytest

from signer_app.desk.tokens import Life, life_of
from signer_app.signing.certificate_facts import Usage, key_id, usages
from signer_app.signing.certificates import SigningCertificate, require_fit
from signer_app.store.settings import CertificateRole
from signer_app.verification.certificate import CertificateState
from signer_app.verification.model import Revocation, Trust
from signer_resources.errors import KnownError
from signer_token.model import PinState, Token, TokenCertificate
from tests.signing.certificates import ISSUED, certificate

SECOND, DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)
END = dt.datetime(2026, 11, 20, 17, 0, tzinfo=ISSUED.tzinfo)


def ending(key_present: bool | None = None) -> TokenCertificate:
    return certificate(life=END - ISSUED, key_present=key_present)


def chosen(one: TokenCertificate) -> SigningCertificate:
    token = Token("UBND xã Hòa Sơn", "77", "", "", Path("/x/driver.so"), PinState.OK, (one,))
    state = CertificateState(Trust.TRUSTED, Revocation.GOOD)
    return SigningCertificate(token, one, CertificateRole.AGENCY, None, state)


@pytest.mark.parametrize(
    ("now", "refused"),
    [
        (ISSUED - SECOND, "certificate_not_yet_valid"),
        (ISSUED, None),
        (END, None),
        (END + SECOND, "certificate_expired"),
    ],
)
def test_a_certificate_signs_from_its_first_second_to_its_last_and_not_beyond(
    now: dt.datetime, refused: str | None
) -> None:
    one = chosen(ending())
    if refused is None:
        require_fit(one, now)
        return
    with pytest.raises(KnownError) as told:
        require_fit(one, now)
    assert told.value.code == refused


@pytest.mark.parametrize(
    ("before_end", "life"),
    [
        (61 * DAY, Life.VALID),
        (61 * DAY - SECOND, Life.ENDING),
        (31 * DAY, Life.ENDING),
        (31 * DAY - SECOND, Life.DUE),
        (8 * DAY, Life.DUE),
        (8 * DAY - SECOND, Life.LAST),
        (0 * DAY, Life.LAST),
        (-SECOND, Life.EXPIRED),
    ],
)
def test_the_warnings_begin_when_60_30_and_7_whole_days_are_left(before_end: dt.timedelta, life: Life) -> None:
    assert life_of(ending(), END - before_end) is life


def test_before_its_first_second_a_certificate_is_not_yet_valid_whatever_the_clock_says() -> None:
    assert life_of(ending(), ISSUED - SECOND) is Life.NOT_YET
    assert life_of(ending(), ISSUED.replace(year=1999)) is Life.NOT_YET


@pytest.mark.parametrize(("seen", "refused"), [(True, False), (None, False), (False, True)])
def test_a_certificate_without_its_key_is_refused_before_a_pin_is_asked(seen: bool | None, refused: bool) -> None:
    one = chosen(ending(seen))
    if not refused:
        require_fit(one, END)
        return
    with pytest.raises(KnownError) as told:
        require_fit(one, END)
    assert told.value.code == "key_missing"


def test_the_uses_that_a_certificate_names_are_told_in_one_order() -> None:
    named = (Usage.SIGNING, Usage.NON_REPUDIATION, Usage.ENCRYPTION, Usage.EMAIL, Usage.LOGIN)
    assert usages(certificate().der) == named
    assert usages(certificate(restricted=False).der) == ()


def test_a_key_has_one_name_in_every_certificate() -> None:
    assert key_id(certificate().der) == key_id(certificate(serial=5).der)
    assert key_id(certificate().der) != key_id(certificate(key_number=2).der)
