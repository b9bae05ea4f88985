"""The bodies of the settings as forms: names, numbers, seals over time, certificates, who exchanges.

Plain values, no screen, no disk. What is typed is kept as text until it is saved, so that a day or a notation that is
wrong stays where it was typed and is told there.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import msgspec

from signer_app.desk.setup import server_address_is_safe
from signer_app.desk.tokens import TokensSnapshot
from signer_app.store.sequences import Register, sequence_key
from signer_app.store.settings import (
    Body,
    CertificateRole,
    ChannelKind,
    Exchange,
    FormerName,
    Seal,
    ServerSettings,
    Settings,
)
from signer_app.store.times import vietnamese_date
from signer_ui.presenters.settings import Change, Field, Problem, day_text, one_line, some_lines, typed_day
from signer_ui.presenters.settings_channel import NO_CHANNEL, ChannelForm

SEAL_MM = (34.0, 42.0)
"""Usual diameters of seals by the level of the body, mm; others are taken, and told."""
SEAL_MM_LIMITS = (10.0, 80.0)
"""What the settings take, mm."""
DEFAULT_SEAL_MM = 36.0


@dataclass(frozen=True)
class SealForm:
    """A seal: its picture just made (`png`, not kept yet) or as it is set, its diameter in mm, and the days on which it
    is used, as typed; empty: no limit on that side.
    """

    diameter_mm: float = DEFAULT_SEAL_MM
    png: bytes | None = None
    kept: Seal | None = None
    begins: str = ""
    ends: str = ""

    @classmethod
    def of(cls, seal: Seal) -> "SealForm":
        """A seal of the settings."""
        return cls(seal.diameter_mm, None, seal, day_text(seal.valid_from), day_text(seal.valid_to))

    @property
    def there(self) -> bool:
        """Whether there is a picture at all."""
        return self.png is not None or self.kept is not None

    @property
    def unusual(self) -> bool:
        """Whether the diameter is outside of what seals have."""
        return not SEAL_MM[0] <= self.diameter_mm <= SEAL_MM[1]

    def seal(self, pictures: Mapping[bytes, str]) -> Seal | None:
        """As it is set; `pictures`: what new ones are called in the vault. None without a picture."""
        begins, ends = typed_day(self.begins), typed_day(self.ends)
        if self.png is not None:
            return Seal(diameter_mm=self.diameter_mm, picture=pictures[self.png], valid_from=begins, valid_to=ends)
        if self.kept is None:
            return None
        return msgspec.structs.replace(self.kept, diameter_mm=self.diameter_mm, valid_from=begins, valid_to=ends)

    def problem(self) -> str | None:
        """What is wrong with its days."""
        return days_problem(self.begins, self.ends)


Rows = tuple[tuple[str, str], ...]
"""Two texts a row, as typed; a row that is empty says nothing."""


@dataclass(frozen=True)
class BodyForm:
    """A body as it is typed; `base` is the one in the settings, None for a new one.

    `former`: a name and its last day. `notations`: the body's part of its notations. `registers`: a name and the
    notations that it holds. `server_url`: its own server; empty: the machine's. `channel`: on which way it exchanges.
    """

    base: Body | None = None
    code: str = ""
    name: str = ""
    parent_name: str = ""
    place_name: str = ""
    aliases: tuple[str, ...] = ()
    signers: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    exchange: Exchange = Exchange.SERVER
    seals: tuple[SealForm, ...] = ()
    former: Rows = ()
    notations: str = ""
    registers: Rows = ()
    server_url: str = ""
    channel: ChannelForm = NO_CHANNEL

    @classmethod
    def of(cls, body: Body) -> "BodyForm":
        """A body of the settings."""
        return cls(
            body,
            body.code,
            body.name,
            body.parent_name or "",
            body.place_name or "",
            body.aliases,
            body.signers,
            body.certificates,
            body.exchange,
            tuple(map(SealForm.of, body.seals)),
            tuple((former.name, day_text(former.valid_to)) for former in body.former_names),
            ", ".join(body.notations),
            tuple((register.name, ", ".join(register.notations)) for register in body.registers),
            body.server.url if body.server else "",
            ChannelForm.of(body),
        )

    @property
    def pictures(self) -> frozenset[bytes]:
        """Pictures of seals that are not kept yet."""
        return frozenset(seal.png for seal in self.seals if seal.png is not None)

    def body(self, pictures: Mapping[bytes, str]) -> Body:
        """The body that it means; `pictures`: new ones and what they are called in the vault."""
        base = self.base or Body(code="-", name="-")
        seals = (seal.seal(pictures) for seal in self.seals)
        # Which register is the server's is said where the right to its numbers is taken.
        servers = {sequence_key(one.name): one.server for one in base.registers}
        body = msgspec.structs.replace(
            base,
            code=one_line(self.code),
            name=one_line(self.name),
            parent_name=one_line(self.parent_name) or None,
            place_name=one_line(self.place_name) or None,
            aliases=some_lines(self.aliases),
            signers=some_lines(self.signers),
            certificates=self.certificates,
            exchange=self.exchange,
            seals=tuple(seal for seal in seals if seal is not None),
            former_names=tuple(FormerName(name=one_line(name), valid_to=day) for name, day in _former(self.former)),
            notations=_listed(self.notations),
            registers=tuple(
                Register(name=name, notations=_listed(typed), server=servers.get(sequence_key(name)))
                for name, typed in ((one_line(name), typed) for name, typed in self.registers)
                if name
            ),
            server=self._server(base),
        )
        return self.channel.set_on(body) if self.exchange is Exchange.SERVER else body

    def _server(self, base: Body) -> ServerSettings | None:
        """Another address is another server: what was pinned of the old one does not count for it."""
        url = self.server_url.strip()
        if not url or self.exchange is not Exchange.SERVER:
            return None
        return base.server if base.server is not None and base.server.url == url else ServerSettings(url=url)


def body_problems(
    forms: tuple[BodyForm, ...], is_folder: Callable[[Path], bool] = lambda _path: True
) -> tuple[Problem, ...]:
    """What is wrong with the bodies; `is_folder` looks whether there is such a folder."""
    found: list[Problem] = []
    codes = [one_line(form.code).casefold() for form in forms]
    for number, form in enumerate(forms):
        wrong = (
            (Field.CODE, _code_problem(codes[number], codes[:number])),
            (Field.NAME, None if one_line(form.name) else "ue_wrong_name_empty"),
            (Field.FORMER, _former_problem(form.former)),
            (Field.NOTATIONS, "ub_wrong_notation" if _odd(_listed(form.notations)) else None),
            (Field.REGISTERS, _registers_problem(form.registers)),
            *((Field.SEAL, seal.problem()) for seal in form.seals),
            (Field.SEAL, _seals_problem(form.seals)),
            (Field.OWN_SERVER, _server_problem(form)),
            *_channel_problems(form),
            (Field.EXCHANGE_FOLDER, _folder_problem(form, forms[:number], is_folder)),
        )
        told: set[Field] = set()
        for field, key in wrong:
            if key is not None and field not in told:
                told.add(field)
                found.append(Problem(field, key, number))
    return tuple(found)


def bodies_change(forms: tuple[BodyForm, ...], pictures: Mapping[bytes, str]) -> Change:
    """These bodies and no others; `pictures`: new ones and what they are called in the vault. A certificate seals for
    one body.
    """
    taken: set[str] = set()
    bodies = []
    for form in forms:
        body = form.body(pictures)
        own = tuple(sha256 for sha256 in body.certificates if sha256 not in taken)
        taken.update(own)
        bodies.append(msgspec.structs.replace(body, certificates=own))

    def change(settings: Settings) -> Settings:
        roles = settings.roles | dict.fromkeys(taken, CertificateRole.AGENCY)
        return msgspec.structs.replace(settings, bodies=tuple(bodies), roles=roles)

    return change


def next_seal(seals: tuple[SealForm, ...], today: dt.date) -> tuple[SealForm, ...]:
    """These seals and a new one, used from today; one without an end is used up to the day before."""
    before = tuple(
        seal if seal.ends or _begins_from(seal, today) else replace(seal, ends=day_text(today - dt.timedelta(days=1)))
        for seal in seals
    )
    begins = day_text(today) if seals else ""
    return (*before, SealForm(seals[-1].diameter_mm if seals else DEFAULT_SEAL_MM, begins=begins))


def newest_seal(form: BodyForm) -> SealForm:
    """The seal that was set last; an empty one where there is none."""
    return form.seals[-1] if form.seals else SealForm()


def with_newest_seal(form: BodyForm, seal: SealForm) -> BodyForm:
    """The form with `seal` in the place of the last one."""
    return replace(form, seals=(*form.seals[:-1], seal))


def days_problem(begins: str, ends: str) -> str | None:
    """What is wrong with the days from which and up to which something holds."""
    try:
        first, last = typed_day(begins), typed_day(ends)
    except ValueError:
        return "ub_wrong_day"
    return "ub_wrong_days" if first is not None and last is not None and last < first else None


@dataclass(frozen=True)
class CertificateChoice:
    """A certificate that a body may seal with; `holder` is empty while its token isn't plugged in."""

    sha256: str
    holder: str
    valid_until: str
    plugged_in: bool


