"""Registers of numbers that the server keeps: the lease of the only writer, numbers taken and given up.

Network pool. Each write carries an id that the caller has kept before, and repeats to the same effect; a number, once
given, is never given again.
"""

import msgspec

from signer_sync import contract as c
from signer_sync.access import Access
from signer_sync.ids import is_uuid

_JSON = {"Content-Type": c.MEDIA_JSON}


def lease(access: Access, register: str, lease_id: str) -> c.Lease:
    """The right to be the register's only writer; the same id asks for the same lease."""
    answer = access.ask("PUT", _path(register, "lease", lease_id), headers=_JSON, data=b"{}")
    return access.wire.decode(answer, c.Lease)


def take_number(access: Access, register: str, number_id: str, wish: c.NumberWish) -> c.TakenNumber:
    """The next number, or the one given for this id before; ExchangeError register_lease_lost."""
    return _number(access, _path(register, "numbers", number_id), wish)


def void_number(access: Access, register: str, number_id: str, wish: c.VoidWish) -> c.TakenNumber:
    """Gives a number up; it stays in the book with the reason."""
    return _number(access, f"{_path(register, 'numbers', number_id)}/void", wish)


def _number(access: Access, path: str, wish: c.NumberWish | c.VoidWish) -> c.TakenNumber:
    answer = access.ask("PUT", path, headers=_JSON, data=msgspec.json.encode(wish))
    return access.wire.decode(answer, c.TakenNumber)


def _path(register: str, what: str, id_: str) -> str:
    if not (is_uuid(register) and is_uuid(id_)):
        raise ValueError("not an id")
    return f"/registers/{register}/{what}/{id_}"
