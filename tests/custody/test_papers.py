"""The printed papers: read back as text, looked at as pictures; all that is known, and lines for the rest."""

import datetime as dt
import unicodedata
from pathlib import Path

import pypdfium2
import pytest

from signer_app.custody.forms import Request, minute_form, request_form
from signer_app.paper.writing import write_paper
from signer_app.store.custody import DeviceFacts, Waiting
from signer_app.store.settings import Body
from signer_resources import forms
from signer_resources.errors import KnownError
from signer_resources.forms import FormKind
from tests.custody.minutes import AT, CERTIFICATE, entry

BODY = Body(
    code="H77.15",
    name="Ủy ban nhân dân xã Hòa Sơn",
    parent_name="Ủy ban nhân dân tỉnh An Sơn",
    place_name="Hòa Sơn",
)
REQUEST = Request(CERTIFICATE, DeviceFacts(serial="77", label="UBND xã\u200b 李"), BODY, "Lê Thị Nhàn", AT)


def words(pdf: bytes) -> str:
    """The text of all pages, blanks and line ends as one blank."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        text = " ".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()
    assert unicodedata.is_normalized("NFC", text)
    return " ".join(text.split())


def test_a_minute_says_who_what_and_when_in_vietnamese_that_can_be_copied() -> None:
    made = entry(
        3,
        signed="x",
        pin_change=True,
        held_by="Phạm Hoàng Ngữ",
        witness="Đỗ Quyết Thưởng",
        purpose="thay văn thư nghỉ thai sản",
        until=dt.date(2027, 5, 31),
        unsigned=Waiting(2, ("125/UBND-VP", "Công văn.pdf")),
        unsent=Waiting(41, ("7/QĐ-UBND",)),
    )
    text = words(minute_form(made, BODY))
    for told in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "ỦY BAN NHÂN DÂN TỈNH AN SƠN",
        "Số: 03/BB-",
        "Hòa Sơn, ngày 23 tháng 11 năm 2026",
        "BIÊN BẢN Bàn giao thiết bị lưu khóa bí mật và chứng thư chữ ký số",
        "văn bản cho phép số 15/QĐ-UBND ngày 20/11/2026 của Chủ tịch UBND xã Hòa Sơn.",
        "vào hồi 08 giờ 42 phút, ngày 23 tháng 11 năm 2026",
        "1. Bên giao: ông (bà) Trần Văn An.",
        "2. Bên nhận: ông (bà) Lê Thị Nhàn.",
        "3. Người chứng kiến: ông (bà) Đỗ Quyết Thưởng.",
        "người đang giữ thiết bị trước đó là ông (bà) Phạm Hoàng Ngữ.",
        "số hiệu 77, nhãn “UBND xã Hòa Sơn”.",
        CERTIFICATE.sha256,
        "từ ngày 05/01/2024 đến ngày 18/12/2026",
        "phải đổi mã PIN trước khi ký văn bản đầu tiên. Chưa đổi khi in biên bản này.",
        "3. Văn bản chưa ký: 2. Gồm: 125/UBND-VP; Công văn.pdf.",
        "4. Văn bản đã ký, chưa gửi: 41. Gồm: 7/QĐ-UBND; và 40 văn bản khác.",
        "1. Mục đích: thay văn thư nghỉ thai sản. 2. Thời hạn: đến hết ngày 31/05/2027.",
        made.sha256,
        "BÊN GIAO (Ký, ghi rõ họ tên) Trần Văn An BÊN NHẬN (Ký, ghi rõ họ tên) Lê Thị Nhàn",
    ):
        assert told in text, told


def test_a_token_that_goes_back_is_kept_by_nobody() -> None:
    text = words(minute_form(entry(2, receiver=""), BODY))
    assert "Từ lúc này thiết bị được cất giữ tại cơ quan, không giao cho cá nhân nào." in text
    assert "Không yêu cầu đổi mã PIN" in text
    assert "người chứng kiến" not in text.casefold()
    assert "được ký số bằng chính thiết bị" not in text


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (FormKind.LOCKED, "Khôi phục (mở khóa) thiết bị lưu khóa bí mật"),
        (FormKind.LOST, "Lần ký cuối cùng được ghi tại cơ quan: 08 giờ 42 phút ngày 23/11/2026."),
        (FormKind.RENEW, "hết hạn ngày 18/12/2026, còn 24 ngày kể từ ngày lập giấy này."),
    ],
)
def test_a_request_is_filled_in_and_leaves_lines_for_what_nobody_knows(kind: FormKind, told: str) -> None:
    text = words(request_form(kind, REQUEST, AT))
    for known in (told, "Kính gửi: - Ban Cơ yếu Chính phủ;", "mã định danh: H77.15", CERTIFICATE.serial, "Lê Thị Nhàn"):
        assert known in text
    assert "điện thoại: ………" in text
    # What a device calls itself may hold anything.
    assert "“UBND xã? ?”" in text


def test_a_form_for_a_certificate_that_has_ended_counts_no_days() -> None:
    text = words(request_form(FormKind.RENEW, REQUEST, AT + dt.timedelta(days=90)))
    assert "hết hạn ngày 18/12/2026. 6." in text


def test_nothing_is_drawn_in_the_margins_and_a_full_page_goes_on_overleaf() -> None:
    names = tuple(f"Công văn về việc thứ {n} rất dài.pdf" for n in range(40))
    long = "x" * 160
    pdf = minute_form(entry(1, unsigned=Waiting(90, names), witness=long, purpose=long), BODY)
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 2
    for number, page in enumerate(document):
        assert tuple(round(side) for side in page.get_size()) == (595, 842)
        picture = page.render(scale=2, grayscale=True).to_pil().point(lambda grey: 255 if grey < 200 else 0)
        left, top, right, bottom = picture.getbbox()
        millimetre = 2 * 72 / 25.4
        # Above the text stands the number of a page that isn't the first (P-04).
        assert top >= (9 if number else 19) * millimetre
        assert left >= 29.5 * millimetre
        assert right <= (210 - 14.5) * millimetre
        assert bottom <= (297 - 19) * millimetre
    document.close()


@pytest.mark.parametrize("kind", list(FormKind))
def test_every_form_names_its_source(kind: FormKind) -> None:
    form = forms.load(kind)
    assert "NĐ 30/2020/NĐ-CP" in form.source
    assert form.blocks


def test_a_paper_never_takes_another_files_place(tmp_path: Path) -> None:
    target, strange = tmp_path / "giấy.pdf", tmp_path / "giấy.pdf.part"
    strange.write_bytes(b"a download")
    write_paper(target, b"one")
    assert strange.read_bytes() == b"a download"
    strange.unlink()
    with pytest.raises(KnownError) as refused:
        write_paper(target, b"two")
    assert refused.value.code == "custody_file_exists"
    assert target.read_bytes() == b"one"
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(KnownError) as nowhere:
        write_paper(tmp_path / "none" / "x.pdf", b"")
    assert nowhere.value.code == "output_unwritable"
    for folder in (tmp_path, Path("/"), Path()):
        with pytest.raises(KnownError) as refused:
            write_paper(folder, b"")
        assert refused.value.code == "custody_file_exists"
