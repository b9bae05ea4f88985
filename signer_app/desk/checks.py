"""The machine's health, one light a matter: driver, token, certificate, clock, server, timestamps, disk, database, ….

Main process; blocks, so on a thread that may wait. `standing` says what can be known without asking anybody; `asked`
goes over the network, `database` reads the whole database: both only when a person wants it. Mends nothing but a wrong
last signature's hold on the clock, and that by proof or a person's word; spends no PIN. Each check is a plain value
with a code of the catalogue, for the window and for the command line alike.
"""

import datetime as dt
import os
import shutil
import tempfile
import time
from pathlib import Path

from cryptography import x509

from signer_app.desk.backup_light import backup_check
from signer_app.desk.check_values import Check, CheckName, CheckState, worst_of
from signer_app.desk.checks_network import behind, network_check, network_standing
from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_app.desk.networking import Networking, Tried
from signer_app.desk.surroundings import (
    ChooseKeyStore,
    anchors_check,
    folder_check,
    fonts_check,
    keyring_check,
    machine_check,
    zone_check,
)
from signer_app.desk.tokens import CertificateView, Life, TokensSnapshot, TokenView
from signer_app.desk.waiting_levels import levels_check
from signer_app.exchange.session import has_channel, only_signs
from signer_app.signing.clock import ClockWatch, Ground, TimeSource, accept_clock, clock_words, require_clock
from signer_app.signing.timestamps import TimestampClient
from signer_app.store.store import Store
from signer_app.store.times import VIETNAM
from signer_app.verification.certificate import CertificateState, assess_certificate
from signer_app.verification.model import Revocation, Trust
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.keystore import choose_key_store
from signer_token.binaries import own_binary, read_binary
from signer_token.drivers import misfit
from signer_token.model import PinState

_LOW_BYTES = 1 << 30
_EMPTY_BYTES = 100 << 20
"""A day's letters of an office with their copies take some ten MB; a batch of scans a hundred."""


