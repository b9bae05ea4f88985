"""What became of a batch, told on the screen, as CSV, spreadsheet and paper; and scans for the archive by name."""

import csv
import datetime as dt
import io
import os
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pikepdf
import pypdfium2
import pytest

from signer_app.batch_reports import ReportHead, report_lines, report_of, write_report
from signer_app.paper.cells import defused
from signer_app.paper.streamed import StreamedPdf, font_name
from signer_app.pdf.fonts import face
from signer_app.pdf.model import Profile
from signer_app.pdf.plan import Style
from signer_app.signing.file_codes import FileCode, natural_order
from signer_app.signing.gathering import gather, read_list
from signer_app.signing.jobs import DocumentJob, FileJob, Jobs
from signer_app.signing.resume import Command
from signer_app.store.batch_model import Batch, BatchDocument, BatchFile
from signer_app.store.datafolder import DataFolder
from signer_app.store.model import FileRole, FileState
from signer_app.store.store import Store
from signer_resources.errors import KnownError
from signer_sync.ids import uuid7
from tests.app.letters import Wording, write_letter
from tests.support.workspace import DAY, Desk

NOW = dt.datetime(2026, 11, 22, 17, 0, tzinfo=dt.timezone(dt.timedelta(hours=7)))
CERTIFICATE = "c3" * 32
BEFORE, AFTER = "ab" * 32, "cd" * 32
CODE = "H49.64.33.2001.160"


@dataclass
class Book:
    """A store with batches that are made up."""

    store: Store

    def batch(self, *, continues: str | None = None, stopped: str | None = None, begun: bool = True) -> str:
        """A batch; its id."""
        command = msgspec.json.encode(Command(CERTIFICATE, "b-t")).decode()
        batch = Batch(
            id=uuid7(),
            created_at=NOW,
            begun_at=NOW if begun else None,
            finished_at=NOW + dt.timedelta(minutes=5),
            command=command,
            continues=continues,
            stopped_code=stopped,
        )
        self.store.write(lambda tx: tx.batches.add(batch))
        return batch.id

    def put(self, batch: str, position: int, path: str, state: FileState, **more: object) -> None:
        """One document of a batch, number 5/QĐ-UBND of 20 November."""
        self.put_many(batch, [(position, path, state, more)])

    def put_many(self, batch: str, entries: Iterable[tuple[int, str, FileState, dict[str, object]]]) -> None:
        """Documents of a batch."""
        with self.store.transaction() as tx:
            for position, path, state, more in entries:
                tx.batches.put_document(*self._rows(batch, position, path, state, more))

    @staticmethod
    def _rows(
        batch: str, position: int, path: str, state: FileState, more: dict[str, object]
    ) -> tuple[BatchDocument, tuple[BatchFile, ...]]:
        file = FileJob(path, f"{path}.out", FileRole.MAIN, Profile.AGENCY)
        job = DocumentJob((file,), "05", "QĐ-UBND", dt.date(2026, 11, 20))
        row = BatchFile(batch_id=batch, position=position, document=position, input_path=path, state=state)
        if state is FileState.SIGNED:
            more = {**more, "level": "b-t", "output_path": file.output, "output_sha256": AFTER, "seconds": 1.25}
        row = msgspec.structs.replace(row, **{"input_sha256": BEFORE, **more})
        document = BatchDocument(batch_id=batch, position=position, job=msgspec.json.encode(job).decode())
        return document, (row,)

    def head(self, batch: str | None = None) -> ReportHead:
        head = report_of(self.store, batch)
        assert head is not None
        return head

    def written(self, folder: Path, name: str, batch: str | None = None) -> Path:
        """The report as a file."""
        write_report(self.store, self.head(batch), folder / name, "vi", NOW)
        return folder / name


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    with folder.lock(), Store.open(folder, lambda: NOW) as store:
        yield Book(store)


def table(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def sheet(path: Path, number: int) -> list[list[str]]:
    """The cells of a sheet as they are told; what would be calculated fails."""
    spaces = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(path) as book:
        root = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))  # noqa: S314 - our own file
        assert not [name for name in book.namelist() if "externalLink" in name or "_rels/sheet" in name]
    assert root.findall(".//m:f", spaces) == []
    return [
        ["".join(cell.itertext()) for cell in row.findall("m:c", spaces)] for row in root.findall(".//m:row", spaces)
    ]


