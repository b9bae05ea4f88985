"""The book of outgoing numbers as the window and the command line show it, and giving a number up."""

import json
from typing import Any

import jsonschema
import pytest

from signer_app.cli.main import command_line
from signer_app.desk.names import Names
from signer_app.desk.register import Register, Years
from signer_app.store.documents import NumberUse
from signer_app.store.model import JournalAction
from signer_app.store.number_book import NumberState
from signer_app.store.reservations import Reservation
from signer_app.store.sequences import BY_NOTATION
from signer_app.store.sequences import Register as NumberRegister
from signer_app.store.settings import Body
from signer_resources.errors import KnownError
from tests.desk.office import MONDAY, ORG, TODAY, Office, changed
from tests.support.workspace import schema

QD = "QĐ-UBND"


def keep(office: Office, number: str, owner: str = "a" * 64, body: str = ORG, notation: str = QD) -> None:
    wish = Reservation.of(
        body, BY_NOTATION, number, notation, TODAY, owner=owner, name="dự thảo.pdf", at=MONDAY, operator="hanh"
    )
    office.store.write(lambda tx: tx.reservations.reserve(wish))


def test_the_register_shows_kept_and_given_up_numbers(office: Office) -> None:
    book = Register(office.space, Names(office.space.folder.cache))
    office.signed("1")
    keep(office, "12")
    keep(office, "13", "b" * 64)
    before = book.look()
    assert before is not None
    book.give_up(ORG, 2026, "13", QD, "Rút văn bản")
    after = book.look(Years.ALL, ORG)
    assert after is not None
    assert [(one.label, one.state) for one in before.numbers] == [
        (f"12/{QD}", NumberState.RESERVED),
        (f"13/{QD}", NumberState.RESERVED),
    ]
    assert [(one.state, one.reason) for one in after.numbers] == [
        (NumberState.RESERVED, None),
        (NumberState.VOIDED, "Rút văn bản"),
    ]
    assert book.look(Years.ALL, ORG) is after, "the same answer while nothing has changed"
    other, empty = book.look(2026, "H99"), book.look(2025)
    assert other is not None
    assert empty is not None
    assert (other.numbers, empty.numbers) == ((), ())


@pytest.mark.parametrize("number", ["13", "1"])
def test_only_a_kept_number_can_be_given_up(office: Office, number: str) -> None:
    book = Register(office.space, Names(office.space.folder.cache))
    office.signed("1", group=QD, notation=QD)
    with pytest.raises(KnownError) as caught:
        book.give_up(ORG, 2026, number, QD, "Rút văn bản")
    assert caught.value.code == "number_not_kept"


def test_giving_up_a_number_of_a_register_leaves_the_other_notation_its_own(office: Office) -> None:
    book = Register(office.space, Names(office.space.folder.cache))
    for owner, notation in (("a", QD), ("b", "TB-UBND")):
        keep(office, "5", owner * 64, notation=notation)
    # The register comes when both are kept; from now on no other 5 is given.
    registers = (NumberRegister(name="Sổ chung", notations=(QD, "TB-UBND")),)
    changed(office, bodies=(Body(code=ORG, name="UBND xã Hòa Sơn", registers=registers),))
    book.give_up(ORG, 2026, "5", "TB-UBND", "Rút văn bản")
    with office.store.view() as view:
        assert {one.label: one.given_up for one in view.reservations.list()} == {f"5/{QD}": False, "5/TB-UBND": True}


# ---- signer register -----------------------------------------------------------------------------------------------


class Told:
    """What the command said on stdout."""

    def __init__(self, office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._office = office
        self._capsys = capsys
        # The command works in the office's open workspace, at its time, as the test holds the folder's lock.
        monkeypatch.setattr("signer_app.cli.main.workspace", self._workspace)

    def _workspace(self, *_words: object, **_more: object) -> Any:
        from contextlib import nullcontext

        return nullcontext(self._office.space)

    def __call__(self, *words: str) -> tuple[int, str]:
        self._capsys.readouterr()
        code = command_line(["--data-dir", str(self._office.space.folder.path), *words])
        return code, self._capsys.readouterr().out

    def json(self, *words: str) -> tuple[int, Any]:
        code, out = self("--json", "register", *words)
        value = json.loads(out)
        name = "error" if "error" in value else "register"
        jsonschema.validate(value, schema(name), cls=jsonschema.Draft202012Validator)
        return code, value


@pytest.fixture
def signer(office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Told:
    registers = (NumberRegister(name="Sổ chung", notations=("TB-UBND", "KH-UBND")),)
    changed(office, bodies=(Body(code=ORG, name="UBND xã Hòa Sơn", registers=registers),))
    return Told(office, capsys, monkeypatch)


def test_the_command_lists_what_is_issued_kept_and_given_up(office: Office, signer: Told) -> None:
    office.signed("2", group="Sổ chung", notation="TB-UBND")
    office.signed("11", group=QD, notation=QD)
    keep(office, "12")
    code, value = signer.json()
    assert (code, value["year"]) == (0, 2026)
    assert [(one["number"], one["state"], one["register"]) for one in value["numbers"]] == [
        ("11", "issued", None),
        ("12", "reserved", None),
        ("2", "issued", "SỔ CHUNG"),
    ]
    code, value = signer.json("--void", f"12/{QD}", "--reason", "Lãnh đạo rút văn bản")
    assert code == 0
    voided = next(one for one in value["numbers"] if one["number"] == "12")
    assert (voided["state"], voided["reason"], voided["subject"]) == ("voided", "Lãnh đạo rút văn bản", None)
    with office.store.view() as view:
        actions = [entry.use.action for entry in view.journal.entries()]
    assert JournalAction.NUMBER_GIVEN_UP in actions
    assert signer.json("--year", "2025") == (0, {"year": 2025, "numbers": [], "out": None})
    assert signer.json("--body", "H99")[1]["numbers"] == []
    code, told = signer("register")
    assert code == 0
    assert "Bỏ số" in told
    assert "Lãnh đạo rút văn bản" in told
    assert "2025" in signer("register", "--year", "2025")[1]


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("--void", f"12/{QD}"), 2, "usage_give_up_reason"),
        (("--void", f"12/{QD}", "--reason", " "), 2, "usage_give_up_reason"),
        (("--reason", "x"), 2, "usage_arguments"),
        (("--void", "twelve", "--reason", "x"), 2, "usage_number"),
        (("--void", f"99/{QD}", "--reason", "x"), 1, "number_not_kept"),
        (("--void", f"12/{QD}", "--reason", "x", "--body", "H99"), 2, "usage_body"),
        (("--year", "26"), 2, "usage_arguments"),
    ],
)
def test_a_wish_that_makes_no_sense_gives_nothing_up(
    office: Office, signer: Told, words: tuple[str, ...], code: int, error: str
) -> None:
    keep(office, "12")
    ended, value = signer.json(*words)
    assert (ended, value["error"]["code"]) == (code, error)
    with office.store.view() as view:
        known = view.reservations.find_numbers(ORG, {NumberUse.of(2026, QD, "12")})
    assert not next(iter(known.values())).given_up


def test_with_several_bodies_the_command_asks_whose_number_is_meant(office: Office, signer: Told) -> None:
    changed(office, bodies=(Body(code=ORG, name="UBND"), Body(code="H77.16", name="HĐND")))
    keep(office, "12")
    wish = ("--void", f"12/{QD}", "--reason", "x")
    assert signer.json(*wish)[1]["error"]["code"] == "usage_body"
    assert signer.json(*wish, "--body", ORG)[0] == 0