class Checks:
    """The checks of one workspace. `clock` is what is known of the time; without one it is learned by `asked` alone."""

    def __init__(
        self, space: Workspace, clock: ClockWatch | None = None, key_store: ChooseKeyStore = choose_key_store
    ) -> None:
        self._space = space
        self._watch = clock if clock is not None else ClockWatch()
        self._key_store = key_store

    def standing(self, tokens: TokensSnapshot, exchange: ExchangeSnapshot) -> tuple[Check, ...]:
        """All checks by what is known without asking; those that need the network or long reading say so."""
        return (
            self._driver(tokens),
            _token(tokens),
            self._certificate(tokens),
            anchors_check(self._space),
            self._clock(),
            zone_check(),
            _SERVER_EXTERNAL if only_signs(self._space.settings) else _server(exchange),
            network_standing(exchange),
            Check(CheckName.KEYRING, CheckState.NOT_CHECKED, "ut_keyring_not_checked"),
            self._timestamp_set(),
            levels_check(self._space),
            self._disk(),
            folder_check(self._space),
            Check(CheckName.DATABASE, CheckState.NOT_CHECKED, "ut_database_not_checked"),
            backup_check(self._space),
            fonts_check(),
            machine_check(self._space),
        )

    def asked(self, tokens: TokensSnapshot) -> tuple[Check, ...]:
        """Server, network, keyring and timestamps, with those asked; offline is an answer, too.

        News of the time and about revocation come on the way: `standing` then knows more of clock and certificate.
        """
        server, timestamp = self._ask_server(), self._ask_timestamp()
        network = network_check(self._space, server, timestamp)
        self._fetch_revocation(tokens)
        if self._space.folder.locked:
            self._accept_proved_clock()
        return (behind(network, server), network, keyring_check(self._space, self._key_store), timestamp)

    def accept_clock(self) -> None:
        """A person says that the clock is right although a signature bears a later time; for a writing workspace.

        Raises as `Store.write`.
        """
        accept_clock(self._space.store, self._space.now(), Ground.CONFIRMED)

    def database(self) -> Check:
        """The database read through, over a connection of its own; nobody waits for it."""
        folder = self._space.folder
        try:
            with Store.read_only(folder) as reader, reader.view() as view:
                sound = view.listings.is_sound()
        except KnownError as error:
            return Check(CheckName.DATABASE, CheckState.BAD, "ut_database_bad", error=error)
        if not sound:
            damaged = KnownError("database_damaged", file=str(folder.database))
            return Check(CheckName.DATABASE, CheckState.BAD, "ut_database_bad", error=damaged)
        return Check(CheckName.DATABASE, CheckState.GOOD, "ut_database_good")

    # ---- token -----------------------------------------------------------------------------------------------------

    def _driver(self, tokens: TokensSnapshot) -> Check:
        if not tokens.looked:
            return Check(CheckName.DRIVER, CheckState.NOT_CHECKED, "ut_driver_not_checked")
        modules, own = self._space.hosts.modules, own_binary()
        names = ", ".join(_with_width(module) for module in modules)
        wrong = tuple(error for module in modules if (error := misfit(module, read_binary(module), own)) is not None)
        misfits = {str(error.params["module"]) for error in wrong}
        # That such a driver doesn't load is its own fault's consequence, and told once.
        faults = wrong + tuple(fault for fault in tokens.faults if str(fault.params.get("module")) not in misfits)
        if faults:
            state = CheckState.WARN if tokens.tokens else CheckState.BAD
            return Check(
                CheckName.DRIVER, state, "ut_driver_bad", {"names": names or "–"}, faults[0], tuple(faults[1:])
            )
        return Check(CheckName.DRIVER, CheckState.GOOD, "ut_driver_good", {"names": names})

    def _certificate(self, tokens: TokensSnapshot) -> Check:
        """The certificate that is worst off, bodies' certificates first."""
        views = [view for _token, view in tokens.sealing]
        views = views or [view for token in tokens.tokens for view in token.certificates]
        if not views:
            return Check(CheckName.CERTIFICATE, CheckState.NOT_CHECKED, "ut_certificate_not_checked")
        try:
            trust, now = self._space.trust, self._space.now()
        except KnownError as error:
            return Check(CheckName.CERTIFICATE, CheckState.BAD, "ut_certificate_unknown", error=error)
        checks = [_one_certificate(v, assess_certificate(v.certificate.der, trust, now), trust.crls) for v in views]
        return worst_of(checks)

    def _fetch_revocation(self, tokens: TokensSnapshot) -> None:
        try:
            trust, now = self._space.trust, self._space.now()
        except KnownError:
            # The certificate's own light says so.
            return
        for view in (view for token in tokens.tokens for view in token.certificates):
            self._space.revocation.fetch(assess_certificate(view.certificate.der, trust, now).wanted_urls)

    # ---- network ---------------------------------------------------------------------------------------------------

    def _ask_server(self) -> Check:
        """The other side of every body that is exchanged for; of several the one that is worst off."""
        settings = self._space.settings
        if only_signs(settings):
            return _SERVER_EXTERNAL
        if not has_channel(settings):
            return _server(ExchangeSnapshot(Link.NOT_SET))
        tried = Networking(self._space, self._watch).try_ways()
        if not tried:
            return _server(ExchangeSnapshot(Link.NOT_ASKED))
        return worst_of([_tried(one) for one in tried])

    def _timestamp_set(self) -> Check:
        if self._space.settings.tsa_url is None:
            return Check(CheckName.TIMESTAMP, CheckState.NOT_CHECKED, "ut_timestamp_not_set", wanted=False)
        return Check(CheckName.TIMESTAMP, CheckState.NOT_CHECKED, "ut_timestamp_not_checked")

    def _ask_timestamp(self) -> Check:
        settings = self._space.settings
        if settings.tsa_url is None:
            return self._timestamp_set()
        begun = time.monotonic()
        stamped = TimestampClient(settings.tsa_url, settings.tsa_timeout_s).stamp(b"signer machine check")
        passed = round((time.monotonic() - begun) * 1000)
        if stamped is None:
            away = KnownError("machine_tsa_away", seconds=f"{settings.tsa_timeout_s:g}")
            return Check(CheckName.TIMESTAMP, CheckState.WARN, "ut_timestamp_away", error=away)
        self._watch.saw(stamped.time, self._space.now(), TimeSource.TSA)
        return Check(CheckName.TIMESTAMP, CheckState.GOOD, "ut_timestamp_good", {"ms": passed})

    # ---- clock -----------------------------------------------------------------------------------------------------

    def _clock(self) -> Check:
        """By the last signature and by what others said last."""
        now = self._space.now()
        params = {"time": clock_words(now)}
        try:
            error = self._behind_last_signature() or self._watch.warning(now)
        except KnownError as unknown:
            return Check(CheckName.CLOCK, CheckState.BAD, "ut_clock_bad", params, unknown)
        if error is not None:
            return Check(CheckName.CLOCK, CheckState.BAD, "ut_clock_bad", params, error)
        if self._watch.ahead(now) is None:
            return Check(CheckName.CLOCK, CheckState.NOT_CHECKED, "ut_clock_not_checked", params)
        return Check(CheckName.CLOCK, CheckState.GOOD, "ut_clock_good", params)

    def _behind_last_signature(self) -> KnownError | None:
        space = self._space
        try:
            with (space.store if space.folder.locked else space.reader).view() as view:
                require_clock(view, space.now())
        except KnownError as error:
            # A database that can't be read has a light of its own.
            return error if error.code == "clock_before_last_signature" else None
        return None

    def _accept_proved_clock(self) -> None:
        now = self._space.now()
        if self._behind_last_signature() is not None and self._watch.proves(now):
            accept_clock(self._space.store, now, Ground.PROVED)

    # ---- disk ------------------------------------------------------------------------------------------------------

    def _disk(self) -> Check:
        folder = self._space.folder
        try:
            free = shutil.disk_usage(_there(folder.path)).free
            _try_writing(folder.path, folder.work)
        except OSError:
            unwritable = KnownError("data_folder_unwritable", folder=str(folder.path))
            return Check(CheckName.DISK, CheckState.BAD, "ut_disk_bad", error=unwritable)
        params = {"free": f"{free >> 30} GB" if free >= _LOW_BYTES else f"{free >> 20} MB"}
        if free < _LOW_BYTES:
            state = CheckState.BAD if free < _EMPTY_BYTES else CheckState.WARN
            low = KnownError("machine_disk_low", free=params["free"], folder=str(folder.path))
            return Check(CheckName.DISK, state, "ut_disk_bad", params, low)
        return Check(CheckName.DISK, CheckState.GOOD, "ut_disk_good", params)


