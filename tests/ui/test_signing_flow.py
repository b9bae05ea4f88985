"""From the press of *Ký số* to the result: real tokens, store and dialogue; the token misbehaves by script."""

import gc
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from signer_app.desk.desk import Desk, open_desk
from signer_app.desk.signing_values import BatchSummary, DocumentOutcome, Ready, Standing
from signer_app.desk.tokens import assign_body
from signer_app.desk.trial import sample_page
from signer_app.outgoing.model import Changes
from signer_app.pdf.model import Profile
from signer_app.signing.batch import Made
from signer_app.signing.carrying import Carrier
from signer_app.signing.certificates import fit_to_sign
from signer_app.signing.engine import SigningRun
from signer_app.signing.pipeline import Ride
from signer_app.store.model import FileState, JournalAction, Urgency
from signer_app.store.settings import Settings, ThemeChoice
from signer_app.verification.model import Verdict
from signer_app.workspace import Overrides
from signer_resources.errors import KnownError
from signer_token.client import TokenError
from signer_token.model import Login, Pin
from signer_ui.hub import Hub
from signer_ui.presenters.pin import Purpose
from signer_ui.presenters.signing import Act, told_error, told_of
from signer_ui.shell import Shell, Tab
from signer_ui.signing_flow import SigningFlow
from signer_ui.tasks import Tasks
from signer_ui.theme import Theme
from signer_ui.widgets.pin_dialog import PinDialog, ask_pin
from signer_ui.words import Words
from tests.support.pkcs11_shim import CountingModule, build_counting_module
from tests.support.softhsm import softhsm_module
from tests.support.workspace import CANARY_PIN, Site, shared_site
from tests.support.workspace import Desk as Place

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

FINAL, LOCKED, REMOVED = "0x20000", "0x40000", "0x32"
WORDS = Words("vi")
PATIENCE_MS = 30_000


