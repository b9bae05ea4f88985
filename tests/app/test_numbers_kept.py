"""A number stays with its document: through a signing that fails, until it is signed, or the clerk gives it up."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pytest

from signer_app.outgoing.model import Changes
from signer_app.outgoing.outgoing import Outgoing
from signer_app.workspace import Overrides, workspace
from signer_resources.errors import KnownError
from tests.support.workspace import DAY, Desk

NUMBER = "7/UBND-VP"


@contextmanager
def every_output_is_broken() -> Iterator[None]:
    with mock.patch("signer_app.workers.Workers.recheck", side_effect=KnownError("output_changed", name="x")):
        yield


def book(desk: Desk) -> list[tuple[str, str]]:
    numbers = desk.call("register", "--year", DAY[:4]).json["numbers"]
    return [(f"{one['number']}/{one['notation']}", one["state"]) for one in numbers]


def test_a_failed_signing_keeps_the_number_for_its_document(desk: Desk) -> None:
    first, other = desk.letter(), desk.letter("giay-moi.pdf")
    with every_output_is_broken():
        assert desk.seal(first, NUMBER).states == ["failed"]
    assert book(desk) == [("07/UBND-VP", "reserved")]
    answer = desk.sign(other, "--profile", "agency", "--number", "7/UBND-VP", "--date", DAY)
    assert answer.states == ["refused"]
    assert desk.seal(first, "8/UBND-VP").codes == ["number_kept"]
    assert desk.seal(first, NUMBER).states == ["signed"]
    assert book(desk) == [("07/UBND-VP", "issued")]


def test_a_number_that_was_given_up_is_never_used_again(desk: Desk) -> None:
    letter = desk.letter()
    with every_output_is_broken():
        desk.seal(letter, NUMBER)
    given_up = desk.call("register", "--year", DAY[:4], "--void", NUMBER, "--reason", "Lãnh đạo rút văn bản")
    assert given_up.code == 0
    assert desk.seal(letter, NUMBER).codes == ["number_given_up"]
    assert book(desk) == [("07/UBND-VP", "voided")]


def test_a_wrong_pin_takes_no_number(desk: Desk) -> None:
    assert desk.sign(desk.letter(), "--profile", "agency", "--number", NUMBER, "--date", DAY, pin="999999").code == 3
    assert book(desk) == []


def test_a_draft_gives_its_number_up_with_a_reason_alone(desk: Desk) -> None:
    letter = desk.letter()
    with every_output_is_broken():
        desk.seal(letter, NUMBER)
    with (
        mock.patch("signer_app.workspace.Workers", return_value=desk.site.workers),
        workspace(desk.data, Overrides(), writing=True) as space,
    ):
        outgoing = Outgoing(space)
        (draft,) = outgoing.add([letter]).drafts
        kept = Changes(number=NUMBER, date=draft.date or space.now().date().replace(year=int(DAY[:4])))
        outgoing.edit(draft.id, kept)
        for wish in (
            lambda: outgoing.edit(draft.id, Changes(number="8")),
            lambda: outgoing.remove([draft.id]),
        ):
            with pytest.raises(KnownError) as caught:
                wish()
            assert caught.value.code == "out_number_kept"
        outgoing.remove([draft.id], "Lãnh đạo rút văn bản")
        again = outgoing.add([letter]).drafts[0]
        row = outgoing.edit(again.id, Changes(number=NUMBER, date=kept.date))
        assert "number_given_up" in {finding.code for finding in row.reasons}
        free = outgoing.edit(again.id, Changes(number=""))
        assert free.proposal == "08"
