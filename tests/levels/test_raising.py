"""A document on its way up: each step an increment, good in the eyes of others, and never worse than before."""

import asyncio
import datetime as dt
import hashlib
import subprocess
from pathlib import Path

import msgspec
import pytest
from asn1crypto import tsp
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import DocumentSecurityStore, async_validate_pdf_signature, async_validate_pdf_timestamp
from pyhanko_certvalidator import ValidationContext

from signer_app.demo.pki_names import Holder
from signer_app.levels.raising import Raised
from signer_app.pdf.later import add_validation, finish_timestamp, prepare_timestamp
from signer_app.signing.batch import Stamped
from signer_app.signing.timestamps import ask_tsa
from signer_app.store.settings import TimestampServer
from signer_app.verification.model import Integrity, Level
from signer_resources.errors import KnownError
from tests.levels.signed import Place, fields, root_of, scripted_pool
from tests.levels.test_timestamps import IMPRINT, answering
from tests.verification.documents import timestamper
from tests.verification.small_pki import Pki, make_certificate

LEVELS = (Level.B_T, Level.B_LT, Level.B_LTA)


def grown(place: Place, source: Path, level: Level) -> Raised:
    """The document at this level; shows why it isn't."""
    raised = place.raised(source, level)
    assert raised.reason is None, raised.reason
    assert raised.path is not None
    return raised


def without_network(place: Place, file: Path) -> None:
    """Everything that pyHanko may rely on is the root and what the file holds; revocation must be known for all."""
    with file.open("rb") as handle:
        reader = PdfFileReader(handle)
        strict = {"trust_roots": [root_of(place.desk)], "allow_fetching": False, "revocation_mode": "require"}
        store = DocumentSecurityStore.read_dss(reader)
        # One entry for each signed state before the data (ISO 32000-2, 12.8.4.4).
        covered = [one for one in reader.embedded_signatures if one.field_name != "Timestamp2"]
        names = {f"/{hashlib.sha1(one.pkcs7_content).hexdigest().upper()}" for one in covered}  # noqa: S324 - a name
        assert set(store.vri_entries) == names
        context = store.as_validation_context(strict)
        for signature in reader.embedded_regular_signatures:
            status = asyncio.run(async_validate_pdf_signature(signature, context, ts_validation_context=context))
            assert status.bottom_line, status.summary()
        for stamp in reader.embedded_timestamp_signatures:
            assert asyncio.run(async_validate_pdf_timestamp(stamp, context)).trusted


def with_its_timestamp(place: Place, file: Path) -> None:
    """pyHanko believes the document's timestamp by the server's chain alone."""
    context = ValidationContext(trust_roots=[root_of(place.desk)], allow_fetching=False)
    with file.open("rb") as handle:
        (stamp,) = PdfFileReader(handle).embedded_timestamp_signatures
        status = asyncio.run(async_validate_pdf_timestamp(stamp, context))
    assert (status.intact, status.valid, status.trusted) == (True, True, True)


def test_each_level_is_an_increment_that_others_find_good(place: Place) -> None:
    source = place.letter(Holder.LEADER, Holder.AGENCY)
    before = source.read_bytes()
    for level in LEVELS:
        raised = grown(place, source, level)
        assert raised.path is not None
        assert raised.path.read_bytes().startswith(source.read_bytes())
        report = place.report(raised.path)
        assert [one.integrity for one in report.signatures] == [Integrity.INTACT] * 2
        assert [one.level for one in report.signatures] == [level] * 2
        assert raised.level is level
        checked = subprocess.run(["qpdf", "--check", raised.path], capture_output=True, check=False)
        assert checked.returncode == 0, checked.stdout
        shown = subprocess.run(["pdfsig", "-nocert", raised.path], capture_output=True, check=False, text=True).stdout
        assert shown.count("Signature is Valid") == 2
        (with_its_timestamp if level is Level.B_T else without_network)(place, raised.path)
        source = raised.path
    assert source.read_bytes().startswith(before)
    assert fields(source) == ["ky_0", "ky_1", "Timestamp1", "Timestamp2"]
    # What is there already gets nothing more.
    there = place.raised(source, Level.B_LT)
    assert (there.path, there.level, there.reason) == (None, Level.B_LTA, None)


@pytest.mark.long
def test_what_is_appended_is_a_function_of_the_file(place: Place) -> None:
    source, out = place.letter(), [place.folder / f"{number}.pdf" for number in range(4)]
    gaps = [prepare_timestamp(source, one) for one in out[:2]]
    assert gaps[0] == gaps[1]
    assert out[0].read_bytes() == out[1].read_bytes()
    at_lt = grown(place, source, Level.B_LT).path
    assert at_lt is not None
    trust, now, report = place.space.trust, place.clock(), place.report(at_lt)
    added = [add_validation(at_lt, one, report, trust, now) for one in out[2:]]
    assert added[0] == added[1]
    assert out[2].read_bytes() == out[3].read_bytes()


def test_a_token_without_room_is_refused_and_nothing_is_written(place: Place) -> None:
    output = place.folder / "out.pdf"
    gap = prepare_timestamp(place.letter(), output)
    before = output.read_bytes()
    token = tsp.ContentInfo({"content_type": "data", "content": b"x" * 20_000}).dump()
    with pytest.raises(KnownError, match="too large"):
        finish_timestamp(output, gap, token)
    assert output.read_bytes() == before


