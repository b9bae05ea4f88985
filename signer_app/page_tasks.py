"""What the main process asks of the child that draws pages, and what it answers: plain messages, files named by path.

Apart from `tasks`, because this child loads neither pyHanko nor the verifier: it must be there when a page is opened.
"""

import msgspec

from signer_token.channel import Message

MAX_PIXELS = 8_000_000
"""Pixels of one picture of a page (32 MB): what is larger is asked for in parts."""


class PixelBox(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a picture: left, top, width and height in pixels from its top left corner."""

    left: int
    top: int
    width: int
    height: int


class Wake(Message, frozen=True):
    """Are you there? Asked of a worker that was just started, so that a start is not mistaken for work. → Awake"""


class Outline(Message, frozen=True):
    """How large are the pages from `first` (from 0), at most `count` of them? → Outlined"""

    path: str
    first: int
    count: int


class DrawPage(Message, frozen=True):
    """The page (from 0) `width` by `height` pixels large, and of that picture `clip`, written to `output`. → Drawn"""

    path: str
    page: int
    width: int
    height: int
    clip: PixelBox
    output: str


class DrawInk(Message, frozen=True):
    """The ink of a stamp's picture (PNG), as large as `width` by `height` pixels allow, written to `output`. → Drawn"""

    picture: bytes
    sha256: str
    width: int
    height: int
    output: str


class Awake(Message, frozen=True):
    """The answer to Wake."""


class Outlined(Message, frozen=True):
    """The answer to Outline: how many pages the file has, and width and height in mm of those asked for."""

    total: int
    sizes: tuple[tuple[float, float], ...]


class Drawn(Message, frozen=True):
    """The answer to DrawPage (blue, green, red, unused) and DrawInk (red, green, blue, alpha): four bytes a pixel.

    The bytes themselves lie in the file that the task named; `stride` is the bytes of a row.
    """

    width: int
    height: int
    stride: int


PageTask = Wake | Outline | DrawPage | DrawInk
PageAnswer = Awake | Outlined | Drawn
PAGE_TASKS: tuple[type[PageTask], ...] = (Wake, Outline, DrawPage, DrawInk)
PAGE_ANSWERS: tuple[type[PageAnswer], ...] = (Awake, Outlined, Drawn)
