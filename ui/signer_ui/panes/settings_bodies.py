"""The section "Cơ quan" of the settings: the bodies that this machine serves, one form at a time.

UI thread. All bodies are saved together, so that a code or a certificate can move from one to another. Certificates are
offered from the tokens that are plugged in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QPlainTextEdit,
    QRadioButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from signer_app.desk.networking import Kept, KeptSecrets
from signer_app.desk.tokens import TokensSnapshot
from signer_app.store.settings import Exchange, Settings
from signer_ui.panes.settings_channel import ChannelEditor
from signer_ui.panes.settings_form import FormField, Section, card, clear, line_edit
from signer_ui.panes.settings_seals import SealsEditor
from signer_ui.presenters.settings import Change, Field, Problem, one_line
from signer_ui.presenters.settings_bodies import BodyForm, bodies_change, body_problems, certificate_choices
from signer_ui.shell import Shell
from signer_ui.tasks import Lane
from signer_ui.widgets.basics import button, label, row
from signer_ui.widgets.inputs import Choice
from signer_ui.widgets.rows_editor import RowsEditor, RowWords

_LINES = 3
"""Lines of a field for several names."""

Forms = tuple[BodyForm, ...]
_Column = tuple[str, str, int]
"""The keys of a column's name and of its example, and its share of the width."""


