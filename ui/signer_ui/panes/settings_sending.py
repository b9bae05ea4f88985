"""The section "Gửi, ngày làm việc" of the settings: how long a document is held, and which days are worked.

UI thread.
"""

from collections.abc import Sequence

from PySide6.QtWidgets import QCheckBox, QWidget

from signer_app.store.settings import Settings
from signer_ui.panes.settings_form import FormField, Section, card
from signer_ui.presenters.settings import Change, Field, Problem
from signer_ui.presenters.settings_sending import MOST_MINUTES, SendingForm, shipped_years, unknown_year
from signer_ui.shell import Shell
from signer_ui.widgets.basics import label
from signer_ui.widgets.flow import Flow
from signer_ui.widgets.inputs import WholeNumber
from signer_ui.widgets.rows_editor import RowsEditor, RowWords


class SendingSection(Section[SendingForm]):
    """The hold before sending, and the working calendar of the administrator."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, theme = shell.words, shell.theme
        self.minutes = WholeNumber(theme)
        self.minutes.setRange(0, MOST_MINUTES)
        self.minutes.setSuffix(" " + words("un_hold_minutes"))
        self.minutes.setSpecialValueText(words("un_hold_none"))
        self.minutes.setFixedWidth(theme.space(44))
        self.minutes.valueChanged.connect(lambda _value: self.touched())
        self.weekdays = tuple(QCheckBox(words(f"un_weekday_{day}")) for day in range(7))
        for box in self.weekdays:
            box.toggled.connect(lambda _on: self.touched())
        self.week = FormField(words("un_weekdays"), Flow(self.weekdays, theme.space(4)), theme)
        self.off = self._days("un_days_off")
        self.worked = self._days("un_days_worked")
        first, last = shipped_years()
        hint = label(words("un_days_hint", first=first, last=last), "muted", wrap=True)
        year = unknown_year(shell.desk.now().date())
        unknown = [label(words("un_days_unknown", year=year), "warn", wrap=True)] if year is not None else []
        hold = FormField(words("un_hold"), self.minutes, theme, words("un_hold_hint"))
        self.frame_up(
            card(theme, words("un_hold_title"), hold),
            card(theme, words("un_days_title"), hint, *unknown, self.week, self.off, self.worked),
        )

    def _days(self, title: str) -> FormField:
        """A list of days with their reasons, by the key of its title."""
        words, theme = self.shell.words, self.shell.theme
        day = (words("un_day"), words("un_day_example"), 1)
        reason = (words("un_day_reason"), words("un_day_reason_example"), 3)
        editor = RowsEditor(theme, RowWords((day, reason), words("un_day_add"), words("ue_driver_remove")))
        editor.changed.connect(self.touched)
        return FormField(words(title), editor, theme)

    def form(self) -> SendingForm:
        """As typed."""
        return SendingForm(
            self.minutes.value(),
            _rows(self.off).value,
            _rows(self.worked).value,
            tuple(day for day, box in enumerate(self.weekdays) if box.isChecked()),
        )

    def fill(self, settings: Settings) -> SendingForm:
        """As set."""
        form = SendingForm.of(settings)
        self.minutes.setValue(form.hold_minutes)
        for day, box in enumerate(self.weekdays):
            box.setChecked(day in form.weekdays)
        _rows(self.off).set_value(form.off)
        _rows(self.worked).set_value(form.worked)
        return form

    def problems(self, form: SendingForm) -> Sequence[Problem]:
        """A day that can't be read, a week without work."""
        return form.problems()

    def change(self, form: SendingForm) -> Change:
        """These alone."""
        return form.change()

    def field(self, problem: Problem) -> FormField:
        """Where it was typed."""
        return {Field.WEEKDAYS: self.week, Field.DAYS_OFF: self.off}.get(problem.field, self.worked)

    def fields(self) -> Sequence[FormField]:
        """All that can be wrong."""
        return (self.week, self.off, self.worked)


def _rows(field: FormField) -> RowsEditor:
    editor: QWidget = field.editor
    assert isinstance(editor, RowsEditor)
    return editor
