"""Where signed copies go: by days, mirrored, under the original's name, never over another file."""

import datetime as dt
import os
import unicodedata
from pathlib import Path

import msgspec
import pytest

from signer_app.outgoing.model import DraftFile, FileRole, Profile
from signer_app.outgoing.outgoing import Outgoing
from signer_app.outgoing.outputs import Place, Taken, with_outputs
from signer_app.store.store import Transaction
from signer_app.workspace import Workspace, vietnam_now
from tests.app.letters import Wording, write_letter
from tests.store.letters import Clock, Letters, not_secret
from tests.support.workspace import Desk

TODAY = dt.date(2026, 11, 20)


def file(path: Path, root: Path | None = None, output: str = "") -> DraftFile:
    return DraftFile(
        id=str(path),
        name=path.name,
        path=str(path),
        output=output,
        role=FileRole.MAIN,
        profile=Profile.PLAIN,
        blob="0" * 64,
        root=str(root) if root is not None else None,
    )


def named(*files: DraftFile, chosen: Path | None = None, taken: Taken | None = None) -> list[Path]:
    """Without a transaction: what else is taken is given."""
    tx: Transaction = None  # type: ignore[assignment]
    return [Path(one.output) for one in with_outputs(tx, files, Place(TODAY, chosen), taken or Taken())]


def test_a_folder_is_mirrored_below_the_day_and_a_single_file_has_the_day_beside_it(tmp_path: Path) -> None:
    deep, top = tmp_path / "tháng 11" / "tổ 2" / "a.pdf", tmp_path / "a.pdf"
    day = tmp_path / "Đã ký" / "2026-11-20"
    assert named(file(deep, tmp_path), file(top, tmp_path)) == [day / "tháng 11" / "tổ 2" / "a.pdf", day / "a.pdf"]
    assert named(file(deep)) == [deep.parent / "Đã ký" / "2026-11-20" / "a.pdf"]
    assert named(file(deep, tmp_path / "elsewhere")) == named(file(deep))


def test_a_chosen_folder_takes_all_by_days_and_as_deep(tmp_path: Path) -> None:
    out = tmp_path / "kết quả"
    one, other = tmp_path / "một" / "sâu" / "a.pdf", tmp_path / "hai" / "a.pdf"
    assert named(file(one, tmp_path / "một"), file(other), file(tmp_path / "ba" / "a.pdf"), chosen=out) == [
        out / "2026-11-20" / "sâu" / "a.pdf",
        out / "2026-11-20" / "a.pdf",
        out / "2026-11-20" / "a (2).pdf",
    ]


def test_a_name_that_is_taken_on_the_disk_or_looks_the_same_gets_a_number(tmp_path: Path) -> None:
    day = tmp_path / "Đã ký" / "2026-11-20"
    day.mkdir(parents=True)
    (day / "a.pdf").touch()
    (day / "a (2).pdf").symlink_to(tmp_path / "gone.pdf")
    twins = [unicodedata.normalize(form, "tờ trình.pdf") for form in ("NFC", "NFD")]
    found = named(*(file(tmp_path / name) for name in ("a.pdf", "A (3).PDF", *twins, "50% #1..pdf")))
    second = unicodedata.normalize("NFD", "tờ trình (2).pdf")
    # Case and the spelling of a letter are no difference for some systems, nor for the eye.
    assert [path.name for path in found] == ["a (3).pdf", "A (3) (2).PDF", twins[0], second, "50% #1..pdf"]


def test_a_name_that_fills_the_disks_limit_is_cut_for_its_number(tmp_path: Path) -> None:
    name = "ă" * 125 + "x.pdf"
    assert len(os.fsencode(name)) == 255
    first, second = named(file(tmp_path / name), msgspec.structs.replace(file(tmp_path / name), id="2"))
    assert (first.name, second.name) == (name, "ă" * 123 + " (2).pdf")
    assert len(os.fsencode(second.name)) <= 255


def test_the_name_it_was_shown_with_stays_while_it_is_free(tmp_path: Path) -> None:
    day = tmp_path / "Đã ký" / "2026-11-20"
    shown = file(tmp_path / "a.pdf", output=str(day / "a (7).pdf"))
    assert named(shown) == [day / "a (7).pdf"]
    assert named(shown, taken=Taken([str(day / "A (7).pdf")])) == [day / "a.pdf"]
    yesterday = msgspec.structs.replace(shown, output=str(tmp_path / "Đã ký" / "2026-11-19" / "a (7).pdf"))
    assert named(yesterday) == [day / "a.pdf"]


