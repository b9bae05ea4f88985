"""The clerk's guide followed step by step in the real window, as somebody does who has only the page before them.

Each journey is named after its page in docs/vi/huong-dan and presses what stands there, in that order. Used by a long
test and for the guide's pictures. Runs outside the window's process.
"""

import re
from collections.abc import Callable

from signer_resources import samples
from tests.support.province import province
from tests.ui.driver import BUTTON, CELL, TEXT
from tests.ui.journeys import Stage, Tab, go, morning_s_post, open_letter, preflight, to_cell, type_pin


def one_document(stage: Stage) -> None:
    """02: one letter is added, numbered, its doubtful receiver settled, signed; then sent without waiting (07)."""
    with province(stage.desk):
        stage.desk.call("sync", "--once")
        with stage.at_work() as driver:
            driver.section("guide: one document")
            go(driver, Tab.OUTGOING)
            open_letter(driver, stage.desk.letter("cong-van.pdf"))
            preflight(driver, "1 chờ số")
            driver.push("Điền số tiếp theo", BUTTON)
            driver.wait("Đã điền số cho 1 văn bản.")
            preflight(driver, "1 sẵn sàng")
            driver.wait("Không có gì cần xem. Văn bản ký được.")
            driver.push("Xem trang 1", BUTTON)
            driver.wait("/ 1", TEXT)
            driver.picture("one-numbered")
            driver.wait("Chưa rõ nơi nhận: Các phòng chuyên môn.")
            to_cell(driver, "01/UBND-VP", "Nơi nhận")
            driver.key("F4")
            driver.wait("«Các phòng chuyên môn» là cơ quan nào?")
            driver.picture("receivers")
            driver.push("Không gửi", BUTTON)
            driver.push("Xong", BUTTON)
            driver.push("Ký số và gửi (1)", BUTTON)
            type_pin(driver)
            driver.wait_worked("Đã ký 1 văn bản, đã kiểm tra lại: hợp lệ.")
            driver.wait("Tình trạng: Chờ gửi", CELL)
            driver.key("F8")
            driver.wait("Tự gửi sau", CELL)
            driver.push("Gửi ngay", BUTTON, exact=True)
            driver.wait("Máy chủ đã nhận lúc", CELL)
    assert [packet.accepted_at is not None for packet in stage.desk.packets()] == [True]


def incoming_documents(stage: Stage) -> None:
    """06: the valid ones with one click, one returned, a recall agreed to; one of our own (07); the token (10)."""
    desk = stage.desk
    with province(desk) as other:
        for number, sample in enumerate(("quyet-dinh", "ke-hoach"), start=11):
            notation = next(known.notation for known in samples.load().samples if known.id == sample)
            desk.seal(desk.letter(f"{sample}.pdf"), f"{number}/{notation}", "--to", "H77,H77.02")
        desk.call("sync", "--once")
        morning_s_post(other)
        desk.call("sync", "--once")
        with stage.at_work() as driver:
            driver.section("guide: incoming documents")
            go(driver, Tab.INCOMING)
            driver.push("Tiếp nhận tất cả văn bản hợp lệ: 4", BUTTON)
            driver.wait("Đã tiếp nhận 4 văn bản, số đến 1–4.")
            to_cell(driver, "1203/UBND-NC", "Số, ký hiệu")
            driver.wait("Chữ ký không hợp lệ", TEXT)
            driver.push("Trả lại nơi gửi…", BUTTON)
            driver.push("Nội dung bị thay đổi sau khi ký", "RadioButton")
            driver.picture("return")
            driver.push("Trả lại nơi gửi", BUTTON, exact=True)
            driver.wait("Đã trả lại 1203/UBND-NC.")
            to_cell(driver, "1205/UBND-VP", "Số, ký hiệu")
            driver.wait("Nơi gửi yêu cầu thu hồi văn bản, lý do: Gửi nhầm bản dự thảo")
            driver.fill("Theo ý kiến của (họ tên lãnh đạo)", "Nguyễn Thị Phượng")
            driver.picture("recall-asked")
            driver.push("Đồng ý…", BUTTON)
            driver.push("Đồng ý thu hồi văn bản", BUTTON, exact=True)
            driver.wait("Đã trả lời Đồng ý về 1205/UBND-VP.")
            go(driver, Tab.OUTGOING)
            driver.key("F8")
            to_cell(driver, "11/QĐ-UBND", "Số, ký hiệu")
            driver.push("Thu hồi văn bản…", BUTTON)
            driver.wait_focus("Lý do (nơi nhận sẽ đọc)")
            driver.write("Sai phụ lục")
            driver.picture("recall")
            driver.push("Tiếp tục", BUTTON)
            driver.wait("Thu hồi văn bản 11/QĐ-UBND từ 2 nơi nhận?")
            driver.push("Thu hồi văn bản", BUTTON, exact=True)
            driver.wait("Đã đưa yêu cầu thu hồi văn bản 11/QĐ-UBND vào hàng gửi.")
            go(driver, Tab.TOKEN)
            driver.wait("Đổi mã PIN của UBND xã Hòa Sơn", BUTTON)
            driver.picture("token")
            driver.push("Sổ bàn giao", BUTTON)
            driver.wait("Đề nghị mở khóa…", BUTTON)
            driver.push("Quay lại", BUTTON)
            driver.wait("USB ký số đang cắm")