def _there(path: Path) -> Path:
    """The folder, or where it is going to be made: the nearest one above that is there."""
    return next(one for one in (path, *path.parents) if one.exists())


def _try_writing(folder: Path, work: Path) -> None:
    """OSError unless a file can be made in `work`; before the first start the folder is only to be made."""
    if not folder.exists():
        if not os.access(_there(folder), os.W_OK):
            raise PermissionError
        return
    # An administrator may have made the folder before the first start: then `work` isn't there yet.
    with tempfile.TemporaryFile(dir=_there(work)) as probe:
        probe.write(b"signer")
        probe.flush()


def _with_width(module: Path) -> str:
    bits = read_binary(module).bits
    return f"{module.name} ({bits} bit)" if bits else module.name


def _token(tokens: TokensSnapshot) -> Check:
    if not tokens.looked:
        return Check(CheckName.TOKEN, CheckState.NOT_CHECKED, "ut_token_not_checked")
    if not tokens.tokens:
        return Check(CheckName.TOKEN, CheckState.WARN, "ut_token_none", error=KnownError("no_token"))
    found = max(tokens.tokens, key=lambda view: _PIN_BADNESS.index(view.token.pin_state))
    params = {"names": ", ".join(view.name for view in tokens.tokens)}
    trouble = _pin_trouble(found)
    if trouble is not None:
        state = CheckState.BAD if found.token.pin_state is PinState.LOCKED else CheckState.WARN
        return Check(CheckName.TOKEN, state, "ut_token_good", params, trouble)
    return Check(CheckName.TOKEN, CheckState.GOOD, "ut_token_good", params)


_PIN_BADNESS = (PinState.OK, PinState.UNKNOWN, PinState.LOW, PinState.FINAL, PinState.LOCKED)


def _pin_trouble(view: TokenView) -> KnownError | None:
    match view.token.pin_state:
        case PinState.LOCKED:
            return KnownError("machine_token_locked", name=view.name)
        case PinState.FINAL:
            return KnownError("machine_token_final", name=view.name)
        case PinState.LOW:
            return KnownError("machine_token_low", name=view.name)
    return None