class BodiesSection(Section[Forms]):
    """Edits all bodies; they are saved together."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._forms: list[BodyForm] = []
        self._showing = False
        words = shell.words
        self.chosen = Choice(shell.theme)
        self.chosen.setAccessibleName(words("ue_bodies_choose"))
        self.add = button(words("ue_body_add"), self._add)
        self.remove = button(words("ue_body_remove"), self._remove, "quiet")
        self.code = FormField(words("ue_body_code"), self._edit("ue_body_code_example", 64), shell.theme)
        self.name = FormField(words("ue_body_name"), self._edit("ue_body_name_example"), shell.theme)
        self.parent_name = FormField(words("ue_body_parent"), self._edit("ue_body_parent_example"), shell.theme)
        self.place = FormField(words("ue_body_place"), self._edit("ue_body_place_example"), shell.theme)
        self.aliases = FormField(words("ue_body_aliases"), self._lines(), shell.theme, words("ue_body_aliases_hint"))
        self.signers = FormField(words("ue_body_signers"), self._lines(), shell.theme, words("ue_body_signers_hint"))
        self.former = self._rows(
            "ub_former",
            "ub_former_hint",
            (("ub_former_name", "ub_former_name_example", 3), ("ub_former_last", "ub_former_last_example", 1)),
            "ub_former_add",
        )
        self.notations = FormField(
            words("ub_notations"), self._edit("ub_notations_example"), shell.theme, words("ub_notations_hint")
        )
        self.registers = self._rows(
            "ub_registers",
            "ub_registers_hint",
            (("ub_register", "ub_register_example", 1), ("ub_register_holds", "ub_register_holds_example", 1)),
            "ub_register_add",
        )
        self.seals = SealsEditor(shell)
        self.seals.changed.connect(self._typed)
        self.own_server = FormField(
            words("ub_own_server"), self._edit("ub_own_server_example"), shell.theme, words("ub_own_server_hint")
        )
        self.channel = ChannelEditor(shell, self.own_server)
        self.channel.changed.connect(self._typed)
        self._accounts: Mapping[str, Kept | None] = {}
        self.by_server = QRadioButton(words("ue_exchange_server"))
        self.external = QRadioButton(words("ue_exchange_external"))
        self._certificates = QVBoxLayout()
        self._build()
        self.chosen.currentIndexChanged.connect(self._show)
        shell.hub.tokens_changed.connect(self._tokens_changed)

    def _edit(self, example: str, limit: int = 300) -> QWidget:
        return line_edit(self._typed, self.shell.words(example), limit)

    def _lines(self) -> QPlainTextEdit:
        made = QPlainTextEdit()
        made.setTabChangesFocus(True)
        made.setFixedHeight(made.fontMetrics().lineSpacing() * _LINES + self.shell.theme.space(5))
        made.textChanged.connect(self._typed)
        return made

    def _rows(self, title: str, hint: str, columns: tuple[_Column, _Column], add: str) -> FormField:
        """A list of rows with two texts; all by their keys in the catalogue."""
        words = self.shell.words
        one, two = ((words(name), words(example), share) for name, example, share in columns)
        editor = RowsEditor(self.shell.theme, RowWords((one, two), words(add), words("ue_driver_remove")))
        editor.changed.connect(self._typed)
        return FormField(words(title), editor, self.shell.theme, words(hint))

    def _build(self) -> None:
        words, theme = self.shell.words, self.shell.theme
        space = theme.space
        self.chosen.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.chosen.setMinimumWidth(space(50))
        self.chosen.setMaximumWidth(space(100))
        self._none = label(words("ue_bodies_none"), "muted", wrap=True)
        head = QWidget()
        head.setLayout(row(self.chosen, self.add, self.remove, 1, spacing=space(2)))
        names = QWidget()
        grid = QGridLayout(names)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(space(4))
        grid.setVerticalSpacing(space(2.5))
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        places = (self.name, self.code, self.parent_name, self.place, self.aliases, self.signers)
        for number, field in enumerate(places):
            grid.addWidget(field, number // 2, number % 2)
        certificates = QWidget()
        self._certificates.setContentsMargins(0, 0, 0, 0)
        self._certificates.setSpacing(space(1))
        certificates.setLayout(self._certificates)
        for choice in (self.by_server, self.external):
            choice.toggled.connect(lambda _on: self._typed())
        self._parts = (
            card(theme, words("ue_body_names"), names, self.former),
            card(theme, words("ue_body_seal"), self.seals),
            card(theme, words("ue_body_certificates"), certificates),
            card(theme, words("ub_numbers"), self.notations, self.registers),
            card(theme, words("ue_body_exchange"), self.by_server, self.channel, self.external),
        )
        self.frame_up(head, self._none, *self._parts)

    # ---- the section ----------------------------------------------------------------------------------------------

    def form(self) -> Forms:
        """All bodies, the one in front as typed."""
        return tuple(self._forms)

    def fill(self, settings: Settings) -> Forms:
        """The bodies of the settings; the one in front stays there."""
        before = self.chosen.currentIndex()
        self._forms = [BodyForm.of(body) for body in settings.bodies]
        self._list(before)
        networking = self.shell.desk.networking
        self.send(Lane.DOCUMENTS, lambda _control: networking.kept(), self._show_kept)
        return self.form()

    def problems(self, form: Forms) -> Sequence[Problem]:
        """What is wrong with any of the bodies."""
        return body_problems(form, Path.is_dir)

    def change(self, form: Forms) -> Change:
        """Keeps new seals and accounts first, and forgets the accounts of bodies that are gone."""
        networking = self.shell.desk.networking
        for body in form:
            if body.exchange is Exchange.SERVER and body.channel.account.is_whole:
                networking.save_account(one_line(body.code), body.channel.account)
        for code in set(self._accounts) - {one_line(body.code) for body in form}:
            networking.forget_account(code)
        return bodies_change(form, {png: self.setup.keep(png) for body in form for png in body.pictures})

    def field(self, problem: Problem) -> FormField:
        """Brings the body to the front."""
        if problem.item != self.chosen.currentIndex():
            self.chosen.setCurrentIndex(problem.item)
        if problem.field is Field.SEAL:
            self.seals.show_wrong()
        return self._places()[problem.field]

    def fields(self) -> Sequence[FormField]:
        """What can be wrong."""
        return tuple(self._places().values())

    def _places(self) -> dict[Field, FormField]:
        """Where each problem is shown."""
        return {
            Field.CODE: self.code,
            Field.NAME: self.name,
            Field.FORMER: self.former,
            Field.NOTATIONS: self.notations,
            Field.REGISTERS: self.registers,
            Field.SEAL: self.seals.days,
            Field.OWN_SERVER: self.own_server,
            Field.LGSP: self.channel.url,
            Field.LGSP_ACCOUNT: self.channel.user,
            Field.EXCHANGE_FOLDER: self.channel.folder,
        }

    # ---- one body -------------------------------------------------------------------------------------------------

    def _list(self, index: int) -> None:
        """The names in the list, and the body at `index` in the form."""
        self.chosen.blockSignals(True)
        self.chosen.clear()
        for form in self._forms:
            self.chosen.addItem(form.name or self.shell.words("ue_body_new"))
        self.chosen.setCurrentIndex(min(max(index, 0), len(self._forms) - 1))
        self.chosen.blockSignals(False)
        self._show()

    def _show(self) -> None:
        index = self.chosen.currentIndex()
        there = index >= 0
        for part in self._parts:
            part.setVisible(there)
        self.chosen.setVisible(there)
        self.remove.setVisible(there)
        self._none.setVisible(not there)
        for field in self.fields():
            field.complain(None)
        if not there:
            return
        form = self._forms[index]
        self._showing = True
        for field, text in (
            (self.code, form.code),
            (self.name, form.name),
            (self.parent_name, form.parent_name),
            (self.place, form.place_name),
            (self.notations, form.notations),
            (self.own_server, form.server_url),
        ):
            field.line.setText(text)
        _list(self.former).set_value(form.former)
        _list(self.registers).set_value(form.registers)
        _text(self.aliases).setPlainText("\n".join(form.aliases))
        _text(self.signers).setPlainText("\n".join(form.signers))
        (self.by_server if form.exchange is Exchange.SERVER else self.external).setChecked(True)
        self.channel.set_value(form.channel)
        self.channel.show_kept(form.base.code if form.base is not None else "", self._accounts)
        self.channel.setVisible(form.exchange is Exchange.SERVER)
        self.seals.set_value(form.seals)
        self._show_certificates()
        self._showing = False

    def _typed(self) -> None:
        index = self.chosen.currentIndex()
        if self._showing or index < 0:
            return
        self.channel.setVisible(self.by_server.isChecked())
        ticked = [box for box in self._boxes() if box.isChecked()]
        self._forms[index] = replace(
            self._forms[index],
            code=self.code.line.text(),
            name=self.name.line.text(),
            parent_name=self.parent_name.line.text(),
            place_name=self.place.line.text(),
            aliases=_entered(self.aliases),
            signers=_entered(self.signers),
            exchange=Exchange.SERVER if self.by_server.isChecked() else Exchange.EXTERNAL,
            seals=self.seals.value,
            former=_list(self.former).value,
            notations=self.notations.line.text(),
            registers=_list(self.registers).value,
            server_url=self.own_server.line.text(),
            channel=self.channel.value,
            certificates=tuple(str(box.property("sha256")) for box in ticked),
        )
        self.chosen.setItemText(index, self._forms[index].name or self.shell.words("ue_body_new"))
        self.touched()

    def _boxes(self) -> list[QCheckBox]:
        items = [self._certificates.itemAt(number) for number in range(self._certificates.count())]
        return [box for item in items if item is not None and isinstance(box := item.widget(), QCheckBox)]

    def _show_certificates(self) -> None:
        words, index = self.shell.words, self.chosen.currentIndex()
        clear(self._certificates)
        form = self._forms[index]
        others = [other for number, other in enumerate(self._forms) if number != index]
        choices = certificate_choices(form, others, self.shell.hub.tokens)
        for choice in choices:
            key = "ue_certificate_there" if choice.plugged_in else "ue_certificate_away"
            start = choice.sha256[:12]
            box = QCheckBox(words(key, holder=choice.holder, date=choice.valid_until, start=start).replace("&", "&&"))
            box.setProperty("sha256", choice.sha256)
            box.setChecked(choice.sha256 in form.certificates)
            box.toggled.connect(lambda _on: self._typed())
            self._certificates.addWidget(box)
        hint = "ue_certificates_hint" if choices else "ue_certificates_none"
        self._certificates.addWidget(label(words(hint), "muted", wrap=True))

    def _show_kept(self, kept: KeptSecrets) -> None:
        index, self._accounts = self.chosen.currentIndex(), kept.lgsp
        if index >= 0:
            base = self._forms[index].base
            self.channel.show_kept(base.code if base is not None else "", self._accounts)

    def _tokens_changed(self, _tokens: TokensSnapshot) -> None:
        if self.chosen.currentIndex() >= 0:
            self._show_certificates()

    def _add(self) -> None:
        self._forms.append(BodyForm())
        self._list(len(self._forms) - 1)
        self.touched()
        self.name.editor.setFocus()

    def _remove(self) -> None:
        index = self.chosen.currentIndex()
        del self._forms[index]
        self._list(index)
        self.touched()
        (self.chosen if self._forms else self.add).setFocus()


def _text(field: FormField) -> QPlainTextEdit:
    assert isinstance(field.editor, QPlainTextEdit)
    return field.editor


def _list(field: FormField) -> RowsEditor:
    assert isinstance(field.editor, RowsEditor)
    return field.editor


def _entered(field: FormField) -> tuple[str, ...]:
    return tuple(line for line in _text(field).toPlainText().splitlines() if line.strip())
