"""Marks of state secrecy: on the page, in the name, and an answer that holds nothing of a secret file."""

import io
import unicodedata
from pathlib import Path

import pikepdf
import pytest

from signer_app.pdf.letter import find_secrecy_mark
from signer_app.pdf.model import Profile, Screened
from signer_app.pdf.screen import screen_bytes, screen_file
from signer_resources import samples
from signer_resources.samples import Sample
from signer_sync.secrecy import field_is_secret, is_mark, name_is_secret
from tests.pdf.paper import BOLD, TURNS, Turn, Words, document_of, head, letter, page_of, read, turned
from tests.pdf.signing import Desk, refusals

_SECRET = Screened(secret=True, readable=True, sha256=None, size=0)


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("MẬT", "MẬT"),
        ("TỐI MẬT", "TỐI MẬT"),
        ("TUYỆT MẬT", "TUYỆT MẬT"),
        ("M Ậ T", "MẬT"),
        ("M   Ậ   T", "MẬT"),
        ("T Ố I  M Ậ T", "TỐI MẬT"),
        ("* MẬT *", "MẬT"),
        ("[MẬT]", "MẬT"),
        ("(TỐI  MẬT)", "TỐI MẬT"),
        ("Độ mật: Mật", "MẬT"),
        ("Mức độ mật: Tối mật", "TỐI MẬT"),
        ("ĐỘ MẬT: TUYỆT MẬT.", "TUYỆT MẬT"),
        ("MẬT - KHẨN", "MẬT"),
        ("HỎA TỐC/TỐI MẬT", "TỐI MẬT"),
        ("MẬT (Bản số 01)", "MẬT"),
        ("Mật", "MẬT"),
    ],
)
def test_a_mark_that_stands_alone_is_one(text: str, mark: str) -> None:
    data = letter(Words(50, 50, text, BOLD))
    assert find_secrecy_mark(read(data)) == mark
    assert screen_bytes(data, "a.pdf") == _SECRET


def test_a_mark_in_small_letters_counts_in_its_place_alone() -> None:
    for words in (Words(120, 50, "Mật", BOLD), Words(50, 200, "Mật", BOLD), Words(50, 50, "Mật ong", BOLD)):
        assert not screen_bytes(letter(words), "a.pdf").secret


def test_a_mark_in_letters_that_only_look_latin_is_one() -> None:
    """The page is the same; what its font calls the letters is Cyrillic."""
    with pikepdf.open(io.BytesIO(page_of([Words(40, 46, "MẬT", BOLD)]))) as pdf:
        for one in pdf.objects:
            if isinstance(one, pikepdf.Dictionary) and "/ToUnicode" in one:
                letters = one.ToUnicode.read_bytes().replace(b"<004D>", b"<041C>").replace(b"<0054>", b"<0422>")
                one.ToUnicode.write(letters)
        out = io.BytesIO()
        pdf.save(out)
    assert [run.text for run in read(out.getvalue()).runs] == ["\u041cẬ\u0422"]
    assert screen_bytes(out.getvalue(), "a.pdf") == _SECRET


@pytest.mark.parametrize(
    ("name", "mark", "secret"), [("MẬT.pdf", "", True), ("phu-luc.pdf", "MẬT", True), ("phu-luc.pdf", "", False)]
)
def test_a_secret_file_inside_makes_the_whole_secret(desk: Desk, name: str, mark: str, *, secret: bool) -> None:
    with pikepdf.open(io.BytesIO(letter())) as pdf:
        pdf.attachments[name] = page_of([Words(40, 46, mark or "Phụ lục", BOLD)])
        out = io.BytesIO()
        pdf.save(out)
    assert screen_bytes(out.getvalue(), "a.pdf").secret is secret
    assert ("secret" in refusals(desk.preflight(desk.keep(out.getvalue()), Profile.PLAIN))) is secret


@pytest.mark.parametrize(
    "text",
    [
        "mật",
        "bảo vệ bí mật nhà nước",
        "BẢO MẬT",
        "MẬT ĐỘ DÂN SỐ",
        "Văn bản đóng dấu MẬT được quản lý riêng",
        "MẬT ONG",
        "MAT",
        "Độ mật: Không",
        "Độ mật:",
    ],
)
def test_the_word_in_other_use_is_no_mark(text: str) -> None:
    assert find_secrecy_mark(read(letter(Words(50, 50, text, BOLD)))) is None


def test_a_mark_beside_the_date_line_is_one() -> None:
    assert find_secrecy_mark(read(letter(Words(75, 37.6, "M   Ậ   T", BOLD), number="Số: 5/A"))) == "MẬT"


def test_a_mark_in_a_cell_of_a_table_is_one() -> None:
    row = [Words(30, 120, "1"), Words(50, 120, "Phương án"), Words(120, 120, "MẬT")]
    assert find_secrecy_mark(read(page_of(row))) == "MẬT"


@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_a_mark_is_seen_however_the_page_lies_in_its_file(turn: Turn) -> None:
    assert screen_bytes(turned(letter(Words(50, 50, "MẬT", BOLD)), turn), "a.pdf") == _SECRET


@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_a_mark_is_seen_on_a_page_that_is_shown_sideways(rotate: int) -> None:
    with pikepdf.open(io.BytesIO(letter(Words(50, 50, "MẬT", BOLD), Words(50, 56, "Kính gửi:")))) as pdf:
        pdf.pages[0].obj.Rotate = rotate
        out = io.BytesIO()
        pdf.save(out)
    assert screen_bytes(out.getvalue(), "a.pdf") == _SECRET


