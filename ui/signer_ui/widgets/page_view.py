"""The page widget: pages of one document, small pages at the side, zoom, and what a plan will draw where.

UI thread; pictures come from a worker by way of the lane for pages. A mark that may be moved is moved here, and the
owner of the plan is told its new place, examines the file again and hands in the new plan. Never signs, never plans.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIcon, QIntValidator, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from signer_app.pages import Margins, Pages
from signer_app.pdf.plan import Mark, Placement, SigningPlan
from signer_resources.errors import KnownError
from signer_ui.presenters.figures import count
from signer_ui.presenters.frames import Frame
from signer_ui.presenters.pages import Marks, Spot
from signer_ui.tasks import Lane, Tasks
from signer_ui.theme import Theme
from signer_ui.widgets.page_canvas import PageCanvas
from signer_ui.widgets.page_frames import PageFrames
from signer_ui.widgets.page_icons import fit_page_icon, fit_width_icon, larger_icon, smaller_icon, thumbnails_icon
from signer_ui.widgets.page_layout import Fit
from signer_ui.widgets.page_pictures import Pictures, Wishes
from signer_ui.widgets.page_thumbnails import PageThumbnails
from signer_ui.words import Words


class PageView(QWidget):
    """Shows one document at a time."""

    moved = Signal(object)
    """The person moved the mark: a PlaceOption (mm, page from 1), or None for the rule's own place again."""
    confirmed = Signal(object)
    """The person says that a doubtful place is right: a PlaceOption."""

    def __init__(self, tasks: Tasks, pages: Pages, words: Words, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks, self._pages, self._words, self._theme = tasks, pages, words, theme
        self._started = False
        self._pictures = Pictures(tasks, pages, self._wishes, self)
        self._marks = Marks(self._pictures.size)
        self._canvas = PageCanvas(self._pictures, self._marks, words, theme, self)
        self._frames = PageFrames(self._canvas)
        self._thumbnails = PageThumbnails(self._pictures, words, theme, self)
        self._says = QLabel(self)
        self._says.setProperty("role", "muted")
        # Not its name: a screen reader would tell that in place of the text.
        self._says.setAccessibleDescription(words("page_says"))
        self._says.setWordWrap(True)
        self._says.setContentsMargins(theme.space(2), 0, theme.space(2), theme.space(1))
        self._doubt = self._doubt_line()
        self._bar = self._tool_bar()
        self._lay_out()
        self._connect()
        self.clear()

    # --- what the owner calls ----------------------------------------------------------------------------------------

    def show_file(
        self,
        path: Path,
        plan: SigningPlan | None = None,
        images: Mapping[str, bytes] | None = None,
        rule_places: Sequence[Placement] = (),
        *,
        stay: bool = False,
    ) -> None:
        """Shows the file at `path` (a blob, or a file that was screened) from its first page on.

        `stay`: it has the same pages as what was shown, and what is in view stays in view.

        `images` are the pictures that the plan names by their hash (PNG); `rule_places` are the placements of
        the plan without a place by hand, so that a mark finds back.
        """
        self._frames.put(())
        self._marks.forget()
        self._marks.show(plan, rule_places)
        self._pictures.open(path, dict(images or {}))
        self._canvas.show_document(stay=stay)
        self._thumbnails.refresh()
        self._page_changed(0)
        self._bar.setEnabled(True)
        self._tell()

    def set_plan(self, plan: SigningPlan | None, images: Mapping[str, bytes] | None = None) -> None:
        """Another plan for the file that is shown; the view stays where it is."""
        self._marks.show(plan)
        if images is not None:
            self._pictures.use(dict(images))
        self._canvas.viewport().update()
        self._pictures.poke()
        self._tell()

    def clear(self) -> None:
        """Shows nothing."""
        self._frames.put(())
        self._marks.forget()
        self._pictures.close()
        self._canvas.show_document()
        self._thumbnails.refresh()
        self._page_changed(0)
        self._bar.setEnabled(False)
        self._tell()

    def set_frames(self, frames: Sequence[Frame]) -> None:
        """Outlines these places of the file that is shown, until another one is."""
        self._frames.put(frames)

    def choose_frames(self, spots: Sequence[Spot]) -> None:
        """Makes the frames at these places stand out; the first comes into view, now or when its page is known."""
        self._frames.choose(spots)

    def go_to(self, page: int) -> None:
        """Shows the top of a page (from 0), if it is known."""
        self._canvas.go_to(page)

    def reveal_mark(self) -> None:
        """Scrolls to the mark that can be moved and selects it."""
        index = self._marks.movable_index
        if index is not None:
            self._marks.selected = index
            self._canvas.reveal(self._marks.spot(index))
            self._canvas.setFocus()
            self._tell()

    def show_thumbnails(self, shown: bool) -> None:
        """Shows or hides the small pages."""
        self._thumbnails_button.setChecked(shown)

    # --- parts -------------------------------------------------------------------------------------------------------

    def _tool_bar(self) -> QWidget:
        words, bar = self._words, QWidget(self)
        self._thumbnails_button = self._button("page_show_thumbnails", thumbnails_icon(self._theme), checkable=True)
        self._thumbnails_button.setChecked(True)
        self._number = QLineEdit(bar)
        self._number.setAccessibleName(words("page_go_to"))
        self._number.setToolTip(words("page_go_to"))
        self._number.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._number.setFixedWidth(self._theme.space(13))
        self._number_limits = QIntValidator(1, 1, self._number)
        self._number.setValidator(self._number_limits)
        self._of = QLabel(bar)
        self._of.setProperty("role", "muted")
        self._smaller = self._button("page_zoom_out", smaller_icon(self._theme))
        self._zoom = QLabel(bar)
        self._zoom.setMinimumWidth(self._theme.space(12))
        self._larger = self._button("page_zoom_in", larger_icon(self._theme))
        self._width_button = self._button("page_fit_width", fit_width_icon(self._theme), checkable=True)
        self._page_button = self._button("page_fit_page", fit_page_icon(self._theme), checkable=True)
        row = QHBoxLayout(bar)
        space = self._theme.space
        row.setContentsMargins(0, space(1), 0, space(1))
        row.setSpacing(space(1))
        for widget in (self._thumbnails_button, self._number, self._of):
            row.addWidget(widget)
        row.addStretch()
        for widget in (self._smaller, self._zoom, self._larger, self._width_button, self._page_button):
            row.addWidget(widget)
        return bar

    def _button(self, key: str, face: QIcon, *, checkable: bool = False) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(face)
        button.setCheckable(checkable)
        if not checkable:
            button.setProperty("role", "quiet")
        button.setToolTip(self._words(key))
        button.setAccessibleName(self._words(key))
        return button

    def _doubt_line(self) -> QFrame:
        frame = QFrame(self)
        frame.setProperty("role", "notice-warn")
        self._doubt_text = label = QLabel(frame)
        label.setWordWrap(True)
        label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._right = QPushButton(self._words("page_right"), frame)
        self._right.setProperty("role", "primary")
        self._right.setAutoDefault(True)
        row = QHBoxLayout(frame)
        row.addWidget(label, 1)
        row.addWidget(self._right)
        return frame

    def _lay_out(self) -> None:
        space = self._theme.space
        pages = QHBoxLayout()
        pages.setSpacing(0)
        pages.addWidget(self._thumbnails)
        pages.addWidget(self._canvas, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(space(1))
        column.addWidget(self._bar)
        column.addWidget(self._doubt)
        column.addLayout(pages, 1)
        column.addWidget(self._says)
        order = [
            *(self._thumbnails_button, self._number, self._smaller, self._larger),
            *(self._width_button, self._page_button, self._right, self._thumbnails, self._canvas),
        ]
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    def _connect(self) -> None:
        self._pictures.sized.connect(self._sized)
        self._pictures.arrived.connect(self._canvas.viewport().update)
        self._pictures.arrived.connect(self._thumbnails.viewport().update)
        self._pictures.unreadable.connect(self._unreadable)
        self._canvas.needs.connect(self._pictures.poke)
        self._canvas.page_changed.connect(self._page_changed)
        self._canvas.zoom_changed.connect(self._zoom_changed)
        self._canvas.mark_moved.connect(self._tell)
        self._canvas.mark_dropped.connect(self._dropped)
        self._thumbnails.needs.connect(self._pictures.poke)
        self._thumbnails.chosen.connect(self._canvas.go_to)
        self._thumbnails_button.toggled.connect(self._thumbnails.setVisible)
        self._number.returnPressed.connect(lambda: self._canvas.go_to(int(self._number.text()) - 1))
        self._smaller.clicked.connect(lambda: self._canvas.step_zoom(-1))
        self._larger.clicked.connect(lambda: self._canvas.step_zoom(1))
        self._width_button.clicked.connect(lambda: self._canvas.set_fit(Fit.WIDTH))
        self._page_button.clicked.connect(lambda: self._canvas.set_fit(Fit.PAGE))
        self._right.clicked.connect(self._confirm)

    # --- what happens ------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802, D102 - Qt's name
        super().showEvent(event)
        if not self._started:
            self._started = True
            # The worker starts while the person still looks for a document.
            self._tasks.run(self, Lane.PAGES, lambda _: self._pages.start(), lambda _: None, failed=lambda _: None)
            self._tasks.run(self, Lane.PAGES, lambda _: self._pages.margins(), self._margins_came)
        self._pictures.poke()

    def _margins_came(self, margins: Margins) -> None:
        self._marks.margins = margins

    def _wishes(self) -> Wishes:
        wanted, needed = self._canvas.wants()
        return Wishes((*wanted, *self._thumbnails.wants(), *self._canvas.wants_next()), needed)

    def _sized(self) -> None:
        self._canvas.refresh_sizes()
        self._thumbnails.refresh()
        self._page_changed(self._canvas.page)
        self._frames.catch_up()

    def _unreadable(self, error: KnownError) -> None:
        self._bar.setEnabled(False)
        self._canvas.show_message(error)

    def _page_changed(self, page: int) -> None:
        total = self._pictures.total
        self._number_limits.setTop(max(1, total))
        self._number.setText(str(page + 1) if total else "")
        self._of.setText(self._words("page_of", total=count(total, self._words)) if total else "")
        self._thumbnails.show_page(page)

    def _zoom_changed(self) -> None:
        self._zoom.setText(self._words("page_zoom", percent=round(self._canvas.zoom * 100)))
        self._width_button.setChecked(self._canvas.fit is Fit.WIDTH)
        self._page_button.setChecked(self._canvas.fit is Fit.PAGE)

    def _dropped(self) -> None:
        outcome = self._marks.drop()
        if outcome is not None:
            self.moved.emit(outcome.option)
        self._tell()

    def _confirm(self) -> None:
        option = self._marks.option()
        if option is not None:
            self.confirmed.emit(option)

    def _tell(self) -> None:
        """The lines above and below the pages."""
        movable = self._marks.movable
        seal = movable is not None and movable.what is Mark.SEAL
        self._doubt_text.setText(self._words("page_doubt_seal" if seal else "page_doubt_signature"))
        self._doubt.setVisible(self._marks.unsure)
        said = self._marks.says(self._words)
        help_ = self._words("page_move_help") if movable is not None else ""
        self._says.setText(said or help_)
        self._says.setVisible(bool(said or help_))