def pages(path: Path) -> list[str]:
    with pypdfium2.PdfDocument(path) as paper:
        return [paper[at].get_textpage().get_text_bounded() for at in range(len(paper))]


def test_a_batch_is_told_on_the_screen_and_in_every_form_and_nothing_of_a_secret_one(desk: Desk) -> None:
    empty = desk.call("report")
    assert (empty.code, empty.json) == (0, {"batch": None, "out": None, "files": []})
    desk.letter("cong-van.pdf")
    desk.letter("giay-moi.pdf")
    secret = write_letter(desk.letters / "lich-hop-tuan-47.pdf", Wording(mark="MẬT"))
    listing = desk.listing(
        "input,number,date",
        f"{secret.name},1/UBND-VP,{DAY}",
        f"cong-van.pdf,2/UBND-VP,{DAY}",
        f"giay-moi.pdf,2/UBND-VP,{DAY}",
    )
    signed = desk.sign("--list", listing, "--profile", "agency", "--level", "b-b")
    assert signed.states == ["refused", "signed", "refused"]

    answer = desk.call("report")
    head, (first, second) = answer.json["batch"], answer.json["files"]
    assert (head["id"], head["counts"]) == (signed.json["batch"], {"signed": 1, "refused": 1})
    assert head["certificate"]["sha256"] == desk.agency
    assert head["certificate"]["name"]
    assert head["token"]
    assert (first["position"], first["name"], first["number"], first["date"]) == (1, "cong-van.pdf", "02/UBND-VP", DAY)
    assert (first["state"], first["level"], first["folder"]) == ("signed", "b-b", str(desk.letters))
    assert first["output"] == str(desk.letters / "cong-van.signed.pdf")
    assert first["sha256_after"] == signed.documents[1]["sha256_out"]
    assert (second["position"], second["state"], second["output"]) == (2, "refused", None)
    assert second["reason"]["code"] == "notation_differs"

    told = [answer.out, desk.call("report", signed.json["batch"], text=True).out]
    for name in ("report.csv", "report.xlsx", "report.pdf"):
        written = desk.call("report", "--out", desk.folder / name)
        assert (written.code, written.json["out"]) == (0, str(desk.folder / name))
    told.append((desk.folder / "report.csv").read_text(encoding="utf-8-sig"))
    told += ["\n".join(map(str, sheet(desk.folder / "report.xlsx", number))) for number in (1, 2)]
    told.append("\n".join(pages(desk.folder / "report.pdf")))
    assert not [text for text in told if secret.stem in text]
    assert all(head["certificate"]["name"] in text for text in (told[1], told[3], told[5]))
    assert all("cong-van.pdf" in text and "02/UBND-VP" in text for text in (told[1], told[2], told[4], told[5]))

    again = desk.call("report", "--out", desk.folder / "report.csv")
    assert (again.code, again.json["error"]["code"]) == (1, "output_exists")
    unknown = desk.call("report", "no-such-batch")
    assert (unknown.code, unknown.json["error"]["code"]) == (2, "report_batch_unknown")
    form = desk.call("report", "--out", desk.folder / "report.doc")
    assert (form.code, form.json["error"]["code"]) == (2, "report_form_unknown")

    # Nothing signed, so no evidence: the journal tells which token refused.
    stopped = desk.sign(desk.letters / "giay-moi.pdf", "--cert", desk.agency, pin="999999")
    assert stopped.code == 3
    last = desk.call("report").json
    assert (last["batch"]["stopped"]["code"], last["batch"]["counts"]) == ("pin_incorrect", {"pending": 1})
    assert last["batch"]["token"] == head["token"]
    assert last["files"][0]["state"] == "pending"


