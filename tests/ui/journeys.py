"""What a clerk does with the window, from start to end: each journey by mouse and keyboard, and by keyboard alone.

Used by the long tests, by the benchmark of stalls, and for the pictures of the documentation. Runs outside the window's
process; the workspace, its tokens and its document server are real.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from PIL import ImageChops, ImageStat

import signer_resources
from signer_app.demo.pki_names import Holder
from signer_resources import samples
from signer_sync.edxml import Priority, StatusCode
from tests.app.letters import Wording, signed_by, write_letter
from tests.support.many_letters import ManyLetters
from tests.support.pkcs11_shim import CountingModule, build_counting_module
from tests.support.province import DEPARTMENT, PROVINCE, Province, province
from tests.support.screen import Screen
from tests.support.workspace import (
    CANARY_PIN,
    Desk,
    Site,
    WarmWorkers,
    clean_environment,
    hold_closed_port,
    plant_pin,
    served,
)
from tests.ui.agent import Ended, Seen
from tests.ui.driver import BUTTON, CELL, CHECK, EDIT, PATIENCE_S, TEXT, Driver, NotSeenError, opened
from tests.ui.stall import StallReport
from tests.verification.documents import annotate, increment

RECEIVERS = "H77; H77.02"
SEE_PAGES = "F9"
"""The key that shows the pages before the PIN (Xem trang đóng dấu)."""


class Tab(StrEnum):
    """The tabs by their titles, in their order."""

    TODAY = "Việc hôm nay"
    OUTGOING = "Văn bản đi"
    INCOMING = "Văn bản đến"
    REGISTER = "Sổ đăng ký"
    TOKEN = "USB ký số"
    MACHINE = "Kiểm tra máy"


@dataclass
class Stage:
    """Where a journey is played, and how."""

    desk: Desk
    screen: Screen
    keys_alone: bool = False
    """Without the mouse."""
    pictures: Path | None = None
    scale: float = 1.0
    environment: dict[str, str] = field(default_factory=dict)
    idle_s: float = 0.0
    """So long the window is left alone before the work, for the stall watch to compare."""
    stalls: list[StallReport] = field(default_factory=list)
    """Of each window that was closed."""

    @contextmanager
    def window(self, *words: object, data: Path | None = None, ends_itself: bool = False) -> Iterator[Driver]:
        """A window on the desk's workspace; must end without a thread, a child or a word of Qt."""
        environment = clean_environment(self.desk.home, **self.environment)
        with opened(
            self.screen,
            data or self.desk.data,
            *words,
            environment=environment,
            pictures=self.pictures,
            scale=self.scale,
            keys_alone=self.keys_alone,
        ) as driver:
            try:
                yield driver
            except Exception:
                driver.snap("failed")
                raise
            if ends_itself:
                assert driver.ended() == Ended(0, (), ())
                return
            self.stalls.append(driver.stalls())
            assert driver.close() == Ended(0, (), ())

    @contextmanager
    def at_work(self, *words: object) -> Iterator[Driver]:
        """A window that has found the token and shows the day's work."""
        with self.window(*words) as driver:
            driver.wait("USB: ")
            if self.idle_s:
                # Left alone, as the measure of what this machine does to a window at rest.
                driver.section("idle")
                time.sleep(self.idle_s)
            driver.section("at work")
            yield driver


@contextmanager
def own_site(folder: Path) -> Iterator[Site]:
    """A prepared workspace outside a run of the tests, made in `folder`, with the services of its PKI."""
    home, template = folder / "home", folder / "template"
    home.mkdir(parents=True)
    plant_pin(template)
    with served(template, home):
        pass
    with ExitStack() as stack:
        workers = WarmWorkers()
        stack.callback(workers.end)
        made = Site(template, home, hold_closed_port(stack), workers)
        stack.enter_context(made.pki.services())
        yield made


def go(driver: Driver, tab: Tab) -> None:
    """To a tab, as the hand at work does it."""
    if driver.keys_alone:
        driver.key(f"alt+{list(Tab).index(tab) + 1}")
    else:
        driver.click(tab, "PageTab")
    driver.until(lambda: any(t.selected for t in driver.seen(tab, "PageTab")) or None, f"the tab {tab}")


