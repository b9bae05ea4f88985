"""The printed forms of the token's custody: the minute of a hand-over and the requests to the managing body, as data.

Read by any process, once, then immutable; fills nothing in and draws nothing. Their wording follows the terms of the
law (thiết bị lưu khóa bí mật, chứng thư chữ ký số); each form names its source and how sure that is. They are
Vietnamese in every language of the screen, because they go to Vietnamese offices.
"""

import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from signer_resources.rules import Mark


class FormKind(StrEnum):
    """The forms there are; the value is the file's name."""

    HAND_OVER = "hand-over"
    """Biên bản bàn giao."""
    LOCKED = "locked"
    """The device has locked itself after wrong PINs."""
    LOST = "lost"
    """The device is lost, or its secret may be known."""
    RENEW = "renew"
    """The certificate ends soon."""


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A paragraph: `*bold*` is marked, `{gaps}` are filled. With `when`, it stands only where that gap is known."""

    text: str
    when: str = ""


class SignaturePlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place for a signature: title, what to do there, the name below."""

    title: str
    hint: str
    name: str


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A form; `number` is its number line, `to` whom it is addressed to, if to anybody."""

    source: str
    mark: Mark
    number: str
    name: str
    subject: tuple[str, ...]
    blocks: tuple[Block, ...]
    left: SignaturePlace
    right: SignaturePlace
    to: tuple[str, ...] = ()


@cache
def load(kind: FormKind) -> Form:
    """The form of this kind."""
    file = Path(__file__).resolve().parent / f"{kind}.toml"
    return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Form)
