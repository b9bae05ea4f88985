"""What goes along with a signed document: in its register, its evidence, its packet and beside its signed copy."""

import hashlib
import io
import shutil
from pathlib import Path

import pytest

from signer_app.attachments.kinds import content_type_of
from signer_app.store.model import AttachmentHash, FileRole
from signer_sync.edxml_read import read_packet
from tests.outgoing.office_files import spreadsheet, text_document
from tests.support.workspace import DAY, Desk

ROWS = (("STT", "Họ và tên"), ("1", "Nguyễn Văn Ánh"))


def listed(desk: Desk, *attachments: Path) -> Path:
    desk.letter("cong-van.pdf")
    rows = [f"{path.name},attachment,A,,," for path in attachments]
    return desk.listing("input,role,document,number,date,to", f"cong-van.pdf,main,A,1/UBND-VP,{DAY},H77", *rows)


def test_a_spreadsheet_goes_along_unsigned_with_its_hash(desk: Desk) -> None:
    sheet = spreadsheet(desk.letters / "danh sách.xlsx", ROWS)
    data = sheet.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    out = desk.folder / "ra"

    answer = desk.sign("--list", listed(desk, sheet), "--profile", "agency", "--out", out)

    assert (answer.code, answer.states) == (0, ["signed"]), answer.out
    main, along = desk.files()
    assert (along.role, along.name, along.position) == (FileRole.ATTACHMENT, sheet.name, 1)
    assert (along.blob_in, along.blob_out, along.level, along.signed_at) == (sha256, None, None, None)
    assert along.exported_at is not None
    assert (out / sheet.name).read_bytes() == data
    assert (out / "cong-van.signed.pdf").is_file()
    with desk.store() as store, store.view() as view:
        (evidence,) = view.evidence.of_file(main.id)
        (packet,) = view.outbox.of_document(main.document_id)
        sinks = [io.BytesIO(), io.BytesIO()]
        with store.blobs.path(packet.sha256).open("rb") as source:
            read = read_packet(source, sinks.__getitem__)
    assert evidence.record.attachments == (AttachmentHash(sheet.name, sha256),)
    assert [(item.name, item.content_type) for item in read.attachments] == [
        ("cong-van.pdf", "application/pdf"),
        (sheet.name, content_type_of(sheet.name)),
    ]
    assert sinks[1].getvalue() == data
    assert read.header.appendixes == (sheet.name,)


@pytest.mark.long
def test_beside_its_input_no_second_copy_is_made_and_nothing_is_written_over(desk: Desk) -> None:
    sheet = spreadsheet(desk.letters / "danh sách.xlsx", ROWS)
    assert desk.sign("--list", listed(desk, sheet), "--profile", "agency").code == 0
    assert [file.output_path for file in desk.files() if file.role is FileRole.ATTACHMENT] == [None]
    out = desk.folder / "ra"
    out.mkdir()
    (out / sheet.name).write_bytes(b"another")
    shutil.copyfile(desk.letters / "cong-van.pdf", desk.letters / "khac.pdf")
    listing = desk.listing(
        "input,role,document,number,date",
        f"khac.pdf,main,A,2/UBND-VP,{DAY}",
        f"{sheet.name},attachment,A,,",
        name="khac.csv",
    )
    answer = desk.sign("--list", listing, "--profile", "agency", "--out", out)
    assert (answer.code, answer.codes) == (1, ["output_exists"])
    assert (out / sheet.name).read_bytes() == b"another"


@pytest.mark.parametrize(
    ("rows", "code"), [([("TỐI MẬT",)], "secret"), ([], "attachment_damaged")], ids=["secret", "damaged"]
)
def test_an_attachment_that_is_secret_or_unreadable_takes_its_document_with_it(
    desk: Desk, rows: list[tuple[str]], code: str
) -> None:
    sheet = desk.letters / "danh sách.xlsx"
    if rows:
        spreadsheet(sheet, rows)
    else:
        sheet.write_bytes(b"no spreadsheet")
    digest = hashlib.sha256(sheet.read_bytes()).hexdigest()
    answer = desk.sign("--list", listed(desk, sheet), "--profile", "agency")
    assert (answer.code, answer.codes) == (1, [code])
    assert desk.files() == []
    traces = (digest.encode(), sheet.name.encode()) if code == "secret" else (digest.encode(),)
    assert [str(file) for file, found in desk.everything() if any(trace in found for trace in traces)] == []
    assert all(digest not in str(file) for file, _found in desk.everything())


def test_a_file_that_is_no_pdf_is_not_signed_alone(desk: Desk) -> None:
    word = text_document(desk.letters / "công văn.docx", "Kính gửi")
    answer = desk.sign(word, "--profile", "agency")
    assert (answer.code, answer.json["error"]["code"]) == (2, "usage_attachment_alone")
    listing = desk.listing("input,role,document", f"{word.name},main,A")
    answer = desk.sign("--list", listing)
    assert (answer.code, answer.json["error"]["code"]) == (2, "usage_attachment_alone")