# ---- letters --------------------------------------------------------------------------------------------------------


def letter_from_elsewhere(desk: Desk, name: str, notation: str) -> Path:
    """A letter whose leader signed with other software: no room is prepared for number, date and seal."""
    drafts = desk.folder / "drafts"
    drafts.mkdir(exist_ok=True)
    plain = write_letter(drafts / name, Wording(number_line=f"Số:        /{notation}"))
    return signed_by(desk.site.pki.leaf(Holder.LEADER), plain, desk.letters / name)


def ten_letters(desk: Desk) -> Path:
    """A folder with ten documents, one of them with an appendix."""
    for sample in sorted(desk.samples.glob("*.pdf")):
        desk.letter(sample.name)
    letter_from_elsewhere(desk, "quyet-dinh-kien-toan.pdf", "QĐ-UBND")
    letter_from_elsewhere(desk, "quyet-dinh-phe-duyet.pdf", "QĐ-UBND")
    return desk.letters


# ---- steps that several journeys have -------------------------------------------------------------------------------


def type_path(driver: Driver, field: str, path: str) -> None:
    """Into a dialogue for files, and Enter when it stands there whole: its suggestions come while it is typed."""
    driver.wait_focus(field)
    driver.write(path)
    driver.until(lambda: any(edit.value == path for edit in driver.seen(field, EDIT)) or None, f"{path} in “{field}”")
    driver.key("Return")


def open_folder(driver: Driver, folder: Path) -> None:
    """By the button *Thêm thư mục…*, the folder's path typed into the dialogue."""
    driver.push("Thêm thư mục", BUTTON)
    type_path(driver, "Thư mục", str(folder))
    driver.wait_gone("Chọn thư mục văn bản")


def open_letter(driver: Driver, letter: Path) -> None:
    """By the button *Thêm văn bản…*, the file's path typed into the dialogue."""
    driver.push("Thêm văn bản", BUTTON)
    type_path(driver, "Tên tệp", str(letter))
    driver.wait_gone("Chọn văn bản để ký")


def preflight(driver: Driver, counts: str) -> None:
    """Waits until the line above the grid says so; a machine that has other work to do takes its time with it."""
    driver.wait_worked(f"Kiểm tra trước khi ký: {counts}")


def paste_list(driver: Driver, first: int, count: int, receivers: str = RECEIVERS) -> None:
    """Numbers, dates and receivers as copied from a spreadsheet."""
    rows = [f"{number}\t20/11/2026\t{receivers}" for number in range(first, first + count)]
    driver.clip("\r\n".join(["Số, ký hiệu\tNgày ban hành\tNơi nhận", *rows]))
    driver.push("Dán danh sách số", BUTTON)
    driver.wait(f"Dán vào {count} văn bản")
    driver.push("Dán", BUTTON, exact=True)
    driver.wait(f"Đã dán vào {count} văn bản")


def cell_of(driver: Driver, holds: str, column: str) -> Seen | None:
    """The cell `column` of the row that has a cell whose text holds `holds`, where it can be seen."""
    cells = driver.seen(role=CELL)
    line = next((c.place[1] for c in cells if holds in c.name), None)
    return next((c for c in cells if c.place[1] == line and c.name.startswith(f"{column}: ")), None)


def to_cell(driver: Driver, holds: str, column: str) -> None:
    """Goes to a cell: with the mouse by a click on it."""
    if not driver.keys_alone:
        driver.screen.click(*driver.until(lambda: cell_of(driver, holds, column), f"a row with {holds}").middle)
        return
    driver.tab_to("", CELL)
    driver.key("ctrl+Home")
    for key, axis in (("Down", 1), ("Right", 0)):
        for _step in range(40):
            here, wanted = driver.focus(), cell_of(driver, holds, column)
            if here is not None and wanted is not None and here.place[axis] == wanted.place[axis]:
                break
            driver.key(key)
            driver.focus_moved(here)


