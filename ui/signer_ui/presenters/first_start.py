"""First start: four steps that light up one after the other, and what can be said about tokens before all is set.

Plain values, no screen. A step is done, left for later, or still to come; the first that is neither is in front, unless
the person has gone back to one.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from signer_app.desk.setup import BodyGuess
from signer_app.desk.tokens import CertificateView, Life, TokensSnapshot, TokenView
from signer_app.store.settings import CertificateRole, Settings
from signer_resources.errors import KnownError
from signer_ui.presenters.settings_bodies import BodyForm


class Step(StrEnum):
    """The steps, in their order."""

    TOKEN = "token"  # noqa: S105 - a step's name
    BODY = "body"
    SEAL = "seal"
    TRIAL = "trial"


class Stand(StrEnum):
    """How a step stands."""

    COMING = "coming"
    CURRENT = "current"
    DONE = "done"
    LATER = "later"


@dataclass(frozen=True)
class Way:
    """How far first start has come."""

    done: frozenset[Step] = frozenset()
    later: frozenset[Step] = frozenset()
    reopened: Step | None = None

    @property
    def current(self) -> Step | None:
        """The step in front; None when all have been gone through."""
        if self.reopened is not None:
            return self.reopened
        return next((step for step in Step if step not in self.done | self.later), None)

    @property
    def ended(self) -> bool:
        """Whether work can begin."""
        return self.current is None

    def stand(self, step: Step) -> Stand:
        """How this step stands."""
        if step is self.current:
            return Stand.CURRENT
        if step in self.done:
            return Stand.DONE
        return Stand.LATER if step in self.later else Stand.COMING

    def finished(self, step: Step) -> "Way":
        """The step is done."""
        return Way(self.done | {step}, self.later - {step})

    def postponed(self, step: Step) -> "Way":
        """The step is left for later."""
        return Way(self.done - {step}, self.later | {step})

    def opened(self, step: Step) -> "Way":
        """The person goes back to a step."""
        return replace(self, reopened=step)


@dataclass(frozen=True)
class Candidate:
    """A certificate that could be the body's, and the token it is on."""

    token: TokenView
    view: CertificateView

    @property
    def sha256(self) -> str:
        """What identifies it."""
        return self.view.certificate.sha256


@dataclass(frozen=True)
class TokenSeen:
    """What is plugged in, as the first step tells it: a text of the catalogue or an error of it.

    `good`: there is something to go on with; `driver_wanted`: no driver is set, so one is to be chosen.
    """

    key: str
    candidates: tuple[Candidate, ...] = ()
    error: KnownError | None = None
    driver_wanted: bool = False

    @property
    def good(self) -> bool:
        """Whether the step can be done."""
        return bool(self.candidates)


def token_seen(tokens: TokensSnapshot, settings: Settings) -> TokenSeen:
    """What the first step says; certificates of bodies come first, run-out ones last."""
    found = [Candidate(token, view) for token in tokens.tokens for view in token.certificates]
    found.sort(key=lambda one: (one.view.life is Life.EXPIRED, one.view.role is not CertificateRole.AGENCY))
    if found:
        return TokenSeen("ue_start_token_found", tuple(found))
    if not settings.modules and not tokens.tokens:
        return TokenSeen("ue_start_no_driver", driver_wanted=True)
    if not tokens.looked:
        return TokenSeen("ue_start_looking")
    if tokens.faults:
        return TokenSeen("ue_start_fault", error=tokens.faults[0], driver_wanted=True)
    return TokenSeen("ue_start_token_empty" if tokens.tokens else "ue_start_no_token")


def proposed(form: BodyForm, guess: BodyGuess, before: BodyGuess) -> BodyForm:
    """The form with what the certificate tells; what the person has typed stays.

    `before` is what the last certificate told: a field that still says so was not typed.
    """

    def pick(typed: str, old: str, new: str) -> str:
        return new if typed in ("", old) else typed

    return replace(
        form,
        name=pick(form.name, before.name, guess.name),
        code=pick(form.code, before.code, guess.code),
        parent_name=pick(form.parent_name, before.parent_name, guess.parent_name),
        place_name=pick(form.place_name, before.place_name, guess.place_name),
    )
