"""The section "Dấu thời gian": the servers in the order in which they are asked, and what documents get afterwards.

UI thread; a server is tried elsewhere, with the address as it is typed.
"""

from collections.abc import Sequence
from functools import partial

from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from signer_app.desk.setup import PUBLIC_TSA, TriedServer
from signer_app.store.settings import Settings
from signer_resources.errors import KnownError
from signer_ui.panes.settings_form import FormField, Section, card, clear, line_edit
from signer_ui.presenters.settings import Change, Problem
from signer_ui.presenters.settings_timestamps import LEVELS, ServerRow, TimestampForm
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, frame, label, repolish, row
from signer_ui.widgets.flow import Flow
from signer_ui.widgets.inputs import Choice, WholeNumber

_MOST = 9
_LONGEST_S = 180
_LARGEST_QUOTA = 1_000_000


class TimestampSection(Section[TimestampForm]):
    """The timestamp servers, and the level that kept documents are raised to."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, space = shell.words, shell.theme.space
        self._form = TimestampForm()
        self.rows: list[ServerCard] = []
        content = QWidget()
        self._lines = QVBoxLayout(content)
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setSpacing(space(2))
        self.add = button(words("ub_tsa_add"), self._add)
        adding = QWidget()
        adding.setLayout(row(self.add, 1))
        self.level = Choice(shell.theme)
        for _level, key in LEVELS:
            self.level.addItem(words(key))
        self.level.currentIndexChanged.connect(lambda _index: self._level_chosen())
        self.kept = FormField(words("ub_level"), self.level, shell.theme, words("ub_level_hint"))
        self.frame_up(
            card(
                shell.theme,
                words("ue_tsa_title"),
                label(words("ub_tsa_hint"), "muted", wrap=True),
                content,
                adding,
            ),
            card(shell.theme, words("ub_level_title"), self.kept),
        )

    def form(self) -> TimestampForm:
        """As typed."""
        return self._form

    def fill(self, settings: Settings) -> TimestampForm:
        """As set."""
        self._form = TimestampForm.of(settings)
        self.level.setCurrentIndex([level for level, _key in LEVELS].index(self._form.level))
        self._show()
        return self._form

    def problems(self, form: TimestampForm) -> Sequence[Problem]:
        """An address that can't be asked."""
        return form.problems()

    def change(self, form: TimestampForm) -> Change:
        """These servers, or none."""
        return form.change()

    def field(self, problem: Problem) -> FormField:
        """The address of that server."""
        return self.rows[problem.item].url

    def fields(self) -> Sequence[FormField]:
        """The addresses."""
        return [one.url for one in self.rows]

    def _show(self) -> None:
        words = self.shell.words
        clear(self._lines)
        servers = self._form.servers
        self.rows = [ServerCard(self, number, server, len(servers)) for number, server in enumerate(servers)]
        for one in self.rows:
            self._lines.addWidget(one)
        if not servers:
            self._lines.addWidget(label(words("ub_tsa_none"), "muted", wrap=True))
        self.add.setEnabled(len(servers) < _MOST)
        # Without a server nothing is added afterwards, whatever is chosen.
        self.kept.setEnabled(bool(servers))

    def _set(self, form: TimestampForm) -> None:
        self._form = form
        self._show()
        self.touched()

    def typed(self, number: int, server: ServerRow) -> None:
        """Something else stands in a row."""
        self._form = self._form.with_row(number, server)
        self.touched()

    def reorder(self, number: int, by: int) -> None:
        """A server is asked earlier or later."""
        self._set(self._form.moved(number, by))
        moved = self.rows[number + by]
        wanted = moved.up if by < 0 else moved.down
        (moved.url.line if wanted.isHidden() else wanted).setFocus()

    def drop(self, number: int) -> None:
        """A server is asked no more."""
        self._set(self._form.without(number))
        self.add.setFocus()

    def _add(self) -> None:
        known = {server.url for server in self._form.servers}
        self._set(self._form.with_new("" if PUBLIC_TSA in known else PUBLIC_TSA))
        self.rows[-1].url.line.setFocus()

    def _level_chosen(self) -> None:
        self._form = TimestampForm(self._form.servers, LEVELS[self.level.currentIndex()][0])
        self.touched()


