"""The one login of a batch: opens the certificate's key with what a person has given, and tells the journal.

Main process, on the thread that talks to token hosts. Spends each PIN once at most; a key that wants a login for each
signature gets the PIN that was given for that, and is remembered as such, so that next time it is asked for at once.
"""

from contextlib import suppress

import msgspec

from signer_app.administration.minimum import require_version
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.clock import ensure_clock
from signer_app.signing.records import token_use
from signer_app.store.model import JournalAction
from signer_app.store.settings import Settings
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_token.client import TokenError, TokenSession
from signer_token.model import Login


def log_in(space: Workspace, chosen: SigningCertificate, login: Login) -> TokenSession:
    """A session for the certificate's key; the caller closes it. The journal has the login, a refused one too.

    Raises as `TokenHosts.open`; "signature_pin_needed" for a key that asks again when no PIN was given for that;
    KnownError where the journal can't be written, "clock_before_last_signature", and "program_too_old": then nothing is
    open.
    """
    with login:
        require_version(space.settings)
        return _logged_in(space, chosen, login)


def _logged_in(space: Workspace, chosen: SigningCertificate, login: Login) -> TokenSession:
    ensure_clock(space.store, space.now(), space.clock)
    certificate = chosen.certificate.sha256
    if login.pin is None and certificate in space.settings.asking_keys:
        raise TokenError("pin_pad_asks_again")
    try:
        session = space.hosts.open(chosen.token, certificate, login.pin, final_try=login.final_try)
    except TokenError as error:
        with suppress(KnownError):
            # A full disk must not hide why the token said no.
            tell_journal(space, chosen, JournalAction.LOGIN, error.code)
        raise
    try:
        tell_journal(space, chosen, JournalAction.LOGIN, "ok")
        if session.asks_again:
            _remember(space, certificate)
            if login.signature_pin is None:
                raise TokenError("signature_pin_needed" if login.pin is not None else "pin_pad_asks_again")
            session.authorise(login.signature_pin)
    except BaseException:
        session.close()
        raise
    return session


def tell_journal(
    space: Workspace, chosen: SigningCertificate, action: JournalAction, result: str, sha256: str | None = None
) -> None:
    """An entry about a use of the certificate that belongs to no document."""
    now = space.now()
    use = token_use(chosen, action, result, sha256=sha256)
    space.store.write(lambda tx: tx.journal.append(use, now))


def _remember(space: Workspace, certificate: str) -> None:
    if certificate in space.settings.asking_keys:
        return

    def change(settings: Settings) -> Settings:
        return msgspec.structs.replace(settings, asking_keys=(*settings.asking_keys, certificate))

    with suppress(KnownError):
        # Settings that can't be written cost the person another question, not the signature.
        space.change_settings(change)
