"""The commands of custody: what they list, ask, record and print."""

import argparse
import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from signer_app.cli.console import Console
from signer_app.cli.custody import _terminal, record
from signer_app.custody.book import Book
from signer_app.store.custody import Permission
from signer_app.workspace import Overrides, Workspace, workspace
from signer_resources.errors import KnownError
from tests.custody.minutes import PERMISSION, wish
from tests.support.workspace import Desk


def answers(*lines: str) -> tuple[Callable[[str], str], list[str]]:
    """Someone at the terminal; what was asked."""
    asked: list[str] = []
    given = iter(lines)

    def ask(question: str) -> str:
        asked.append(question)
        return next(given)

    return ask, asked


def arguments(desk: Desk) -> argparse.Namespace:
    return argparse.Namespace(cert=desk.agency[:16], final_try=False, output=None)


TYPED = ("Trần Văn An", "Lê Thị Nhàn", "15/QĐ-UBND", "20/11/2026", "Chủ tịch UBND xã Hòa Sơn", "", "", "", "")


def test_a_hand_over_is_asked_for_line_by_line_and_once_more(desk: Desk, space: Workspace) -> None:
    console = Console("vi", as_json=False)
    ask, asked = answers(*TYPED, "có", "không", "có")
    made = record(space, Book(space), arguments(desk), console, ask)
    minute = made.minute
    assert (minute.giver, minute.receiver, minute.pin_change_due) == ("Trần Văn An", "Lê Thị Nhàn", True)
    assert minute.permission == Permission(number="15/QĐ-UBND", date=PERMISSION.date, by="Chủ tịch UBND xã Hòa Sơn")
    assert minute.place
    assert made.signed is None
    assert "Trần Văn An → Lê Thị Nhàn" in asked[-1]
    ask, asked = answers("", "", "16", "1/12/2026", "Chủ tịch", "kho", "", "", "", "không", "k")
    with pytest.raises(KnownError) as stopped:
        record(space, Book(space), arguments(desk), console, ask)
    assert stopped.value.code == "custody_refused"
    assert "[Lê Thị Nhàn]" in asked[0]
    ask, _ = answers("", "", "16", "hôm nay")
    with pytest.raises(KnownError) as wrong:
        record(space, Book(space), arguments(desk), console, ask)
    assert wrong.value.code == "custody_date"
    assert len(Book(space).entries(space.store)) == 1


def test_the_book_is_listed_and_printed_without_asking_anything(desk: Desk, tmp_path: Path) -> None:
    assert desk.call("handover", "--list").json == []
    assert "chưa có biên bản" in desk.call("handover", text=True).out
    with workspace(desk.data, Overrides(), writing=True) as space:
        Book(space).record(desk.agency, wish(pin_change=True), None)
    (shown,) = desk.call("handover", "--list").json
    assert (shown["number"], shown["giver"], shown["receiver"]) == (1, "Trần Văn An", "Lê Thị Nhàn")
    assert (shown["pin_change"], shown["signed"], shown["certificate_sha256"]) == ("open", False, desk.agency)
    words = desk.call("handover", text=True)
    assert "Lê Thị Nhàn" in words.out
    assert "chưa đổi" in words.out
    target = tmp_path / "minute.pdf"
    printed = desk.call("handover", "--print", "1", "--output", target)
    assert (printed.code, printed.json) == (0, {"file": str(target), "bytes": target.stat().st_size})
    missing = desk.call("handover", "--print", "9", "--output", tmp_path / "x.pdf")
    assert (missing.code, missing.json["error"]["code"]) == (2, "custody_no_minute")
    (told,) = desk.call("handover", "--pin-changed", "--cert", desk.agency).json
    assert told["pin_change"] == "told"
    unasked = desk.call("handover", "--record")
    assert (unasked.code, unasked.json["error"]["code"]) == (2, "usage_no_terminal")


@pytest.mark.parametrize("kind", ["locked", "lost", "renew"])
def test_a_form_is_written_once_and_never_over_another_file(desk: Desk, tmp_path: Path, kind: str) -> None:
    target = tmp_path / f"{kind}.pdf"
    done = desk.call("form", kind, "--certificate", desk.agency, "--output", target)
    assert done.code == 0
    assert target.read_bytes().startswith(b"%PDF-")
    again = desk.call("form", kind, "--certificate", desk.agency, "--output", target)
    assert (again.code, again.json["error"]["code"]) == (2, "custody_file_exists")


def test_questions_go_to_stderr_and_an_end_of_input_stops(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(KnownError) as ended:
        _terminal("Bên giao: ")
    assert ended.value.code == "interrupted"
    out = capsys.readouterr()
    assert (out.out, out.err) == ("", "Bên giao: ")