@pytest.fixture(scope="session", name="site")
def prepared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with shared_site(tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> CountingModule:
    return build_counting_module(tmp_path_factory.mktemp("counting"), softhsm_module())


@pytest.fixture(scope="module")
def place(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One clerk's place for all tests of this file; each brings its own letters."""
    return site.desk(tmp_path_factory.mktemp("flow"))


@pytest.fixture(scope="module")
def desk(site: Site, place: Place, counting: CountingModule) -> Iterator[Desk]:
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("signer_app.workspace.Workers", lambda: site.workers)
        desk = stack.enter_context(open_desk(place.data, Overrides(modules=(counting.path,))))
        desk.begin()
        yield desk


class Clerk:
    """A pane with a signing flow in it, and who works with it."""

    def __init__(self, qtbot: QtBot, desk: Desk, counting: CountingModule, folder: Path) -> None:
        counting.misbehave()
        counting.log.unlink(missing_ok=True)
        self._qtbot, self.desk, self.counting, self.folder = qtbot, desk, counting, folder
        self.tabs: list[Tab] = []
        self.tasks = Tasks(lambda fault: repr(fault))
        settings = desk.space.settings
        self.hub = Hub(desk, self.tasks, settings)
        self.shell = Shell(desk, self.tasks, self.hub, WORDS, Theme(dark=False), lambda _told: None, self.tabs.append)
        self.pane = QWidget()
        qtbot.addWidget(self.pane)
        self.flow = SigningFlow(self.shell, self.pane)
        QVBoxLayout(self.pane).addWidget(self.flow.widget)
        self.pane.resize(900, 500)
        self.pane.show()
        self.done: list[tuple[str, DocumentOutcome]] = []
        self.ends: list[BatchSummary] = []
        self.flow.document_done.connect(lambda draft, outcome: self.done.append((draft, outcome)))
        self.flow.ended.connect(self.ends.append)

    def plain(self, count: int) -> list[str]:
        """Drafts of letters that are signed without a seal."""
        for number in range(count):
            page = sample_page() + f"% {self.folder.name} {number}\n".encode()
            (self.folder / f"thư {number}.pdf").write_bytes(page)
        return self.drafts(sorted(self.folder.glob("*.pdf")), Profile.PLAIN)

    def drafts(self, files: list[Path], profile: Profile) -> list[str]:
        outgoing = self.desk.outgoing
        added = outgoing.add(files, profile=profile)
        assert not added.left, [str(left.error) for left in added.left]
        ids = [draft.id for draft in added.drafts]
        if profile is Profile.AGENCY:
            outgoing.fill(ids)
        outgoing.examine(ids, fit_to_sign(self.desk.space, self.agency, [profile]))
        return ids

    @property
    def agency(self) -> str:
        return self.desk.space.settings.bodies[0].certificates[0]

    def wait(self, until: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(until, timeout=PATIENCE_MS)

    def dialog(self) -> PinDialog:
        self.wait(lambda: self.flow.dialog is not None and self.flow.dialog.isVisible())
        assert self.flow.dialog is not None
        return self.flow.dialog

    def type_pin(self, pin: str = CANARY_PIN) -> None:
        dialog = self.dialog()
        QTest.keyClicks(dialog.field, pin)
        QTest.keyClick(dialog.field, Qt.Key.Key_Return)

    def sign(self, drafts: list[str], pin: str = CANARY_PIN) -> BatchSummary:
        before = len(self.ends)
        self.flow.start(drafts, self.agency)
        self.type_pin(pin)
        return self.end(before)

    def end(self, before: int) -> BatchSummary:
        self.wait(lambda: len(self.ends) > before)
        return self.ends[-1]

    @property
    def told(self) -> str:
        return self.flow.notice.text

    def press(self, words: str) -> None:
        found = [b for b in self.flow.notice.findChildren(QPushButton) if b.text() == words and b.isVisible()]
        assert len(found) == 1, [b.text() for b in self.flow.notice.findChildren(QPushButton)]
        QTest.mouseClick(found[0], Qt.MouseButton.LeftButton)

    def waiting(self) -> set[str]:
        return {row.draft.id for row in self.desk.outgoing.rows() if row.state != "signed"}


@pytest.fixture
def clerk(qtbot: QtBot, desk: Desk, counting: CountingModule, tmp_path: Path) -> Iterator[Clerk]:
    made = Clerk(qtbot, desk, counting, tmp_path)
    yield made
    made.hub.stop()
    made.tasks.close()
    desk.outgoing.remove(made.waiting())


def pins_in_memory() -> list[Pin]:
    # By type alone: asking strangers' objects for their class may wake them.
    return [held for held in gc.get_objects() if type(held) is Pin]


def test_one_pin_signs_all_and_nothing_of_it_stays(
    clerk: Clerk, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    drafts, before = clerk.plain(2), {id(pin) for pin in pins_in_memory()}
    summary = clerk.sign(drafts)
    assert [outcome.state for outcome in summary.outcomes] == [FileState.SIGNED] * 2
    assert {draft for draft, _outcome in clerk.done} == set(drafts)
    assert all(outcome.document for _draft, outcome in clerk.done)
    assert clerk.told == "Đã ký 2 văn bản, đã kiểm tra lại: hợp lệ."
    assert clerk.waiting() == set()
    assert clerk.counting.user_logins() == 1

    assert {path.name for path, data in place.everything() if CANARY_PIN.encode() in data} <= {"demo.json"}
    out, err = capfd.readouterr()
    assert CANARY_PIN not in out + err
    clerk.wait(lambda: not clerk.flow.running)
    gc.collect()
    assert [pin for pin in pins_in_memory() if id(pin) not in before] == []


def test_a_letter_takes_the_bodys_certificate_by_itself(clerk: Clerk, place: Place) -> None:
    letter = shutil.copyfile(place.samples / "giay-moi.pdf", clerk.folder / "giay-moi.pdf")
    drafts = clerk.drafts([letter], Profile.AGENCY)
    clerk.flow.start(drafts)
    dialog = clerk.dialog()
    assert "«UBND xã Hòa Sơn» để ký 1 văn bản" in dialog.accessibleName()
    dialog.reject()
    clerk.wait(lambda: not clerk.flow.running)
    assert (clerk.ends, clerk.counting.user_logins(), clerk.waiting()) == ([], 0, set(drafts))


def test_where_two_certificates_could_sign_the_person_names_one(clerk: Clerk) -> None:
    drafts = clerk.plain(1)
    clerk.flow.start(drafts)
    clerk.wait(lambda: "Chọn một" in clerk.told)
    names = [b.text() for b in clerk.flow.notice.findChildren(QPushButton) if "USB «" in b.text()]
    assert len(names) == 2
    clerk.press(next(name for name in names if "UBND xã Hòa Sơn" in name))
    clerk.type_pin()
    assert len(clerk.end(0).signed) == 1


def test_a_wrong_pin_is_one_login_and_is_asked_again_only_when_the_person_wants(clerk: Clerk) -> None:
    drafts = clerk.plain(1)
    summary = clerk.sign(drafts, "999999")
    assert summary.stopped is not None
    assert summary.stopped.code == "pin_incorrect"
    assert clerk.told.startswith("Sai mã PIN, chưa ký văn bản nào.")
    assert "Nhập sai nhiều lần, USB ký số sẽ bị khóa." in clerk.told
    assert (clerk.flow.dialog, clerk.counting.user_logins()) == (None, 1)
    assert clerk.waiting() == set(drafts)

    clerk.press("Nhập lại mã PIN")
    clerk.type_pin()
    assert len(clerk.end(1).signed) == 1
    assert clerk.counting.user_logins() == 2


def test_a_refused_pin_leaves_no_batch_to_go_on_with_and_takes_none_away(clerk: Clerk) -> None:
    drafts = clerk.plain(2)
    clerk.sign(drafts, "999999")
    assert clerk.desk.today().stopped == ()

    clerk.counting.misbehave(C_Sign=REMOVED)
    clerk.sign(drafts)
    clerk.counting.misbehave()
    (stopped,) = clerk.desk.today().stopped
    clerk.press("Ký tiếp")
    clerk.type_pin("999999")
    clerk.end(2)
    assert clerk.desk.today().stopped == (stopped,)
    clerk.press("Nhập lại mã PIN")
    clerk.type_pin()
    assert len(clerk.end(3).signed) == 2
    assert (clerk.desk.today().stopped, clerk.counting.user_logins()) == ((), 4)


def test_a_token_that_refuses_at_the_login_leads_back_to_the_same_documents(clerk: Clerk) -> None:
    drafts = clerk.plain(1)
    clerk.counting.misbehave(C_Login="crash")
    summary = clerk.sign(drafts)
    assert (summary.batch, len(summary.pending)) == (None, 1)
    clerk.counting.misbehave()
    clerk.press("Thử lại")
    clerk.type_pin()
    assert len(clerk.end(1).signed) == 1


def test_drivers_that_are_changed_while_documents_are_signed_do_not_end_the_session(clerk: Clerk) -> None:
    drafts, signing, space = clerk.plain(2), clerk.desk.signing, clerk.desk.space
    ready = signing.prepare(drafts, clerk.agency)
    assert isinstance(ready, Ready)
    modules = space._overrides.modules
    hosts = space.hosts

    def other_drivers(_outcome: DocumentOutcome) -> None:
        space._overrides = replace(space._overrides, modules=(*modules, clerk.folder / "other.so"))
        space.reload()
        assert space.hosts is not hosts

    try:
        summary = signing.sign(ready, Login(Pin(CANARY_PIN)), document_done=other_drivers)
    finally:
        space._overrides = replace(space._overrides, modules=modules)
        space.reload()
    assert (summary.stopped, len(summary.signed)) == (None, 2)


def test_a_pin_is_not_spent_when_the_body_was_changed_after_the_question(clerk: Clerk) -> None:
    drafts, signing = clerk.plain(1), clerk.desk.signing
    ready = signing.prepare(drafts, clerk.agency)
    assert isinstance(ready, Ready)
    before = clerk.desk.space.settings
    clerk.desk.change_settings(lambda settings: assign_body(settings, clerk.agency, None))
    try:
        with pytest.raises(KnownError) as raised:
            signing.sign(ready, Login(Pin(CANARY_PIN)))
    finally:
        clerk.desk.change_settings(lambda _settings: before)
    assert (raised.value.code, clerk.counting.user_logins()) == ("us_changed", 0)


def test_the_last_try_is_spent_only_after_the_tick(clerk: Clerk) -> None:
    drafts = clerk.plain(1)
    clerk.counting.misbehave(flags=FINAL)
    clerk.flow.start(drafts, clerk.agency)
    dialog = clerk.dialog()
    QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Return)
    clerk.wait(lambda: not clerk.flow.running)
    assert clerk.counting.user_logins() == 0

    clerk.flow.start(drafts, clerk.agency)
    dialog = clerk.dialog()
    dialog.sure.click()
    QTest.mouseClick(dialog.accept_button, Qt.MouseButton.LeftButton)
    clerk.type_pin()
    assert len(clerk.end(0).signed) == 1
    assert clerk.counting.user_logins() == 1


def test_a_locked_token_is_told_and_never_tried(clerk: Clerk) -> None:
    drafts = clerk.plain(1)
    clerk.counting.misbehave(flags=LOCKED)
    clerk.flow.start(drafts, clerk.agency)
    dialog = clerk.dialog()
    assert not dialog.field.isVisible()
    dialog.reject()
    assert clerk.told.startswith("USB ký số đã bị khóa")
    assert clerk.counting.user_logins() == 0


def test_a_token_that_is_pulled_out_loses_nothing_and_the_rest_is_signed_later(clerk: Clerk) -> None:
    drafts = clerk.plain(2)
    clerk.counting.misbehave(C_Sign=REMOVED)
    clerk.sign(drafts)
    assert "USB ký số bị rút. Đã ký 0/2, không mất văn bản nào." in clerk.told
    assert "Cắm lại và bấm Ký tiếp." in clerk.told
    assert clerk.waiting() == set(drafts)

    clerk.counting.misbehave()
    clerk.press("Ký tiếp")
    clerk.type_pin()
    assert len(clerk.end(1).signed) == 2
    assert clerk.waiting() == set()


def test_a_drivers_fault_is_told_with_its_reason_and_leads_to_the_check_of_the_machine(clerk: Clerk) -> None:
    drafts = clerk.plain(1)
    clerk.counting.misbehave(C_Sign="crash")
    clerk.sign(drafts)
    assert "Trình điều khiển USB ký số bị hỏng giữa chừng" in clerk.told
    assert "Đã ký 0/1" in clerk.told
    clerk.press("Kiểm tra máy")
    assert clerk.tabs == [Tab.MACHINE]


def test_without_a_token_nobody_is_asked_for_a_pin(clerk: Clerk) -> None:
    drafts = clerk.plain(1)
    clerk.counting.misbehave(C_GetSlotList="empty")
    clerk.flow.start(drafts)
    clerk.wait(lambda: bool(clerk.told))
    assert "Chưa cắm USB ký số." in clerk.told
    assert (clerk.flow.dialog, clerk.flow.running) == (None, False)


def test_stopping_keeps_what_is_signed_and_the_rest_can_be_gone_on_with(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts, signing = clerk.plain(3), clerk.desk.signing
    ready = signing.prepare(drafts, clerk.agency)
    assert isinstance(ready, Ready)
    done: list[DocumentOutcome] = []
    carry, stopping = Carrier.carry, threading.Event()
    first = next(row for row in clerk.desk.outgoing.rows() if row.draft.id == drafts[0]).draft.main.blob

    def slow(carrier: Carrier, ride: Ride) -> tuple[Made, ...]:
        """No other document is quicker than the hand that stops."""
        assert ride.work.main.job.blob == first or stopping.wait(20)
        return carry(carrier, ride)

    def cancelled() -> bool:
        if done:
            stopping.set()
        return bool(done)

    monkeypatch.setattr(Carrier, "carry", slow)
    summary = signing.sign(ready, Login(Pin(CANARY_PIN)), cancelled=cancelled, document_done=done.append)
    assert summary.stopped is not None
    assert (summary.stopped.code, len(summary.signed), len(summary.pending)) == ("interrupted", 1, 2)
    told = told_of(summary, WORDS)
    assert told.what == "Đã dừng theo yêu cầu. Đã ký 1/3, không mất văn bản nào."
    assert told.acts == (Act.GO_ON, Act.REPORT)

    rest = signing.prepare_rest(summary.batch)
    assert len(rest.documents) == 2
    assert len(signing.sign(rest, Login(Pin(CANARY_PIN))).signed) == 2
    with pytest.raises(KnownError, match="Nothing is left"):
        signing.prepare_rest(summary.batch)


def one_after_the_other(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]) -> None:
    """One document at a time is on its way; `meanwhile` happens in the middle of the first."""
    monkeypatch.setattr("signer_app.signing.engine._AHEAD", 0)
    monkeypatch.setattr("signer_app.signing.engine.processors", lambda: 1)
    carry, pending = Carrier.carry, [meanwhile]

    def interrupted(self: Carrier, ride: Ride) -> tuple[Made, ...]:
        if pending:
            pending.pop()()
        return carry(self, ride)

    monkeypatch.setattr(Carrier, "carry", interrupted)


def test_while_others_are_signed_one_is_left_out_and_one_in_a_hurry_goes_first(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    *drafts, urgent = clerk.plain(4)
    signing, outgoing = clerk.desk.signing, clerk.desk.outgoing
    outgoing.edit(urgent, Changes(urgency=Urgency.HOA_TOC))
    ready = signing.prepare(drafts, clerk.agency)
    assert isinstance(ready, Ready)
    outgoing.examine([urgent], ready.chosen)
    seen: list[Standing | None] = []

    def meanwhile() -> None:
        signing.skip([drafts[2]])
        signing.jump_in(urgent)
        with pytest.raises(KnownError, match="being signed"):
            outgoing.edit(urgent, Changes(subject="Khác"))
        signing.pause()
        seen.append(signing.standing())
        signing.go_on()

    one_after_the_other(monkeypatch, meanwhile)
    done: list[str | None] = []
    summary = signing.sign(ready, Login(Pin(CANARY_PIN)), document_done=lambda outcome: done.append(outcome.draft))
    signed = [outcome.draft for outcome in summary.signed]
    assert [draft for draft in done if draft in signed] == [drafts[0], urgent, drafts[1]]
    assert [outcome.code for outcome in summary.unsigned] == ["skipped_by_person"]
    assert seen == [Standing(0, 4, paused=True)]
    assert clerk.waiting() == {drafts[2]}
    outgoing.edit(drafts[2], Changes(subject="Lại sửa được"))
    assert signing.standing() is None


def test_a_pause_counts_while_what_will_be_signed_is_looked_at_once_more(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts, signing = clerk.plain(1), clerk.desk.signing
    ready = signing.prepare(drafts, clerk.agency)
    assert isinstance(ready, Ready)
    seen: list[Standing | None] = []
    examine = SigningRun.examine

    def pressed(run: SigningRun) -> int:
        signing.pause()
        seen.append(signing.standing())
        signing.go_on()
        return examine(run)

    monkeypatch.setattr(SigningRun, "examine", pressed)
    assert signing.sign(ready, Login(Pin(CANARY_PIN))).stopped is None
    assert seen == [Standing(0, 1, paused=True)]


def test_behind_the_pin_nothing_is_looked_at_again_that_still_holds(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts, signing = clerk.plain(2), clerk.desk.signing
    ready = signing.prepare(drafts, clerk.agency)
    assert isinstance(ready, Ready)
    # As after a long review: no answer of the preflight is remembered any more.
    monkeypatch.setattr(clerk.desk.outgoing.preflights, "_answers", {})
    asked: list[object] = []
    monkeypatch.setattr(clerk.desk.space.workers, "preflight", asked.append)
    assert len(signing.sign(ready, Login(Pin(CANARY_PIN))).signed) == 2
    assert asked == []


def test_what_was_seen_before_a_pin_that_nobody_gives_is_not_kept(clerk: Clerk) -> None:
    ready = clerk.desk.signing.prepare(clerk.plain(1), clerk.agency)
    assert isinstance(ready, Ready)
    with clerk.desk.space.store.view() as view:
        assert view.batches.get(ready.looked or "") is not None
    clerk.desk.signing.put_away(ready.looked)
    with clerk.desk.space.store.view() as view:
        assert view.batches.get(ready.looked or "") is None


def test_what_cannot_be_signed_does_not_jump_in(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts, signing = clerk.plain(1), clerk.desk.signing
    ready = signing.prepare(drafts, clerk.agency)
    assert isinstance(ready, Ready)
    told: list[str] = []

    def meanwhile() -> None:
        for draft in (*drafts, "nobody"):
            with pytest.raises(KnownError) as raised:
                signing.jump_in(draft)
            told.append(raised.value.code)

    one_after_the_other(monkeypatch, meanwhile)
    assert len(signing.sign(ready, Login(Pin(CANARY_PIN))).signed) == 1
    assert told == ["out_being_signed", "out_gone"]
    with pytest.raises(KnownError) as raised:
        signing.jump_in(drafts[0])
    assert raised.value.code == "batch_over"


def test_what_has_failed_is_tried_again_by_one_button(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = clerk.plain(2)
    carry = Carrier.carry

    def failing(self: Carrier, ride: Ride) -> tuple[Made, ...]:
        if ride.work.job.draft == drafts[1]:
            raise KnownError("output_changed", name="x")
        return carry(self, ride)

    monkeypatch.setattr(Carrier, "carry", failing)
    summary = clerk.sign(drafts)
    assert [outcome.draft for outcome in summary.failed] == [drafts[1]]
    monkeypatch.undo()
    clerk.press("Thử lại 1 văn bản lỗi")
    clerk.type_pin()
    again = clerk.end(1)
    assert [outcome.draft for outcome in again.signed] == [drafts[1]]
    assert clerk.waiting() == set()


def test_what_was_left_out_in_the_review_stays_out_after_a_wrong_pin(clerk: Clerk) -> None:
    drafts, flow = clerk.plain(3), clerk.flow
    reviews: list[Ready] = []
    flow.reviews = True
    flow.review_wanted.connect(lambda ready, _review: reviews.append(ready))
    flow.start(drafts, clerk.agency)
    clerk.wait(lambda: bool(reviews))
    assert (clerk.flow.dialog, len(reviews[0].documents), flow.busy()) == (None, 3, None)
    flow.proceed([drafts[0]])
    clerk.type_pin("999999")
    clerk.end(0)
    clerk.press("Nhập lại mã PIN")
    clerk.type_pin()
    assert {outcome.draft for outcome in clerk.end(1).signed} == set(drafts[1:])
    assert (len(reviews), clerk.waiting()) == (1, {drafts[0]})

    flow.start(drafts[:1], clerk.agency)
    clerk.dialog().reject()
    clerk.wait(lambda: not flow.running)
    assert len(reviews) == 1


def test_what_was_changed_after_the_question_is_not_signed(clerk: Clerk) -> None:
    drafts, signing = clerk.plain(1), clerk.desk.signing
    ready = signing.prepare(drafts, clerk.agency)
    assert isinstance(ready, Ready)
    clerk.desk.outgoing.edit(drafts[0], Changes(subject="Một trích yếu khác"))
    clerk.desk.outgoing.examine(drafts, ready.chosen)
    with pytest.raises(KnownError) as raised:
        signing.sign(ready, Login(Pin(CANARY_PIN)))
    assert raised.value.code == "us_changed"
    assert clerk.counting.user_logins() == 0


def test_a_trial_signs_a_page_and_keeps_nothing_but_the_journals_entries(clerk: Clerk, place: Place) -> None:
    before = sorted(path for path, _data in place.everything() if "blobs" in path.parts)
    trial = clerk.desk.signing.test_signature(clerk.agency, Login(Pin(CANARY_PIN)))
    assert trial.verdict is Verdict.VALID
    assert sorted(path for path, _data in place.everything() if "blobs" in path.parts) == before
    with clerk.desk.space.store.view() as view:
        entries = view.journal.entries(2)
    assert {(entry.use.action, entry.use.result) for entry in entries} == {("login", "ok"), ("sign", "ok")}
    assert list((place.data / "work").glob("trial-*")) == []


def test_enrolling_makes_this_machine_known_with_one_login(clerk: Clerk, place: Place) -> None:
    with place.server():
        clerk.desk.space.reload()
        known = place.settings().server
        done = clerk.desk.signing.enrol(clerk.agency, Login(Pin(CANARY_PIN)))
        assert known is not None
        assert done.settings == place.settings()
        assert done.settings.server is not None
        assert done.settings.server.devices[done.enrolled.org] != known.devices[done.enrolled.org]
    assert clerk.counting.user_logins() == 1


def test_what_is_set_while_an_enrolment_runs_is_not_lost_and_another_server_gets_no_pins(
    clerk: Clerk, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: list[Callable[[Settings], Settings]] = []

    def meanwhile(*_: object, **__: object) -> None:
        clerk.desk.change_settings(changes.pop())

    monkeypatch.setattr("signer_app.exchange.session.refresh", meanwhile)
    with place.server():
        clerk.desk.space.reload()
        before = place.settings()
        assert before.server is not None
        elsewhere = msgspec.structs.replace(before.server, url="https://khac.example")
        changes.append(lambda settings: msgspec.structs.replace(settings, theme=ThemeChoice.DARK))
        done = clerk.desk.signing.enrol(clerk.agency, Login(Pin(CANARY_PIN)))
        assert (done.settings.theme, place.settings()) == (ThemeChoice.DARK, done.settings)
        assert done.settings.server != before.server
        changes.append(lambda settings: msgspec.structs.replace(settings, server=elsewhere))
        with pytest.raises(KnownError) as raised:
            clerk.desk.signing.enrol(clerk.agency, Login(Pin(CANARY_PIN)))
        assert (raised.value.code, place.settings().server) == ("server_changed", elsewhere)
        clerk.desk.change_settings(lambda _settings: before)


def test_the_dialogue_for_other_purposes_reads_the_tokens_state_first(clerk: Clerk) -> None:
    answers: list[Login] = []
    failures: list[KnownError] = []
    stops: list[None] = []

    def ask(certificate: str) -> None:
        ask_pin(
            clerk.shell,
            clerk.pane,
            certificate,
            Purpose.TRY,
            answers.append,
            failed=failures.append,
            stopped=lambda: stops.append(None),
        )

    ask("ab" * 32)
    clerk.wait(lambda: bool(failures))
    assert failures[0].code == "certificate_not_found"
    ask(clerk.agency)
    clerk.wait(lambda: bool(clerk.pane.findChildren(PinDialog)))
    (dialog,) = clerk.pane.findChildren(PinDialog)
    assert dialog.accessibleName() == "Nhập mã PIN USB ký số «UBND xã Hòa Sơn» để ký thử"
    QTest.keyClicks(dialog.field, CANARY_PIN)
    QTest.keyClick(dialog.field, Qt.Key.Key_Return)
    assert [answer.pin.reveal() for answer in answers if answer.pin] == [CANARY_PIN]
    assert stops == []


def test_a_changed_pin_signs_from_then_on_and_the_journal_tells_both_tries(
    clerk: Clerk, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    signing = clerk.desk.signing

    def new() -> Pin:
        return Pin("Canary-7bT2-new")

    with pytest.raises(TokenError) as refused:
        signing.change_pin(clerk.agency, Pin("00000000"), new(), final_try=False)
    assert refused.value.code == "pin_incorrect"
    signing.change_pin(clerk.agency, Pin(CANARY_PIN), new(), final_try=False)
    try:
        assert clerk.counting.user_logins() == 0
        assert signing.test_signature(clerk.agency, Login(new())).sha256
    finally:
        signing.change_pin(clerk.agency, new(), Pin(CANARY_PIN), final_try=False)
    with clerk.desk.space.store.view() as view:
        changes = [e.use.result for e in view.journal.entries() if e.use.action is JournalAction.CHANGE_PIN]
    assert sorted(changes[:3]) == ["ok", "ok", "pin_incorrect"]
    assert [path.name for path, data in place.everything() if b"Canary-7bT2-new" in data] == []
    assert "Canary-7bT2-new" not in "".join(capfd.readouterr())


def test_a_pin_change_that_came_to_no_answer_is_not_told_as_done(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_args: object, **_more: object) -> None:
        raise RuntimeError("a session of this module is open")

    monkeypatch.setattr(clerk.desk.space.hosts, "change_pin", breaks)
    with pytest.raises(RuntimeError):
        clerk.desk.signing.change_pin(clerk.agency, Pin(CANARY_PIN), Pin("Canary-7bT2-new"), final_try=False)
    with clerk.desk.space.store.view() as view:
        (newest,) = view.journal.entries(1)
    assert (newest.use.action, newest.use.result) == (JournalAction.CHANGE_PIN, "program_fault")


# ---- words ---------------------------------------------------------------------------------------------------------


def _outcome(state: FileState, code: str | None = None, **params: str) -> DocumentOutcome:
    return DocumentOutcome("d", "125/UBND-VP", state, code, params)


def test_a_result_with_some_left_says_how_many_and_why() -> None:
    signed = (_outcome(FileState.SIGNED),) * 1200
    refused = (_outcome(FileState.REFUSED, "leader_missing"),)
    told = told_of(BatchSummary("b", None, (*signed, *refused), timestamp_missing=True), WORDS)
    assert told.what == "Đã ký 1.200 văn bản, đã kiểm tra lại: hợp lệ. 1 chưa ký, xem lý do."
    assert told.why.startswith("125/UBND-VP: Chưa có chữ ký số của người có thẩm quyền")
    assert told.do == "Chưa có dấu thời gian, sẽ bổ sung sau. Chữ ký không thay đổi."
    assert told.role == "notice-warn"


def test_valid_is_not_said_of_a_certificate_that_nobody_could_check() -> None:
    told = told_of(BatchSummary("b", None, (_outcome(FileState.SIGNED),), unchecked=True), WORDS)
    assert "hợp lệ" not in told.what
    assert "Chưa kiểm tra được tình trạng chứng thư số" in told.do


def test_a_batch_that_was_cut_tells_counts_as_people_write_them() -> None:
    outcomes = (_outcome(FileState.SIGNED),) * 612 + (_outcome(FileState.PENDING),) * 588
    told = told_of(BatchSummary("b", KnownError("token_removed"), outcomes), WORDS)
    assert told.error is not None
    assert WORDS.explain(told.error).what == "USB ký số bị rút. Đã ký 612/1.200, không mất văn bản nào."


def test_a_locked_token_offers_no_other_try() -> None:
    assert told_error(KnownError("pin_locked")).acts == (Act.REQUEST_FORM,)
    assert told_error(KnownError("pin_expired")).acts == (Act.CHANGE_PIN,)
    assert told_error(KnownError("pin_not_set")).acts == ()
    assert told_error(KnownError("no_module")).acts == (Act.TRY_AGAIN, Act.CHECK_MACHINE)