def certificate_choices(form: BodyForm, others: Iterable[BodyForm], tokens: TokensSnapshot) -> list[CertificateChoice]:
    """The certificates of this body, then those that are plugged in and belong to no other body."""
    elsewhere = {sha256 for other in others for sha256 in other.certificates}
    plugged = {
        view.certificate.sha256: view.certificate
        for token in tokens.tokens
        for view in token.certificates
        if view.role is CertificateRole.AGENCY or view.certificate.sha256 in form.certificates
    }
    own = list(form.certificates) + [s for s in plugged if s not in form.certificates and s not in elsewhere]
    return [
        CertificateChoice(
            sha256,
            plugged[sha256].common_name if sha256 in plugged else "",
            vietnamese_date(plugged[sha256].not_after) if sha256 in plugged else "",
            sha256 in plugged,
        )
        for sha256 in own
    ]


def _code_problem(code: str, taken: list[str]) -> str | None:
    if not code:
        return "ue_wrong_code_empty"
    if any(letter.isspace() for letter in code) or len(code) > 64:
        return "ue_wrong_code_form"
    return "ue_wrong_code_twice" if code in taken else None


def _former(rows: Rows) -> Iterator[tuple[str, dt.date]]:
    """Former names with their last days; ValueError where a day can't be read, or is missing."""
    for name, typed in rows:
        if not one_line(name) and not typed.strip():
            continue
        last = typed_day(typed)
        if last is None or not one_line(name):
            raise ValueError("a former name ends on a day")
        yield name, last