# --- brought in -----------------------------------------------------------------------------------------------------


def letter(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_letter(path, Wording(number_line="Số:        /QĐ-UBND", text=f"Nội dung của {path.name}, {path}."))


@pytest.mark.skipif(os.name == "nt", reason="names that Windows doesn't have")
def test_whatever_a_folder_holds_comes_or_is_told_and_goes_back_as_deep(
    desk: Desk, space: Workspace, outgoing: Outgoing
) -> None:
    folder = desk.folder / "tháng 11 #1"
    composed, apart = (unicodedata.normalize(form, "tờ trình.pdf") for form in ("NFC", "NFD"))
    wanted = ["50% #1.pdf", "tổ 2/công văn..pdf", f"tổ 2/{composed}", f"tổ 2/{apart}", "phòng. /mẫu .pdf"]
    for name in wanted:
        letter(folder / name)
    letter(folder / unicodedata.normalize("NFD", "Đã ký") / "cũ.pdf")
    broken = Path(os.fsdecode(os.fsencode(folder) + b"/c\xf4ng v\xe3n.pdf"))
    broken.write_bytes(b"%PDF-")
    (folder / "up").symlink_to(folder)

    added = outgoing.add([folder])

    assert [(left.name, left.error.code) for left in added.left] == [("c\ufffdng v\ufffdn.pdf", "file_name_broken")]
    outputs = {Path(draft.main.path).relative_to(folder): Path(draft.main.output) for draft in added.drafts}
    day = folder / "Đã ký" / vietnam_now().date().isoformat()
    placed = {str(source): str(output.relative_to(day)) for source, output in outputs.items()}
    assert placed.keys() == set(wanted)
    assert {placed[name] for name in wanted[:2]} == set(wanted[:2])
    assert {placed[f"tổ 2/{composed}"], placed[f"tổ 2/{apart}"]} in (
        {f"tổ 2/{composed}", "tổ 2/" + unicodedata.normalize("NFD", "tờ trình (2).pdf")},
        {f"tổ 2/{apart}", "tổ 2/tờ trình (2).pdf"},
    )
    with space.store.view() as view:
        assert {draft.main.root for draft in view.drafts.list()} == {str(folder)}
    # What comes in is kept by its bytes, and goes out under those names.
    for draft in added.drafts:
        space.store.blobs.export(draft.main.blob, Path(draft.main.output))
        assert Path(draft.main.output).read_bytes() == Path(draft.main.path).read_bytes()


def test_what_was_signed_into_a_chosen_folder_is_not_brought_in_with_the_folder_around_it(
    desk: Desk, space: Workspace
) -> None:
    chosen = desk.folder / "tháng 11" / "kết quả"
    for name in ("tháng 11/sâu/một.pdf", "tháng 11/kết quả/2026-11-20/cũ.pdf"):
        letter(desk.folder / name)
    space.change_settings(lambda settings: msgspec.structs.replace(settings, output_folder=str(chosen)))
    outgoing = Outgoing(space)
    added = outgoing.add([desk.folder / "tháng 11"])
    (output,) = [Path(draft.main.output) for draft in added.drafts]
    assert output == chosen / vietnam_now().date().isoformat() / "sâu" / "một.pdf"
    # Who brings in that very folder wants it.
    assert [draft.main.name for draft in outgoing.add([chosen]).drafts] == ["cũ.pdf"]


def test_a_file_that_was_signed_before_is_taken_and_pointed_out(space: Workspace, desk: Desk) -> None:
    issued, kept = letter(desk.letters / "một.pdf"), letter(desk.letters / "hai.pdf")
    clock = Clock()
    clock.time = dt.datetime.combine(TODAY, dt.time(9), tzinfo=dt.UTC)
    letters = Letters(space.store, clock)
    space.store.commit_signed(letters.signing("125", content=issued.read_bytes()), not_secret)
    space.store.commit_signed(letters.signing(None, receivers=(), content=kept.read_bytes()), not_secret)

    added = Outgoing(space).add([issued, kept, letter(desk.letters / "ba.pdf")])

    assert len(added.drafts) == 3
    assert {note.code: dict(note.params) for note in added.notes} == {
        "out_issued_before": {"name": "một.pdf", "date": "20/11/2026", "number": "125/UBND-VHXH"},
        "out_signed_before": {"name": "hai.pdf", "date": "20/11/2026"},
    }
    assert added.left == ()
