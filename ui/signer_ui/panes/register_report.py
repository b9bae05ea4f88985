"""The report on a period: from when to when, the figures with what they count, and files of it.

UI thread; counts and writes on a lane. What is saved is what was shown.
"""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHeaderView,
    QLineEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from signer_app.registers.period import PeriodReport
from signer_app.registers.period_writing import Figure, figures, notes
from signer_resources.errors import KnownError
from signer_ui.panes.register_acts import Place, ask_target
from signer_ui.panes.register_bar import WideLine
from signer_ui.presenters.figures import count, day
from signer_ui.presenters.register_forms import Days, Period, days_of, typed_days
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.flow import Flow
from signer_ui.widgets.inputs import Choice
from signer_ui.widgets.notice import Notice
from signer_ui.widgets.progress import ProgressLine

_WIDTH, _HEIGHT = 240, 140
"""Units of spacing."""


@dataclass(frozen=True)
class _Counted:
    report: PeriodReport
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]


class PeriodDialog(QDialog):
    """See the module; of one body, or of all."""

    def __init__(self, place: Place, body: str | None, parent: QWidget) -> None:
        super().__init__(parent)
        self._place = place
        shell = self._shell = place.shell
        words, theme = shell.words, shell.theme
        self._body = body
        self._counted: _Counted | None = None
        self.setModal(True)
        self.setWindowTitle(words("period_title"))
        self.setAccessibleName(words("period_title"))
        self.notice = Notice(words, theme)
        self.progress = ProgressLine(words, theme)
        self.period = Choice(theme)
        self.period.setAccessibleName(words("ur_period"))
        for period, key in (
            (Period.WEEK, "ur_period_week"),
            (Period.MONTH, "ur_period_month"),
            (Period.LAST_MONTH, "ur_period_last_month"),
            (Period.QUARTER, "ur_period_quarter"),
            (Period.YEAR, "ur_period_year"),
        ):
            self.period.addItem(words(key), period)
        self.period.setCurrentIndex(1)
        self.period.activated.connect(lambda _at: self._fill())
        self.first, self.last = self._field("ur_from"), self._field("ur_to")
        self.count = button(words("ur_count"), self.look)
        self.pdf = button(words("ur_report_pdf"), lambda: self._save(".pdf"))
        self.xlsx = button(words("ur_report_xlsx"), lambda: self._save(".xlsx"))
        close = button(words("ur_close"), self.reject)
        for one in (self.pdf, self.xlsx, close):
            one.setAutoDefault(False)
        self.count.setDefault(True)
        self.table = self._table()
        self._notes = label(role="muted", wrap=True)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(*[theme.space(4)] * 4)
        lines.setSpacing(theme.space(2))
        parts = (self.period, self._named("ur_from", self.first), self._named("ur_to", self.last), self.count)
        lines.addWidget(Flow(parts, theme.space(2)))
        lines.addWidget(self.notice)
        lines.addWidget(self.progress)
        lines.addWidget(self.table, 1)
        lines.addWidget(self._notes)
        lines.addWidget(Flow((self.pdf, self.xlsx, close), theme.space(2)))
        room = parent.window().size()
        self.resize(min(theme.space(_WIDTH), room.width()), min(theme.space(_HEIGHT), room.height()))
        self.table.setColumnWidth(0, min(theme.space(72), self.width() // 3))
        self._fill()

    def _field(self, key: str) -> QLineEdit:
        words, theme = self._shell.words, self._shell.theme
        field = WideLine(theme.space(30))
        field.setAccessibleName(words(key))
        field.setPlaceholderText(words("ur_date_example"))
        field.textEdited.connect(lambda _text: self._forget())
        return field

    def _named(self, key: str, field: QLineEdit) -> QWidget:
        """The field with its name before it, always on one line."""
        made = QWidget()
        made.setLayout(row(label(self._shell.words(key)), field, spacing=self._shell.theme.space(2)))
        return made

    def _table(self) -> QTableWidget:
        words, theme = self._shell.words, self._shell.theme
        table = QTableWidget(0, 3)
        table.setAccessibleName(words("period_title"))
        table.setHorizontalHeaderLabels([words("period_figure"), words("period_count"), words("period_definition")])
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setTabKeyNavigation(False)
        table.setWordWrap(True)
        table.setShowGrid(False)
        table.setAlternatingRowColors(True)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        heads = table.horizontalHeader()
        heads.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        heads.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        heads.setSectionResizeMode(1, QHeaderView.ResizeMode.Interactive)
        heads.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        table.setColumnWidth(1, theme.space(26))
        return table

    def _fill(self) -> None:
        """The days of the period that was chosen, and their figures."""
        days = days_of(self.period.currentData(), self._shell.desk.now().date())
        self.first.setText(day(days.first))
        self.last.setText(day(days.last))
        self.look()

    def _forget(self) -> None:
        """Figures of other days than those that stand there would be wrong."""
        self._counted = None
        self.table.setRowCount(0)
        self._notes.clear()
        self._enable()

    def look(self) -> None:
        """Counts."""
        days = typed_days(self.first.text(), self.last.text())
        if days is None:
            self._forget()
            self.notice.tell(self._shell.words("ur_days_wrong"), role="notice-bad")
            return
        self.notice.clear()
        self._forget()
        desk, body, lang = self._shell.desk, self._body, self._shell.words.lang
        self.progress.begin("ur_counting", None)

        def counted() -> _Counted:
            report = desk.register_books.report(days.first, days.last, body)
            return _Counted(report, figures(report, lang), notes(report, lang))

        self._shell.tasks.run(
            self, Lane.DOCUMENTS, lambda _control: counted(), lambda found: self._came(days, found), failed=self._failed
        )

    def _came(self, days: Days, counted: _Counted) -> None:
        self.progress.end()
        if typed_days(self.first.text(), self.last.text()) != days:
            return
        self._counted = counted
        words = self._shell.words
        self.table.setRowCount(len(counted.figures))
        for at, figure in enumerate(counted.figures):
            number = QTableWidgetItem(count(figure.count, words))
            number.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            for column, item in enumerate((QTableWidgetItem(figure.what), number, QTableWidgetItem(figure.definition))):
                self.table.setItem(at, column, item)
        self._notes.setText(" ".join(counted.notes))
        self._enable()

    def _failed(self, error: KnownError) -> None:
        self.progress.end()
        self._enable()
        if error.code != "interrupted":
            self.notice.error(error)

    def _enable(self) -> None:
        for one in (self.pdf, self.xlsx):
            one.setEnabled(self._counted is not None)

    def _save(self, ending: str) -> None:
        counted, words, desk = self._counted, self._shell.words, self._shell.desk
        if counted is None:
            return
        report = counted.report
        days = f"{report.first:%d-%m-%Y} {report.last:%d-%m-%Y}"
        name = words("ur_report_name", days=days) + ending
        target = ask_target(self, words("ur_report_save"), name, ending, words("ur_file_kind", ending=ending))
        if target is None:
            return

        def written(_none: None) -> None:
            self.progress.end()
            self.notice.tell(words("period_written", file=str(target)))
            self._enable()
            if ending == ".pdf":
                # To be looked at and printed.
                self._place.opener(target)

        for one in (self.pdf, self.xlsx):
            one.setEnabled(False)
        self.progress.begin("ur_exporting", None)
        self._shell.tasks.run(
            self,
            Lane.DOCUMENTS,
            lambda _control: desk.register_books.write_report(report, target, words.lang),
            written,
            failed=self._failed,
        )