def test_every_file_stands_in_every_form_once_and_in_order(book: Book, tmp_path: Path) -> None:
    batch = book.batch()
    signed, refused = (FileState.SIGNED, {"code": None}), (FileState.REFUSED, {"code": "part_refused"})
    # Every second place is one that a secret document had: it shows in no way.
    book.put_many(
        batch,
        ((2 * at, f"/văn bản/đợt 1/tệp {at:03d}.pdf", *(signed if at % 3 else refused)) for at in range(258)),
    )
    names = [f"tệp {at:03d}.pdf" for at in range(258)]
    lines = list(report_lines(book.store, batch))
    assert [line.name for line in lines] == names
    assert [line.position for line in lines] == list(range(1, 259))

    rows = table(book.written(tmp_path, "r.csv"))
    assert [row[3] for row in rows[1:]] == names
    assert rows[2][:6] == ["2", "05/QĐ-UBND", "2026-11-20", "tệp 001.pdf", "/văn bản/đợt 1", "Đã ký"]
    assert rows[2][8:] == ["B-T", BEFORE, AFTER, "/văn bản/đợt 1/tệp 001.pdf.out", "1.2"]
    assert rows[1][5] == "Không ký được"
    assert "Chưa ký vì một phần khác" in rows[1][6]

    cells = sheet(book.written(tmp_path, "r.xlsx"), 2)
    assert [row[3] for row in cells[1:]] == names
    # A date is a date: the day since 1899-12-30.
    assert cells[1][2] == str((dt.date(2026, 11, 20) - dt.date(1899, 12, 30)).days)

    told = pages(book.written(tmp_path, "r.pdf"))
    assert len(told) > 10
    assert all("Số, ký hiệu" in page and "Lý do, lưu ý" in page for page in told)
    words = "\n".join(told)
    places = [words.index(f"tệp {at:03d}.pdf") for at in range(258)]
    assert all(one < next_one for one, next_one in pairwise(places))
    assert words.count(f"sau: {AFTER}") == 172


def test_a_paper_is_sound_lies_across_and_bears_its_fonts(book: Book, tmp_path: Path) -> None:
    batch = book.batch(stopped="token_removed")
    book.put_many(batch, ((at, f"/v/{at}.pdf", FileState.SIGNED, {}) for at in range(20)))
    path = book.written(tmp_path, "r.pdf")
    with pikepdf.open(path) as paper:
        assert paper.check_pdf_syntax() == []
        assert len(paper.pages) > 2
        assert paper.docinfo["/Title"] == "Báo cáo đợt ký số"
        for page in (paper.pages[0], paper.pages[-1]):
            left, bottom, right, top = (float(one) for one in page.mediabox)
            assert (right - left) > (top - bottom)
            fonts = page.resources["/Font"]
            assert all("/FontFile2" in font.DescendantFonts[0].FontDescriptor for font in fonts.values())
    assert "USB ký số bị rút" in pages(path)[0]


def test_a_paper_of_many_pages_has_them_all_in_their_order(tmp_path: Path) -> None:
    with (tmp_path / "r.pdf").open("wb") as out:
        paper = StreamedPdf(out, (842, 595), (Style.REGULAR,))
        for at in range(130):
            line = face(Style.REGULAR).show(f"trang {at}")
            paper.page(b"BT %s 12 Tf 100 100 Td %s Tj ET" % (font_name(Style.REGULAR), line))
        paper.end("Sổ", "vi-VN")
    assert pages(tmp_path / "r.pdf") == [f"trang {at}" for at in range(130)]
    with pikepdf.open(tmp_path / "r.pdf") as opened:
        assert opened.check_pdf_syntax() == []
        assert [int(node.Count) for node in opened.Root.Pages.Kids] == [64, 64, 2]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\n=1", "＝1", "\u202e=1"])
def test_no_cell_is_calculated_with(cell: str) -> None:
    assert defused(cell).startswith("'")
    assert not set(defused(cell)) & set("\t\n\u202e")


def test_hostile_names_stay_in_their_cells(book: Book, tmp_path: Path) -> None:
    batch = book.batch()
    names = [
        '=cmd|" calc"!A1.pdf',
        "-2+3.pdf",
        "a\x07b\x1b[2J\ufffe.pdf",
        'q",x\n=1.pdf',
        "名前.pdf",
    ]
    for at, name in enumerate(names):
        book.put(batch, at, f"/v/{name}", FileState.SIGNED)
    book.put(batch, 9, "C:\\Văn bản\\a.pdf", FileState.FAILED, code="a_code_of_tomorrow", params={"x": "1"})
    shown = [f"'{names[0]}", "'-2+3.pdf", "ab[2J.pdf", 'q",x =1.pdf', "名前.pdf", "a.pdf"]
    rows = table(book.written(tmp_path, "r.csv"))
    assert [row[3] for row in rows[1:]] == shown
    assert (rows[6][4], rows[6][6]) == ("C:\\Văn bản", "a_code_of_tomorrow")
    assert [row[3] for row in sheet(book.written(tmp_path, "r.xlsx"), 2)[1:]] == shown
    assert "??.pdf" in pages(book.written(tmp_path, "r.pdf"))[0]