def _one_certificate(view: CertificateView, known: CertificateState, crls: tuple[bytes, ...]) -> Check:
    certificate = view.certificate
    name, until = certificate.common_name, certificate.not_after.astimezone(VIETNAM).strftime("%d/%m/%Y")
    params = {"name": name, "until": until, "list": _list_day(certificate.der, crls)}

    def check(state: CheckState, error: KnownError) -> Check:
        return Check(CheckName.CERTIFICATE, state, "ut_certificate_bad", params, error)

    if view.life is Life.EXPIRED:
        return check(CheckState.BAD, KnownError("certificate_expired", name=name, date=until))
    if view.life is Life.NOT_YET:
        begin = certificate.not_before.astimezone(VIETNAM).strftime("%d/%m/%Y")
        return check(CheckState.BAD, KnownError("certificate_not_yet_valid", name=name, date=begin))
    if known.revocation is Revocation.REVOKED:
        return check(CheckState.BAD, KnownError("certificate_revoked", name=name))
    if certificate.key_present is False:
        return check(CheckState.BAD, KnownError("key_missing"))
    if known.trust is Trust.UNTRUSTED:
        return check(CheckState.BAD, KnownError("certificate_untrusted", name=name, issuer=certificate.issuer))
    if known.trust is Trust.UNKNOWN:
        return check(CheckState.WARN, KnownError("machine_no_anchors"))
    match view.life:
        case Life.LAST:
            last = KnownError("machine_certificate_last", name=name, days=view.days_left, date=until)
            return check(CheckState.BAD, last)
        case Life.DUE:
            due = KnownError("machine_certificate_due", name=name, days=view.days_left, date=until)
            return check(CheckState.WARN, due)
        case Life.ENDING:
            ending = KnownError("machine_certificate_ending", name=name, days=view.days_left, date=until)
            return check(CheckState.WARN, ending)
    if known.revocation is not Revocation.GOOD:
        return check(CheckState.WARN, KnownError("machine_revocation_unchecked", name=name))
    key = "ut_certificate_good" if params["list"] else "ut_certificate_good_ocsp"
    return Check(CheckName.CERTIFICATE, CheckState.GOOD, key, params)


def _list_day(certificate: bytes, crls: tuple[bytes, ...]) -> str:
    """The day of the newest revocation list in hand that the certificate's issuer made; empty without one."""
    issuer = x509.load_der_x509_certificate(certificate).issuer
    days: list[dt.datetime] = []
    for der in crls:
        try:
            found = x509.load_der_x509_crl(der)
        except ValueError:
            continue
        if found.issuer == issuer:
            days.append(found.last_update_utc)
    return max(days).astimezone(VIETNAM).strftime("%d/%m/%Y") if days else ""


_SERVER_EXTERNAL = Check(CheckName.SERVER, CheckState.GOOD, "un_server_external")


def _tried(tried: Tried) -> Check:
    if tried.error is not None:
        return Check(CheckName.SERVER, CheckState.WARN, "ut_server_away", error=tried.error)
    return _server(ExchangeSnapshot(Link.REACHED if tried.enrolled else Link.NOT_ENROLLED), server_id=tried.server_id)


def _server(exchange: ExchangeSnapshot, server_id: str = "") -> Check:
    match exchange.link:
        case Link.NOT_SET:
            return Check(CheckName.SERVER, CheckState.WARN, "ut_server_none", error=KnownError("server_not_set"))
        case Link.NOT_ENROLLED:
            return Check(CheckName.SERVER, CheckState.WARN, "ut_server_stranger", error=KnownError("not_enrolled"))
        case Link.NOT_ASKED:
            return Check(CheckName.SERVER, CheckState.NOT_CHECKED, "ut_server_not_checked")
        case Link.AWAY:
            return Check(CheckName.SERVER, CheckState.WARN, "ut_server_away", error=exchange.error)
        case Link.REACHED:
            if server_id:
                return Check(CheckName.SERVER, CheckState.GOOD, "ut_server_known", {"id": server_id})
            return Check(CheckName.SERVER, CheckState.GOOD, "ut_server_good")