def test_news_from_before_the_signature_dont_make_lt(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    source = grown(place, place.letter(), Level.B_T).path
    assert source is not None
    monkeypatch.setattr(place.space.revocation, "fetch", lambda *_args, **_more: False)
    # In hand are good CRLs of both CAs, but they were issued before the document was signed.
    held = place.desk.trust.crls
    monkeypatch.setattr(type(place.space), "trust", property(lambda _space: place.desk.trust))
    assert held
    raised = place.raised(source, Level.B_LTA)
    assert raised.reason is not None
    assert (raised.path, raised.level, raised.reason.code) == (None, Level.B_T, "level_news_missing")


@pytest.mark.long
def test_more_news_than_may_be_sent_stay_out(place: Place) -> None:
    raised = place.raiser().raise_to(place.letter(), Level.B_LTA, place.folder, largest=1000)
    assert raised.path is not None
    assert raised.reason is not None
    assert (raised.level, raised.reason.code) == (Level.B_T, "level_news_too_large")
    assert fields(raised.path) == ["ky_0", "Timestamp1"]


@pytest.mark.parametrize(
    ("holder", "code"),
    [
        (Holder.EXPIRED_LEADER, "level_certificate_expired"),
        (Holder.REVOKED_LEADER, "level_certificate_revoked"),
    ],
)
def test_a_timestamp_that_comes_too_late_is_not_asked_for(place: Place, holder: Holder, code: str) -> None:
    source = place.letter(holder)
    place.space.revocation.fetch(place.report(source).wanted_urls)
    asked: list[str] = []
    pool = scripted_pool(lambda url, *_rest: asked.append(url))
    raised = place.raiser(pool).raise_to(source, Level.B_LTA, place.folder)
    assert raised.reason is not None
    assert (raised.path, raised.level, raised.reason.code, asked) == (None, Level.B_B, code, [])


def test_what_is_unsigned_or_broken_is_not_raised(place: Place) -> None:
    signed = place.letter()
    broken = place.desk.keep(signed.read_bytes() + b"after the end")
    for file, code in ((place.desk.keep(b"%PDF-1.7 nothing"), "level_not_valid"), (broken, "level_not_valid")):
        raised = place.raised(file, Level.B_T)
        assert raised.reason is not None
        assert (raised.path, raised.reason.code) == (None, code)


def test_a_timestamp_of_a_stranger_is_thrown_away(place: Place, foreign: Pki) -> None:
    async def stamp(imprint: bytes) -> bytes:
        token = await timestamper(foreign.tsa, dt.datetime.now(dt.UTC)).async_timestamp(imprint, "sha256")
        return bytes(token.dump())

    def answer(_url: str, imprint: bytes, _limit: float, _nonce: int) -> Stamped:
        return Stamped(asyncio.run(stamp(imprint)), dt.datetime.now(dt.UTC))

    raised = place.raiser(scripted_pool(answer)).raise_to(place.letter(), Level.B_T, place.folder)
    assert raised.reason is not None
    assert (raised.path, raised.reason.code) == (None, "level_timestamp_untrusted")


def test_whoever_answers_in_a_servers_place_is_not_believed_and_hides_no_other(place: Place, foreign: Pki) -> None:
    tomorrow = place.clock() + dt.timedelta(days=30)

    def lie(query: bytes) -> bytes:
        stamper = timestamper(foreign.tsa, tomorrow)
        return bytes(asyncio.run(stamper.async_request_tsa_response(tsp.TimeStampReq.load(query))).dump())

    with answering(lie) as url:
        place.settings(lambda old: msgspec.structs.replace(old, tsa_url=url))
        assert ask_tsa(url, IMPRINT, 10.0, 4711).time > place.clock(), "its answer is a good one but for who it is"
        alone = place.space.timestamps
        assert alone is not None
        assert alone.at_once(IMPRINT) is None
        honest = TimestampServer(url=place.tsa_url)
        place.settings(lambda old: msgspec.structs.replace(old, tsa_others=(honest,)))
        both = place.space.timestamps
        assert both is not None
        for stamped in (both.at_once(IMPRINT), both.patiently(IMPRINT)):
            assert stamped is not None
            assert (stamped.tsa, stamped.time < tomorrow) == (place.tsa_url, True)


@pytest.fixture(scope="module")
def foreign() -> Pki:
    """A PKI that nobody here has installed."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID

    now, days = dt.datetime.now(dt.UTC), dt.timedelta(days=100)
    root = make_certificate("Gốc lạ", None, ca=True, not_before=now - days, not_after=now + days)
    tsa = make_certificate(
        "TSA lạ",
        root,
        key=rsa.generate_private_key(65537, 2048),
        extended=ExtendedKeyUsageOID.TIME_STAMPING,
        not_before=now - days,
        not_after=now + days,
    )
    return Pki(root, root, root, root, tsa)


@pytest.mark.parametrize(
    "step",
    [
        "prepare_stamp",
        "finish_stamp",
        pytest.param("add_validation", marks=pytest.mark.long),
        pytest.param("recheck", marks=pytest.mark.long),
    ],
)
def test_a_worker_that_dies_between_two_steps_leaves_the_file_as_it_was(
    place: Place, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    source = place.letter()
    before, there = hashlib.sha256(source.read_bytes()).digest(), set(place.folder.iterdir())

    def dies(*_args: object) -> None:
        raise KnownError("worker_fault", detail="crash")

    monkeypatch.setattr(place.space.workers, step, dies)
    raised = place.raised(source, Level.B_LT)
    assert raised.reason is not None
    assert raised.reason.code == "worker_fault"
    # With its timestamp alone the document is good already; what was not looked at by other parsers is not kept.
    assert raised.level is (Level.B_T if step == "add_validation" else Level.B_B)
    assert hashlib.sha256(source.read_bytes()).digest() == before
    assert set(place.folder.iterdir()) - there == ({raised.path} if raised.path else set())
