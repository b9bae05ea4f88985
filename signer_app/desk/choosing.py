"""Which certificate signs: among the tokens that are plugged in, for what is to be signed, fit for today.

Main process, on the thread that talks to token hosts; every method may block. Asks for no PIN and logs in nowhere.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from signer_app.pdf.model import LetterFacts, Profile
from signer_app.signing.certificates import SigningCertificate, choose, fit_to_sign, require_fit
from signer_app.signing.jobs import DocumentJob, UsageError
from signer_app.store.settings import Body
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_token.client import TokenError
from signer_token.model import Token


class Choosing:
    """The certificates of one workspace."""

    def __init__(self, space: Workspace) -> None:
        self._space = space

    def among_all(self, profiles: Sequence[Profile], drafts: Sequence[str]) -> tuple[SigningCertificate, ...]:
        """Those that could sign these drafts (ids), one at least; more than one where it is open which.

        TokenError (no token, driver's fault), KnownError "certificate_none_fits".
        """
        tokens = self._space.hosts.wanted(lambda seen: bool(self._candidates(seen, profiles)))
        found = self._candidates(tokens, profiles)
        if not found:
            raise KnownError("certificate_none_fits")
        return self._of_the_page(found, drafts) if len(found) > 1 else found

    def only_one(self, profiles: Sequence[Profile]) -> SigningCertificate | None:
        """The certificate that would sign these, None while there is none or it is open which; asks no network."""
        try:
            found = self._candidates(self._space.hosts.tokens().tokens, profiles)
        except TokenError:
            return None
        return found[0] if len(found) == 1 else None

    def require_fits(self, chosen: SigningCertificate, token: Token, profiles: Sequence[Profile]) -> None:
        """KnownError "certificate_none_fits" where this certificate of the token can't sign these."""
        if chosen.certificate.sha256 not in {one.certificate.sha256 for one in self._candidates([token], profiles)}:
            raise KnownError("certificate_none_fits")

    def fit(self, certificate: str, profiles: Sequence[Profile]) -> SigningCertificate:
        """The certificate (SHA-256) that a person has named; raises as `fit_to_sign`, TokenError
        "certificate_not_found".
        """
        try:
            return fit_to_sign(self._space, certificate, profiles)
        except UsageError:
            # Unplugged since it was named; a usage error speaks of the command line.
            raise TokenError("certificate_not_found") from None

    def known(self, certificate: str) -> SigningCertificate:
        """The certificate on its token, fit to sign or not."""
        space, token = self._space, self.token_of(certificate)
        return choose([token], certificate, [Profile.PLAIN], space.settings, space.trust, space.now())

    def token_of(self, certificate: str) -> Token:
        """The token with this certificate (SHA-256), read now; TokenError "certificate_not_found" and as listing."""
        token = _holding(certificate, self._space.hosts.wanted(lambda seen: _holding(certificate, seen) is not None))
        if token is None:
            raise TokenError("certificate_not_found")
        return token

    def _candidates(self, tokens: Sequence[Token], profiles: Sequence[Profile]) -> tuple[SigningCertificate, ...]:
        """What could sign: those that may sign today before others, a set-up body's before others."""
        space, found = self._space, dict[str, SigningCertificate]()
        for token in tokens:
            for certificate in token.certificates:
                alone = replace(token, certificates=(certificate,))
                with suppress(KnownError):
                    one = choose([alone], None, profiles, space.settings, space.trust, space.now())
                    found.setdefault(certificate.sha256, replace(one, token=token))
        fitting = tuple(one for one in found.values() if self._fits_today(one)) or tuple(found.values())
        ours = tuple(one for one in fitting if one.body is not None) if Profile.AGENCY in profiles else ()
        return ours or fitting

    def _of_the_page(
        self, found: tuple[SigningCertificate, ...], draft_ids: Sequence[str]
    ) -> tuple[SigningCertificate, ...]:
        """Of several bodies' certificates those of the one that ô 2 of every document names; else all."""
        with self._space.store.view() as view:
            drafts = [draft for draft_id in draft_ids if (draft := view.drafts.get(draft_id)) is not None]
        named = {body.code if (body := self._body_on(draft.main.facts)) is not None else None for draft in drafts}
        return tuple(one for one in found if one.body is not None and named == {one.body.code}) or found

    def _body_on(self, facts: LetterFacts) -> Body | None:
        lines = (facts.body,) if facts.body else ()
        return self._space.settings.body_named(lines, facts.date or self._space.now().date())

    def _fits_today(self, one: SigningCertificate) -> bool:
        try:
            require_fit(one, self._space.now())
        except KnownError:
            return False
        return True


def profiles_of(jobs: Sequence[DocumentJob]) -> tuple[Profile, ...]:
    """How the files of these are signed; KnownError "us_mixed_kinds" where no one certificate could do it."""
    profiles = {file.profile for job in jobs for file in job.files}
    if Profile.LEADER in profiles and profiles & {Profile.AGENCY, Profile.APPENDIX}:
        raise KnownError("us_mixed_kinds")
    return tuple(profiles)


def _holding(certificate: str, tokens: Sequence[Token]) -> Token | None:
    """The token with this certificate (SHA-256)."""
    return next((token for token in tokens if any(c.sha256 == certificate for c in token.certificates)), None)
