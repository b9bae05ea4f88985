"""The folder in which documents wait to be signed: taken once they are finished, each once, nothing ticked."""

import os
import shutil
import sys
from pathlib import Path

import msgspec
import pytest

from signer_app.desk.inbox_folder import InboxFolder, InboxLook
from signer_app.outgoing.inbox_folder import QUIET_S
from signer_app.outgoing.outgoing import Outgoing
from signer_app.tasks import Screen, ScreenAnswer
from signer_app.workspace import Workspace
from signer_resources import messages
from signer_resources.errors import KnownError
from tests.app.letters import Wording, write_letter
from tests.store.letters import Clock, Letters, not_secret
from tests.support.workspace import Desk


class Waiting:
    """The folder with a clock that goes when it is told to."""

    def __init__(self, space: Workspace, outgoing: Outgoing, folder: Path) -> None:
        self.space, self.outgoing, self.folder = space, outgoing, folder
        self.now = 100.0
        self.restart()

    def restart(self) -> None:
        """Another run of the program."""
        self.inbox = InboxFolder(self.space, self.outgoing, lambda: self.now)

    def look(self, after: float = 5.0) -> InboxLook:
        self.now += after
        return self.inbox.look()

    def looks(self) -> InboxLook:
        """Twice, so that what lies there is seen to stand still."""
        first = self.look()
        assert (first.added, first.refused) == ((), ())
        return self.look()

    def drop(self, name: str, text: str = "") -> Path:
        return write_letter(self.folder / name, Wording(number_line="Số:        /QĐ-UBND", text=text or f"Về {name}."))


@pytest.fixture
def waiting(desk: Desk, space: Workspace, outgoing: Outgoing) -> Waiting:
    folder = desk.folder / "Thư mục chờ ký"
    folder.mkdir()
    set_folder(space, folder)
    return Waiting(space, outgoing, folder)


def set_folder(space: Workspace, folder: Path | None) -> None:
    named = str(folder) if folder is not None else None
    space.change_settings(lambda settings: msgspec.structs.replace(settings, inbox_folder=named))


def names(look: InboxLook) -> list[str]:
    assert look.fault is None
    return [draft.main.name for draft in look.added]


def told(look: InboxLook) -> dict[str, str]:
    for left in look.refused:
        assert messages.explain(left.error.code, "vi", **left.error.params).what
    return {left.name: left.error.code for left in look.refused}