def test_the_chain_of_batches_is_told_with_what_stopped_each(book: Book, tmp_path: Path) -> None:
    first = book.batch(stopped="token_removed")
    second = book.batch(continues=first, stopped="pin_incorrect")
    third = book.batch(continues=second)
    for batch, count in ((first, 3), (second, 1), (third, 2)):
        for at in range(count):
            book.put(batch, at, f"/v/{batch}-{at}.pdf", FileState.SIGNED)
    book.put(first, 3, "/v/left.pdf", FileState.SKIPPED, code="taken_over")
    head = book.head(third)
    assert [(one.batch, one.stopped and one.stopped.code) for one in head.earlier] == [
        (second, "pin_incorrect"),
        (first, "token_removed"),
    ]
    assert (head.total, head.signed_in_all) == (2, 6)
    facts = sheet(book.written(tmp_path, "r.xlsx", third), 1)
    assert [row[1] for row in facts if row[0] == "Đã ký, tính cả các đợt trước"] == ["6"]
    assert [row for row in facts if row[0] == "Ký tiếp đợt" and first in row[1] and "USB ký số bị rút" in row[1]]


def test_a_batch_to_which_nobody_said_yes_is_no_batch(book: Book) -> None:
    assert report_of(book.store) is None
    with pytest.raises(KnownError) as caught:
        report_of(book.store, book.batch(begun=False))
    assert caught.value.code == "report_batch_unknown"


def test_what_waits_waits_however_far_it_came(book: Book) -> None:
    batch = book.batch()
    for at, state in enumerate((FileState.PENDING, FileState.PREPARED, FileState.SIGNING)):
        book.put(batch, at, f"/v/{at}.pdf", state)
    assert book.head(batch).counts == {FileState.PENDING: 3}
    assert {line.state for line in report_lines(book.store, batch)} == {FileState.PENDING}


@pytest.mark.parametrize("form", ["csv", "xlsx", "pdf"])
def test_a_report_is_there_whole_or_not_at_all_and_never_over_a_file(book: Book, tmp_path: Path, form: str) -> None:
    batch = book.batch()
    for at in range(4):
        book.put(batch, at, f"/v/{at}.pdf", FileState.SIGNED)
    folder = tmp_path / "out"
    folder.mkdir()
    told: list[int] = []
    with pytest.raises(KnownError) as caught:
        write_report(
            book.store,
            book.head(),
            folder / f"r.{form}",
            "vi",
            NOW,
            progress=lambda _key, done, _total: told.append(done),
            cancelled=lambda: len(told) == 3,
        )
    assert (caught.value.code, told) == ("interrupted", [0, 1, 2])
    assert list(folder.iterdir()) == []

    # As long as a name may be on most systems.
    target = folder / f"{'a' * (254 - len(form))}.{form}"
    old = os.umask(0o027)
    try:
        write_report(book.store, book.head(), target, "vi", NOW)
    finally:
        os.umask(old)
    assert target.stat().st_mode & 0o777 == 0o640
    content = target.read_bytes()
    with pytest.raises(KnownError) as caught:
        write_report(book.store, book.head(), target, "vi", NOW)
    assert caught.value.code == "output_exists"
    assert (target.read_bytes(), len(list(folder.iterdir()))) == (content, 1)


# ---- scans for the archive ------------------------------------------------------------------------------------------


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "hồ sơ 160"
    folder.mkdir()
    for name in ("Văn bản 10.pdf", "văn bản 2.PDF", "Văn bản.pdf", "Đơn 1.pdf", "Báo cáo.signed.pdf"):
        (folder / name).write_bytes(b"%PDF-")
    return folder


def gathered(folder: Path, code: FileCode | None, out: Path | None = None, profile: Profile = Profile.ARCHIVE) -> Jobs:
    return gather([folder], profile=profile, out=out, number=None, date=None, place=None, receivers=(), scans=code)


