"""Renewed certificates: which one replaces which, and what one word of a person hands on."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from signer_app.desk.tokens import assign_body, confirm_role
from signer_app.signing.renewal import ask_as_new, inherits, remembered, take_over
from signer_app.store.settings import Body, CertificateRole, HandKind, Handwriting, Settings
from tests.signing.certificates import ISSUED, YEAR, certificate

AGENCY, PERSONAL = CertificateRole.AGENCY, CertificateRole.PERSONAL
HERE, ELSEWHERE = Body(code="H77.15", name="UBND xã Hòa Sơn"), Body(code="H77.16", name="HĐND xã Hòa Sơn")
OLD = certificate()
LATER = ISSUED + 2 * YEAR - dt.timedelta(days=30)
HANDS = (Handwriting(picture="cd" * 32), Handwriting(picture="ef" * 32, kind=HandKind.INITIAL))


def renewed(**other: Any) -> Any:
    """The certificate that replaces OLD, but for what is said otherwise."""
    return certificate(**{"serial": 0x0C2D, "begin": LATER, "key_number": 2, "issuer": "CA thử G2", **other})


def known(role: CertificateRole = AGENCY) -> Settings:
    """The settings of a machine on which OLD has worked."""
    settings = confirm_role(Settings(bodies=(HERE, ELSEWHERE)), OLD.sha256, role)
    if role is AGENCY:
        settings = assign_body(settings, OLD.sha256, HERE.code)
    settings = msgspec.structs.replace(settings, handwriting={OLD.sha256: HANDS})
    return remembered(settings, (OLD,))


@pytest.mark.parametrize("role", [AGENCY, PERSONAL])
def test_a_renewed_certificate_takes_over_role_body_and_picture_by_one_word(role: CertificateRole) -> None:
    before, new = known(role), renewed()
    wish = inherits(new, before)
    assert wish is not None
    assert (wish.old, wish.role, wish.body and wish.body.code) == (
        OLD.sha256,
        role,
        "H77.15" if role is AGENCY else None,
    )
    after = take_over(before, wish)
    assert after.roles[new.sha256] is role
    assert after.body_of(new.sha256) == (after.body("H77.15") if role is AGENCY else None)
    assert after.handwriting[new.sha256] == after.handwriting[OLD.sha256] == HANDS
    assert after.body_of(OLD.sha256) == after.body_of(new.sha256), "the old one is used while both are valid"
    assert inherits(new, after) is None, "nobody is asked twice"
    assert inherits(renewed(serial=0x0E3F, begin=LATER + YEAR), after) is not None, "nor is the next renewal lost"


@pytest.mark.parametrize(
    "other",
    [
        {"key_number": 1},
        {"subject": "Ubnd  xã Hòa Sơn"},
        {"subject": "UBND XÃ HÒA SƠN (MỚI)", "key_number": 1},
        {"issuer": "CA thử G1"},
    ],
    ids=["same key", "typed otherwise", "another name, same key", "same issuer"],
)
def test_subject_or_key_and_the_issuers_family_tell_a_renewal(other: dict[str, Any]) -> None:
    assert inherits(renewed(**other), known()) is not None


@pytest.mark.parametrize(
    "other",
    [
        {"subject": "UBND XÃ HÒA BÌNH"},
        {"family": "Công ty khác"},
        {"family": None},
        {"serial": 0x0A1B},
        {"begin": ISSUED - YEAR},
        {"begin": LATER, "life": dt.timedelta(days=5)},
    ],
    ids=["another body", "another family", "no family", "same serial", "older", "ends earlier"],
)
def test_what_only_looks_like_a_renewal_is_asked_about_as_new(other: dict[str, Any]) -> None:
    assert inherits(renewed(**other), known()) is None


def test_nothing_is_inherited_from_a_certificate_that_nobody_confirmed_or_of_which_nothing_was_kept() -> None:
    assert inherits(renewed(), Settings(bodies=(HERE,))) is None
    of_old = msgspec.structs.replace(known(), certificates={})
    assert inherits(renewed(), of_old) is None
    assert inherits(renewed(), remembered(of_old, (OLD,))) is not None, "once it is seen again, it is known"


def test_a_no_is_remembered_and_hands_on_nothing() -> None:
    wish = inherits(renewed(), known())
    assert wish is not None
    after = ask_as_new(known(), wish)
    assert inherits(renewed(), after) is None
    assert renewed().sha256 not in after.roles
    assert after.body_of(renewed().sha256) is None
    assert inherits(renewed(serial=0x0E3F, begin=LATER + YEAR), after) is not None, (
        "it still replaces the confirmed one"
    )


def test_of_several_older_ones_the_youngest_hands_on() -> None:
    oldest = certificate(serial=0x0101, begin=ISSUED - YEAR)
    settings = remembered(confirm_role(known(), oldest.sha256, PERSONAL), (oldest,))
    wish = inherits(renewed(), settings)
    assert wish is not None
    assert (wish.old, wish.role) == (OLD.sha256, AGENCY)


def test_what_the_old_one_is_at_the_time_of_the_answer_counts() -> None:
    wish = inherits(renewed(), known())
    assert wish is not None
    meanwhile = confirm_role(known(), OLD.sha256, PERSONAL)
    after = take_over(meanwhile, wish)
    assert (after.roles[renewed().sha256], after.body_of(renewed().sha256)) == (PERSONAL, None)


def test_only_confirmed_certificates_are_kept_and_only_once() -> None:
    settings = known()
    assert remembered(settings, (OLD, renewed())) is settings


def test_settings_with_known_certificates_are_read_back_as_they_were_written() -> None:
    settings = known()
    assert msgspec.json.decode(msgspec.json.encode(settings), type=Settings) == settings
    assert msgspec.json.decode(b"{}", type=Settings).certificates == {}
