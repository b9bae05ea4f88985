"""The verify view: the verdict on one file at a glance, its signatures one after the other, the facts of each, and the
pages with what was changed outlined.

UI thread. Checking is done on the lane for documents, and where something is missing a second time on the network's;
what nobody looks at any more is given up. What a file says of itself is shown as plain text. Decides nothing.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QScrollArea, QSplitter, QToolButton, QVBoxLayout, QWidget

from signer_app.desk.verifying import Checked
from signer_resources.errors import KnownError
from signer_ui.glow import Glow
from signer_ui.panes.verifying_keeping import ask_destroy, save_report
from signer_ui.presenters.verifying import EntryKind, FileView, file_view
from signer_ui.presenters.verifying_files import report_name
from signer_ui.shell import Shell
from signer_ui.tasks import Control, Handle, Lane
from signer_ui.widgets.basics import button, label, repolish, row
from signer_ui.widgets.course import CourseList, Step
from signer_ui.widgets.elided import breakable
from signer_ui.widgets.facts import Facts
from signer_ui.widgets.flow import Flow
from signer_ui.widgets.light import glow_icon
from signer_ui.widgets.notice import Notice
from signer_ui.widgets.page_view import PageView
from signer_ui.widgets.progress import ProgressLine

T = TypeVar("T")

_ROLES = {Glow.GOOD: "good", Glow.WARN: "warn", Glow.BAD: "bad", Glow.OFF: "muted"}
_BESIDE = 210
"""Units of width from which on words and pages have room beside each other."""
_WORDS = 104
"""Units of width that the words get there."""
_LOW = 100
"""Units of height below which what is asked among the words finds no room beside the pages."""
_LIGHT = 6
_LINE = 8
"""Size of the light, and height of the line that it stands in, in steps of the theme."""


@dataclass(frozen=True)
class Subject:
    """A file that is looked at; `own` when it is our own copy, which nobody changes."""

    path: Path
    name: str
    own: bool


class VerifyView(QWidget):
    """One file at a time. `above`, `between` and `below` are shown over, in and under what it says itself: over the
    verdict, under it, and under the facts.
    """

    checked = Signal(object)
    """A Checked: there is an answer, or a newer one."""
    wide_changed = Signal(bool)
    """Whether the view should have all the room."""

    def __init__(self, shell: Shell, notice: Notice, above: QWidget, between: QWidget, below: QWidget) -> None:
        super().__init__()
        words, theme = shell.words, shell.theme
        self._shell, self._notice = shell, notice
        self._subject: Subject | None = None
        self._checked: Checked | None = None
        self._view: FileView | None = None
        self._pages_of: str | None = None
        """SHA-256 of the file whose pages are shown."""
        self._work: Handle | None = None
        self._turn = 0
        self._pressed = False
        self._light = QLabel()
        self._light.setFixedSize(theme.space(_LIGHT), theme.space(_LINE))
        self.verdict = label(role="title", wrap=True)
        self.why = label(wrap=True)
        self.about = label(role="small", wrap=True)
        for told in (self.verdict, self.why):
            told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.course = CourseList(theme, words("uv_course"))
        self.course.currentRowChanged.connect(self._entry_chosen)
        self.facts = Facts(theme)
        self.progress = ProgressLine(words, theme)
        self.pages = PageView(shell.tasks, shell.desk.pages, words, theme)
        self.pages.show_thumbnails(False)
        self.pages.setContentsMargins(theme.space(2), 0, theme.space(2), 0)
        self.wide = QToolButton()
        self.wide.setText(words("uv_wide"))
        self.wide.setToolTip(words("uv_wide_tip"))
        self.wide.setCheckable(True)
        self.wide.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.wide.toggled.connect(self._wide_toggled)
        self._again = button(words("uv_again"), self.check_again)
        self._save = button(words("uv_save_report"), self._save_report)
        self._destroy = button(words("uv_destroy"), self._ask_destroy)
        self._foot = Flow((self._again, self._save, self._destroy), theme.space(2))
        self._told = self._words_page(above, between, below)
        self._share = self._lay_out()
        # Labels that were just made have a size when the event loop has laid them out.
        self._told.installEventFilter(self)
        self._fitting = QTimer(self)
        self._fitting.setSingleShot(True)
        self._fitting.setInterval(0)
        self._fitting.timeout.connect(self._fit)
        self.clear()

    # ---- what the owner calls --------------------------------------------------------------------------------------

    def show_file(self, subject: Subject, checked: Checked | None = None) -> None:
        """Shows a file and what is known of it; without `checked` it is checked now."""
        self.clear()
        self._subject = subject
        if checked is not None:
            # Not behind the files that are being checked.
            self.run(Lane.QUICK, lambda _control: self._view_of(checked), lambda view: self._known(checked, view))
            return
        if subject.own:
            self._put_pages(fits=True)
        self._check(subject, ask_network=False)

    def refresh(self, checked: Checked) -> None:
        """A newer answer for the file that is shown; what is chosen and in view stays, unless the file is another."""
        subject, known = self._subject, self._checked
        if subject is None or known is None or checked.path != subject.path:
            return
        if checked.report.sha256 != known.report.sha256:
            self.show_file(subject, checked)
            return
        turn = self._turn

        def came(view: FileView) -> None:
            if turn == self._turn:
                self._show_checked(checked, view)

        self._shell.tasks.run(self, Lane.QUICK, lambda _control: self._view_of(checked), came)

    @property
    def subject(self) -> Subject | None:
        """What is looked at."""
        return self._subject

    def tell(self, text: str, glow: Glow, why: str = "") -> None:
        """Says something in place of a verdict."""
        self._checked = self._view = None
        self._head(text, glow, why, "")
        self._put_course(None)
        self.pages.set_frames(())
        self._enable()

    def clear(self) -> None:
        """Shows nothing."""
        self.give_up()
        self._subject = None
        self.tell("", Glow.OFF)
        self._scroll.verticalScrollBar().setValue(0)
        self.pages.clear()
        self.pages.hide()

    def press_words(self, pressed: bool) -> None:
        """Whether something is asked among the words: they get more of the room, the pages less."""
        if pressed is not self._pressed:
            self._pressed = pressed
            self._fitting.start()

    def check_again(self) -> None:
        """Checks anew what is shown, the network asked for what is missing (Kiểm tra lại)."""
        if self._subject is not None:
            self.give_up()
            self._check(self._subject, ask_network=True)

    def give_up(self) -> None:
        """Nobody waits for an answer any more."""
        self.progress.end()
        self._turn += 1
        if self._work is not None:
            self._work.cancel()
            self._work = None

    def begin(self, key: str) -> None:
        """Work has begun whose end the owner tells by showing something else."""
        self.progress.begin(key, self.give_up)

    def run(self, lane: Lane, work: Callable[[Control], T], done: Callable[[T], None]) -> None:
        """Has `work` done for what is shown now; when something else is shown by then, nobody is told."""
        self._turn += 1
        turn = self._turn

        def told(result: T) -> None:
            if turn == self._turn:
                done(result)

        def refused(error: KnownError) -> None:
            if turn == self._turn:
                self.fail(error)

        self._work = self._shell.tasks.run(self, lane, work, told, failed=refused)

    def fail(self, error: KnownError) -> None:
        """Tells an error in place of a verdict."""
        self.progress.end()
        if error.code != "interrupted":
            told = self._shell.words.explain(error)
            self.tell(told.what, Glow.BAD, f"{told.why} {told.do}".strip())

    def go_in(self) -> None:
        """Gives the keyboard to the course of signatures, or where there is none to the first button."""
        (self.course if self.course.isVisible() else self._again).setFocus()

    # ---- parts -----------------------------------------------------------------------------------------------------

    def _words_page(self, above: QWidget, between: QWidget, below: QWidget) -> QWidget:
        theme = self._shell.theme
        page = QWidget()
        page.setProperty("role", "page")
        lines = QVBoxLayout(page)
        lines.setContentsMargins(*[theme.space(3)] * 4)
        lines.setSpacing(theme.space(2))
        lines.addWidget(above)
        lines.addWidget(self.progress)
        head = row(self._light, self.verdict, spacing=theme.space(2))
        head.setStretch(1, 1)
        head.setAlignment(self._light, Qt.AlignmentFlag.AlignTop)
        lines.addLayout(head)
        lines.addWidget(self.why)
        more = row(self.about, self.wide, spacing=theme.space(2))
        more.setStretch(0, 1)
        lines.addLayout(more)
        for part in (between, self.course, self.facts, below):
            lines.addWidget(part)
        lines.addStretch(1)
        return page

    def _lay_out(self) -> QSplitter:
        """Words and page; on a small screen the words scroll, and the border between can be moved."""
        theme = self._shell.theme
        self._scroll = scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.space(2))
        share = QSplitter(Qt.Orientation.Vertical)
        share.setProperty("role", "gap")
        share.setChildrenCollapsible(False)
        share.setHandleWidth(theme.space(1))
        outer.addWidget(share, 1)
        # In the order of the keyboard.
        share.addWidget(scroll)
        scroll.setWidget(self._told)
        share.addWidget(self.pages)
        share.setStretchFactor(1, 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(theme.space(3), 0, theme.space(3), 0)
        foot.addWidget(self._foot)
        outer.addLayout(foot)
        return share

    def _fit(self) -> None:
        """Beside each other where there is room; else the words get what they need, but no more than half,
        or three quarters while something is asked there; in a low window all of it."""
        space, beside = self._shell.theme.space, self.width() >= self._shell.theme.space(_BESIDE)
        wanted = Qt.Orientation.Horizontal if beside else Qt.Orientation.Vertical
        turned = self._share.orientation() != wanted
        if turned:
            self._share.setOrientation(wanted)
        low = self._pressed and not beside and self.height() < space(_LOW)
        self._foot.setVisible(self._subject is not None and not low)
        self._share.setCollapsible(1, low)
        if self.pages.isHidden():
            return
        if beside:
            if turned:
                self._share.setSizes([space(_WORDS), self._share.width() - space(_WORDS)])
            return
        room = self._share.height()
        if low:
            # Sizes of nothing hide a part that may collapse.
            self._share.setSizes([room, 0])
            return
        most = room * 3 // 4 if self._pressed else room // 2
        needed = min(self._told.heightForWidth(self._share.width()), most)
        self._share.setSizes([needed, room - needed])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Shares the room anew when the words need another height."""
        if event.type() is QEvent.Type.LayoutRequest:
            self._fitting.start()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Shares the room anew."""
        super().resizeEvent(event)
        self._fitting.start()

    def _wide_toggled(self, wide: bool) -> None:
        self.wide.setText(self._shell.words("uv_narrow" if wide else "uv_wide"))
        self.wide_changed.emit(wide)

    # ---- checking --------------------------------------------------------------------------------------------------

    def _check(self, subject: Subject, *, ask_network: bool) -> None:
        """What is missing is asked for on the network's lane; the first verdict stands meanwhile."""
        desk = self._shell.desk
        self.begin("uv_asking" if ask_network else "ut_verifying")

        def work(_control: Control) -> tuple[Checked, FileView, bool]:
            checked = desk.verifying.check(
                # Our own copy is a file of a packet, which was screened when it came.
                subject.path, name=subject.name, ask_network=ask_network, free_of_marks=subject.own
            )  # fmt: skip
            return checked, self._view_of(checked), _fits(subject, checked)

        def came(answer: tuple[Checked, FileView, bool]) -> None:
            checked, view, fits = answer
            self.progress.end()
            self._show_checked(checked, view)
            self._put_pages(fits=fits)
            self.checked.emit(checked)
            if not ask_network and checked.report.wanted_urls:
                self._check(subject, ask_network=True)

        self.run(Lane.NETWORK if ask_network else Lane.DOCUMENTS, work, came)

    def _view_of(self, checked: Checked) -> FileView:
        """What is said of an answer; takes a while where a file was made to hold thousands of changes."""
        return file_view(checked.report, self._shell.desk.now(), self._shell.words)

    def _known(self, checked: Checked, view: FileView) -> None:
        """An answer that was in hand is shown; now its pages."""
        subject = self._subject
        self._show_checked(checked, view)
        if subject is not None:
            self.run(Lane.PAGES, lambda _control: _fits(subject, checked), lambda fits: self._put_pages(fits=fits))

    def _put_pages(self, *, fits: bool) -> None:
        """Pages are shown with a verdict only when they are those that it speaks of."""
        subject, checked = self._subject, self._checked
        if subject is None:
            return
        sha256 = checked.report.sha256 if checked is not None else None
        if not fits:
            self.pages.hide()
            if sha256 is not None:
                words = self._shell.words
                self.tell(words("uv_file_changed"), Glow.WARN, words("uv_file_changed_do"))
            return
        if self.pages.isHidden() or (not subject.own and sha256 != self._pages_of):
            self.pages.show()
            self.pages.show_file(subject.path)
        self._pages_of = sha256
        self._show_frames()

    def _show_frames(self) -> None:
        if self._view is not None and not self.pages.isHidden():
            self.pages.set_frames(self._view.frames)
            self._show_entry(self.course.currentRow())

    # ---- what came of it -------------------------------------------------------------------------------------------

    def _show_checked(self, checked: Checked, view: FileView) -> None:
        same = self._checked is not None and self._view is not None
        chosen = self.course.currentRow() if same else None
        self._checked, self._view = checked, view
        self._head(view.verdict, view.glow, view.why, view.about)
        kept = chosen if chosen is not None and 0 <= chosen < len(view.entries) else view.first
        self._put_course(kept)
        self._show_frames()
        self._enable()

    def _head(self, verdict: str, glow: Glow, why: str, about: str) -> None:
        size = self._shell.theme.space(_LIGHT)
        self._light.setPixmap(glow_icon(self._shell.theme, glow, self.devicePixelRatioF() * 2).pixmap(size, size))
        self._light.setVisible(bool(verdict))
        for told, text in ((self.verdict, verdict), (self.why, why), (self.about, about)):
            told.setText(breakable(text))
            told.setVisible(bool(text))
        repolish(self.verdict, "tone", _ROLES[glow])
        self.verdict.setAccessibleName(" ".join(part for part in (verdict, why) if part))
        if verdict:
            # A screen reader tells it without the focus moving.
            QAccessible.updateAccessibility(QAccessibleEvent(self.verdict, QAccessible.Event.Alert))
        self.wide.setVisible(bool(verdict))

    def _put_course(self, chosen: int | None) -> None:
        entries = self._view.entries if self._view is not None else ()
        steps = [Step(one.glow, one.text, one.under, one.kind is EntryKind.CHANGE) for one in entries]
        self.course.put(steps, chosen)
        self._put_facts(chosen if chosen is not None else -1)

    def _put_facts(self, at: int) -> None:
        entries = self._view.entries if self._view is not None else ()
        facts = entries[at].facts if 0 <= at < len(entries) else ()
        self.facts.put([(fact.what, breakable(fact.value)) for fact in facts])

    def _entry_chosen(self, at: int) -> None:
        self._put_facts(at)
        self._show_entry(at)

    def _show_entry(self, at: int) -> None:
        """Leads to the place of an entry on the pages."""
        entries = self._view.entries if self._view is not None else ()
        if self.pages.isHidden() or not 0 <= at < len(entries):
            return
        entry = entries[at]
        self.pages.choose_frames(entry.spots)
        if not entry.spots and entry.page is not None:
            self.pages.go_to(entry.page)

    def _enable(self) -> None:
        known = self._checked is not None
        self._foot.setVisible(self._subject is not None)
        self._fitting.start()
        self._save.setEnabled(known)
        self._destroy.setEnabled(self._checked is not None and self._checked.evidence)

    # ---- the report, the evidence ----------------------------------------------------------------------------------

    def _save_report(self) -> None:
        checked = self._checked
        if checked is not None:
            save_report(self._shell, self._notice, self, (checked,), report_name(checked.name, self._shell.words))

    def _ask_destroy(self) -> None:
        if self._checked is not None:
            ask_destroy(self._shell, self._notice, self, self._checked, self._destroyed)

    def _destroyed(self, checked: Checked) -> None:
        if self._checked is not None and self._checked.path == checked.path:
            self._checked = replace(self._checked, evidence=False)
            self._enable()
        self.checked.emit(replace(checked, evidence=False))


def _fits(subject: Subject, checked: Checked) -> bool:
    """Whether the file is still the one that was checked; blocks."""
    if subject.own:
        return True
    try:
        with subject.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == checked.report.sha256
    except OSError:
        return False
