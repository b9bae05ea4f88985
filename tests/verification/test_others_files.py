"""Documents and attacks made by others, where their folder is at hand beside the project."""

from pathlib import Path

import pytest

from signer_app.verification.model import Integrity, TrustMaterial, Verdict
from signer_app.verification.verify import verify_file
from tests.verification.small_pki import NOW

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"
ATTACKS = sorted((CORPUS / "attacks").glob("*.pdf"))
PDFS = sorted((CORPUS / "pdfs").glob("*.pdf"))

needs_attacks = pytest.mark.skipif(not ATTACKS, reason="the folder of attack files is not at hand")
needs_pdfs = pytest.mark.skipif(not PDFS, reason="the folder of others' documents is not at hand")


@needs_attacks
def test_controls_are_intact_and_attacks_never() -> None:
    for file in ATTACKS:
        report = verify_file(file, TrustMaterial(), NOW)
        if file.stem.endswith("_clean"):
            assert report.integrity is Integrity.INTACT, file.name
        else:
            assert report.integrity in {Integrity.CHANGED, Integrity.BROKEN}, file.name
            assert report.signatures[0].integrity is not Integrity.INTACT, file.name


@needs_attacks
@pytest.mark.parametrize("prefix", ["EAA_", "SSA_P", "TAIL_"])
def test_covered_content_and_hidden_tails_are_broken(prefix: str) -> None:
    files = [file for file in ATTACKS if file.name.startswith(prefix)]
    assert files
    for file in files:
        report = verify_file(file, TrustMaterial(), NOW)
        assert (report.integrity, report.verdict) == (Integrity.BROKEN, Verdict.INVALID), file.name


@needs_pdfs
def test_no_odd_file_of_others_makes_the_checker_fail() -> None:
    for file in PDFS:
        report = verify_file(file, TrustMaterial(), NOW)
        assert report.verdict in {Verdict.UNSIGNED, Verdict.INDETERMINATE, Verdict.INVALID}, file.name
