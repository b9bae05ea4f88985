"""Settings that travel from machine to machine: what of them is said, and what an import would change.

Pure values over `Settings`. What belongs to one machine or one person stays where it is: enrolled devices, keys of
backups, pictures of seals and hands (they lie in the vault), drivers' paths, the clerk's name and looks. No secret
stands in the settings at all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from signer_app.administration.minimum import program_version
from signer_app.store.settings import Body, Settings
from signer_resources.errors import KnownError

_LARGEST = 4 << 20
_replace = msgspec.structs.replace

TRAVELLING = (
    "archive_level",
    "bodies",
    "calendar",
    "hold_seconds",
    "legacy_sha1_before",
    "national_root",
    "network",
    "roles",
    "server",
    "tsa_others",
    "tsa_per_day",
    "tsa_per_minute",
    "tsa_timeout_s",
    "tsa_url",
    "updates",
)
"""The settings that are the same on all machines of a body."""


class _Exported(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    format: Literal[1] = 1
    version: str
    settings: Settings


@dataclass(frozen=True)
class Difference:
    """A setting that an import changes: its place ("tsa_url", "bodies.H77.15.name"), before and after as JSON; empty:
    it isn't there.
    """

    place: str
    before: str
    after: str


def export_settings(settings: Settings) -> bytes:
    """The travelling settings as JSON."""
    stripped = _travelling(settings)
    told = msgspec.json.decode(msgspec.json.encode(_Exported(version=program_version(), settings=stripped)))
    told["settings"] = {name: told["settings"][name] for name in TRAVELLING}
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"


def read_exported(file: Path) -> Settings:
    """The settings in a file of `export_settings`; KnownError "settings_import_invalid"."""
    try:
        with file.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise KnownError("settings_import_invalid", name=file.name, reason=f"> {_LARGEST} bytes")
        return _travelling(msgspec.json.decode(content, type=_Exported).settings)
    except OSError as error:
        raise KnownError("settings_import_invalid", name=file.name, reason=error.strerror or "?") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise KnownError("settings_import_invalid", name=file.name, reason=str(error)) from error


def imported(settings: Settings, coming: Settings) -> Settings:
    """`settings` with what comes in place of it; what belongs to this machine stays. Bodies that aren't named stay."""
    known = {body.code: body for body in settings.bodies}
    bodies = {**known, **{body.code: _body(known.get(body.code), body) for body in coming.bodies}}
    server = coming.server
    if server is not None and settings.server is not None and _same(server.server_id, settings.server.server_id):
        server = _replace(settings.server, url=server.url)
    others = {name: getattr(coming, name) for name in TRAVELLING}
    others |= {"bodies": tuple(bodies.values()), "server": server or settings.server}
    others["network"] = _replace(
        coming.network, extra_ca=settings.network.extra_ca, proxy_user=settings.network.proxy_user
    )
    others["roles"] = {**settings.roles, **coming.roles}
    return _replace(settings, **others)


def differences(before: Settings, after: Settings) -> tuple[Difference, ...]:
    """Every place where the two differ, in the order of their names."""
    one, other = dict(_places(_plain(before))), dict(_places(_plain(after)))
    return tuple(
        Difference(place, one.get(place, ""), other.get(place, ""))
        for place in sorted({*one, *other})
        if one.get(place) != other.get(place)
    )


def _travelling(settings: Settings) -> Settings:
    """Without what belongs to one machine or person."""
    server = _replace(settings.server, devices={}) if settings.server is not None else None
    bodies = tuple(
        _replace(body, seals=(), server=_replace(body.server, devices={}) if body.server is not None else None)
        for body in settings.bodies
    )
    # An address of a proxy or a source is told; a file on this machine is another machine's nowhere.
    network = _replace(settings.network, extra_ca=None, proxy_user="")
    told = {name: getattr(settings, name) for name in TRAVELLING}
    return Settings(**{**told, "server": server, "bodies": bodies, "network": network})


def _body(own: Body | None, coming: Body) -> Body:
    if own is None:
        return coming
    server = coming.server
    if server is not None and own.server is not None and _same(server.server_id, own.server.server_id):
        server = _replace(own.server, url=server.url)
    return _replace(coming, seals=own.seals, server=server)


def _same(coming: str | None, own: str | None) -> bool:
    return coming is None or own is None or coming == own


def _plain(settings: Settings) -> Mapping[str, object]:
    told: dict[str, object] = msgspec.json.decode(msgspec.json.encode(settings))
    told["bodies"] = {body.code: msgspec.json.decode(msgspec.json.encode(body)) for body in settings.bodies}
    return told


def _places(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for name, one in value.items():
            yield from _places(one, f"{place}.{name}" if place else str(name))
    else:
        yield place, msgspec.json.encode(value).decode()
