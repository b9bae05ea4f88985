"""Pictures of signatures and initials as a form: several for each certificate, each used on its days.

Plain values, no screen, no disk. A picture belongs to a certificate's holder and is drawn with that certificate alone;
nothing here gives one out again.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from signer_app.desk.tokens import TokensSnapshot
from signer_app.store.settings import CertificateRole, HandKind, Handwriting, Settings
from signer_ui.presenters.settings import Change, Field, Problem, day_text, typed_day
from signer_ui.presenters.settings_bodies import days_problem


@dataclass(frozen=True)
class HandForm:
    """A picture just made (`png`, not kept yet) or as it is set, and the days on which it is used, as typed."""

    certificate: str
    kind: HandKind
    png: bytes | None = None
    kept: Handwriting | None = None
    begins: str = ""
    ends: str = ""

    def handwriting(self, pictures: Mapping[bytes, str]) -> Handwriting:
        """As it is set; `pictures`: what new ones are called in the vault."""
        begins, ends = typed_day(self.begins), typed_day(self.ends)
        if self.kept is not None:
            return msgspec.structs.replace(self.kept, valid_from=begins, valid_to=ends)
        assert self.png is not None
        return Handwriting(picture=pictures[self.png], kind=self.kind, valid_from=begins, valid_to=ends)


@dataclass(frozen=True)
class HandsForm:
    """All pictures of signatures and initials, in the order of the settings; `known`: whose they were at first."""

    hands: tuple[HandForm, ...] = ()
    known: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings) -> "HandsForm":
        """As they are set."""
        return cls(
            tuple(
                HandForm(certificate, hand.kind, None, hand, day_text(hand.valid_from), day_text(hand.valid_to))
                for certificate, hands in settings.handwriting.items()
                for hand in hands
            ),
            frozenset(settings.handwriting),
        )

    def with_new(self, certificate: str, kind: HandKind, png: bytes, today: dt.date) -> "HandsForm":
        """With another picture, used from today where there is an earlier one; that one ends the day before, unless it
        began today or has an end of its own.
        """
        same = [hand for hand in self.hands if (hand.certificate, hand.kind) == (certificate, kind)]
        yesterday = day_text(today - dt.timedelta(days=1))

        def ended(hand: HandForm) -> HandForm:
            if hand not in same or hand.ends or days_problem(hand.begins, yesterday) is not None:
                return hand
            return replace(hand, ends=yesterday)

        new = HandForm(certificate, kind, png, begins=day_text(today) if same else "")
        return replace(self, hands=(*map(ended, self.hands), new))

    def with_days(self, number: int, begins: str, ends: str) -> "HandsForm":
        """With other days for one of them."""
        hands = list(self.hands)
        hands[number] = replace(hands[number], begins=begins, ends=ends)
        return replace(self, hands=tuple(hands))

    def without(self, number: int) -> "HandsForm":
        """Without one of them."""
        return replace(self, hands=(*self.hands[:number], *self.hands[number + 1 :]))

    @property
    def pictures(self) -> frozenset[bytes]:
        """Those that are not kept yet."""
        return frozenset(hand.png for hand in self.hands if hand.png is not None)

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the days."""
        wrong = [days_problem(hand.begins, hand.ends) for hand in self.hands]
        return tuple(Problem(Field.HANDS, key, number) for number, key in enumerate(wrong) if key is not None)

    def change(self, pictures: Mapping[bytes, str]) -> Change:
        """These; `pictures`: new ones and what they are called in the vault. What a renewed certificate was handed
        meanwhile stays.
        """
        made: dict[str, tuple[Handwriting, ...]] = {}
        for hand in self.hands:
            made[hand.certificate] = (*made.get(hand.certificate, ()), hand.handwriting(pictures))

        def change(settings: Settings) -> Settings:
            others = {one: hands for one, hands in settings.handwriting.items() if one not in self.known}
            return msgspec.structs.replace(settings, handwriting={**others, **made})

        return change


@dataclass(frozen=True)
class Holder:
    """Who may have pictures; `name` is empty while the token isn't plugged in. `hands`: their numbers in the form."""

    certificate: str
    name: str
    hands: tuple[int, ...]


def holders(form: HandsForm, tokens: TokensSnapshot) -> list[Holder]:
    """The persons whose tokens are plugged in, then those whose pictures are kept."""
    names = {
        view.certificate.sha256: view.certificate.common_name
        for token in tokens.tokens
        for view in token.certificates
        if view.role is CertificateRole.PERSONAL
    }
    kept = [hand.certificate for hand in form.hands]
    return [
        Holder(
            certificate,
            names.get(certificate, ""),
            tuple(number for number, hand in enumerate(form.hands) if hand.certificate == certificate),
        )
        for certificate in dict.fromkeys((*names, *kept))
    ]
