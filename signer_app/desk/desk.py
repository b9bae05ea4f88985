"""The clerk's desk: one writing workspace for as long as the window is open, and what can be done with it.

Main process, any thread; every method may block, so none is called on a UI thread. Each part is a file of its own in
this room; parts are made when first asked for, because the PDF library behind some of them takes half a second to load.
"""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from signer_app.administration.enrolment import pick_up
from signer_app.desk.checks import Checks
from signer_app.desk.exchange import Exchange
from signer_app.desk.incoming import Incoming
from signer_app.desk.names import Names
from signer_app.desk.register import Register
from signer_app.desk.sending import Sending
from signer_app.desk.setup import Setup
from signer_app.desk.today import Today, TodaySnapshot
from signer_app.desk.tokens import TokensSnapshot, look
from signer_app.desk.verifying import Verifying
from signer_app.once import made_once
from signer_app.store import Settings
from signer_app.workspace import Overrides, Workspace, workspace
from signer_resources.messages import Lang

if TYPE_CHECKING:
    from signer_app.administration.machine import Key
    from signer_app.desk.backing_up import BackingUp
    from signer_app.desk.inbox_folder import InboxFolder
    from signer_app.desk.levels import LaterLevels
    from signer_app.desk.networking import Networking
    from signer_app.desk.paper_copies import PaperCopies
    from signer_app.desk.receivers import ReceiversDesk
    from signer_app.desk.register_books import RegisterBooks
    from signer_app.desk.signing import Signing
    from signer_app.desk.training import TrainingDesk
    from signer_app.desk.trusting import Trusting
    from signer_app.desk.updating import Updating
    from signer_app.outgoing.outgoing import Outgoing
    from signer_app.pages import Pages
    from signer_app.registers.rights import NumberRights


