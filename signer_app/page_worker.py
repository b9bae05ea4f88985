"""The child that draws pages: one request after the other, until the parent closes the pipe.

Started as `--child=pages`. It keeps the last documents open, holds no key, no PIN and no connection, and may be killed
at any time.
"""

from functools import partial

from signer_app.child import limit_memory, refusals
from signer_app.page_tasks import PAGE_TASKS, Awake, DrawInk, DrawPage, Outline, PageAnswer, PageTask, Wake
from signer_app.pdf.render import Renderer
from signer_token.channel import serve


def handle(task: PageTask, renderer: Renderer) -> PageAnswer:
    """Does one task; `renderer` keeps documents open from one picture to the next."""
    with refusals():
        match task:
            case Wake():
                return Awake()
            case Outline():
                return renderer.outline(task)
            case DrawPage():
                return renderer.draw_page(task)
            case DrawInk():
                return renderer.draw_ink(task)


def main() -> int:
    """The child's life."""
    limit_memory()
    return serve(partial(handle, renderer=Renderer()), PAGE_TASKS)