def backup_set_up(stage: Stage) -> None:
    """09: a place is chosen, the recovery code written down and typed back, and the first backup made."""
    stick = stage.desk.folder / "usb"
    stick.mkdir()
    with stage.at_work() as driver:
        driver.section("guide: backup")
        driver.push("Cài đặt", BUTTON, exact=True)
        driver.click("Sao lưu", "ListItem", exact=True)
        driver.push("Thiết lập sao lưu", BUTTON)
        driver.wait("Bước 1/3: Chọn nơi sao lưu")
        driver.fill("Thư mục sao lưu", str(stick))
        driver.push("Tiếp tục", BUTTON)
        driver.wait("Bước 2/3: Ghi mã phục hồi ra giấy")
        driver.picture("backup-code")
        paper = [one.name for one in driver.seen(role=TEXT) if re.fullmatch("[0-9]{6}", one.name)]
        assert len(paper) == 8
        driver.push("Đã ghi ra giấy", BUTTON)
        driver.wait("Bước 3/3: Nhập lại mã theo tờ giấy")
        for number, group in enumerate(paper, start=1):
            driver.fill(f"Nhóm {number}", group)
        driver.push("Dùng mã này và sao lưu", BUTTON)
        driver.wait("Đã sao lưu 0 văn bản vào")
        driver.picture("backup-made")
    assert [entry.name.startswith("signer-backup-") for entry in stick.iterdir()] == [True]


def training(stage: Stage) -> None:
    """11: the window of the training mode opens beside the real one, and is left again."""
    with stage.at_work() as driver:
        driver.section("guide: training")

        def banner() -> bool:
            # The other window is another process: only its picture can be seen from here.
            red, green, blue = driver.photograph().getpixel((stage.screen.width // 2, 8))  # type: ignore[misc]
            return bool(green < 60 and blue > red > 60)

        def exercise() -> bool:
            red, _green, blue = driver.photograph().getpixel((stage.screen.width // 2, 50))  # type: ignore[misc]
            return bool(red > 240 and red - blue > 15)

        driver.push("Chế độ tập dượt", BUTTON)
        driver.until(lambda: banner() or None, "the training window", patience=120)
        driver.until(lambda: exercise() or None, "the exercise under the banner", patience=120)
        driver.snap("training")
        driver.key("alt+F4")
        driver.until(lambda: None if banner() else True, "the real window")


GUIDED: dict[str, Callable[[Stage], None]] = {
    page.__name__: page for page in (one_document, incoming_documents, backup_set_up, training)
}
