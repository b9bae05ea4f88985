"""What the machine says against a signature before any PIN: the copy's name, the clock, the certificate, the rules."""

import datetime as dt
import os
from pathlib import Path

import pytest

from signer_app.pdf.model import Finding, Profile, Severity
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.clock import TimeSource
from signer_app.signing.jobs import DocumentJob, FileJob
from signer_app.signing.machine_findings import machine_findings, of_machine, of_output
from signer_app.store.model import FileRole
from signer_app.store.settings import CertificateRole
from signer_app.verification.certificate import CertificateState
from signer_app.verification.model import Revocation, Trust
from signer_app.workspace import Overrides, workspace
from signer_resources import messages
from signer_token.model import PinState, Token
from tests.signing.certificates import ISSUED, YEAR, certificate
from tests.store.letters import Clock, Letters, not_secret

WARNING, REFUSED = Severity.WARNING, Severity.REFUSED
END = ISSUED + 3 * YEAR


def told(findings: tuple[Finding, ...]) -> list[tuple[str, Severity]]:
    for finding in findings:
        assert messages.explain(finding.code, "vi", **finding.params).what
    return [(finding.code, finding.severity) for finding in findings]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("CON.signed.pdf", "CON"),
        ("lpt1.signed.pdf", "lpt1"),
        ("a:b.signed.pdf", ":"),
        ("a\nb.signed.pdf", "U+000A"),
        ("công văn.", "…'.'"),
        ("công văn ", "…' '"),
    ],
)
def test_a_name_that_windows_does_not_take_is_told_everywhere_and_refused_there(
    tmp_path: Path, name: str, reason: str
) -> None:
    (elsewhere,) = of_output(tmp_path / name, windows=False)
    (there,) = of_output(tmp_path / name, windows=True)
    assert (elsewhere.severity, there.severity) == (WARNING, REFUSED)
    assert elsewhere.params == there.params == {"name": name, "reason": reason}


@pytest.mark.parametrize("name", ["CONG VAN.signed.pdf", "Công văn số 5 (bản 2).signed.pdf", "NULL.pdf", "COM.pdf"])
def test_an_ordinary_name_is_nothing(tmp_path: Path, name: str) -> None:
    assert of_output(tmp_path / name, windows=True) == of_output(tmp_path / name, windows=False) == ()


def test_a_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    assert told(of_output(tmp_path / ("ă" * 200 + ".pdf"), windows=False)) == [("output_name_long", REFUSED)]
    assert told(of_output(tmp_path / ("a" * 300 + ".pdf"), windows=True)) == [("output_name_long", REFUSED)]
    deepest = tmp_path.joinpath(*["thư mục"] * 5_000) / "a.pdf"
    for windows in (True, False):
        assert told(of_output(deepest, windows=windows)) == [("output_name_long", REFUSED)]


def test_a_path_that_many_programs_on_windows_do_not_open_is_told(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["thư mục"] * 40) / "a.pdf"
    assert told(of_output(deep, windows=True)) == [("output_path_long", WARNING)]
    assert of_output(deep, windows=False) == ()


def test_a_copy_that_is_there_or_cannot_be_written_is_refused(tmp_path: Path) -> None:
    there = tmp_path / "a.signed.pdf"
    there.write_bytes(b"")
    assert told(of_output(there)) == [("output_exists", REFUSED)]
    if os.name == "posix":
        # No folder of this kind takes a file, whoever asks.
        assert told(of_output(Path("/proc/self/a.signed.pdf"))) == [("output_unwritable", REFUSED)]
    assert list(tmp_path.iterdir()) == [there]


def chosen(key_present: bool | None = None, state: CertificateState | None = None) -> SigningCertificate:
    one = certificate(life=END - ISSUED, key_present=key_present)
    token = Token("UBND xã Hòa Sơn", "77", "", "", Path("/x/driver.so"), PinState.OK, (one,))
    good = state or CertificateState(Trust.TRUSTED, Revocation.GOOD)
    return SigningCertificate(token, one, CertificateRole.AGENCY, None, good)


@pytest.mark.parametrize(
    ("before_end", "expected"),
    [
        (dt.timedelta(days=30), []),
        (dt.timedelta(days=6), [("certificate_expires_soon", WARNING)]),
        (-dt.timedelta(seconds=1), [("certificate_expired", REFUSED)]),
    ],
)
def test_the_last_days_of_a_certificate_are_told_and_its_end_refused(
    tmp_path: Path, before_end: dt.timedelta, expected: list[tuple[str, Severity]]
) -> None:
    with workspace(tmp_path / "data", Overrides(), writing=True, now=lambda: END - before_end) as space:
        assert told(of_machine(space, chosen())) == expected
        assert of_machine(space, None) == ()
        revoked = chosen(state=CertificateState(Trust.TRUSTED, Revocation.REVOKED))
        if before_end > dt.timedelta():
            assert told(of_machine(space, revoked)) == [("certificate_revoked", REFUSED)]


def _standing_at(moment: dt.datetime) -> Clock:
    clock = Clock()
    clock.time = moment
    return clock


def test_a_clock_that_is_wrong_warns_and_one_behind_the_last_signature_refuses(tmp_path: Path) -> None:
    now = dt.datetime(2026, 11, 20, 8, 0, tzinfo=ISSUED.tzinfo)
    with workspace(tmp_path / "data", Overrides(), writing=True, now=lambda: now) as space:
        letters = Letters(space.store, _standing_at(now + dt.timedelta(days=2)))
        space.clock.saw(now + dt.timedelta(minutes=20), now, TimeSource.SERVER)
        assert told(of_machine(space, None)) == [("machine_clock_wrong", WARNING)]
        space.store.commit_signed(letters.signing("900"), not_secret)
        assert told(of_machine(space, None))[1:] == [("clock_before_last_signature", REFUSED)]
        # A clock that the server has shown to be right is accepted at the login.
        space.clock.saw(now, now, TimeSource.SERVER)
        assert of_machine(space, None) == ()


def test_a_day_without_rules_is_refused_and_each_file_hears_what_goes_for_all(tmp_path: Path) -> None:
    long_ago = dt.datetime(2001, 1, 1, tzinfo=ISSUED.tzinfo)
    there = tmp_path / "b.signed.pdf"
    there.write_bytes(b"")
    outputs = (str(tmp_path / "a.signed.pdf"), str(there))
    jobs = [
        DocumentJob((FileJob(str(tmp_path / "x.pdf"), output, FileRole.MAIN, Profile.PLAIN),)) for output in outputs
    ]
    with workspace(tmp_path / "data", Overrides(), writing=True, now=lambda: long_ago) as space:
        found = machine_findings(space, None, jobs)
    assert told(found[0]) == [("no_rule_profile", REFUSED)]
    assert told(found[1]) == [("no_rule_profile", REFUSED), ("output_exists", REFUSED)]
