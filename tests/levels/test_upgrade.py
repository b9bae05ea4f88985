"""The command `upgrade`: files that a person names, signed here or elsewhere."""

import asyncio
import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager

import signer_resources
from signer_app.levels.files import Upgrade
from signer_app.levels.keeping import keep
from signer_app.verification.model import Level
from signer_resources.errors import KnownError
from tests.levels.signed import Place
from tests.support.workspace import Desk, Site


@pytest.fixture
def desk(site: Site, tmp_path: Path) -> Desk:
    return site.desk(tmp_path)


@pytest.fixture
def quiet_pyhanko() -> Iterator[None]:
    """pyHanko logs each path that it tries in vain, with a traceback."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def by_the_rules_of_etsi(file: Path, root: x509.Certificate) -> str:
    """What pyHanko makes of it without a network (EN 319 102-1, 5.6.3)."""
    spec = PdfSignatureValidationSpec(
        SignatureValidationSpec(
            revinfo_gathering_policy=RevocationInfoGatheringSpec(
                RevinfoOnlineFetchingRule.LOCAL_ONLY, certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH
            ),
            cert_validation_policy=CertValidationPolicySpec(
                trust_manager=SimpleTrustManager.build([root]),
                revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy.from_legacy("require")),
            ),
        )
    )
    with file.open("rb") as handle:
        (signature,) = PdfFileReader(handle).embedded_regular_signatures
        return str(asyncio.run(ades_lta_validation(signature, spec)).ades_subindic)


@pytest.mark.usefixtures("quiet_pyhanko")
def test_a_file_from_elsewhere_is_raised_beside_itself_and_not_kept(desk: Desk) -> None:
    letter = desk.letter()
    before = letter.read_bytes()
    answer = desk.call("upgrade", letter, "--level", "b-lta")
    (entry,) = answer.documents
    output = letter.with_name("cong-van.b-lta.pdf")
    assert (answer.code, entry["state"], entry["level"], entry["output"]) == (0, "signed", "b-lta", str(output))
    assert output.read_bytes().startswith(before)
    assert letter.read_bytes() == before
    assert by_the_rules_of_etsi(output, x509.Certificate.load(desk.site.pki.root_der)) == "AdESPassed.OK"
    assert desk.files() == []
    again = desk.call("upgrade", output, "--level", "b-lt")
    assert (again.code, again.states, again.documents[0]["output"]) == (0, ["skipped"], None)


def test_nothing_is_written_over_and_nothing_secret_is_touched(desk: Desk) -> None:
    letter, taken = desk.letter(), desk.letters / "cong-van.b-lt.pdf"
    taken.write_bytes(b"somebody's own")
    secret = Path(shutil.copy(signer_resources.path("samples/van-ban-mat.pdf"), desk.letters))
    unsigned = Path(shutil.copy(signer_resources.path("samples/giay-moi.pdf"), desk.letters))
    answer = desk.call("upgrade", letter, secret, unsigned, "--level", "b-lt")
    assert (answer.code, answer.states) == (1, ["failed", "refused", "refused"])
    assert answer.codes == ["output_exists", "secret", "level_no_signature"]
    assert answer.documents[1]["sha256_in"] is None
    assert taken.read_bytes() == b"somebody's own"
    assert sorted(path.name for path in desk.letters.iterdir()) == sorted(
        (letter.name, taken.name, secret.name, unsigned.name)
    )


@pytest.mark.long
@pytest.mark.usefixtures("no_pauses")
def test_without_a_server_the_run_stops_and_says_what_is_left(desk: Desk) -> None:
    desk.change_settings(tsa_url=desk.site.dead_url)
    # The letters have their timestamps: validation data need no timestamp server, an archive timestamp does.
    letter = desk.letter()
    answer = desk.call("upgrade", letter, "--level", "b-lta")
    (entry,) = answer.documents
    assert (answer.code, entry["state"], entry["level"], entry["code"]) == (1, "signed", "b-lt", "tsa_no_answer")
    assert answer.json["stopped"]["code"] == "tsa_no_answer"
    assert letter.with_name("cong-van.b-lt.pdf").is_file()


def test_words_are_said_and_wrong_usage_is_told(desk: Desk) -> None:
    letter = desk.letter()
    answer = desk.call("upgrade", letter, "--level", "b-t", text=True)
    assert (answer.code, answer.out.strip()) == (0, "Đã bổ sung 0 tệp, 1 tệp đã đủ mức, 0 tệp chưa đạt.")
    assert desk.call("upgrade", desk.letters / "none.pdf", "--level", "b-t").code == 2
    assert desk.call("upgrade", letter).code == 2
    assert desk.call("upgrade", letter, "--level", "b-b").code == 2


@pytest.mark.long
def test_copies_of_one_file_that_was_signed_here_get_one_version(place: Place) -> None:
    letter = place.letter()
    stored = place.store(letter)
    copies = [Path(shutil.copy(letter, place.folder / f"bản {number}.pdf")) for number in range(2)]
    result = Upgrade(place.space, Level.B_T, place.folder / "ra").run(copies, lambda *_args: None)
    with place.space.store.view() as view:
        (version,) = view.levels.versions(stored.id)
    assert [entry.sha256_out for entry in result.files] == [version.blob] * 2


def test_what_was_begun_from_an_older_version_is_not_kept(place: Place) -> None:
    stored = place.store(place.letter())
    assert stored.blob_out is not None
    raised = place.raised(place.space.store.blobs.path(stored.blob_out), Level.B_T)
    assert raised.path is not None
    late = replace(raised, path=Path(shutil.copy(raised.path, place.folder / "late.pdf")))
    kept = keep(place.space, stored, raised, stored.blob_out)
    with pytest.raises(KnownError) as caught:
        keep(place.space, stored, late, stored.blob_out)
    assert caught.value.code == "level_overtaken"
    with place.space.store.view() as view:
        assert [version.blob for version in view.levels.versions(stored.id)] == [kept.blob]


@pytest.mark.long
def test_a_file_that_was_signed_here_gets_a_version_and_keeps_its_own(place: Place, desk: Desk) -> None:
    letter = place.letter()
    stored = place.store(letter)
    result = Upgrade(place.space, Level.B_LT, place.folder / "ra").run([letter], lambda *_args: None)
    (entry,) = result.files
    assert entry.output == (place.folder / "ra" / f"{letter.stem}.b-lt.pdf").absolute()
    with place.space.store.view() as view:
        version = view.levels.newest(stored.id)
    assert version is not None
    assert (version.blob, version.level) == (entry.sha256_out, "b-lt")
    # Named again, the later version is there already and is given out without another timestamp.
    again = Upgrade(place.space, Level.B_LT, place.folder / "nữa").run([letter], lambda *_args: None)
    assert again.files[0].sha256_out == entry.sha256_out
