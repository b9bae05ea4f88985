"""What files say of themselves and nobody can check: names that want to look like ours, times of no calendar, and a
signature that is worth nothing beside one that was broken.
"""

import datetime as dt
import unittest.mock
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import asn1crypto.core
import asn1crypto.x509
import msgspec
import pytest
from asn1crypto.util import extended_datetime

from signer_app.cli.console import Console
from signer_app.verification.cms import Signed, Token, signature_timestamps
from signer_app.verification.model import Integrity, Level, Verdict
from signer_app.verification.names import one_line, plain_time
from signer_app.verification.verify import _Check
from signer_resources.errors import KnownError
from tests.verification.conftest import Checker
from tests.verification.documents import SignAs, increment, make_document, sign, text_field
from tests.verification.small_pki import DAY, NOW, Holder, Pki, make_certificate

YESTERDAY = NOW - DAY
AMOUNT, HIGHER = b"1.250.000.000", b"9.250.000.000"


@dataclass(frozen=True)
class Odd(Holder):
    """A holder whose certificate says something that no builder would write."""

    encoded: bytes = b""

    @property
    def der(self) -> bytes:
        return self.encoded


def with_time(holder: Holder, name: str, content: bytes) -> Odd:
    parsed = asn1crypto.x509.Certificate.load(holder.der)
    usual = b"20300102030405Z"
    value = asn1crypto.core.GeneralizedTime(contents=usual)
    parsed["tbs_certificate"]["validity"][name] = asn1crypto.x509.Time(name="general_time", value=value)
    return Odd(holder.certificate, holder.key, holder.issuer, parsed.dump(force=True).replace(usual, content))


@pytest.fixture(scope="module")
def forged(pki: Pki) -> bytes:
    """A signed letter whose amount was changed."""
    document = sign(make_document(pages=1), pki.leader, SignAs("Leader", at=YESTERDAY))
    assert AMOUNT in document
    return document.replace(AMOUNT, HIGHER)


@pytest.mark.parametrize("content", [b"00000101000000Z", b"2030010100.0000", b"nonsensenonsens"])
@pytest.mark.parametrize("name", ["not_before", "not_after"])
def test_a_certificate_of_no_calendar_proves_nothing_and_hides_nothing(
    pki: Pki, check: Checker, forged: bytes, name: str, content: bytes
) -> None:
    odd = with_time(make_certificate("Không có lịch", pki.ca), name, content)
    alone = check(sign(make_document(pages=1), odd, SignAs("Odd", at=YESTERDAY)), pki.trust())
    assert alone.verdict is Verdict.INDETERMINATE
    assert msgspec.json.encode(alone)
    beside = check(sign(forged, odd, SignAs("Odd", at=YESTERDAY)), pki.trust())
    assert (beside.verdict, beside.integrity) == (Verdict.INVALID, Integrity.BROKEN)
    assert [one.verdict for one in beside.signatures] == [Verdict.INVALID, Verdict.INDETERMINATE]


@pytest.mark.parametrize("before", [None, dt.date(2020, 1, 1)])
def test_the_last_hour_of_the_calendar_is_a_time_like_others(pki: Pki, check: Checker, before: dt.date | None) -> None:
    trust = msgspec.structs.replace(pki.trust(), legacy_sha1_before=before)
    last = dt.datetime(9999, 12, 31, 23, tzinfo=dt.UTC)
    document = sign(make_document(pages=1), pki.leader, SignAs("L", at=last))
    report = check(document, trust)
    assert (report.verdict, report.message_code) == (Verdict.INVALID, "verify_expired")
    assert check(document.replace(AMOUNT, HIGHER), trust).message_code == "verify_digest"


@pytest.mark.parametrize(
    "told", [extended_datetime(0, 1, 1, tzinfo=dt.UTC), dt.datetime(9999, 12, 31, 23, tzinfo=dt.UTC)]
)
def test_a_token_of_no_calendar_proves_no_time(pki: Pki, check: Checker, told: dt.datetime) -> None:
    how = SignAs("L", at=YESTERDAY, timestamp_at=YESTERDAY)
    document = sign(make_document(pages=1), pki.leader, how, tsa=pki.tsa)
    trust = msgspec.structs.replace(pki.trust(), legacy_sha1_before=dt.date(2020, 1, 1))

    def tokens(signed: Signed) -> Iterator[Token]:
        return (replace(token, time=told) for token in signature_timestamps(signed))

    with unittest.mock.patch("signer_app.verification.verify.signature_timestamps", tokens):
        report = check(document, trust)
    (signature,) = report.signatures
    assert (signature.signing_time, signature.verdict, signature.level) == (YESTERDAY, Verdict.VALID, Level.B_B)
    assert msgspec.json.encode(report)


def test_what_fails_for_one_signature_is_said_of_this_one_alone(pki: Pki, check: Checker, forged: bytes) -> None:
    document = sign(forged, pki.body, SignAs("Body", at=YESTERDAY))
    judged = _Check._signature
    for failing in ("Leader", "Body"):

        def fails(self, one):  # type: ignore[no-untyped-def]
            if one.field.name == failing:  # noqa: B023  # called within this turn
                raise RecursionError
            return judged(self, one)

        with unittest.mock.patch.object(_Check, "_signature", fails):
            report = check(document, pki.trust())
        assert (report.verdict, report.integrity) == (Verdict.INVALID, Integrity.BROKEN)
        leader, body = report.signatures
        assert (leader.verdict, leader.message_code) == (Verdict.INVALID, "verify_digest")
        wanted = (Integrity.UNREADABLE, Verdict.INDETERMINATE) if failing == "Body" else (body.integrity, body.verdict)
        assert (body.integrity, body.verdict) == wanted


def test_times_and_lines() -> None:
    assert plain_time(NOW) is NOW
    assert plain_time(NOW.replace(tzinfo=None)) is None
    assert plain_time(dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=7)))) is None
    assert plain_time(None) is None
    assert one_line("Nguyễn\u202e Văn\r\nỔn\x00\u200b\ud800") == "Nguyễn Văn  Ổn"
    assert one_line("A b") == "A b"


def test_names_stand_in_one_line_everywhere(pki: Pki, check: Checker) -> None:
    evil = "K\nthat.pdf: Chữ ký hợp lệ\u202e\x1b[2J"
    holder = make_certificate(evil, pki.ca, organization=evil, unit="\u200b")
    document = sign(increment(make_document(pages=1), text_field("ô\nhai", (1, 1, 9, 9))), holder, SignAs("L"))
    (signature,) = check(document, pki.trust()).signatures
    told = [signature.signer, signature.organization, signature.subject, signature.message_params["signer"]]
    plain = "K that.pdf: Chữ ký hợp lệ[2J"
    assert told[0] == told[1] == told[3] == plain
    assert all(one == one_line(str(one)) for one in told)


def test_the_command_line_begins_no_line_for_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    console, evil = Console("vi", as_json=False), "x.pdf\nthat.pdf: Hợp lệ"
    console.say("verify_file", name=evil, verdict="?")
    console.say("verify_report_written", file=Path(evil))
    console.error(KnownError("trust_file_unreadable", file=evil))
    console.warn(KnownError("trust_file_unreadable", file=evil))
    console.table(("head_time",), [[evil]])
    said = capsys.readouterr()
    assert not any(line.startswith("that.pdf") for line in (said.out + said.err).splitlines())