class ServerCard(QFrame):
    """One server: its address, its limits, and what can be done with it."""

    def __init__(self, section: TimestampSection, number: int, server: ServerRow, of: int) -> None:
        super().__init__()
        self._section = section
        self._number = number
        self._base = server
        shell = section.shell
        words, theme = shell.words, shell.theme
        place = number + 1
        title = words("ub_tsa_first") if not number else words("ub_tsa_next", number=place)
        self.url = FormField(title, line_edit(self._typed, PUBLIC_TSA), theme)
        self.limit = self._number_field("ub_tsa_limit", 1, _LONGEST_S, server.limit_s, words("ue_seconds"))
        self.per_minute = self._number_field("ub_tsa_per_minute", 0, _LARGEST_QUOTA, server.per_minute)
        self.per_day = self._number_field("ub_tsa_per_day", 0, _LARGEST_QUOTA, server.per_day)
        self.try_it = button(words("ub_tsa_try"), self._try)
        self.up = button(words("ub_tsa_up"), partial(section.reorder, number, -1), "quiet")
        self.down = button(words("ub_tsa_down"), partial(section.reorder, number, 1), "quiet")
        self.remove = button(words("ue_driver_remove"), partial(section.drop, number), "quiet")
        self.up.setVisible(number > 0)
        self.down.setVisible(number < of - 1)
        for act in (self.try_it, self.up, self.down, self.remove):
            act.setAccessibleName(words("ub_tsa_act", act=act.text().replace("&", ""), number=place))
        self.told = label(role="muted", wrap=True)
        self.told.hide()
        self._build()
        self.url.line.blockSignals(True)
        self.url.line.setText(server.url)
        self.url.line.blockSignals(False)

    def _build(self) -> None:
        space = self._section.shell.theme.space
        limits = Flow((self.limit, self.per_minute, self.per_day), space(4))
        acts = QWidget()
        acts.setLayout(row(self.try_it, self.up, self.down, self.remove, 1, spacing=space(2)))
        rule = frame("line")
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(space(2))
        for part in (self.url, limits, acts, self.told, rule):
            lines.addWidget(part)

    def _number_field(self, key: str, least: int, most: int, value: int, unit: str = "") -> FormField:
        words, theme = self._section.shell.words, self._section.shell.theme
        box = WholeNumber(theme)
        box.setRange(least, most)
        if unit:
            box.setSuffix(" " + unit)
        else:
            box.setSpecialValueText(words("ub_tsa_unlimited"))
        box.setValue(value)
        box.setFixedWidth(theme.space(44))
        box.valueChanged.connect(lambda _value: self._typed())
        return FormField(words(key), box, theme)

    @property
    def server(self) -> ServerRow:
        """As typed."""
        limit, per_minute, per_day = (_value(field) for field in (self.limit, self.per_minute, self.per_day))
        return ServerRow(self.url.line.text(), limit, per_minute, per_day, self._base.base)

    def _typed(self) -> None:
        self.url.complain(None)
        self._section.typed(self._number, self.server)

    def _try(self) -> None:
        setup, server = self._section.setup, self.server.server()
        self.try_it.setEnabled(False)
        self._tell("ub_tsa_trying", "muted")
        self._section.shell.tasks.run(
            self, Lane.NETWORK, lambda _control: setup.try_timestamp(server), self._tried, failed=self._not_tried
        )

    def _tried(self, tried: TriedServer) -> None:
        self.try_it.setEnabled(True)
        key = "ub_tsa_good" if tried.trusted else "ub_tsa_untrusted"
        self._tell(key, "good" if tried.trusted else "warn", ms=tried.ms)

    def _not_tried(self, error: KnownError) -> None:
        self.try_it.setEnabled(True)
        self._tell_text(error.explain(self._section.shell.words.lang).what, "warn")

    def _tell(self, key: str, role: str, **values: object) -> None:
        self._tell_text(self._section.shell.words(key, **values), role)

    def _tell_text(self, text: str, role: str) -> None:
        repolish(self.told, "role", role)
        self.told.setText(text)
        self.told.show()


def _value(field: FormField) -> int:
    assert isinstance(field.editor, WholeNumber)
    return field.editor.value()