class Desk:
    """One open workspace. Use as made by `open_desk`."""

    def __init__(self, space: Workspace) -> None:
        self.space = space
        self.once = threading.RLock()
        """Held while a part is made."""

    def begin(self) -> Settings:
        """Opens store and children's pools before several threads want them; the settings."""
        space = self.space
        if not space.folder.is_training:
            # What can't be used stays where it is, and the check of the machine says why.
            pick_up(space)
        settings = space.settings
        _ = (space.machine, space.store, space.workers, space.hosts, space.revocation)
        return settings

    def now(self) -> dt.datetime:
        """The present moment in Vietnam's time; the one method that never blocks."""
        return self.space.now()

    def hurry(self) -> None:
        """The window is closed: what workers, drivers and the drawing of pages still do is of no use to anybody."""
        if (pages := self.__dict__.get("pages")) is not None:
            pages.close()
        self.space.hurry()

    @made_once
    def exchange(self) -> Exchange:
        """Sending and receiving."""
        return Exchange(self.space)

    @made_once
    def sending(self) -> Sending:
        """What waits to be sent, and what a person may do about it."""
        return Sending(self.space)

    @made_once
    def receivers(self) -> "ReceiversDesk":
        """What lines of Nơi nhận mean, and who gets what on paper."""
        from signer_app.desk.receivers import ReceiversDesk

        return ReceiversDesk(self.space)

    def paper_copies(self) -> "tuple[PaperCopies, ...]":
        """Signed documents of which a copy on paper is still to be sent, the oldest first."""
        from signer_app.desk.paper_copies import waiting

        return waiting(self.space)

    def save_paper_copies(self, target: Path, lang: Lang) -> None:
        """Writes the list of these copies as a PDF to a new file; KnownError as `write_paper`."""
        from signer_app.desk.paper_copies import paper_copies_pdf, waiting
        from signer_app.paper.writing import write_paper

        write_paper(target, paper_copies_pdf(self.space, waiting(self.space), lang))

    def tokens(self, *, fresh: bool = False) -> TokensSnapshot:
        """What is plugged in now; `fresh`: certificates are read anew, and drivers that were sick asked again."""
        return look(self.space, fresh=fresh)

    def today(self) -> TodaySnapshot:
        """What the home screen shows."""
        return self._today.look()

    @made_once
    def _today(self) -> Today:
        return Today(self.space, lambda: self.incoming.look())

    @made_once
    def _names(self) -> Names:
        return Names(self.space.folder.cache)

    @made_once
    def register(self) -> Register:
        """All documents signed here."""
        return Register(self.space, self._names)

    @made_once
    def register_books(self) -> "RegisterBooks":
        """The registers with the columns of the law: writing into them, printing, reporting."""
        from signer_app.desk.register_books import RegisterBooks

        return RegisterBooks(self.space, self._names)

    @made_once
    def number_rights(self) -> "NumberRights":
        """The right to give the numbers of registers that a server keeps."""
        from signer_app.registers.rights import NumberRights

        return NumberRights(self.space)

    @made_once
    def incoming(self) -> Incoming:
        """What came from the server."""
        return Incoming(self.space, self._names)

    @made_once
    def verifying(self) -> Verifying:
        """Checking signatures, and the evidence of it."""
        return Verifying(self.space)

    @made_once
    def trust(self) -> "Trusting":
        """The trusted certificates of this machine."""
        from signer_app.desk.trusting import Trusting

        return Trusting(self.space)

    @made_once
    def checks(self) -> Checks:
        """Whether this machine is fit for the work."""
        return Checks(self.space, self.space.clock)

    @made_once
    def backing_up(self) -> "BackingUp":
        """Backups, and what is asked after a restore."""
        from signer_app.desk.backing_up import BackingUp

        return BackingUp(self.space)

    @made_once
    def updating(self) -> "Updating":
        """Updates of the program."""
        from signer_app.desk.updating import Updating

        return Updating(self.space)

    @made_once
    def levels(self) -> "LaterLevels":
        """Timestamps and validation data that are made up for later."""
        from signer_app.desk.levels import LaterLevels

        return LaterLevels(self.space)

    @made_once
    def networking(self) -> "Networking":
        """The way to the servers: its secrets, and trying it."""
        from signer_app.desk.networking import Networking

        return Networking(self.space)

    @made_once
    def setup(self) -> Setup:
        """What the settings and the first start need: drivers, names from certificates, pictures."""
        return Setup(self.space)

    @made_once
    def signing(self) -> "Signing":
        """Signing, enrolling, the test signature."""
        from signer_app.desk.signing import Signing

        return Signing(self.space, self.outgoing)

    @made_once
    def outgoing(self) -> "Outgoing":
        """The documents that wait to be signed."""
        from signer_app.outgoing.outgoing import Outgoing

        return Outgoing(self.space)

    @made_once
    def inbox_folder(self) -> "InboxFolder":
        """Documents that come by themselves into a folder."""
        from signer_app.desk.inbox_folder import InboxFolder

        return InboxFolder(self.space, self.outgoing)

    @made_once
    def training(self) -> "TrainingDesk":
        """The way into the training mode."""
        from signer_app.desk.training import TrainingDesk

        return TrainingDesk(self.space)

    @made_once
    def pages(self) -> "Pages":
        """Pictures of pages."""
        from signer_app.pages import Pages

        pages = Pages(self.space)
        self.space.on_close(pages.close)
        return pages

    @property
    def locked(self) -> "frozenset[Key]":
        """What the administrator has set for the whole machine, so that it can't be changed here."""
        return self.space.machine.locked

    def change_settings(self, change: Callable[[Settings], Settings]) -> Settings:
        """Keeps `change` of the settings; the new ones. As `Workspace.change_settings`."""
        return self.space.change_settings(change)


@contextmanager
def open_desk(path: Path, overrides: Overrides) -> Iterator[Desk]:
    """The desk on the data folder `path`; takes its lock. KnownError as `workspace`, "busy" among them."""
    with workspace(path, overrides, writing=True) as space:
        yield Desk(space)
