"""Pages as pictures: asks a worker of its own for sizes and pixels, and kills it when a page takes too long.

Main process; `outline`, `draw` and `ink` block and are called on a thread that may wait. Pixels come by way of a file
in the data folder's `work`, which is deleted as soon as it is read. A page that can't be drawn costs nothing but
itself: the next request gets a new worker. Never opens a PDF itself.
"""

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from signer_app.logs import for_children
from signer_app.page_tasks import (
    PAGE_ANSWERS,
    Awake,
    DrawInk,
    Drawn,
    DrawPage,
    Outline,
    Outlined,
    PageAnswer,
    PageTask,
    PixelBox,
    Wake,
)
from signer_app.store.durable import disk_errors
from signer_app.workers import own_command
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.errors import KnownError
from signer_resources.messages import catalogue
from signer_token.channel import Child, ChildCrashed, ChildError, ChildFailed, ChildTimeout

A = TypeVar("A")

MAX_PAGES = 10_000
"""More pages than this aren't shown; a document of an office has a thousand at most."""

_DEADLINE_S = 10.0
_START_S = 40.0
"""So long a worker may take to start: on a cold disk its libraries take their time."""


@dataclass(frozen=True)
class PageSize:
    """A page as it is displayed, turned and cropped, in mm."""

    width: float
    height: float


@dataclass(frozen=True)
class PageSizes:
    """How many pages a file has, and the sizes of those from `first` (from 0) on that were asked for."""

    total: int
    first: int
    sizes: tuple[PageSize, ...]


@dataclass(frozen=True)
class Picture:
    """Four bytes a pixel, rows of `stride` bytes from the top: BGRx for a page, RGBA for the ink of a stamp."""

    pixels: bytes = field(repr=False)
    width: int
    height: int
    stride: int


@dataclass(frozen=True)
class Margins:
    """The edges that text keeps free on a page, in mm."""

    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0


class Pages:
    """The pictures of all files that the window shows. Any thread; its owner closes it."""

    def __init__(self, space: Workspace, command: Sequence[str] | None = None, deadline_s: float = _DEADLINE_S) -> None:
        self._space = space
        self._command = list(command or own_command("pages"))
        self._deadline_s = deadline_s
        self._child: Child[PageTask, PageAnswer] | None = None
        self._guard = threading.Lock()
        self._one_at_a_time = threading.Lock()
        self._closed = False

    def start(self) -> None:
        """Starts the worker before it is needed, for its start takes longer than a page.

        KnownError `interrupted`, `worker_timeout`, `worker_fault`.
        """
        self._call(Wake(), Awake, self._fault)

    def outline(self, path: Path, first: int = 0, count: int = MAX_PAGES) -> PageSizes:
        """Sizes of the pages from `first` (from 0), at most `count`.

        KnownError `pdf_unreadable`, `pdf_encrypted`, `file_unreadable`, `worker_timeout`, `worker_fault`.
        """
        found = self._call(Outline(str(path), first, min(count, MAX_PAGES)), Outlined, self._fault)
        sizes = tuple(PageSize(width, height) for width, height in found.sizes)
        return PageSizes(min(found.total, MAX_PAGES), first, sizes)

    def draw(self, path: Path, page: int, width: int, height: int, clip: PixelBox | None = None) -> Picture:
        """The page (from 0) as a picture of `width` by `height` pixels, or the part `clip` of that picture.

        At most `tasks.MAX_PIXELS` pixels come at once. KnownError `page_not_drawn`, `disk_full`,
        `data_folder_unwritable`, and those of `outline`.
        """
        clip = clip or PixelBox(0, 0, width, height)

        def ask(output: str) -> Drawn:
            task = DrawPage(str(path), page, width, height, clip, output)
            return self._call(task, Drawn, lambda _: KnownError("page_not_drawn", page=page + 1))

        return self._picture(ask)

    def ink(self, picture: bytes, sha256: str, width: int, height: int) -> Picture:
        """A stamp's picture without its clear borders, as large as `width` by `height` pixels allow, never enlarged.

        KnownError `image_unusable` when it isn't the picture of that hash, or none.
        """

        def ask(output: str) -> Drawn:
            task = DrawInk(picture, sha256, width, height, output)
            return self._call(task, Drawn, lambda _: KnownError("image_unusable", name=sha256[:12]))

        return self._picture(ask)

    def margins(self) -> Margins:
        """What the rules of today leave free on a letter (NĐ 30/2020, appendix I); nothing when there are no rules."""
        try:
            profile = rules.load(self._space.now().date())
            left, top, right, bottom = (
                profile.number(f"margin.{side}.min") for side in ("left", "top", "right", "bottom")
            )
        except KnownError:
            return Margins()
        return Margins(left, top, right, bottom)

    def close(self) -> None:
        """Ends the worker, also in the middle of a page; every later call says `interrupted`."""
        with self._guard:
            self._closed = True
            child, self._child = self._child, None
        if child is not None:
            child.close(patience_s=0)

    def _picture(self, ask: Callable[[str], Drawn]) -> Picture:
        with self._room() as output:
            drawn = ask(str(output))
            # One read of the whole, during which other threads go on.
            with output.open("rb", buffering=0) as source:
                pixels = source.readall()
        if len(pixels) < drawn.stride * drawn.height:
            raise KnownError("worker_fault", detail="short picture")
        return Picture(pixels, drawn.width, drawn.height, drawn.stride)

    @contextmanager
    def _room(self) -> Iterator[Path]:
        """An empty file of ours (0600) for the time of one picture."""
        work = self._space.folder.work
        with disk_errors(work, "data_folder_unwritable"):
            handle, name = tempfile.mkstemp(prefix="page-", dir=work)
            os.close(handle)
            try:
                yield Path(name)
            finally:
                with suppress(OSError):
                    Path(name).unlink()

    def _call(self, task: PageTask, expected: type[A], lost: Callable[[ChildError], KnownError]) -> A:
        """The worker's answer; `lost` says what it means that the worker died, hung or failed over this task."""
        try:
            # Who waits here gets a new worker when the one before was killed, not that one's death.
            with self._one_at_a_time:
                answer = self._awake().call(task, self._deadline_s)
        except ChildFailed as failed:
            if failed.code in catalogue().errors:
                raise KnownError(failed.code, **failed.params) from None
            raise lost(failed) from None
        except ChildError as error:
            if self._closed:
                raise KnownError("interrupted") from None
            raise lost(error) from None
        if not isinstance(answer, expected):
            raise KnownError("worker_fault", detail=type(answer).__name__)
        return answer

    def _fault(self, error: ChildError) -> KnownError:
        if isinstance(error, ChildTimeout):
            return KnownError("worker_timeout", seconds=f"{self._deadline_s:g}")
        return KnownError("worker_fault", detail="crash" if isinstance(error, ChildCrashed) else type(error).__name__)

    def _awake(self) -> Child[PageTask, PageAnswer]:
        """The worker, ready to work."""
        with self._guard:
            if self._closed:
                raise KnownError("interrupted")
            child = self._child
            fresh = child is None or not child.alive
            if fresh:
                if child is not None:
                    child.close(patience_s=0)
                environment = {k: v for k, v in os.environ.items() if not k.startswith(("SIGNER_", "SOFTHSM"))}
                child = self._child = Child(self._command, PAGE_ANSWERS, env={**environment, **for_children()})
        assert child is not None
        if fresh:
            child.call(Wake(), _START_S)
        return child