@pytest.mark.parametrize("angle", [30, 45, 90, -60])
def test_a_mark_across_the_page_is_one(angle: float) -> None:
    assert screen_bytes(letter(Words(60, 170, "MẬT", BOLD, 80, turn=angle)), "a.pdf") == _SECRET


def test_slanted_text_that_holds_the_word_is_no_mark() -> None:
    assert not screen_bytes(letter(Words(60, 170, "BẢO MẬT THÔNG TIN", turn=45)), "a.pdf").secret


def test_a_mark_on_a_later_page_counts() -> None:
    assert screen_bytes(document_of([head(), head(), [Words(90, 25, "TỐI MẬT", BOLD)]]), "a.pdf") == _SECRET


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param(one, id=one.id, marks=[pytest.mark.long] if one.id == "bao-cao-40-trang" else [])
        for one in samples.load().samples
    ],
)
def test_only_the_secret_sample_is_secret(sample: Sample) -> None:
    for name in sample.files:
        screened = screen_file(samples.file(name), "van-ban.pdf")
        assert screened.secret is sample.secret
        assert (screened.sha256 is None) is sample.secret
        assert screened == screen_bytes(samples.file(name).read_bytes(), "van-ban.pdf")


def test_a_name_alone_makes_a_file_secret_and_the_file_is_not_even_opened(tmp_path: Path) -> None:
    assert screen_file(tmp_path / "gone.pdf", "QĐ 5 (Mật).pdf") == _SECRET
    assert screen_bytes(b"", "TỐI MẬT.pdf") == _SECRET


@pytest.mark.parametrize("content", [b"", b"no PDF at all", b"%PDF-1.7\n1 0 obj\n<<", b"PK\x03\x04"])
def test_what_nobody_can_read_is_told_apart_from_what_is_free_of_marks(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.pdf"
    file.write_bytes(content)
    for screened in (screen_file(file, "x.pdf"), screen_bytes(content, "x.pdf")):
        assert not screened.secret
        assert not screened.readable


def test_an_encrypted_file_is_not_readable() -> None:
    with pikepdf.open(io.BytesIO(letter())) as pdf:
        out = io.BytesIO()
        pdf.save(out, encryption=pikepdf.Encryption(user="a", owner="b"))
    assert not screen_bytes(out.getvalue(), "x.pdf").readable


def test_a_page_that_cannot_be_loaded_leaves_the_file_unreadable() -> None:
    data = letter()
    assert data.count(b"/Count 1 ") == 1
    assert not screen_bytes(data.replace(b"/Count 1 ", b"/Count 2 "), "x.pdf").readable


@pytest.mark.parametrize(
    "name",
    [
        "MẬT.pdf",
        "MẬT - QĐ 5.pdf",
        "MẬT_12.pdf",
        "5 (Mật).pdf",
        "12-BC_MẬT.pdf",
        "12-BC (MẬT).pdf",
        "QĐ 5 MẬT.pdf",
        "Báo cáo quý III MẬT.pdf",
        "Tối mật - 7.PDF",
        "TUYỆT MẬT 7.pdf",
        "5. Tối mật.pdf",
        "Văn bản mật số 5.pdf",
        "van ban mat.pdf",
        "cong-van-mat-12.pdf",
        "vanbanmat.pdf",
        "toi mat.pdf",
        "tuyet_mat_3.pdf",
        "Hồ sơ mật.pdf",
        unicodedata.normalize("NFD", "QĐ 5 (Mật).pdf"),
        "độ mật - mật.pdf",
    ],
)
def test_a_name_that_says_secret_is_secret(name: str) -> None:
    assert name_is_secret(name)


@pytest.mark.parametrize("letter", ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u202e", "\u200f"])
def test_letters_that_take_no_room_hide_no_mark(letter: str) -> None:
    hidden = letter.join("MẬT")
    assert is_mark(f"{letter}{hidden}")
    assert field_is_secret("Subject", f"Báo cáo [{hidden}]")
    assert field_is_secret("SecurityLevel", f"thường{letter}") is False
    assert name_is_secret(f"12-BC ({hidden}).pdf")
    assert name_is_secret(f"van ban m{letter}at.pdf")
    # Nor do they make one of what is none.
    assert not name_is_secret(f"KH bảo{letter} mật 2026.pdf")


@pytest.mark.parametrize(
    "name",
    [
        "mat-tran-to-quoc.pdf",
        "KH bảo mật 2026.pdf",
        "quy chế bảo-mật.pdf",
        "Bảo_mật.pdf",
        "bảo vệ bí mật nhà nước.pdf",
        "BÍ MẬT.pdf",
        "QUY CHẾ BẢO MẬT.pdf",
        "Mật độ dân số.pdf",
        "MẬT ĐỘ XÂY DỰNG.pdf",
        "nuôi ong lấy mật.pdf",
        "bề mặt.pdf",
        "toimatviec.pdf",
        "Tôi mất việc.pdf",
        "be-mat-toi.pdf",
        "QĐ-UBND 5.pdf",
        "",
    ],
)
def test_a_name_with_the_word_in_other_use_is_not_secret(name: str) -> None:
    assert not name_is_secret(name)
