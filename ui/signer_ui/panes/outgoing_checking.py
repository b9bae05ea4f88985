"""What goes on behind the grid: which certificate signs, and the examination of every row that changed.

UI thread; the work is done on the lanes of tokens and documents. A part of the documents at a time is examined, the one
in view first; what is changed meanwhile cuts it short. Never signs, changes no draft.
"""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Signal

from signer_app.outgoing.model import Examined, State
from signer_resources.errors import KnownError
from signer_ui.panes import outgoing_work as work
from signer_ui.presenters import outgoing_signing as says
from signer_ui.presenters.outgoing import Line
from signer_ui.shell import Shell
from signer_ui.tasks import Handle, Lane, Progress
from signer_ui.widgets.progress import ProgressLine

_AT_ONCE = 500
"""So many rows are gone through on the UI thread: a millisecond or two."""


class Checking(QObject):
    """Keeps every row examined as it is, with the certificate that will sign it."""

    chosen_changed = Signal()
    """Other certificates sign than before."""
    examined = Signal(object)
    """Some rows are (Examined); without any, all are to be read anew."""
    ended = Signal()
    """All that there was to be examined was."""
    failed = Signal(object)
    """KnownError; nothing more is examined until something new gives a reason to."""

    def __init__(self, shell: Shell, line: ProgressLine, parent: QObject) -> None:
        super().__init__(parent)
        self._shell = shell
        self._line = line
        self.chosen = work.Chosen()
        self.wanted: str | None = None
        """SHA-256 of the certificate that the person has named."""
        self._lines: Mapping[str, Line] = {}
        self._first: str | None = None
        self._asked: dict[str, says.Question] = {}
        self._choosing: Handle | None = None
        self._choose_again = False
        self._examining: Handle | None = None
        self._finding: Handle | None = None
        self._find_again = False
        self._round: set[str] = set()
        """Rows that this round has to do with, examined already or not."""
        self._left = 0
        """So many of them were not examined when the last few were begun with."""
        self._cut = False
        """Whether those in hand were cut short, for something else is wanted first."""
        self._halted = False
        shell.hub.tokens_changed.connect(self._other_tokens)
        shell.hub.settings_changed.connect(self._begin_anew)

    # ---- certificates ----------------------------------------------------------------------------------------------

    def name(self, certificate: str | None) -> None:
        """The person wants this certificate to sign, or leaves it to the program again."""
        self.wanted = certificate
        self.choose()

    def choose(self) -> None:
        """Finds out which certificate signs; while that is under way, once more afterwards."""
        if self._choosing is not None and self._choosing.running:
            self._choose_again = True
            return
        self._choose_again = False
        desk, wanted = self._shell.desk, self.wanted
        self._choosing = self._shell.tasks.run(
            self, Lane.TOKEN, lambda _control: work.choose_certificates(desk, wanted), self._chosen
        )

    def _chosen(self, chosen: work.Chosen) -> None:
        if self._choose_again:
            self.choose()
        self.chosen = chosen
        self._halted = False
        self.chosen_changed.emit()
        self._next()

    def _other_tokens(self, _tokens: object) -> None:
        self.choose()

    def _begin_anew(self, _settings: object) -> None:
        """Other settings may mean other rules for what is asked already."""
        self._asked = {}
        self.choose()

    # ---- examining -------------------------------------------------------------------------------------------------

    def look(self, lines: Mapping[str, Line], first: str | None) -> None:
        """Examines what of `lines` was not, as it is now; `first` before the others."""
        self._lines, self._first = lines, first
        # With ten thousand rows a loop in Python over all of them would be felt at each news. Never changed in place:
        # another thread may be reading it.
        if not self._asked.keys() <= lines.keys():
            self._asked = {key: asked for key, asked in self._asked.items() if key in lines}
        self._next()

    def go_on(self) -> None:
        """There is a new reason to examine: something was changed, or it had been stopped or had failed."""
        self._halted = False
        if self._examining is not None and self._examining.running and not self._cut:
            # What a person changes needn't wait for the many that are in hand.
            self._cut = True
            self._examining.cancel()
        self._next()

    def hold(self) -> None:
        """Stops after the document in hand, until `go_on`."""
        self._halted = True
        if self._examining is not None:
            self._examining.cancel()

    @property
    def held(self) -> bool:
        """Whether something waits to be examined and nobody goes on."""
        return self._halted and bool(self._find()().pending)

    def _find(self) -> Callable[[], says.Part]:
        """Finds what is to be examined of the rows as they are now; may be called on any thread."""
        lines, asked, names = self._lines, self._asked, self.chosen.names
        today, first = self._shell.desk.now().date(), self._first
        return lambda: says.to_examine(tuple(lines.values()), asked, names, today, first)

    def _tell_progress(self, pending: tuple[str, ...]) -> None:
        self._round.update(pending)
        self._left = len(pending)
        self._line.tell(Progress("uo_examining", len(self._round) - self._left, len(self._round)))

    def _next(self) -> None:
        """Looks for what is to be examined now, elsewhere where there are many rows."""
        if len(self._lines) <= _AT_ONCE:
            self._begin(self._find()())
        elif self._finding is not None and self._finding.running:
            self._find_again = True
        else:
            self._find_again = False
            find = self._find()
            self._finding = self._shell.tasks.run(self, Lane.QUICK, lambda _control: find(), self._found)

    def _found(self, part: says.Part) -> None:
        if self._find_again:
            self._finding = None
            self._next()
        else:
            self._begin(part)

    def _begin(self, part: says.Part) -> None:
        if self._examining is not None and self._examining.running:
            # Others may have come while some are examined.
            self._tell_progress(part.pending)
            return
        # A row may have gone while they were looked for.
        asked = {key: wanted for key, wanted in part.questions.items() if key in self._lines}
        if part.questions and not asked:
            self._next()
            return
        if not asked or part.profile is None or self._halted:
            self._line.end()
            if self._round:
                self._round.clear()
                self.ended.emit()
            return
        ids, certificate = list(asked), self.chosen.certificates.get(part.profile)
        if not self._round:
            self._line.begin("uo_examining", self.hold)
        self._tell_progress(part.pending)
        self._cut = False
        outgoing = self._shell.desk.outgoing
        self._examining = self._shell.tasks.run(
            self,
            Lane.DOCUMENTS,
            lambda control: outgoing.examine(ids, certificate, control.progress, lambda: control.cancelled),
            lambda examined: self._examined(examined, asked),
            failed=self._failed,
            progress=self._one_more,
        )

    def _one_more(self, progress: Progress) -> None:
        """How far those in hand are, told as so many of the whole round."""
        before = len(self._round) - self._left
        self._line.tell(Progress("uo_examining", before + progress.done, len(self._round)))

    def _examined(self, examined: Examined, asked: dict[str, says.Question]) -> None:
        if self._cut:
            reached = {row.draft.id for row in examined.rows if row.state is not State.CHECKING}
            asked = {key: question for key, question in asked.items() if key in reached}
        if not self._halted:
            self._asked = self._asked | asked
        # The rows are shown as they stand now upon this, and looked at again.
        self.examined.emit(examined)

    def _failed(self, error: KnownError) -> None:
        if error.code == "interrupted" and self._cut:
            self.examined.emit(Examined(()))
            return
        self._halted = True
        self._line.end()
        self._round.clear()
        if error.code != "interrupted":
            self.failed.emit(error)
        self.examined.emit(Examined(()))