def opened(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are screened from now on."""
    seen: list[str] = []
    real = space.workers.screen

    def screen(task: Screen) -> ScreenAnswer:
        seen.append(task.name)
        return real(task)

    monkeypatch.setattr(space.workers, "screen", screen)
    return seen


def test_a_finished_letter_becomes_a_draft_once_and_nobody_ticks_it(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = opened(waiting.space, monkeypatch)
    letter = waiting.drop("công văn.pdf")
    (waiting.folder / "ghi chú.txt").write_text("không phải PDF", encoding="utf-8")
    (waiting.folder / "~$khóa.pdf").write_bytes(b"%PDF-")
    (waiting.folder / "cũ.signed.pdf").write_bytes(b"%PDF-")
    if sys.platform != "win32":
        (waiting.folder / "đường tắt.pdf").symlink_to(letter)
    below = waiting.folder / "bên dưới"
    below.mkdir()
    shutil.copy(letter, below)
    assert names(waiting.look()) == []
    assert names(waiting.look(QUIET_S - 0.1)) == [], "it may still be written to"
    assert names(waiting.look(0.1)) == ["công văn.pdf"]
    assert [names(waiting.look()) for _time in range(3)] == [[], [], []]
    assert seen == ["công văn.pdf"]

    (row,) = waiting.outgoing.rows()
    waiting.outgoing.examine([row.draft.id], None)
    (row,) = waiting.outgoing.rows()
    assert (row.draft.ticked, row.draft.ticked_by_hand) == (False, True)
    assert letter.is_file()

    waiting.restart()
    waiting.looks()
    assert seen == ["công văn.pdf"], "what is in a draft is known by its bytes"


def test_a_file_that_still_grows_is_left_until_it_stands_still(waiting: Waiting) -> None:
    letter = waiting.drop("công văn.pdf")
    whole = letter.read_bytes()
    for end in (100, 5_000):
        letter.write_bytes(whole[:end])
        assert (names(waiting.look()), waiting.outgoing.rows()) == ([], ())
    letter.write_bytes(whole)
    # The same size and time as before the last bytes came is what a copying program may set at its end.
    assert waiting.look().refused == ()
    os.utime(letter, (1_700_000_000, 1_700_000_000))
    assert names(waiting.looks()) == ["công văn.pdf"]


def test_a_secret_file_is_told_once_and_never_opened_again(waiting: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting.drop("tờ trình.pdf")
    appendix = write_letter(waiting.folder / "tờ trình - phụ lục.pdf", Wording(mark="TUYỆT MẬT"))
    seen = opened(waiting.space, monkeypatch)
    assert told(waiting.looks()) == {"tờ trình - phụ lục.pdf": "secret", "tờ trình.pdf": "out_part_left"}
    assert (waiting.outgoing.rows(), seen) == ((), ["tờ trình.pdf", appendix.name])
    assert waiting.look().refused == ()
    # One more file of the same document: none of it is opened beside the secret one.
    waiting.drop("tờ trình - phụ lục 2.pdf")
    assert set(told(waiting.looks()).values()) == {"out_part_left"}
    assert (waiting.outgoing.rows(), len(seen)) == ((), 2)
    set_folder(waiting.space, None)
    assert waiting.look() == InboxLook()
    set_folder(waiting.space, waiting.folder)
    waiting.looks()
    assert seen.count(appendix.name) == 1
    with waiting.space.store.view() as view:
        assert view.blobs() == set()
    appendix.unlink()
    (waiting.folder / "tờ trình - phụ lục 2.pdf").unlink()
    assert names(waiting.look()) == ["tờ trình.pdf"]


def test_what_was_signed_is_not_brought_in_again(waiting: Waiting) -> None:
    letter = waiting.drop("công văn.pdf")
    waiting.space.store.commit_signed(
        Letters(waiting.space.store, Clock()).signing("125", content=letter.read_bytes()), not_secret
    )
    assert (names(waiting.looks()), waiting.outgoing.rows()) == ([], ())
    # Written anew it is another file.
    waiting.drop("công văn.pdf", text="Bản khác.")
    assert names(waiting.looks()) == ["công văn.pdf"]


def test_an_appendix_that_is_dropped_later_joins_its_letter(waiting: Waiting) -> None:
    waiting.drop("tờ trình.pdf")
    assert names(waiting.looks()) == ["tờ trình.pdf"]
    waiting.drop("tờ trình - phụ lục.pdf")
    look = waiting.looks()
    assert (names(look), told(look)) == (["tờ trình.pdf"], {})
    (row,) = waiting.outgoing.rows()
    assert [file.name for file in row.draft.files] == ["tờ trình.pdf", "tờ trình - phụ lục.pdf"]


def test_a_refused_file_is_told_once_and_one_that_cannot_be_read_for_now_comes_later(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    (waiting.folder / "giả.pdf").write_bytes(b"PK, a document of another program")
    assert told(waiting.looks()) == {"giả.pdf": "out_not_pdf"}
    assert told(waiting.look()) == {}
    waiting.drop("công văn.pdf")
    with monkeypatch.context() as locked:

        def screen(_task: Screen) -> ScreenAnswer:
            raise KnownError("file_unreadable", name="công văn.pdf")

        locked.setattr(waiting.space.workers, "screen", screen)
        assert told(waiting.looks()) == {"công văn.pdf": "file_unreadable"}
        assert [told(waiting.look(70)) for _time in range(2)] == [{}, {}]
    assert names(waiting.look()) == [], "not each time anew"
    assert names(waiting.look(70)) == ["công văn.pdf"]


def test_a_folder_that_is_gone_is_told_once_and_looked_at_when_it_is_back(waiting: Waiting) -> None:
    away = waiting.folder.with_name("đi vắng")
    waiting.folder.rename(away)
    fault = waiting.look().fault
    assert fault is not None
    assert (fault.code, fault.params) == ("inbox_folder_gone", {"folder": str(waiting.folder)})
    assert waiting.look() == InboxLook()
    away.rename(waiting.folder)
    waiting.drop("công văn.pdf")
    assert names(waiting.looks()) == ["công văn.pdf"]
    shutil.rmtree(waiting.folder)
    assert waiting.look().fault is not None


def test_a_folder_with_too_much_in_it_gives_what_it_can_and_says_so_once(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("signer_app.outgoing.inbox_folder", "signer_app.desk.inbox_folder"):
        monkeypatch.setattr(f"{module}.MOST_FILES", 1)
    for name in ("một.pdf", "hai.pdf"):
        waiting.drop(name)
    fault = waiting.look().fault
    assert fault is not None
    assert (fault.code, fault.params["most"]) == ("inbox_folder_crowded", 1)
    (taken,) = names(waiting.look())
    (waiting.folder / taken).unlink()
    assert names(waiting.looks()) == [({"một.pdf", "hai.pdf"} - {taken}).pop()]


def test_a_look_that_is_cut_short_goes_on_with_the_next(waiting: Waiting) -> None:
    for name in ("một.pdf", "hai.pdf"):
        waiting.drop(name)
    waiting.look()
    waiting.now += 5
    assert waiting.inbox.look(lambda: bool(waiting.outgoing.rows())).added != ()
    assert len(waiting.outgoing.rows()) == 1
    assert len(names(waiting.look())) == 1
    assert len(waiting.outgoing.rows()) == 2


def test_what_was_taken_out_of_the_list_stays_out_until_it_changes_or_is_dropped_anew(waiting: Waiting) -> None:
    letter, other = waiting.drop("công văn.pdf"), waiting.drop("giấy mời.pdf")
    assert sorted(names(waiting.looks())) == [letter.name, other.name]
    waiting.outgoing.remove([row.draft.id for row in waiting.outgoing.rows()])
    for _start in range(2):
        waiting.restart()
        assert (names(waiting.looks()), waiting.outgoing.rows()) == ([], ())

    # The same bytes with the same time, as a copying program leaves them, but another copy.
    aside = waiting.folder.with_name("bên cạnh.pdf")
    shutil.copy2(letter, aside)
    letter.unlink()
    shutil.copy2(aside, letter)
    waiting.restart()
    assert names(waiting.looks()) == [letter.name]
    waiting.drop(other.name, text="Bản đã sửa.")
    assert names(waiting.looks()) == [other.name]


def test_what_was_taken_out_can_be_brought_in_by_hand(waiting: Waiting) -> None:
    letter = waiting.drop("công văn.pdf")
    (draft,) = waiting.looks().added
    waiting.outgoing.remove([draft.id])
    assert [one.main.name for one in waiting.outgoing.add([letter]).drafts] == [letter.name]
