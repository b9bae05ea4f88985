"""What the pane of outgoing documents says of files: what came and wants a word, what was not taken, what is secret.

UI thread. Speaks in the pane's notice and its card for secrets; brings nothing in and takes nothing out.
"""

from collections.abc import Sequence

from signer_app.outgoing.model import Added, Left
from signer_ui.panes.outgoing_parts import SecretCard
from signer_ui.presenters import outgoing_news as news
from signer_ui.shell import Shell
from signer_ui.widgets.notice import Notice


class Telling:
    """Each piece of news takes the place of the one before; secret files are told apart, and stay."""

    def __init__(self, shell: Shell, notice: Notice, secret: SecretCard) -> None:
        self._shell, self._notice, self._secret = shell, notice, secret

    def added(self, added: Added) -> None:
        """Files were brought in."""
        self._tell(news.added_view(added, self._shell.words))

    def left(self, left: Sequence[Left]) -> None:
        """Files were not taken, or had to go."""
        self._tell(news.left_view(left, self._shell.words))

    def inbox(self, *, looked_at: bool) -> None:
        """Documents came by the inbox folder: told where they are, once somebody looks."""
        came = self._shell.hub.take_inbox() if looked_at else ()
        if came:
            view = news.inbox_view(came, self._shell.words)
            self._tell(view, role="notice-good" if view.good else "notice-warn")

    def _tell(self, view: news.LeftView, role: str = "notice-warn") -> None:
        self._secret.tell(view.secret)
        if view.heading:
            self._notice.tell(view.heading, why=view.lines, do=view.do, role=role)