def tick_doubtful(driver: Driver) -> None:
    """Looks at each row that wants to be looked at, and ticks it."""

    def unticked() -> list[str]:
        return [row["Số, ký hiệu"] for row in rows(driver) if row["Ký"] == "chưa chọn"]

    while numbers := unticked():
        number = numbers[0]
        to_cell(driver, number, "Tình trạng")
        driver.wait(f"{number} · 20/11/2026")
        to_cell(driver, number, "Ký")
        if driver.keys_alone:
            driver.key("space")
        driver.until(lambda number=number: number not in unticked() or None, f"a tick at {number}")  # type: ignore[misc]


def rows(driver: Driver) -> list[dict[str, str]]:
    """The rows of the grid that can be seen: the text of each cell by the head of its column."""
    lines: dict[int, dict[str, str]] = {}
    for cell in driver.seen(role=CELL):
        head, _, text = cell.name.partition(": ")
        lines.setdefault(cell.place[1], {})[head] = text
    return [lines[y] for y in sorted(lines)]


def reviewed(driver: Driver, count: int, button: str = "Ký số và gửi") -> None:
    """Looks at the pages of several documents, and goes on to the PIN."""
    driver.wait("Xem lại trước khi ký")
    driver.picture("review")
    driver.push(f"{button} ({thousands(count)})", BUTTON, exact=True)


def thousands(count: int) -> str:
    """A number as the window writes it."""
    return f"{count:,}".replace(",", ".")


def type_pin(driver: Driver, pin: str = CANARY_PIN) -> None:
    """Into the dialogue, and Enter."""
    driver.wait_focus("Mã PIN")
    driver.write(pin)
    driver.key("Return")
    driver.wait_gone("Mã PIN", "EditableText")


# ---- journeys -------------------------------------------------------------------------------------------------------


def first_start(stage: Stage) -> None:
    """Nothing is set up: driver, body, seal, test signature, all on one page."""
    data = stage.desk.folder / "new"
    stage.environment["SOFTHSM2_CONF"] = str(stage.desk.data / "demo" / "tokens" / "softhsm2.conf")
    with stage.window(data=data) as driver:
        driver.section("first start")
        driver.wait("Chuẩn bị lần đầu")
        driver.picture("first-start-driver")
        driver.push("libsofthsm2.so", BUTTON)
        driver.wait("Đã thấy USB ký số")
        driver.choose("Chứng thư số", "ỦY BAN NHÂN DÂN XÃ HÒA SƠN")
        driver.picture("first-start-token")
        driver.push("Tiếp tục", BUTTON)
        driver.wait("Tên cơ quan (như in trên văn bản)", "EditableText")
        driver.fill("Mã định danh", "H77.05")
        driver.picture("first-start-body")
        driver.push("Lưu và tiếp tục", BUTTON)
        driver.push("Chọn hình con dấu", BUTTON)
        type_path(driver, "Tên tệp", str(signer_resources.path("images/sample-seal.png")))
        driver.wait("Hình đã được cắt sát nét mực")
        driver.picture("first-start-seal")
        driver.push("Lưu và tiếp tục", BUTTON)
        driver.push("Ký thử", BUTTON)
        driver.wait_focus("Mã PIN")
        driver.picture("first-start-pin")
        type_pin(driver)
        driver.wait("Đã ký thử thành công")
        driver.picture("first-start-done")
        driver.push("Bắt đầu làm việc", BUTTON)
        driver.wait("Kéo thả văn bản vào đây")
        driver.picture("home-empty")


_HOLD_S = 120.0
"""So long a document that is not urgent waits before it leaves, as the settings of the desk say."""


