"""The machine's health, one light a matter: driver, token, certificate, clock, server, timestamps, disk, database.

Main process; blocks, so on a thread that may wait. `standing` says what can be known without asking anybody; `asked`
goes over the network, `database` reads the whole database: both only when a person wants it. Mends nothing, spends no
PIN. Each check is a plain value with a code of the catalogue, for the window and for the command line alike.
"""

import datetime as dt
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography import x509

from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_app.desk.tokens import CertificateView, Life, TokensSnapshot, TokenView
from signer_app.exchange.session import client, exchanging_bodies, server_address
from signer_app.signing.timestamps import TimestampClient
from signer_app.store.store import Store
from signer_app.store.times import VIETNAM
from signer_app.verification.certificate import CertificateState, assess_certificate
from signer_app.verification.model import Revocation, Trust
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.errors import KnownError
from signer_sync.client import discover
from signer_sync.contract import Meta
from signer_sync.http import HttpSettings, open_session
from signer_token.model import PinState

_LOW_BYTES = 1 << 30
_EMPTY_BYTES = 100 << 20
"""A day's letters of an office with their copies take some ten MB; a batch of scans a hundred."""


class CheckName(StrEnum):
    """What is looked at."""

    DRIVER = "driver"
    TOKEN = "token"  # noqa: S105 - a check's name
    CERTIFICATE = "certificate"
    CLOCK = "clock"
    SERVER = "server"
    TIMESTAMP = "timestamp"
    DISK = "disk"
    DATABASE = "database"


