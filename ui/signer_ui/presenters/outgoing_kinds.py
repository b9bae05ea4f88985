"""The kinds of signature that a clerk chooses from, in words; what each takes of a document's data, who may sign it.

Pure values in and out; loads no Qt. Who signs is data of the rule profile (`signer_resources.rules`), not of this code.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from signer_app.outgoing.model import Changes, CopyOrder, Draft, Profile
from signer_app.pdf.model import CopyForm
from signer_app.store.settings import CertificateRole
from signer_resources import rules
from signer_resources.rules.profiles import Signs
from signer_ui.words import Words

_FORMS = {CopyForm.SAO_Y: "copy_sy", CopyForm.SAO_LUC: "copy_sl", CopyForm.TRICH_SAO: "copy_trs"}
_ROLES = {Signs.AGENCY: CertificateRole.AGENCY, Signs.PERSON: CertificateRole.PERSONAL, Signs.ANY: None}
_NUMBERED = frozenset({Profile.AGENCY, Profile.COPY, Profile.APPENDIX})
"""What carries a number: its own, or, on an appendix, that of the document it belongs to."""
_SENT = frozenset({Profile.AGENCY, Profile.COPY})
"""What goes to receivers; the rest is kept, or handed to whoever signs next."""


@dataclass(frozen=True)
class Kind:
    """An entry of the menu; `form` where a copy is made."""

    profile: Profile
    form: CopyForm | None = None

    @property
    def id(self) -> str:
        """The end of its keys in the catalogue."""
        return _FORMS[self.form] if self.form is not None else self.profile.value

    def changes(self, draft: Draft) -> Changes:
        """What choosing it changes of a draft; who ordered a copy stays known."""
        if self.form is None:
            return Changes(profile=self.profile)
        return Changes(profile=self.profile, copy=CopyOrder(self.form, ordered_by(draft)))


KINDS = (
    Kind(Profile.AGENCY),
    Kind(Profile.APPENDIX),
    *(Kind(Profile.COPY, form) for form in CopyForm),
    Kind(Profile.ARCHIVE),
    Kind(Profile.LEADER),
    Kind(Profile.INITIAL),
    Kind(Profile.PLAIN),
)
"""All of them, as clerks meet them; an appendix beside its main file follows that by itself."""

PROFILES = tuple(dict.fromkeys(kind.profile for kind in KINDS))


def kind_of(draft: Draft) -> Kind:
    """The kind that a draft has; a copy whose form nobody has said is a Sao y until somebody does."""
    if draft.profile is not Profile.COPY:
        return Kind(draft.profile)
    return Kind(Profile.COPY, draft.copy.form if draft.copy is not None else CopyForm.SAO_Y)


def kinds_of(drafts: Iterable[Draft]) -> set[Kind]:
    """The kinds that these have; of ten thousand in a few milliseconds."""
    one_each = {(draft.profile, draft.copy.form if draft.copy is not None else None): draft for draft in drafts}
    return {kind_of(draft) for draft in one_each.values()}


def kind_text(kind: Kind, words: Words) -> str:
    """Its short name, for a cell."""
    return words(f"uk_kind_{kind.id}")


def kind_named(text: str, words: Words) -> Kind:
    """The kind with this short name."""
    return next(kind for kind in KINDS if kind_text(kind, words) == text)


def menu_text(kind: Kind, words: Words) -> str:
    """Its name in the menu, with the key that chooses it."""
    return words(f"uk_menu_{kind.id}")


def kind_name(kind: Kind, words: Words) -> str:
    """Its whole name."""
    return menu_text(kind, words).replace("&", "")


def ordered_by(draft: Draft) -> str:
    """Who ordered the copy, as far as that was said."""
    return draft.copy.ordered_by if draft.copy is not None else ""


def is_numbered(profile: Profile) -> bool:
    """Whether number and date of issue are asked for it."""
    return profile in _NUMBERED


def is_sent(profile: Profile) -> bool:
    """Whether it goes to receivers."""
    return profile in _SENT


@lru_cache(maxsize=64)
def role_for(profile: Profile, today: dt.date) -> CertificateRole | None:
    """Whose certificate signs it by the rules in force; None: anybody's."""
    return _ROLES[rules.load(today).profile(profile).signs]


@dataclass(frozen=True)
class CopyQuestion:
    """What is asked of a copy in place: its form, who ordered it; and what is to be known of copying."""

    draft: str
    form: CopyForm
    ordered_by: str
    told: str

    @property
    def open(self) -> bool:
        """Whether somebody has still to say who ordered it."""
        return not self.ordered_by.strip()


def copy_question(draft: Draft, words: Words) -> CopyQuestion | None:
    """The question for a draft that is signed as a copy; None for every other."""
    kind = kind_of(draft)
    if kind.form is None:
        return None
    told = words("uk_copy_told_extract" if kind.form is CopyForm.TRICH_SAO else "uk_copy_told")
    return CopyQuestion(draft.id, kind.form, ordered_by(draft), told)


def form_text(form: CopyForm, words: Words) -> str:
    """Sao y, Sao lục, Trích sao."""
    return kind_text(Kind(Profile.COPY, form), words)