def _former_problem(rows: Rows) -> str | None:
    try:
        list(_former(rows))
    except ValueError:
        return "ub_wrong_former"
    return None


def _registers_problem(rows: Rows) -> str | None:
    """A register has a name and notations, and no notation runs in two registers."""
    said = [(one_line(name), _listed(typed)) for name, typed in rows if one_line(name) or typed.strip()]
    if any(not name or not notations for name, notations in said):
        return "ub_wrong_register"
    if any(_odd(notations) for _name, notations in said):
        return "ub_wrong_notation"
    names = sorted(sequence_key(name) for name, _notations in said)
    keys = sorted(sequence_key(one) for _name, notations in said for one in notations)
    return "ub_wrong_register_twice" if any(a == b for a, b in (*pairwise(names), *pairwise(keys))) else None


def _seals_problem(seals: tuple[SealForm, ...]) -> str | None:
    """A new place without a picture would be dropped unsaid."""
    return "ub_wrong_seal_empty" if len(seals) > 1 and not all(seal.there for seal in seals) else None


def _server_problem(form: BodyForm) -> str | None:
    url = form.server_url.strip()
    asked = form.exchange is Exchange.SERVER and form.channel.kind is ChannelKind.SYNC
    return "ue_wrong_server_address" if url and asked and not server_address_is_safe(url) else None


def _channel_problems(form: BodyForm) -> tuple[tuple[Field, str | None], ...]:
    if form.exchange is not Exchange.SERVER:
        return ()
    return (Field.LGSP, form.channel.lgsp_problem()), (Field.LGSP_ACCOUNT, form.channel.account_problem())


def _folder_problem(form: BodyForm, others: tuple[BodyForm, ...], is_folder: Callable[[Path], bool]) -> str | None:
    """A folder belongs to one body: its ledger is that body's."""
    if form.exchange is not Exchange.SERVER or form.channel.kind is not ChannelKind.FOLDER:
        return None
    folder = Path(form.channel.folder.strip())
    if not folder.is_absolute() or not is_folder(folder):
        return "un_folder_wrong"
    taken = [other.channel for other in others if other.exchange is Exchange.SERVER]
    shared = any(one.kind is ChannelKind.FOLDER and Path(one.folder.strip()) == folder for one in taken)
    return "un_folder_twice" if shared else None


def _begins_from(seal: SealForm, day: dt.date) -> bool:
    """Whether the seal's first day is `day` or later, so that it can't end before; also where it can't be read."""
    try:
        begins = typed_day(seal.begins)
    except ValueError:
        return True
    return begins is not None and begins >= day


def _listed(text: str) -> tuple[str, ...]:
    """Notations that stand in one line, with commas or semicolons between them."""
    return some_lines(text.replace(";", ",").split(","))


def _odd(notations: tuple[str, ...]) -> bool:
    """Whether one of them can't be a notation: those have no blanks."""
    return any(letter.isspace() for one in notations for letter in one)
