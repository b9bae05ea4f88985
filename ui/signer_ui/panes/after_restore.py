"""After a restore, in place of the tabs: the last numbers of the books on paper, and what may leave. UI thread.

Nothing leaves and no number is given before a person has said so here; what is said is kept by the desk at once.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from signer_resources.errors import KnownError
from signer_ui.glow import Glow
from signer_ui.panes.settings_form import FormField, card, clear, line_edit, scrolled
from signer_ui.presenters.backup import NumberLine, held_words, number_lines, open_lines
from signer_ui.shell import Pane, Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.flow import Flow
from signer_ui.widgets.notice import Notice
from signer_ui.widgets.rows_editor import RowsEditor, RowWords

if TYPE_CHECKING:
    from signer_app.desk.backing_up import AfterRestore

_ROLES = {Glow.GOOD: "good", Glow.WARN: "warn", Glow.BAD: "bad", Glow.OFF: "muted"}


class AfterRestorePane(Pane):
    """What a restored machine still wants to know."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        words, space = shell.words, shell.theme.space
        self._numbers: tuple[NumberLine, ...] = ()
        self._fields: list[FormField] = []
        self._more: dict[str, RowsEditor] = {}
        """Of each body: sequences that the backup doesn't know yet."""
        self._boxes: dict[str, QCheckBox] = {}
        self._working = False
        self.notice = Notice(words, shell.theme)
        self.back = button(words("ue_back"), self._back)
        self._told = QVBoxLayout()
        self._told.setSpacing(space(1))
        self.confirm = button(words("bk_numbers_confirm"), self._confirm, "primary")
        self.send = button(words("bk_held_send"), self._send, "primary")
        self.all = button(words("bk_held_all"), partial(self._tick, True))
        self.none = button(words("bk_held_none"), partial(self._tick, False))
        self.outbox = button(words("ut_open_sending"), self._to_sending)
        questions, packets = QWidget(), QWidget()
        self._question_lines, self._packet_lines = QVBoxLayout(questions), QVBoxLayout(packets)
        for lines in (self._question_lines, self._packet_lines):
            lines.setContentsMargins(0, 0, 0, 0)
            lines.setSpacing(space(2))
        self._numbers_card = card(
            shell.theme, words("bk_numbers_title"), label(words("bk_numbers_hint"), "muted", wrap=True), questions,
            Flow((self.confirm,), space(2)),
        )  # fmt: skip
        self._held_card = card(
            shell.theme, words("bk_held_title"), label(words("bk_held_hint"), "muted", wrap=True), packets,
            Flow((self.send, self.all, self.none, self.outbox), space(2)),
        )  # fmt: skip
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, space(2), 0)
        inside.setSpacing(space(3))
        inside.addLayout(self._told)
        inside.addWidget(self._numbers_card)
        inside.addWidget(self._held_card)
        inside.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(space(4), space(3), space(4), space(3))
        outer.setSpacing(space(3))
        outer.addLayout(row(label(words("bk_after_title"), "title"), 1, self.back))
        outer.addWidget(self.notice)
        outer.addWidget(scrolled(content), 1)
        shell.hub.backups.changed.connect(self._changed)

    def first_control(self) -> QWidget:
        """The first number, else the way back."""
        return self._fields[0].editor if self._fields else self.back

    def shown(self) -> None:
        """Shows what is known, and looks again."""
        self._changed()
        self.shell.hub.backups.look_after_restore()

    def may_leave(self) -> bool:
        """What is being written is waited for."""
        return not self._working

    @property
    def boxes(self) -> tuple[QCheckBox, ...]:
        """One for each packet that may leave."""
        return tuple(self._boxes.values())

    @property
    def fields(self) -> tuple[FormField, ...]:
        """One for each book."""
        return tuple(self._fields)

    # ---- showing -----------------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        after, words = self.shell.hub.backups.after, self.shell.words
        clear(self._told)
        for told, glow in open_lines(after, words):
            self._told.addWidget(label(told, _ROLES[glow], wrap=True))
        if after is not None and not after.open:
            self._told.addWidget(label(words("bk_after_all"), "good", wrap=True))
        self._show_numbers(after)
        self._boxes_again()

    def _show_numbers(self, after: "AfterRestore | None") -> None:
        lines = number_lines(after.numbers, self.shell.words) if after is not None else ()
        self._numbers_card.setVisible(bool(lines))
        if [line.question for line in lines] == [line.question for line in self._numbers]:
            return
        words, theme = self.shell.words, self.shell.theme
        clear(self._question_lines)
        self._numbers, self._fields, self._more = lines, [], {}
        for line in lines:
            field = FormField(line.caption, line_edit(self._typed, "", 6), theme)
            field.editor.setMaximumWidth(theme.space(40))
            self._fields.append(field)
            self._question_lines.addWidget(field)
        for code, name in {line.question.body_code: line.question.body_name for line in lines}.items():
            columns = ((words("bk_more_name"), "QĐ-UBND", 2), (words("bk_more_last"), "12", 1))
            more = RowsEditor(theme, RowWords(columns, words("bk_more_add"), words("ue_driver_remove")))
            self._more[code] = more
            self._question_lines.addWidget(FormField(words("bk_more", body=name), more, theme, words("bk_more_hint")))

    def _boxes_again(self) -> None:
        after = self.shell.hub.backups.after
        held = after.held if after is not None else ()
        self._held_card.setVisible(bool(held))
        if list(self._boxes) == [packet.packet_id for packet in held]:
            return
        ticked = {packet_id for packet_id, box in self._boxes.items() if box.isChecked()}
        clear(self._packet_lines)
        self._boxes = {}
        now = self.shell.desk.now()
        for packet in held:
            # An ampersand in a subject is none of a short cut.
            told = held_words(packet, after.names if after is not None else {}, now, self.shell.words).replace(
                "&", "&&"
            )
            box = QCheckBox(told)
            box.setChecked(packet.packet_id in ticked)
            box.toggled.connect(lambda _on: self._enable())
            self._boxes[packet.packet_id] = box
            self._packet_lines.addWidget(box)
        self._enable()

    def _enable(self) -> None:
        chosen = sum(box.isChecked() for box in self._boxes.values())
        self.send.setEnabled(bool(chosen) and not self._working)
        self.send.setText(
            self.shell.words("bk_held_send_some", count=chosen) if chosen else self.shell.words("bk_held_send")
        )
        self.confirm.setEnabled(not self._working)

    # ---- numbers -----------------------------------------------------------------------------------------------------

    def _typed(self) -> None:
        for field in self._fields:
            if field.complaint:
                field.complain(None)

    def _confirm(self) -> None:
        words = self.shell.words
        lines = [line.with_typed(field.line.text()) for line, field in zip(self._numbers, self._fields, strict=True)]
        wrong = [
            (field, problem)
            for line, field in zip(lines, self._fields, strict=True)
            if (problem := line.problem(words))
        ]
        for field, problem in wrong:
            field.complain(problem)
        more = [(code, name, last) for code, editor in self._more.items() for name, last in editor.value]
        if any(
            not name.strip() or not (last.strip().isascii() and last.strip().isdigit()) for _code, name, last in more
        ):
            self.notice.tell(words("bk_more_wrong"), role="notice-warn")
            return
        if wrong:
            wrong[0][0].editor.setFocus()
            return
        given = [
            (line.question.body_code, line.question.year, line.question.sequence, line.number or 0) for line in lines
        ]
        year = self.shell.desk.now().year
        given += [(code, year, name.strip(), int(last)) for code, name, last in more]
        told = "; ".join(f"{line.question.sequence or words('bk_arrivals')}: {line.number}" for line in lines)
        told = "; ".join([told, *(f"{name.strip()}: {last.strip()}" for _code, name, last in more)])
        self.notice.tell(
            words("bk_numbers_sure"),
            (words("bk_numbers_yes"), partial(self._confirmed, given)),
            (words("bk_setup_stop"), self.notice.clear),
            why=told,
            role="notice-warn",
            question=True,
        )
        self.notice.focus_action()

    def _confirmed(self, given: Sequence[tuple[str, int, str | None, int]]) -> None:
        desk = self.shell.desk
        self.notice.clear()
        self._work(True)

        def work(_control: object) -> int:
            from signer_app.backup.reconciling import LastNumber

            return desk.backing_up.confirm_numbers([LastNumber(*one) for one in given])

        def done(taken: int) -> None:
            self._ended()
            self.notice.tell(self.shell.words("bk_numbers_done", count=taken))

        self.shell.tasks.run(self, Lane.QUICK, work, done, failed=self._failed)

    # ---- packets -----------------------------------------------------------------------------------------------------

    def _tick(self, on: bool) -> None:
        for box in self._boxes.values():
            box.setChecked(on)

    def _send(self) -> None:
        chosen, desk = [one for one, box in self._boxes.items() if box.isChecked()], self.shell.desk
        self.notice.clear()
        self._work(True)

        def done(count: int) -> None:
            self._ended()
            self.shell.hub.send_now()
            self.notice.tell(self.shell.words("bk_held_going", count=count))

        self.shell.tasks.run(
            self, Lane.QUICK, lambda _control: desk.backing_up.send_held(chosen), done, failed=self._failed
        )

    def _to_sending(self) -> None:
        """There one that is not to leave is taken out."""
        self.left.emit()
        self.sending_wanted.emit()

    # ---- both --------------------------------------------------------------------------------------------------------

    def _work(self, working: bool) -> None:
        self._working = working
        self._enable()

    def _ended(self) -> None:
        self._work(False)
        self.shell.hub.backups.look_after_restore()
        self.shell.hub.poke_store()
        self.shell.hub.poke_drafts()

    def _failed(self, error: KnownError) -> None:
        self._work(False)
        self.notice.error(error)

    def _back(self) -> None:
        if self.may_leave():
            self.left.emit()