def names(jobs: Jobs) -> list[tuple[str, str]]:
    return [(Path(file.path).name, Path(file.output).name) for job in jobs for file in job.files]


def test_scans_are_named_by_the_code_of_their_file_in_the_order_in_which_people_count(scans: Path) -> None:
    assert names(gathered(scans, FileCode.of(CODE, None))) == [
        ("Đơn 1.pdf", f"{CODE}.01.pdf"),
        ("Văn bản.pdf", f"{CODE}.02.pdf"),
        ("văn bản 2.PDF", f"{CODE}.03.pdf"),
        ("Văn bản 10.pdf", f"{CODE}.04.pdf"),
    ]
    jobs = gathered(scans, FileCode.of(f" {CODE} ", 99), scans / "ra")
    assert [name for _input, name in names(jobs)] == [f"{CODE}.{number}.pdf" for number in ("99", "100", "101", "102")]
    assert {Path(file.output).parent for job in jobs for file in job.files} == {scans / "ra"}


def test_folders_come_before_each_other_by_number_too() -> None:
    paths = ["/h/10/1.pdf", "/h/2/b 1.pdf", "/h/2/a.pdf", "/h/2/B 01 x.pdf", "/h/1.pdf"]
    ordered = ["/h/1.pdf", "/h/2/a.pdf", "/h/2/b 1.pdf", "/h/2/B 01 x.pdf", "/h/10/1.pdf"]
    assert sorted(paths, key=natural_order) == ordered


def test_what_was_signed_of_a_file_is_no_scan_of_it(scans: Path) -> None:
    for name in (f"{CODE}.01.pdf", f"{CODE.lower()}.pdf", f"{CODE}.x.pdf"):
        (scans / name).write_bytes(b"%PDF-")
    inputs = [name for name, _output in names(gathered(scans, FileCode.of(CODE, 7)))]
    assert [name for name in inputs if name.startswith("H49")] == [f"{CODE}.x.pdf"]
    # Scanners may call their files so already; elsewhere than where the copies go they are scans.
    assert f"{CODE}.01.pdf" in [name for name, _ in names(gathered(scans, FileCode.of(CODE, 7), scans.parent / "ra"))]


def test_a_name_that_is_taken_is_refused_before_anything_happens(scans: Path) -> None:
    (scans / f"{CODE}.03.pdf").write_bytes(b"kept")
    with pytest.raises(KnownError) as caught:
        gathered(scans, FileCode.of(CODE, None))
    assert (caught.value.code, caught.value.params["name"]) == ("file_code_taken", f"{CODE}.03.pdf")
    assert gathered(scans, FileCode.of(CODE, 4))


@pytest.mark.parametrize(
    "code",
    [
        "",
        "../160",
        "a/b",
        "a\\b",
        "H49..160",
        ".H49",
        "H49.",
        "a b",
        "a:1",
        "CON.1",
        "nul",
        "x" * 81,
        "H49\u202e",
        "Н49",
    ],
)
def test_a_code_that_can_not_name_a_file_is_refused(code: str) -> None:
    with pytest.raises(KnownError) as caught:
        FileCode.of(code, None)
    assert (caught.value.code, caught.value.exit) == ("usage_file_code", 2)


def test_a_code_may_have_the_letters_of_vietnamese_in_whatever_form_they_come() -> None:
    decomposed = "H49.2001.160-SĐẾ"
    assert FileCode.of(decomposed, None) == FileCode("H49.2001.160-SĐẾ")


@pytest.mark.parametrize(("code", "start"), [(None, 1), (CODE, 0), (CODE, 100_000)])
def test_a_first_number_that_makes_no_sense_is_refused(code: str | None, start: int) -> None:
    with pytest.raises(KnownError) as caught:
        FileCode.of(code, start)
    assert caught.value.code == "usage_file_code_start"


def test_the_numbers_of_a_file_come_to_an_end(scans: Path) -> None:
    with pytest.raises(KnownError) as caught:
        gathered(scans, FileCode.of(CODE, 99_998))
    assert caught.value.code == "usage_file_code_start"


