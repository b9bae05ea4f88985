"""The published classes of attacks, each answered by rule and with its reason; each has an honest control."""

from pathlib import Path

import pytest

from signer_app.verification.model import ChangeKind, FileReport, Integrity, TrustMaterial
from signer_app.verification.permissions import FieldLock
from signer_app.verification.report import change_message
from tests.verification.attacks import annotations, forgery, forms, incremental_saving, links, shadow, structure
from tests.verification.attacks.base import Attack, Scene
from tests.verification.attacks.readers import READER_ATTACKS
from tests.verification.conftest import Checker
from tests.verification.small_pki import make_certificate

ATTACKS: tuple[Attack, ...] = (
    *incremental_saving.ATTACKS,
    *forgery.ATTACKS,
    *shadow.ATTACKS,
    *annotations.ATTACKS,
    *forms.ATTACKS,
    *links.ATTACKS,
    *structure.ATTACKS,
)
NOBODY = TrustMaterial()
"""Integrity is judged apart from trust."""


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(make_certificate("Lãnh đạo", None), make_certificate("Cơ quan", None))


def reasons(report: FileReport) -> set[str]:
    """The codes and kinds that the answer for the first signature, or for the file, rests on."""
    found = {report.message_code}
    for one in report.signatures[:1]:
        found |= {one.message_code, *one.reasons, *(str(change.kind) for change in one.changes)}
    return found


def class_of(attack: Attack) -> str:
    """The class that an attack belongs to, by the beginning of its name."""
    return attack.name.split(":")[0]


def spread() -> set[str]:
    """The names of some attacks of each class, evenly over its variants: the others are for the long run."""
    names: set[str] = set()
    for kind in {class_of(attack) for attack in ATTACKS}:
        variants = [attack.name for attack in ATTACKS if class_of(attack) == kind]
        names.update(variants[:: -(-len(variants) // 4)])
    return names


SHORT = spread()


@pytest.mark.parametrize(
    "attack",
    [pytest.param(one, id=one.name, marks=[] if one.name in SHORT else [pytest.mark.long]) for one in ATTACKS],
)
def test_an_attack_is_answered_with_its_reason(scene: Scene, check: Checker, attack: Attack) -> None:
    report = check(attack.make(scene), NOBODY)
    first = report.signatures[0].integrity if report.signatures else report.integrity
    assert (first, str(attack.reason) in reasons(report)) == (attack.expected, True), (first, reasons(report))
    assert report.integrity not in {Integrity.INTACT, Integrity.UNSIGNED}
    for change in (change for one in report.signatures for change in one.changes):
        assert change_message(change, "en")


def test_the_honest_file_beside_each_attack_is_intact(scene: Scene, check: Checker) -> None:
    controls: dict[bytes, str] = {}
    for attack in ATTACKS:
        controls.setdefault(attack.control(scene), attack.name)
    for document, name in controls.items():
        report = check(document, NOBODY)
        assert {one.integrity for one in report.signatures} == {Integrity.INTACT}, name


def test_every_class_has_attacks_and_names_are_told_apart() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(set(names)) == len(names)
    classes = {class_of(attack).split(",")[0] for attack in ATTACKS}
    assert classes >= {"ISA", "SWA", "USF", "shadow", "EAA", "SSA", "form", "lock", "pages", "layers", "scripts", "DSS"}


def test_a_lock_on_a_name_holds_for_all_fields_of_that_name() -> None:
    assert FieldLock("/Include", frozenset({"tien"})).locks("tien#2")
    assert FieldLock("/Exclude", frozenset({"tien"})).locks("tien#2")
    assert not FieldLock("/Include", frozenset({"tien"})).locks("tien thue")


@pytest.mark.parametrize("name", READER_ATTACKS)
def test_what_readers_read_differently_never_passes(scene: Scene, check: Checker, name: str) -> None:
    report = check(READER_ATTACKS[name](scene), NOBODY)
    assert report.integrity in {Integrity.UNREADABLE, Integrity.BROKEN}
    # A file that can't be read at all has no signatures to tell of.
    assert {one.integrity for one in report.signatures[:1]} <= {Integrity.UNREADABLE, Integrity.BROKEN}


# Attack files made by others, where their folder is at hand

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "attacks"
REASONS = {
    "EAA_": ChangeKind.INK_COVERED,
    "SSA_P": ChangeKind.INK_COVERED,
    "SSA_approval": ChangeKind.SIGNATURE,
    "TAIL_": "verify_after_end",
}


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the folder of attack files is not at hand")
@pytest.mark.parametrize("prefix", REASONS)
def test_attack_files_made_by_others_are_answered_with_their_reason(check: Checker, prefix: str) -> None:
    files = sorted(CORPUS.glob(f"{prefix}*.pdf"))
    assert files
    for file in files:
        report = check(file.read_bytes(), NOBODY)
        assert report.signatures[0].integrity in {Integrity.CHANGED, Integrity.BROKEN}, file.name
        assert str(REASONS[prefix]) in reasons(report), file.name
        for change in report.signatures[0].changes:
            if change.kind in {ChangeKind.INK_COVERED, ChangeKind.ANNOTATION_ADDED}:
                assert (change.page, bool(change.areas)) == (1, True), file.name