def ten_documents(stage: Stage) -> None:
    """Ten documents are added, numbered, looked at, signed with one PIN, sent and received."""
    folder = ten_letters(stage.desk)
    with stage.desk.server(), stage.at_work() as driver:
        driver.picture("home")
        driver.section("ten documents: opening")
        go(driver, Tab.OUTGOING)
        driver.picture("outgoing-empty")
        open_folder(driver, folder)
        preflight(driver, "10 chờ số")
        driver.section("ten documents: numbers")
        paste_list(driver, 11, 10)
        driver.wait("Ký số và gửi", BUTTON)
        driver.until(lambda: None if driver.seen("chờ kiểm tra") else True, "the end of the preflight")
        driver.picture("outgoing-ready")
        tick_doubtful(driver)
        driver.section("ten documents: signing")
        driver.push("Ký số và gửi (", BUTTON)
        reviewed(driver, 10)
        driver.wait_focus("Mã PIN")
        driver.picture("pin")
        type_pin(driver)
        driver.wait("Đang ký ")
        driver.picture("signing")
        driver.wait_worked("Đã ký 10 văn bản, đã kiểm tra lại: hợp lệ.")
        driver.until(
            lambda: all(row["Tình trạng"].startswith("Máy chủ đã nhận lúc") for row in rows(driver)) or None,
            "receipts",
            _HOLD_S + PATIENCE_S,
        )
        driver.picture("received")
        driver.section("ten documents: other tabs")
        go(driver, Tab.REGISTER)
        driver.wait("Máy chủ đã nhận", CELL)
        driver.picture("register")
        go(driver, Tab.TODAY)
        driver.wait("Máy chủ đã nhận hôm nay: 10")
        driver.picture("home-evening")
    assert len(stage.desk.server_packets()) == 10
    assert [p.accepted_at is not None for p in stage.desk.packets()] == [True] * 10


def moved_by_hand(stage: Stage) -> None:
    """The leader signed with other software, so that the seal has no room of its own; it is put elsewhere by hand."""
    letter = letter_from_elsewhere(stage.desk, "quyet-dinh.pdf", "QĐ-UBND")
    with stage.at_work() as driver:
        driver.section("moved by hand")
        go(driver, Tab.OUTGOING)
        open_letter(driver, letter)
        preflight(driver, "1 chờ số")
        paste_list(driver, 21, 1)
        preflight(driver, "1 cần xem")
        before = place_of_seal(driver)
        if stage.keys_alone:
            driver.tab_to("Các trang của văn bản")
            for _mark in range(5):
                # What a Tab has chosen is said a moment later; one more would go past it.
                with suppress(NotSeenError):
                    driver.wait("Con dấu, trang 1: cách mép trái", patience=2.0)
                    break
                driver.key("Tab")
            driver.key("Left", "Left", "Left", "Left", "ctrl+Up")
            driver.wait("Con dấu, trang 1: cách mép trái")
        else:
            driver.screen.drag(before, (before[0] - 24, before[1] - 30))
        driver.until(lambda: place_of_seal(driver)[1] < before[1] - 5 or None, "the seal elsewhere")
        driver.picture("moved-by-hand")
        preflight(driver, "1 cần xem")
        tick_doubtful(driver)
        driver.push("Ký số và gửi (1)", BUTTON)
        type_pin(driver)
        driver.wait_worked("Đã ký 1 văn bản, đã kiểm tra lại")
        driver.picture("moved-signed")


