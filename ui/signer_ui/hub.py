"""Where the window's news comes together: tokens, server, store, settings; looked at elsewhere, told here by signal.

UI thread. The hub asks again by itself (tokens every second, the inbox folder while nobody types, the server as the
exchange says) and when it is poked; a look that has not ended yet is never asked for a second time. Snapshots are
immutable.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QAbstractItemView, QApplication

from signer_app.desk.desk import Desk
from signer_app.desk.exchange import ExchangeSnapshot, Push
from signer_app.desk.today import TodaySnapshot
from signer_app.desk.tokens import TokensSnapshot
from signer_app.store.settings import Settings
from signer_resources.errors import KnownError
from signer_ui.backups import Backups
from signer_ui.quiet import QuietWork, network_is_there
from signer_ui.tasks import Handle, Lane, Tasks
from signer_ui.updates import Updates

if TYPE_CHECKING:
    # Takes the PDF library with it.
    from signer_app.desk.inbox_folder import InboxLook

TOKENS_EVERY_MS = 1000
INBOX_EVERY_MS = 5000
STORE_EVERY_MS = 30_000
"""Times of day and deadlines on the home screen grow old even when nothing is written."""


class Hub(QObject):
    """The window's one source of news."""

    tokens_changed = Signal(object)
    """TokensSnapshot."""
    exchange_changed = Signal(object)
    """ExchangeSnapshot."""
    settings_changed = Signal(object)
    """Settings."""
    store_changed = Signal()
    """Something was signed, sent, received."""
    drafts_changed = Signal()
    """The documents that wait to be signed are others than before."""
    today_changed = Signal(object)
    """TodaySnapshot."""
    inbox_changed = Signal()
    """Documents came by the inbox folder, or could not; `take_inbox` gives them."""
    levels_changed = Signal()
    """Timestamps or validation data were made up for, or were tried in vain."""

    def __init__(self, desk: Desk, tasks: Tasks, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._tasks = tasks
        self.settings = settings
        self.tokens = TokensSnapshot()
        self.exchange = ExchangeSnapshot()
        self.today: TodaySnapshot | None = None
        self._token_look: Handle | None = None
        self.changing_pin = False
        """Set while a token changes its PIN: closing the window waits for that."""
        self._today_look: Handle | None = None
        self._today_wanted = False
        self._pass: Handle | None = None
        self._pass_wanted: Push | None = None
        self._inbox_look: Handle | None = None
        self._inbox: list[InboxLook] = []
        self._inbox_timer = self._timer(self.look_into_inbox)
        self._token_timer = self._timer(self._look_at_tokens)
        self._store_timer = self._timer(self.poke_store)
        self._sync_timer = self._timer(self._next_pass)
        self._sync_timer.setSingleShot(True)
        self.backups = Backups(desk, tasks, lambda: self.settings, self)
        self.updates = Updates(desk, tasks, lambda: self.settings, self)
        self.quiet = QuietWork(
            tasks,
            lambda cancelled, wanted: desk.levels.run(_untold, cancelled, wanted=wanted),
            self._may_work_quietly,
            self,
            others=(self.backups.begin_if_due, self.updates.begin_if_due),
        )
        self.quiet.raised.connect(self.poke_store)
        self.quiet.ran.connect(self.levels_changed)
        self.store_changed.connect(self._look_today)
        self.drafts_changed.connect(self._look_today)
        self.store_changed.connect(self.backups.store_changed)

    def start(self) -> None:
        """Begins to look; called once, after the first paint."""
        self.poke_tokens()
        self._look_today()
        self._next_pass()
        self._token_timer.start(TOKENS_EVERY_MS)
        self._store_timer.start(STORE_EVERY_MS)
        self._inbox_timer.start(INBOX_EVERY_MS)
        self.quiet.start()
        self.backups.start()
        self.updates.start()

    def stop(self) -> None:
        """Asks nobody any more."""
        for work in (self.quiet, self.backups, self.updates):
            work.stop()
        for timer in (self._token_timer, self._store_timer, self._inbox_timer, self._sync_timer):
            timer.stop()

    def poke_tokens(self) -> None:
        """Looks at the tokens now and afresh, unless a look is under way."""
        self._look_at_tokens(fresh=True)

    def _look_at_tokens(self, *, fresh: bool = False) -> None:
        if self._token_look is None or not self._token_look.running:
            desk = self._desk
            self._token_look = self._tasks.run(
                self, Lane.TOKEN, lambda _control: desk.tokens(fresh=fresh), self._tokens_seen
            )

    def look_into_inbox(self) -> None:
        """Looks whether documents came by the inbox folder, where one is set and nobody types."""
        looking = self._inbox_look is not None and self._inbox_look.running
        if self.settings.inbox_folder is None or looking or _is_typing():
            return
        desk = self._desk
        self._inbox_look = self._tasks.run(
            self,
            Lane.DOCUMENTS,
            lambda control: desk.inbox_folder.look(lambda: control.cancelled),
            self._inbox_seen,
            failed=self._inbox_failed,
        )

    def take_inbox(self) -> "tuple[InboxLook, ...]":
        """What came by the inbox folder since this was asked last; whoever asks tells it."""
        came, self._inbox = tuple(self._inbox), []
        if came:
            self.inbox_changed.emit()
        return came

    @property
    def inbox(self) -> "tuple[InboxLook, ...]":
        """What nobody has taken yet."""
        return tuple(self._inbox)

    def _inbox_failed(self, error: KnownError) -> None:
        from signer_app.desk.inbox_folder import InboxLook

        self._inbox_seen(InboxLook(fault=error))

    def _inbox_seen(self, look: "InboxLook") -> None:
        if look.added or look.refused or look.fault is not None:
            self._inbox.append(look)
            self.inbox_changed.emit()
        if look.added:
            self.poke_drafts()

    def poke_store(self) -> None:
        """Says that the store may have changed."""
        self.store_changed.emit()

    def poke_drafts(self) -> None:
        """Says that the documents waiting to be signed may have changed."""
        self.drafts_changed.emit()

    def sync_now(self) -> None:
        """Sends what waits, now; after the pass that runs, if one does."""
        self._want_pass(Push.NOW)

    def send_now(self) -> None:
        """A person asks for sending (Gửi ngay): what was stopped until someone mends its cause is tried again too."""
        self._want_pass(Push.ASKED)

    def keep_settings(self, change: Callable[[Settings], Settings]) -> None:
        """Keeps `change` of the settings and tells everybody."""
        self._tasks.run(self, Lane.QUICK, lambda _control: self._desk.change_settings(change), self.settings_kept)

    def settings_kept(self, settings: Settings) -> None:
        """Tells everybody that the settings on disk are these now."""
        self.settings = settings
        self.settings_changed.emit(settings)
        self.quiet.hurry()
        self.poke_tokens()
        self.sync_now()

    def _may_work_quietly(self) -> bool:
        """Whether documents could be raised now: a timestamp server is set, the network seems to be there, and no PIN
        is being changed. A batch that is being signed keeps a lane busy, and the work itself yields to it.
        """
        return bool(self.settings.tsa_url) and not self.changing_pin and network_is_there(self.exchange.link)

    def _timer(self, call: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.timeout.connect(call)
        return timer

    def _tokens_seen(self, snapshot: TokensSnapshot) -> None:
        if not _same_tokens(snapshot, self.tokens):
            self.tokens = snapshot
            self.tokens_changed.emit(snapshot)

    def _look_today(self) -> None:
        if self._today_look is not None and self._today_look.running:
            self._today_wanted = True
            return
        self._today_look = self._tasks.run(self, Lane.QUICK, lambda _control: self._desk.today(), self._today_seen)

    def _today_seen(self, snapshot: TodaySnapshot) -> None:
        if snapshot != self.today:
            self.today = snapshot
            self.today_changed.emit(snapshot)
        if self._today_wanted:
            self._today_wanted = False
            self._look_today()

    def _next_pass(self) -> None:
        if self._pass is None or not self._pass.running:
            self._begin_pass(Push.DUE)

    def _want_pass(self, push: Push) -> None:
        if self._pass is None or not self._pass.running:
            self._begin_pass(push)
        elif self._pass_wanted is not Push.ASKED:
            self._pass_wanted = push

    def _begin_pass(self, push: Push) -> None:
        self._sync_timer.stop()
        self._pass = self._tasks.run(
            self,
            Lane.NETWORK,
            lambda control: self._desk.exchange.run(push, cancelled=lambda: control.cancelled),
            self._pass_ended,
            failed=self._pass_failed,
        )

    def _pass_ended(self, snapshot: ExchangeSnapshot) -> None:
        moved = snapshot.sent or snapshot.received or snapshot.secret
        self.exchange = snapshot
        self.exchange_changed.emit(snapshot)
        if moved:
            self.poke_store()
        if snapshot.numbered:
            self.poke_drafts()
        wanted, self._pass_wanted = self._pass_wanted, None
        if wanted is not None:
            self._begin_pass(wanted)
        else:
            self._sync_timer.start(round(snapshot.next_in_s * 1000))

    def _pass_failed(self, error: KnownError) -> None:
        self._pass_wanted = None
        self._sync_timer.start(STORE_EVERY_MS)
        if error.code != "interrupted":
            self._tasks.unhandled.emit(error)


def _is_typing() -> bool:
    """Whether a cell is being edited, or a question waits for its answer: new rows would come in between."""
    if QApplication.activeModalWidget() is not None:
        return True
    focus = QApplication.focusWidget()
    place = focus.parentWidget() if focus is not None else None
    return place is not None and isinstance(place.parentWidget(), QAbstractItemView)


def _untold(_key: str, _done: int, _total: int) -> None:
    """Progress of what nobody waits for."""


def _same_tokens(one: TokensSnapshot, other: TokensSnapshot) -> bool:
    """Errors compare by identity, so their codes stand for them."""
    return (one.tokens, one.looked, [f.code for f in one.faults]) == (
        other.tokens,
        other.looked,
        [f.code for f in other.faults],
    )