def test_only_scans_for_the_archive_are_named_so(scans: Path) -> None:
    with pytest.raises(KnownError) as caught:
        gathered(scans, FileCode.of(CODE, None), profile=Profile.AGENCY)
    assert caught.value.code == "usage_file_code_profile"


def listed(folder: Path, code: FileCode | None, *rows: str, profile: Profile = Profile.ARCHIVE) -> list[str]:
    listing = folder / "list.csv"
    listing.write_text("\n".join(rows), encoding="utf-8")
    return [output for _input, output in names(read_list(listing, profile=profile, out=None, scans=code))]


def test_a_list_names_its_scans_itself_or_in_the_order_of_its_rows(scans: Path) -> None:
    rows = (
        "input,file_code,profile",
        "Văn bản 10.pdf,,",
        f"Văn bản.pdf,{CODE}.7,",
        "Đơn 1.pdf,whole,",
        "văn bản 2.PDF,,archive",
        "Báo cáo.signed.pdf,,plain",
    )
    outputs = listed(scans, FileCode.of(CODE, 5), *rows)
    assert outputs == [
        f"{CODE}.05.pdf",
        f"{CODE}.7.pdf",
        f"{CODE}.pdf",
        f"{CODE}.06.pdf",
        "Báo cáo.signed.signed.pdf",
    ]
    assert listed(scans, None, "input,file_code", "Văn bản.pdf,H49.1", "Đơn 1.pdf,") == [
        "H49.1.pdf",
        "Đơn 1.signed.pdf",
    ]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (("input,file_code", "Văn bản.pdf,H49.1", "Đơn 1.pdf,h49.1"), "usage_same_output"),
        (("input,file_code", "Văn bản.pdf,whole"), "usage_file_code_whole"),
        (("input,file_code", "Văn bản.pdf,../1"), "usage_list"),
        (("input,file_code,profile", "Văn bản.pdf,H49.1,plain"), "usage_list"),
        (("input,file_code", "Văn bản.pdf,Đơn 1"), "usage_list"),
        (("input,file_code", "Văn bản.pdf,H49.9"), "file_code_taken"),
    ],
)
def test_a_list_with_a_name_that_can_not_be_given_is_refused(scans: Path, rows: tuple[str, ...], code: str) -> None:
    (scans / "H49.9.pdf").write_bytes(b"kept")
    with pytest.raises(KnownError) as caught:
        listed(scans, None, *rows)
    assert caught.value.code == code


def test_a_code_for_a_list_without_scans_is_refused(scans: Path) -> None:
    with pytest.raises(KnownError) as caught:
        listed(scans, FileCode.of(CODE, None), "input", "Văn bản.pdf", profile=Profile.PLAIN)
    assert caught.value.code == "usage_file_code_profile"


def test_scans_are_signed_under_the_names_of_their_file(desk: Desk) -> None:
    for name in ("scan 10.pdf", "scan 2.pdf"):
        write_letter(desk.letters / name, Wording())
    words = (desk.letters, "--profile", "archive", "--file-code", CODE, "--level", "b-b")
    answer = desk.sign(*words)
    assert answer.states == ["signed", "signed"], answer.out
    assert [(Path(one["input"]).name, Path(one["output"]).name) for one in answer.documents] == [
        ("scan 2.pdf", f"{CODE}.01.pdf"),
        ("scan 10.pdf", f"{CODE}.02.pdf"),
    ]
    again = desk.sign(*words)
    assert (again.code, again.json["error"]["code"]) == (1, "file_code_taken")


def test_a_refused_document_is_called_as_its_page_says(desk: Desk) -> None:
    desk.letter("cong-van.pdf")
    write_letter(
        desk.letters / "nghị quyết.pdf",
        Wording(number_line="Số: 17/QĐ-UBND", date_line="Hòa Sơn, ngày 20 tháng 11 năm 2026"),
    )
    listing = desk.listing("input,profile", "cong-van.pdf,plain", "nghị quyết.pdf,agency")
    assert desk.sign("--list", listing, "--level", "b-b").states == ["signed", "refused"]
    with desk.store() as store:
        head = report_of(store)
        assert head is not None
        _signed, refused = report_lines(store, head.batch)
    assert (refused.state, refused.label, refused.date) == (FileState.REFUSED, "17/QĐ-UBND", dt.date(2026, 11, 20))