def place_of_seal(driver: Driver) -> tuple[int, int]:
    """The middle of what is red on the page, in pixels of the screen."""
    canvas = driver.wait("Các trang của văn bản", "Client")
    x, y, width, height = canvas.place

    def red() -> tuple[int, int] | None:
        page = driver.photograph().crop((x, y, x + width, y + height))
        red, green, blue = page.split()
        # Where red stands out from both others: no text and no frame does.
        others = ImageChops.lighter(green, blue)
        box = ImageChops.subtract(red, others).point(lambda level: 255 if level > 90 else 0).getbbox()
        return None if box is None else (x + (box[0] + box[2]) // 2, y + (box[1] + box[3]) // 2)

    return driver.until(red, "a seal on the page")


def wrong_pin(stage: Stage) -> None:
    """A wrong PIN is tried once, and never again by the program."""
    counting = counted(stage)
    letter = stage.desk.letter("cong-van.pdf")
    with stage.at_work() as driver:
        driver.section("wrong PIN")
        go(driver, Tab.OUTGOING)
        open_letter(driver, letter)
        preflight(driver, "1 chờ số")
        paste_list(driver, 31, 1)
        preflight(driver, "1 sẵn sàng")
        driver.push("Ký số và gửi (1)", BUTTON)
        type_pin(driver, "not-the-pin")
        driver.wait("Sai mã PIN, chưa ký văn bản nào.")
        driver.picture("wrong-pin")
        assert counting.user_logins() == 1
        driver.push("Nhập lại mã PIN", BUTTON)
        type_pin(driver)
        driver.wait_worked("Đã ký 1 văn bản, đã kiểm tra lại")
        assert counting.user_logins() == 2


def token_pulled(stage: Stage) -> None:
    """The token is pulled out in the middle of a batch, put in again, and the rest is signed."""
    counting = counted(stage)
    for sample in ("cong-van.pdf", "giay-moi.pdf", "ke-hoach.pdf", "quyet-dinh.pdf"):
        stage.desk.letter(sample)
    with stage.at_work() as driver:
        driver.section("token pulled")
        counting.misbehave(C_Sign=UNHURRIED)
        go(driver, Tab.OUTGOING)
        open_folder(driver, stage.desk.letters)
        preflight(driver, "4 chờ số")
        paste_list(driver, 41, 4)
        preflight(driver, "4 sẵn sàng")
        driver.push("Ký số và gửi (4)", BUTTON)
        type_pin(driver)
        driver.wait("Đang ký 1/4")
        counting.misbehave(C_Sign=DEVICE_REMOVED, C_GetSlotList="empty")
        stopped = driver.wait("USB ký số bị rút.", "StaticText").name
        driver.wait("Chưa cắm USB ký số", BUTTON)
        driver.picture("token-pulled")
        assert "/4, không mất văn bản nào" in stopped
        counting.misbehave()
        driver.wait("USB: ")
        driver.push("Ký tiếp", BUTTON, exact=True)
        type_pin(driver)
        driver.wait_worked("đã kiểm tra lại: hợp lệ.")
        driver.until(lambda: all(row["Tình trạng"] == "Chờ gửi" for row in rows(driver)) or None, "four signed")
    assert len(stage.desk.files()) == 4


DEVICE_REMOVED = "0x32"
"""CKR_DEVICE_REMOVED of PKCS#11."""
UNHURRIED = "2500ms"
"""A token that takes its time for each signature: SoftHSM would be through before anything can happen meanwhile."""


def counted(stage: Stage) -> CountingModule:
    """The desk's driver, with a module before it that counts and can misbehave."""
    module = Path(stage.desk.settings().modules[0])
    counting = build_counting_module(stage.desk.folder, module)
    stage.desk.change_settings(modules=(str(counting.path),))
    return counting


def server_down(stage: Stage) -> None:
    """The server is away: signing works, what is signed waits; when the server is back it goes."""
    desk = stage.desk
    with desk.server() as server:
        url = server.url
    desk.change_settings(server_url=url)
    letter = desk.letter("thong-bao.pdf")
    with stage.at_work() as driver:
        driver.section("server down")
        driver.wait("Mất mạng từ", BUTTON)
        go(driver, Tab.OUTGOING)
        open_letter(driver, letter)
        preflight(driver, "1 chờ số")
        paste_list(driver, 51, 1)
        tick_doubtful(driver)
        driver.push("Ký số và gửi (1)", BUTTON)
        type_pin(driver)
        driver.wait("Đã ký 1 văn bản")
        driver.wait("Chờ gửi", CELL)
        driver.picture("server-down")
        go(driver, Tab.MACHINE)
        driver.wait("Chưa kết nối được máy chủ")
        driver.picture("machine-server-down")
        go(driver, Tab.TODAY)
        driver.wait("Gửi ngay", BUTTON)
        driver.picture("home-waiting")
        with desk.server(port=int(url.rsplit(":", 1)[1])):
            driver.push("Gửi ngay", BUTTON)
            driver.wait("Máy chủ đã nhận lúc")
            driver.wait("Máy chủ: kết nối tốt", BUTTON)
            driver.picture("server-back")
    assert len(desk.server_packets()) == 1


def second_start(stage: Stage) -> None:
    """The program is started again with a letter: it opens in the window that is there, and the second start ends."""
    letter = stage.desk.letter("giay-moi.pdf")
    with stage.at_work() as driver:
        driver.section("second start")
        again = [sys.executable, "-m", "signer_ui.main", "--data-dir", str(stage.desk.data), str(letter)]
        environment = {**clean_environment(stage.desk.home), **stage.screen.environment()}
        ended = subprocess.run(
            again, env=environment, cwd=stage.desk.folder, capture_output=True, timeout=60, check=False
        )
        assert (ended.returncode, ended.stderr) == (0, b"")
        preflight(driver, "1 chờ số")


def closed_while_signing(stage: Stage) -> None:
    """Closing asks in place while documents are signed; what is signed stays, and the rest waits for the next start."""
    counting = counted(stage)
    counting.misbehave(C_Sign=UNHURRIED)
    for sample in ("cong-van.pdf", "giay-moi.pdf", "ke-hoach.pdf", "quyet-dinh.pdf"):
        stage.desk.letter(sample)
    with stage.window(ends_itself=True) as driver:
        driver.wait("USB: ")
        driver.section("closing")
        go(driver, Tab.OUTGOING)
        open_folder(driver, stage.desk.letters)
        preflight(driver, "4 chờ số")
        paste_list(driver, 61, 4)
        preflight(driver, "4 sẵn sàng")
        driver.push("Ký số và gửi (4)", BUTTON)
        type_pin(driver)
        driver.wait("Đang ký 1/4")
        driver.key("alt+F4")
        driver.wait("Đang ký số. Đóng bây giờ")
        driver.snap("closing")
        driver.push("Dừng rồi đóng", BUTTON)
    signed = len(stage.desk.files())
    assert 0 < signed < 4
    counting.misbehave()
    with stage.at_work() as driver:
        driver.wait(f"Lô ký dở: đã ký {signed}/4, không mất văn bản nào.")
        driver.picture("batch-to-go-on")
        driver.push("Ký tiếp", BUTTON, exact=True)
        type_pin(driver)
        driver.wait_worked("đã kiểm tra lại: hợp lệ.")
    assert len(stage.desk.files()) == 4


def files_checked(stage: Stage) -> None:
    """Letters that came by mail: one with a line covered after the leader had signed, the others as they were."""
    mail = stage.desk.folder / "nhan-qua-thu"
    mail.mkdir()
    deceiving = mail / "quyet-dinh-bi-sua.pdf"
    signed = {sample.name: sample.read_bytes() for sample in sorted(stage.desk.samples.glob("*.pdf"))}
    for name in ("cong-van.pdf", "giay-moi.pdf", "thong-bao.pdf"):
        (mail / name).write_bytes(signed[name])
    deceiving.write_bytes(
        increment(signed["quyet-dinh.pdf"], annotate((85, 420, 400, 440), "1 1 1 rg 0 0 315 20 re f"))
    )
    with stage.at_work() as driver:
        go(driver, Tab.INCOMING)
        driver.push("Kiểm tra tệp", BUTTON)
        type_path(driver, "Tên tệp", str(deceiving))
        driver.wait_worked("Đã kiểm tra 1 tệp: 1 không hợp lệ")
        driver.push("Kiểm tra thư mục", BUTTON)
        type_path(driver, "Thư mục", str(mail))
        driver.wait_worked("Đã kiểm tra 4 tệp: 1 không hợp lệ · 3 hợp lệ")
        driver.wait("Nội dung trang 1 bị thay đổi sau khi ký (khung đỏ).")
        driver.picture("checked")
        driver.push("Xem rộng", CHECK)
        driver.wait("Hiện danh sách", CHECK)
        driver.picture("checked-wide")


def exchanged(stage: Stage) -> None:
    """What came is accepted with one click, what must be looked at stays; what was sent back is seen; both books."""
    desk = stage.desk
    with province(desk) as other:
        for number, sample in enumerate(("quyet-dinh", "cong-van", "ke-hoach", "thong-bao"), start=11):
            notation = next(known.notation for known in samples.load().samples if known.id == sample)
            desk.seal(desk.letter(f"{sample}.pdf"), f"{number}/{notation}", "--to", "H77,H77.02")
        desk.call("sync", "--once")
        sent = sorted(packet.edxml_id for packet in desk.packets() if packet.edxml_id)
        for org in (PROVINCE, DEPARTMENT):
            other.answers(sent[0], StatusCode.ACCEPTED, org=org)
        other.answers(sent[2], StatusCode.RETURNED, "Gửi sai nơi nhận")
        morning_s_post(other)
        desk.call("sync", "--once")
        desk.seal(desk.letter("giay-moi.pdf"), "15/GM-UBND", "--to", "H77.16,H77.15.1")
        desk.seal(desk.letter("to-trinh.pdf"), "16/TTr-UBND", "--to", "H77")
        with stage.at_work() as driver:
            driver.section("exchanged")
            driver.wait("Tiếp nhận tất cả văn bản hợp lệ: 4", BUTTON)
            driver.picture("home-incoming")
            go(driver, Tab.INCOMING)
            to_cell(driver, "1203/UBND-NC", "Số, ký hiệu")
            driver.wait("Chữ ký không hợp lệ", TEXT)
            driver.picture("incoming")
            driver.push("Tiếp nhận tất cả văn bản hợp lệ: 4", BUTTON)
            driver.wait("Đã tiếp nhận 4 văn bản, số đến 1–4.")
            go(driver, Tab.OUTGOING)
            driver.key("F8")
            driver.wait("13/KH-UBND", CELL)
            driver.picture("sending")
            go(driver, Tab.REGISTER)
            driver.wait("13/KH-UBND", CELL)
            driver.push("Sổ văn bản đến", CHECK)
            driver.wait("1201/UBND-VX", CELL)
            driver.picture("register-incoming")
            driver.push("Cài đặt", BUTTON, exact=True)
            driver.wait("Mạng", "ListItem")
            if driver.keys_alone:
                driver.tab_to("Cơ quan", "ListItem")
                driver.key("Down", "Down", "Down")
            else:
                driver.click("Mạng", "ListItem", exact=True)
            driver.wait("Máy chủ trung gian (proxy)")
            driver.picture("settings-network")


def morning_s_post(other: Province) -> None:
    """Four that one click accepts, of them one hỏa tốc; one recalled, one altered, one unsigned, one secret."""
    other.sends("1201", "UBND-VX", "V/v rà soát hộ nghèo, hộ cận nghèo cuối năm 2026")
    other.sends("1202", "UBND-KT", "V/v giải ngân vốn đầu tư công tháng 11 năm 2026")
    other.sends("345", "SNV-CCHC", "V/v chấm điểm cải cách hành chính", org=DEPARTMENT)
    other.sends("16", "CĐ-UBND", "Ứng phó khẩn cấp với mưa lũ, sạt lở đất", priority=Priority.FLASH)
    letter = other.letter("1203/UBND-NC", "Mức hỗ trợ khắc phục thiệt hại theo danh sách kèm theo.")
    altered = increment(letter, annotate((85, 420, 400, 440), "1 1 1 rg 0 0 315 20 re f"))
    other.sends("1203", "UBND-NC", "V/v mức hỗ trợ khắc phục thiệt hại", content=altered)
    unsigned = other.letter("1204/UBND-TH", "Tài liệu họp giao ban.", signed=False)
    other.sends("1204", "UBND-TH", "V/v tài liệu họp giao ban", content=unsigned)
    secret = other.letter("09/UBND-NC", "Phương án bảo vệ.", mark="MẬT")
    other.sends("09", "UBND-NC", "V/v phương án bảo vệ", content=secret)
    other.recalls(other.sends("1205", "UBND-VP", "V/v lịch tiếp công dân tháng 12"), "Gửi nhầm bản dự thảo")


def many_documents(stage: Stage, count: int) -> list[float]:
    """So many letters are opened, numbered, reviewed and signed, while the list scrolls and is searched; how long each
    search took, in seconds.
    """
    letters = ManyLetters(stage.desk.site.pki, stage.desk.folder, ("cong-van.pdf", "ke-hoach.pdf"))
    for number in range(1, count + 1):
        letters.write(number, stage.desk.letters / f"thư {number:05}.pdf")
    told, searches = thousands(count), list[float]()
    with stage.at_work() as driver:
        driver.section("many: opening")
        go(driver, Tab.OUTGOING)
        open_folder(driver, stage.desk.letters)
        worked_long(driver, f"{told} chờ số")
        driver.section("many: numbers")
        driver.push("Điền số tiếp theo", BUTTON)
        worked_long(driver, f"{told} sẵn sàng")
        driver.section("many: looking")
        driver.key(SEE_PAGES)
        worked_long(driver, "Xem lại trước khi ký")
        driver.section("many: review")
        scroll(driver, "ListItem", "Home", "End")
        driver.key("ctrl+a")
        reviewed(driver, count, "Chỉ ký")
        driver.section("many: PIN")
        type_pin(driver)
        worked_long(driver, "Đang ký ")
        driver.section("many: signing")
        while driver.seen("Đang ký ", "StaticText"):
            searches.append(search(driver, f"{1 + len(searches) * 37 % (count // 2):02}/KH-UBND"))
            scroll(driver, CELL, "ctrl+Home", "ctrl+End")
            time.sleep(_MANY_LOOK_S)
        worked_long(driver, f"Đã ký {told} văn bản, đã kiểm tra lại: hợp lệ.")
        driver.picture("many-signed")
    assert len(stage.desk.files()) == count
    return searches


_MANY_LOOK_S = 2.0
"""So often the window is looked at while thousands are worked on: a look at all that is on the screen takes the
window's own time.
"""
_MANY_PATIENCE_S = 300.0


def worked_long(driver: Driver, name: str) -> None:
    """As `Driver.wait_worked`, for what takes minutes or hours: looked at seldom, patient with what stands still."""
    deadline, progress = time.monotonic() + _MANY_PATIENCE_S, None
    while not any(thing.enabled for thing in driver.seen(name)):
        before, progress = progress, [(bar.name, bar.value) for bar in driver.seen(role="ProgressBar")]
        if progress != before:
            deadline = time.monotonic() + _MANY_PATIENCE_S
        if time.monotonic() > deadline:
            raise NotSeenError(f"waited in vain for “{name}”; nothing moves; the window shows:\n{driver.told()}")
        time.sleep(_MANY_LOOK_S if progress else _MANY_LOOK_S / 10)


def search(driver: Driver, number: str) -> float:
    """Looks for a document by its number, and for all again; how long it took until nothing else was there."""

    def found() -> list[bool]:
        return [row.get("Số, ký hiệu", "").endswith(number) for row in rows(driver)]

    driver.fill("Tìm trong danh sách", number)
    began = time.monotonic()
    driver.until(lambda: (all(found()) and bool(found())) or None, f"{number} alone")
    took = time.monotonic() - began
    driver.key("ctrl+a", "Delete")
    driver.until(lambda: not all(found()) or None, "all of them")
    return took


def scroll(driver: Driver, role: str, home: str, end: str) -> None:
    """To the end of a list and back, by its keys, from one of its first things with this role."""
    things = driver.seen(role=role)
    driver.screen.click(*things[min(len(things) - 1, 2)].middle)
    for key in ("Next", "Next", "Next", end, "Prior", "Prior", "Prior", home):
        driver.key(key)


def looks(stage: Stage) -> None:
    """Language and looks are changed while the window is open, and take effect at once."""
    with stage.at_work() as driver:
        driver.section("looks")
        driver.push("Cài đặt", BUTTON, exact=True)
        driver.wait("Hiển thị", "ListItem")
        driver.picture("settings-bodies")
        if driver.keys_alone:
            driver.tab_to("Cơ quan", "ListItem")
            driver.key("End")
            driver.key("Up")
        else:
            driver.click("Hiển thị", "ListItem")
        driver.choose("Giao diện", "Tối")
        driver.choose("Ngôn ngữ", "English")
        driver.push("Lưu", BUTTON, exact=True)
        driver.wait("Sections of the settings", "List")
        driver.picture("settings-english-dark")
        driver.push("Back", BUTTON, exact=True)
        driver.wait("Drop documents here")
        assert max(ImageStat.Stat(driver.photograph()).mean) < 90


JOURNEYS: dict[str, Callable[[Stage], None]] = {
    journey.__name__: journey
    for journey in (
        *(first_start, ten_documents, moved_by_hand, wrong_pin, token_pulled, server_down),
        *(second_start, closed_while_signing, files_checked, exchanged, looks),
    )
}
