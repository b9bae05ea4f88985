"""The commands of custody: what they list, ask, record and print."""

import argparse
import io
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from signer_app.cli.console import Console, ask_person
from signer_app.cli.custody import handover, record
from signer_app.cli.pin import ask
from signer_app.custody.book import Book
from signer_app.store.custody import Permission
from signer_app.workspace import Overrides, Workspace, workspace
from signer_resources.errors import KnownError
from signer_token.model import PinState
from tests.custody.minutes import PERMISSION, wish
from tests.support.workspace import CANARY_PIN, Desk


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
    answer, asked = answers(*TYPED, "có", "không", "có")
    made = record(space, Book(space), arguments(desk), console, answer)
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


def test_a_minute_without_its_paper_is_recorded_all_the_same(
    desk: Desk, space: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = desk.home / "there.pdf"
    there.write_bytes(b"other")
    args = argparse.Namespace(record=True, cert=desk.agency, final_try=False, output=there)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True, readline=lambda: pytest.fail("asked")))
    with pytest.raises(KnownError) as refused:
        handover(space, args, Console("vi", as_json=True))
    assert refused.value.code == "custody_file_exists"
    typed = iter([*TYPED, "không", "không", "có"])
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True, readline=lambda: f"{next(typed)}\n"))
    args.output = desk.home / "gone" / "minute.pdf"
    assert handover(space, args, Console("vi", as_json=True)) == 0
    told = capsys.readouterr()
    assert [entry["number"] for entry in json.loads(told.out)] == [1]
    assert "gone" in told.err
    assert len(Book(space).entries(space.store)) == 1


def test_a_minute_that_is_none_is_said_to_be_none(desk: Desk) -> None:
    answer = desk.call("handover", "--print", "99999999999999999999")
    assert answer.json["error"]["code"] == "custody_no_minute"


def test_the_last_try_is_asked_for_beside_the_answer_and_an_end_of_input_stops(
    desk: Desk, space: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the token's state has changed since the certificate was chosen."""
    chosen = Book(space).chosen(desk.agency)
    now = replace(chosen.token, pin_state=PinState.FINAL)
    monkeypatch.setattr(space.hosts, "tokens", lambda **_more: SimpleNamespace(tokens=(now,)))
    monkeypatch.setattr(sys, "stdin", io.StringIO("CÓ\n"))
    console = Console("vi", as_json=True)
    monkeypatch.setattr("getpass.getpass", lambda _prompt, _stream: CANARY_PIN)
    login = ask(console, space, chosen, "Ký biên bản", from_stdin=False, final_try=False)
    assert (login.final_try, login.pin is not None) == (True, True)
    told = capsys.readouterr()
    assert told.out == ""
    assert "Gõ CÓ để nhập" in told.err
    assert "Dừng lại" not in told.err
    with pytest.raises(KnownError) as ended:
        ask(console, space, chosen, "Ký biên bản", from_stdin=False, final_try=False)
    assert ended.value.code == "interrupted"

    def nobody(_prompt: str, _stream: object) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", nobody)
    with pytest.raises(KnownError) as ended:
        ask(console, space, chosen, "Ký biên bản", from_stdin=False, final_try=True)
    assert ended.value.code == "interrupted"


def test_questions_go_to_stderr_and_an_end_of_input_stops(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(KnownError) as ended:
        ask_person("Bên giao: ")
    assert ended.value.code == "interrupted"
    out = capsys.readouterr()
    assert (out.out, out.err) == ("", "Bên giao: ")