class CheckState(StrEnum):
    """How it stands."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True)
class Check:
    """One light. `key` and `params` are a text of the catalogue that says what was found; `error` what is amiss."""

    name: CheckName
    state: CheckState
    key: str
    params: Mapping[str, object] = field(default_factory=dict)
    error: KnownError | None = None


class Checks:
    """The checks of one workspace."""

    def __init__(self, space: Workspace) -> None:
        self._space = space

    def standing(self, tokens: TokensSnapshot, exchange: ExchangeSnapshot) -> tuple[Check, ...]:
        """All checks by what is known without asking; those that need the network or long reading say so."""
        return (
            self._driver(tokens),
            _token(tokens),
            self._certificate(tokens),
            Check(CheckName.CLOCK, CheckState.NOT_CHECKED, "ut_clock_not_checked", {"time": self._local_time()}),
            _server(exchange),
            self._timestamp_set(),
            self._disk(),
            Check(CheckName.DATABASE, CheckState.NOT_CHECKED, "ut_database_not_checked"),
        )

    def asked(self, tokens: TokensSnapshot) -> tuple[Check, ...]:
        """Server, clock and timestamps, with the network asked; offline is an answer, too.

        News about revocation are fetched on the way: `standing` then knows more of the certificate.
        """
        server, clock = self._ask_server()
        timestamp, stamped_at = self._ask_timestamp()
        if clock is None and stamped_at is not None:
            clock = self._clock(stamped_at, self._space.now())
        self._fetch_revocation(tokens)
        found = (server, clock, timestamp)
        return tuple(check for check in found if check is not None)

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
        names = ", ".join(module.name for module in self._space.hosts.modules)
        if tokens.faults:
            state = CheckState.WARN if tokens.tokens else CheckState.BAD
            return Check(CheckName.DRIVER, state, "ut_driver_bad", {"names": names or "–"}, tokens.faults[0])
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
        return max(checks, key=lambda check: _BADNESS.index(check.state))

    def _fetch_revocation(self, tokens: TokensSnapshot) -> None:
        try:
            trust, now = self._space.trust, self._space.now()
        except KnownError:
            # The certificate's own light says so.
            return
        for view in (view for token in tokens.tokens for view in token.certificates):
            self._space.revocation.fetch(assess_certificate(view.certificate.der, trust, now).wanted_urls)

    # ---- network ---------------------------------------------------------------------------------------------------

    def _ask_server(self) -> tuple[Check, Check | None]:
        """The server's light, and the clock's where the server told its time."""
        settings = self._space.settings
        if settings.server is None:
            return _server(ExchangeSnapshot(Link.NOT_SET)), None
        before = self._space.now()
        try:
            enrolled = exchanging_bodies(settings)
            if enrolled:
                with client(self._space, enrolled[0].code) as server:
                    meta = server.meta()
            else:
                meta = self._meet(server_address(settings))
        except KnownError as error:
            return Check(CheckName.SERVER, CheckState.WARN, "ut_server_away", error=error), None
        middle = before + (self._space.now() - before) / 2
        link = Link.REACHED if enrolled else Link.NOT_ENROLLED
        check = _server(ExchangeSnapshot(link), server_id=meta.server_id)
        return check, self._clock(dt.datetime.fromisoformat(meta.server_time), middle)

    def _meet(self, address: str) -> Meta:
        with open_session(HttpSettings()) as session:
            return discover(session, address).meta

    def _clock(self, told: dt.datetime, ours: dt.datetime) -> Check:
        most = dt.timedelta(minutes=rules.load(told.astimezone(VIETNAM).date()).number("clock.warning"))
        params = {"time": self._local_time()}
        if abs(told - ours) > most:
            wrong = KnownError("machine_clock_wrong", machine=_moment(ours), right=_moment(told))
            return Check(CheckName.CLOCK, CheckState.BAD, "ut_clock_bad", params, wrong)
        return Check(CheckName.CLOCK, CheckState.GOOD, "ut_clock_good", params)

    def _local_time(self) -> str:
        return _moment(self._space.now())

    def _timestamp_set(self) -> Check:
        key = "ut_timestamp_not_set" if self._space.settings.tsa_url is None else "ut_timestamp_not_checked"
        return Check(CheckName.TIMESTAMP, CheckState.NOT_CHECKED, key)

    def _ask_timestamp(self) -> tuple[Check, dt.datetime | None]:
        settings = self._space.settings
        if settings.tsa_url is None:
            return self._timestamp_set(), None
        begun = time.monotonic()
        stamped = TimestampClient(settings.tsa_url, settings.tsa_timeout_s).stamp(b"signer machine check")
        passed = round((time.monotonic() - begun) * 1000)
        if stamped is None:
            away = KnownError("machine_tsa_away", seconds=f"{settings.tsa_timeout_s:g}")
            return Check(CheckName.TIMESTAMP, CheckState.WARN, "ut_timestamp_away", error=away), None
        return Check(CheckName.TIMESTAMP, CheckState.GOOD, "ut_timestamp_good", {"ms": passed}), stamped.time

    # ---- disk ------------------------------------------------------------------------------------------------------

    def _disk(self) -> Check:
        folder = self._space.folder
        try:
            free = shutil.disk_usage(folder.path).free
            with tempfile.TemporaryFile(dir=folder.work) as probe:
                probe.write(b"signer")
                probe.flush()
        except OSError:
            unwritable = KnownError("data_folder_unwritable", folder=str(folder.path))
            return Check(CheckName.DISK, CheckState.BAD, "ut_disk_bad", error=unwritable)
        params = {"free": f"{free >> 30} GB" if free >= _LOW_BYTES else f"{free >> 20} MB"}
        if free < _LOW_BYTES:
            state = CheckState.BAD if free < _EMPTY_BYTES else CheckState.WARN
            low = KnownError("machine_disk_low", free=params["free"], folder=str(folder.path))
            return Check(CheckName.DISK, state, "ut_disk_bad", params, low)
        return Check(CheckName.DISK, CheckState.GOOD, "ut_disk_good", params)


_BADNESS = (CheckState.GOOD, CheckState.NOT_CHECKED, CheckState.WARN, CheckState.BAD)


def worst(checks: Sequence[Check]) -> CheckState:
    """How the machine stands as a whole."""
    return max((check.state for check in checks), key=_BADNESS.index, default=CheckState.NOT_CHECKED)


def merged(checks: Sequence[Check], newer: Sequence[Check]) -> tuple[Check, ...]:
    """`checks` in their order, with what `newer` says in place of what was known."""
    by_name = {check.name: check for check in newer}
    return tuple(by_name.get(check.name, check) for check in checks)


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
    if known.trust is Trust.UNTRUSTED:
        return check(CheckState.BAD, KnownError("certificate_untrusted", name=name, issuer=certificate.issuer))
    if known.trust is Trust.UNKNOWN:
        return check(CheckState.WARN, KnownError("machine_no_anchors"))
    if view.life is Life.ENDING:
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


def _moment(time: dt.datetime) -> str:
    return time.astimezone(VIETNAM).strftime("%H:%M:%S %d/%m/%Y")
