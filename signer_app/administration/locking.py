"""A machine's settings over a user's: what is filled in, what can't be changed, and what of it all is the user's own.

Pure values, any thread. What the machine sets is never written into the user's file: when the administrator takes it
back, the user's own settings are there again, and a new value counts from the next start.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from signer_app.administration.machine import Key, Machine, MachineServer
from signer_app.store.settings import Exchange, NetworkSettings, ServerSettings, Settings
from signer_resources.errors import KnownError

_replace = msgspec.structs.replace


@dataclass(frozen=True)
class _Lens:
    """How a value is read from settings, put into them, and what it is where a user has set nothing."""

    read: Callable[[Settings], object]
    put: Callable[[Settings, object], Settings]
    unset: object = None


def _own(name: str, unset: object = None) -> _Lens:
    return _Lens(
        lambda settings: getattr(settings, name), lambda settings, value: _replace(settings, **{name: value}), unset
    )


def _inside(part: str, name: str) -> _Lens:
    return _Lens(
        lambda settings: getattr(getattr(settings, part), name),
        lambda settings, value: _replace(settings, **{part: _replace(getattr(settings, part), **{name: value})}),
    )


_LENSES: Mapping[Key, _Lens] = {
    Key.TSA: _own("tsa_url"),
    Key.NATIONAL_ROOT: _own("national_root"),
    Key.TRUST_DIR: _own("trust_dir"),
    Key.TRUST_STORE: _own("trust_store"),
    Key.LEGACY_SHA1: _own("legacy_sha1_before"),
    Key.NETWORK: _own("network", NetworkSettings()),
    Key.MODULES: _own("modules", ()),
    Key.UPDATES: _inside("updates", "source"),
    Key.MINIMUM: _inside("updates", "minimum_version"),
    Key.BACKUP: _inside("backup", "target"),
}
"""Server and way of exchange are no single values; they have functions of their own below."""


def over(machine: Machine, stored: Settings) -> Settings:
    """What counts: the user's settings, filled in and overruled by the machine's."""
    if not machine.is_set:
        return stored
    result = stored
    for key, lens in _LENSES.items():
        value = machine.values.of(key)
        if value is not None and (key in machine.locked or lens.read(stored) == lens.unset):
            result = lens.put(result, value)
    if machine.values.exchange is not None and Key.EXCHANGE in machine.locked:
        result = _exchanging(result, machine.values.exchange)
    server = machine.values.server
    if server is not None:
        if Key.SERVER in machine.locked:
            bodies = tuple(_replace(body, server=None) for body in result.bodies)
            result = _replace(result, bodies=bodies, server=_server(server, stored.server))
        elif stored.server is None:
            result = _replace(result, server=_server(server, None))
    return result


def kept(machine: Machine, stored: Settings, wanted: Settings) -> Settings:
    """What goes into the user's file for `wanted`, which was made of `over(machine, stored)`.

    KnownError "setting_locked" where something is changed that the administrator has locked.
    """
    if not machine.is_set:
        return wanted
    before = over(machine, stored)
    require_unlocked(machine, before, wanted)
    result = wanted
    for key, lens in _LENSES.items():
        if machine.values.of(key) is not None and lens.read(wanted) == lens.read(before):
            result = lens.put(result, lens.read(stored))
    own = {body.code: body for body in stored.bodies}
    exchange, server = Key.EXCHANGE in machine.locked, Key.SERVER in machine.locked
    bodies = []
    for body in result.bodies:
        former = own.get(body.code)
        if exchange:
            body = _replace(body, exchange=former.exchange if former is not None else Exchange.SERVER)
        if server and former is not None:
            body = _replace(body, server=former.server)
        bodies.append(body)
    result = _replace(result, bodies=tuple(bodies))
    if machine.values.server is not None and result.server == before.server:
        # What an enrolment brings belongs to a server that is known: only then it is the user's own.
        result = _replace(result, server=stored.server)
    return result


def require_unlocked(machine: Machine, before: Settings, wanted: Settings) -> None:
    """KnownError "setting_locked" where `wanted` differs from `before` in something locked.

    A body that is new takes the machine's way of exchange whatever it was given: there is nothing to choose.
    """
    for key, lens in _LENSES.items():
        if key in machine.locked and lens.read(before) != lens.read(wanted):
            raise _locked(machine, key)
    if Key.SERVER in machine.locked and _shown_server(machine, before) != _shown_server(machine, wanted):
        raise _locked(machine, Key.SERVER)
    if Key.EXCHANGE in machine.locked:
        known = {body.code: body.exchange for body in before.bodies}
        if any(known.get(body.code, body.exchange) is not body.exchange for body in wanted.bodies):
            raise _locked(machine, Key.EXCHANGE)


def _locked(machine: Machine, key: Key) -> KnownError:
    return KnownError("setting_locked", key=key.value, file=str(machine.file))


def _exchanging(settings: Settings, exchange: Exchange) -> Settings:
    return _replace(settings, bodies=tuple(_replace(body, exchange=exchange) for body in settings.bodies))


def _server(machine: MachineServer, stored: ServerSettings | None) -> ServerSettings:
    """The machine's server with what this user's enrolment has brought, unless that was another server's."""
    if stored is None:
        stored = ServerSettings(url=machine.url)
    if machine.server_id is None:
        return _replace(stored, url=machine.url)
    same = stored.server_id in (None, machine.server_id)
    return ServerSettings(
        url=machine.url,
        server_id=machine.server_id,
        signer_certificate_der=machine.signer_certificate_der,
        devices=stored.devices if same else {},
    )


def _shown_server(machine: Machine, settings: Settings) -> object:
    """What of the server the machine has set: never the devices, and the identity only where it names one."""
    server, wanted = settings.server, machine.values.server
    own = tuple(body.code for body in settings.bodies if body.server is not None)
    if server is None or wanted is None:
        return None
    identity = (server.server_id, server.signer_certificate_der) if wanted.server_id is not None else None
    return server.url, identity, own
