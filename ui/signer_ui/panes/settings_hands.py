"""The section "Hình chữ ký": pictures of persons' signatures and initials, each with the days on which it is used.

UI thread; pictures are read, trimmed and scaled down elsewhere. A picture is shown small and never given out.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from signer_app.desk.tokens import TokensSnapshot
from signer_app.store.settings import HandKind, Settings
from signer_resources.errors import KnownError
from signer_ui.panes.settings_form import FormField, Section, card, clear
from signer_ui.presenters.settings import Change, Problem
from signer_ui.presenters.settings_hands import HandForm, HandsForm, Holder, holders
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, column, frame, label, row
from signer_ui.widgets.days import DaysEditor
from signer_ui.widgets.flow import Flow
from signer_ui.widgets.seal_editor import choose_picture, small_picture

_THUMBNAIL = (40, 15)
"""Units of spacing."""


class HandsSection(Section[HandsForm]):
    """Pictures of all persons whose certificates are known here."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._form = HandsForm()
        self._shown: dict[str | bytes, QImage] = {}
        """Small pictures, by the name in the vault, or by the content of one that is not kept yet."""
        self._days: list[FormField] = []
        """The days of each picture of the form."""
        content = QWidget()
        self._cards = QVBoxLayout(content)
        self._cards.setContentsMargins(0, 0, 0, 0)
        self._cards.setSpacing(shell.theme.space(3))
        self.frame_up(label(shell.words("ub_hands_hint"), "muted", wrap=True), content)
        shell.hub.tokens_changed.connect(self._tokens_changed)

    def form(self) -> HandsForm:
        """As typed."""
        return self._form

    def fill(self, settings: Settings) -> HandsForm:
        """As set; the pictures are opened elsewhere."""
        self._form = HandsForm.of(settings)
        setup = self.setup
        kept = {hand.kept.picture for hand in self._form.hands if hand.kept is not None}
        wanted = sorted(kept - self._shown.keys())

        def look(_control: object) -> dict[str, QImage]:
            found = {}
            for picture in wanted:
                try:
                    found[picture] = small_picture(setup.kept_png(picture))
                except KnownError:
                    # Told when it is wanted for signing, and by the machine check; here its place says so.
                    continue
            return found

        self.send(Lane.DOCUMENTS, look, self._looked)
        self._show()
        return self._form

    def problems(self, form: HandsForm) -> Sequence[Problem]:
        """Days that are none."""
        return form.problems()

    def change(self, form: HandsForm) -> Change:
        """Keeps new pictures first."""
        return form.change({png: self.setup.keep(png) for png in form.pictures})

    def field(self, problem: Problem) -> FormField:
        """The days of that picture."""
        return self._days[problem.item]

    def fields(self) -> Sequence[FormField]:
        """The days of all pictures."""
        return self._days

    def take_picture(self, certificate: str, kind: HandKind, file: Path) -> None:
        """Makes the picture in `file` one of the certificate's holder."""
        self.notice.clear()
        setup = self.setup

        def work(_control: object) -> tuple[bytes, QImage]:
            png = setup.clean(file).png
            return png, small_picture(png)

        def made(result: tuple[bytes, QImage]) -> None:
            png, self._shown[png] = result
            self._set(self._form.with_new(certificate, kind, png, self.shell.desk.now().date()))

        self.send(Lane.DOCUMENTS, work, made)

    def _looked(self, found: dict[str, QImage]) -> None:
        self._shown.update(found)
        self._show()

    def _set(self, form: HandsForm) -> None:
        self._form = form
        self._show()
        self.touched()

    # ---- what is shown ---------------------------------------------------------------------------------------------

    def _show(self) -> None:
        clear(self._cards)
        words = self.shell.words
        self._days = [self._days_field(number, hand) for number, hand in enumerate(self._form.hands)]
        people = holders(self._form, self.shell.hub.tokens)
        for holder in people:
            self._cards.addWidget(self._card(holder))
        if not people:
            self._cards.addWidget(label(words("ue_signatures_none"), "muted", wrap=True))

    def _card(self, holder: Holder) -> QWidget:
        words = self.shell.words
        name = holder.name or words("ue_signature_away", start=holder.certificate[:12])
        parts: list[QWidget] = [self._line(number, name) for number in holder.hands]
        if not parts:
            parts.append(label(words("ub_hands_none"), "muted", wrap=True))
        adders = []
        for kind in HandKind:
            add = button(words(f"ub_hand_add_{kind}"), partial(self._choose, holder.certificate, kind))
            add.setAccessibleName(words(f"ub_hand_add_for_{kind}", name=name))
            adders.append(add)
        line = QWidget()
        line.setLayout(row(*adders, 1, spacing=self.shell.theme.space(2)))
        return card(self.shell.theme, name, *parts, line)

    def _line(self, number: int, name: str) -> QWidget:
        words, space = self.shell.words, self.shell.theme.space
        hand = self._form.hands[number]
        remove = button(words("ue_signature_remove"), lambda: self._drop(number), "quiet")
        remove.setAccessibleName(words(f"ub_hand_remove_{hand.kind}", name=name))
        made = QWidget()
        beside = QWidget()
        beside.setLayout(column(self._days[number], Flow((remove,), space(2)), spacing=space(1)))
        across = row(self._thumbnail(hand, name), beside, spacing=space(3))
        across.setStretch(1, 1)
        made.setLayout(across)
        return made

    def _days_field(self, number: int, hand: HandForm) -> FormField:
        words = self.shell.words
        editor = DaysEditor(words, self.shell.theme, words(f"ub_hand_{hand.kind}"))
        editor.set_value(hand.begins, hand.ends)
        editor.changed.connect(lambda: self._typed(number, editor))
        return FormField(words(f"ub_hand_{hand.kind}"), editor, self.shell.theme)

    def _thumbnail(self, hand: HandForm, name: str) -> QWidget:
        words, space = self.shell.words, self.shell.theme.space
        shown = frame("paper")
        shown.setFixedSize(space(_THUMBNAIL[0]), space(_THUMBNAIL[1]))
        picture = QLabel()
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        image = self._shown.get(hand.png if hand.png is not None else hand.kept.picture if hand.kept else "")
        if image is None:
            picture.setText(words("ue_signature_file"))
        else:
            ratio = self.devicePixelRatioF()
            keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            width, height = (round(space(units - 2) * ratio) for units in _THUMBNAIL)
            pixmap = QPixmap.fromImage(image.scaled(width, height, keep, smooth))
            pixmap.setDevicePixelRatio(ratio)
            picture.setPixmap(pixmap)
            picture.setAccessibleName(words(f"ub_hand_of_{hand.kind}", name=name))
        inside = QVBoxLayout(shown)
        inside.setContentsMargins(space(1), space(1), space(1), space(1))
        inside.addWidget(picture)
        return shown

    # ---- what is done ----------------------------------------------------------------------------------------------

    def _typed(self, number: int, editor: DaysEditor) -> None:
        self._days[number].complain(None)
        self._form = self._form.with_days(number, *editor.value)
        self.touched()

    def _drop(self, number: int) -> None:
        self._set(self._form.without(number))
        self.save_button.setFocus()

    def _choose(self, certificate: str, kind: HandKind) -> None:
        choose_picture(self.shell, self, lambda file: self.take_picture(certificate, kind, file))

    def _tokens_changed(self, _tokens: TokensSnapshot) -> None:
        self._show()
