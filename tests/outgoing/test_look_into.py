"""The look into what goes along unsigned: marks of secrecy, programs, macros, files that are made to exhaust."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from signer_app.attachments import screen, words
from signer_app.attachments.screen import look_into
from signer_resources.errors import KnownError
from tests.outgoing.office_files import open_document, pack, spreadsheet, text_document

ROWS = (("STT", "Họ và tên"), ("1", "Nguyễn Văn Ánh"))
TEXT_FRAME = (
    '<w:document xmlns:w="http://w"><w:body><w:p><w:r><w:t>Kính gửi</w:t><w:pict><w:txbxContent><w:p><w:r>'
    "<w:t>TỐI </w:t></w:r><w:r><w:t>MẬT</w:t></w:r></w:p></w:txbxContent></w:pict></w:r></w:p></w:body></w:document>"
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def written(folder: Path, name: str, data: bytes) -> Path:
    target = folder / name
    target.write_bytes(data)
    return target


def refusal(path: Path) -> str:
    with pytest.raises(KnownError) as caught:
        look_into(path, path.name)
    assert path.name in str(caught.value)
    return caught.value.code


def test_what_is_open_is_told_with_its_hash_and_whether_words_were_read(tmp_path: Path) -> None:
    files = {
        spreadsheet(tmp_path / "a.xlsx", ROWS): True,
        text_document(tmp_path / "b.docx", "Danh sách", "Bảo mật thông tin"): True,
        open_document(tmp_path / "c.odt", "Danh sách"): True,
        written(tmp_path, "d.csv", "STT;Tên\n1;Ánh".encode()): True,
        written(tmp_path, "e.txt", "Danh sách".encode("utf-16")): True,
        written(tmp_path, "f.txt", "Danh sách".encode("cp1258", "replace") + b"\xff"): False,
        written(tmp_path, "g.jpg", b"\xff\xd8\xff\xe0 picture"): False,
        written(tmp_path, "h.xls", OLE): False,
        written(tmp_path, "i.dwg", b"AC1032 drawing"): False,
        pack(tmp_path / "k.zip", {"danh sách.xlsx": b"PK"}): False,
    }
    for path, read in files.items():
        found = look_into(path, path.name)
        data = path.read_bytes()
        assert (found.secret, found.words) == (False, read), path.name
        assert (found.sha256, found.size) == (hashlib.sha256(data).hexdigest(), len(data))


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: spreadsheet(folder / "a.xlsx", [("", "TỐI MẬT"), *ROWS]),
        lambda folder: spreadsheet(folder / "a.xlsx", ROWS, header='&L&"Times New Roman,Bold"&14MẬT&RTrang &P'),
        lambda folder: text_document(folder / "b.docx", "MẬT", "Kính gửi"),
        lambda folder: open_document(folder / "c.odt", "Độ mật: Tuyệt mật"),
        lambda folder: written(folder, "d.csv", "số,MẬT\n1,2".encode()),
        lambda folder: written(folder, "d.txt", "Tuyệt mật\n".encode("utf-16")),
        lambda folder: pack(folder / "e.zip", {"hồ sơ/12-BC (MẬT).pdf": b"%PDF"}),
        lambda folder: written(folder, "12-BC (MẬT).jpg", b"\xff\xd8\xff"),
    ],
)
def test_a_mark_is_found_and_nothing_of_the_file_is_told(make: Callable[[Path], Path], tmp_path: Path) -> None:
    path = make(tmp_path)
    found = look_into(path, path.name)
    assert (found.secret, found.sha256, found.size) == (True, None, 0)


def test_a_mark_in_a_frame_or_a_header_of_a_text_is_found(tmp_path: Path) -> None:
    framed = pack(tmp_path / "a.docx", {"[Content_Types].xml": "<Types/>", "word/document.xml": TEXT_FRAME})
    head = '<w:hdr xmlns:w="http://w"><w:p><w:r><w:t>MẬT</w:t></w:r></w:p></w:hdr>'
    headed = text_document(tmp_path / "b.docx", "Kính gửi", more={"word/header2.xml": head})
    assert look_into(framed, "a.docx").secret
    assert look_into(headed, "b.docx").secret


W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
WATERMARK = (
    f'<w:hdr xmlns:w="{W}" xmlns:v="urn:schemas-microsoft-com:vml"><w:p><w:r><w:pict><v:shape>'
    '<v:textpath string="TUYỆT MẬT"/></v:shape></w:pict></w:r></w:p></w:hdr>'
)


def body(inside: str) -> str:
    return f'<w:document xmlns:w="{W}"><w:body><w:p><w:r>{inside}</w:r></w:p></w:body></w:document>'


@pytest.mark.parametrize(
    "parts",
    [
        {"word/document.xml": body("<w:t>MẬT</w:t><w:br/><w:t>UBND TỈNH AN SƠN</w:t>")},
        {"word/document.xml": body("<w:t>UBND TỈNH AN SƠN</w:t><w:tab/><w:t>TỐI MẬT</w:t>")},
        {"word/header1.xml": WATERMARK},
        {"word/Header1.XML": WATERMARK},
    ],
)
def test_a_mark_is_found_wherever_a_text_has_it(parts: dict[str, str], tmp_path: Path) -> None:
    assert look_into(text_document(tmp_path / "a.docx", "Kính gửi", more=parts), "a.docx").secret


SHEET = '<worksheet xmlns="http://x"><sheetData><row><c {}</c></row></sheetData></worksheet>'
INLINE = 't="inlineStr"><is><r><t>M</t></r><r><t>ẬT</t></r><rPh sb="0" eb="1"><t>đọc</t></rPh></is>'


@pytest.mark.parametrize(
    "parts",
    [
        {"xl/sharedStrings.xml": "<sst><si><t>UBND TỈNH\nMẬT</t></si></sst>"},
        {"xl/sharedStrings.xml": '<sst><si><t>MẬT</t><rPh sb="0" eb="1"><t>đọc</t></rPh></si></sst>'},
        {"xl/SharedStrings.xml": "<sst><si><t>MẬT</t></si></sst>"},
        {"xl/worksheets/sheet1.xml": SHEET.format(INLINE)},
        {"xl/worksheets/sheet1.xml": SHEET.format('t="str"><v>Danh sách\nTỐI MẬT</v>')},
        {"xl/worksheets/Bảng.xml": SHEET.format('t="str"><v>MẬT</v>')},
        {"xl/workbook.xml": '<workbook><sheets><sheet name="Bảng 1"/><sheet name="Tối mật"/></sheets></workbook>'},
    ],
)
def test_a_mark_is_found_wherever_a_workbook_has_it(parts: dict[str, str], tmp_path: Path) -> None:
    plain = {
        "[Content_Types].xml": "<Types/>",
        "xl/worksheets/sheet1.xml": SHEET.format('t="s"><v>0</v>'),
        "xl/workbook.xml": '<workbook><sheets><sheet name="Bảng 1"/></sheets></workbook>',
    }
    assert not look_into(pack(tmp_path / "a.xlsx", plain), "a.xlsx").secret
    assert look_into(pack(tmp_path / "b.xlsx", plain | parts), "b.xlsx").secret


def test_words_far_from_the_beginning_are_no_mark(tmp_path: Path) -> None:
    late = [("x",)] * words._MOST_WORDS
    assert not look_into(spreadsheet(tmp_path / "a.xlsx", [*late, ("MẬT",)]), "a.xlsx").secret


@pytest.mark.parametrize("name", ["a.zip", "a.txt", "a.csv", "a.dwg", "a.ods", "a.jpg"])
def test_an_office_file_under_another_kinds_name_doesnt_go_along_unlooked(name: str, tmp_path: Path) -> None:
    made = text_document(tmp_path / "a.docx", "MẬT")
    assert refusal(made.rename(tmp_path / name)) == "attachment_damaged"


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.dwg"])
@pytest.mark.parametrize("data", [OLE, b"%PDF-1.7 ", b"{\\rtf1 M"])
def test_what_looks_like_another_kind_is_not_taken_for_text(name: str, data: bytes, tmp_path: Path) -> None:
    assert refusal(written(tmp_path, name, data)) == "attachment_damaged"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.exe", b"MZ", "attachment_program"),
        ("danh sách.xlsx.js", b"x", "attachment_program"),
        ("danh sách.xlsx.exe. ", b"x", "attachment_program"),
        ("a.xlsm", b"PK\x03\x04", "attachment_macros"),
        ("a.rar", b"Rar!", "attachment_kind"),
        ("không đuôi", b"x", "attachment_kind"),
        ("a.txt", b"MZ\x90", "attachment_program"),
        ("a.xlsx", b"<html>", "attachment_damaged"),
        ("a.docx", b"PK\x03\x04 cut", "attachment_damaged"),
        ("a.docx", OLE + "EncryptedPackage".encode("utf-16-le"), "attachment_locked"),
        ("a.docx", OLE, "attachment_damaged"),
        ("a.xls", OLE + "_VBA_PROJECT".encode("utf-16-le"), "attachment_macros"),
        ("a.png", b"\xff\xd8\xff", "attachment_damaged"),
    ],
)
def test_what_must_not_go_along_is_refused_with_its_reason(name: str, data: bytes, code: str, tmp_path: Path) -> None:
    assert refusal(written(tmp_path, name, data)) == code


LOCKED = {"META-INF/manifest.xml": "<m><manifest:encryption-data/></m>"}
ENTITY = {"word/header1.xml": '<!DOCTYPE x [<!ENTITY a "MẬT">]><x>&a;</x>'}


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda to: text_document(to / "a.docx", "x", more={"word/vbaProject.bin": b"x"}), "attachment_macros"),
        (lambda to: open_document(to / "a.odt", "x", more={"Basic/Standard/Module1.xml": "x"}), "attachment_macros"),
        (lambda to: pack(to / "a.zip", {"cài đặt.exe": b"MZ"}), "attachment_program"),
        (lambda to: pack(to / "a.ods", {"mimetype": "x"}), "attachment_damaged"),
        (lambda to: pack(to / "a.xlsx", {"content.xml": "<x/>"}), "attachment_damaged"),
        (lambda to: open_document(to / "a.odt", "x", more=LOCKED), "attachment_locked"),
        (lambda to: text_document(to / "a.docx", more=ENTITY), "attachment_damaged"),
        (lambda to: text_document(to / "a.docx", more={"word/footer1.xml": "<cut"}), "attachment_damaged"),
    ],
)
def test_packed_files_are_refused_for_what_is_in_them(make: Callable[[Path], Path], code: str, tmp_path: Path) -> None:
    assert refusal(make(tmp_path)) == code


def test_a_file_that_is_made_to_exhaust_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = b'<w:document xmlns:w="http://w">' + b" " * (3 << 20) + b"</w:document>"
    packed = pack(tmp_path / "a.docx", {"[Content_Types].xml": "<Types/>", "word/document.xml": bomb})
    with packed.open("rb") as source:
        parts = words.open_parts(source)
        parts.left = 1 << 20
        with pytest.raises(words.UnreadableError):
            list(words.office_words(parts))
    monkeypatch.setattr(words, "MOST_ENTRIES", 2)
    many = pack(tmp_path / "b.zip", {str(number): "" for number in range(3)})
    assert refusal(many) == "attachment_damaged"


@pytest.mark.parametrize(
    "inside",
    [
        "".join(f"<a{number}/>" for number in range(5000)),
        "<a {}/>".format(" ".join(f'b{number}=""' for number in range(5000))) + "<p/>",
        f'<a b="{" " * (6 << 20)}"/>',
        f"<!--{' ' * (6 << 20)}-->",
        "<a>" * 600 + "</a>" * 600,
    ],
    ids=["elements", "attributes", "value", "comment", "depth"],
)
def test_xml_that_is_made_to_exhaust_is_given_up_though_it_is_small(inside: str, tmp_path: Path) -> None:
    parts = {"[Content_Types].xml": "<Types/>", "word/document.xml": f"<x>{inside}</x>"}
    assert refusal(pack(tmp_path / "a.docx", parts)) == "attachment_damaged"


def test_more_than_the_receiving_side_takes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "LARGEST", 1 << 20)
    assert refusal(written(tmp_path, "a.txt", b" " * ((1 << 20) + 1))) == "attachment_too_large"
