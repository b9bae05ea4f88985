"""The documents that wait to be signed: brought in, grouped, filled in, numbered, examined, handed to the signing.

Main process; every method may block and may be called on any thread. Drafts live in the database; what the preflight
said of them lives in memory and is asked again after a start. Never signs, never asks for a PIN.

The one door to this folder. What is in memory lies in `Memory` behind one lock, which is never held while the store is
asked, whose own lock may be held outside of it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from signer_app.attachments.office import Office, find_office
from signer_app.exchange.directory import Directory
from signer_app.outgoing import paste
from signer_app.outgoing.attaching import Attaching
from signer_app.outgoing.bringing import Bringing
from signer_app.outgoing.changing import Changing
from signer_app.outgoing.examining import Examining
from signer_app.outgoing.grid import Grid
from signer_app.outgoing.handing import Handing
from signer_app.outgoing.memory import Memory
from signer_app.outgoing.model import (
    Added,
    Attached,
    Changes,
    Draft,
    Examined,
    FileRole,
    PlaceOption,
    Profile,
    Row,
)
from signer_app.outgoing.reading import read_receivers
from signer_app.registers.rights import NumberRights
from signer_app.signing.batch import DocumentWork, Progress, never
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.jobs import DocumentJob
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError


def _quiet(_key: str, _done: int, _total: int) -> None:
    pass


class Outgoing:
    """All drafts of one workspace."""

    def __init__(self, space: Workspace, office: Callable[[], Office | None] = find_office) -> None:
        self._memory = Memory()
        self._rights = NumberRights(space)
        self._grid = Grid(space, self._memory)
        self._examining = Examining(space, self._memory, self._grid)
        self._changing = Changing(space, self._memory, self._grid)
        self._bringing = Bringing(space, self._memory, self._grid, self._examining)
        self._attaching = Attaching(space, self._memory, self._grid, self._examining, office)
        self._handing = Handing(space, self._memory, self._grid, self._examining)
        self.preflights = self._examining.preflights
        """For the signing run, so that nothing is looked at twice."""

    # --- what there is ---------------------------------------------------------------------------------------------

    def rows(self) -> tuple[Row, ...]:
        """All rows in the clerk's order, those among them that were signed since `forget_signed`."""
        return self._grid.rows()

    def forget_signed(self) -> None:
        """Takes the rows of signed documents off the grid; they stay in the register."""
        self._memory.forget_signed()

    def body_code(self) -> str | None:
        """The body whose documents these are, as far as that is clear now."""
        return self._grid.body_code()

    def directory(self) -> Directory:
        """The organisations as the server last told them."""
        return self._grid.directory()

    # --- bringing in, taking out -----------------------------------------------------------------------------------

    def add(
        self,
        paths: Sequence[Path],
        progress: Progress = _quiet,
        cancelled: Callable[[], bool] = never,
        *,
        profile: Profile = Profile.AGENCY,
        by_hand: bool = False,
    ) -> Added:
        """Brings in files and folders, grouped into documents; each document is kept as soon as it is whole. `by_hand`:
        the program never ticks them, only a person does.

        A document of which one file can't be taken is left out whole: it must not go out without its appendix.
        """
        return self._bringing.add(paths, profile, progress, cancelled, by_hand=by_hand)

    def sign_again(self, document_id: str) -> Draft:
        """A draft of what a document was signed from, which takes its place and its number once it is signed (Ký lại);
        the one that waits already where there is one.

        KnownError "again_unknown", "again_sent", "again_replaced", "out_already_here", "secret".
        """
        return self._bringing.again(document_id)

    def remove(self, ids: Collection[str], reason: str | None = None) -> None:
        """Takes drafts out, with their copies; the files in the clerk's folders stay. Numbers that are kept for them
        are given up for this `reason`. KnownError "out_being_signed"; "out_number_kept" without a reason.
        """
        self._changing.remove(ids, reason)

    # --- filling in ------------------------------------------------------------------------------------------------

    def edit(self, draft_id: str, changes: Changes, reason: str | None = None) -> Row:
        """Changes a draft; its row as it is then. A number that it keeps and doesn't want any more is given up for this
        `reason` (Bỏ số). KnownError "out_gone", "out_being_signed", "out_…_unreadable"; "out_number_kept" without a
        reason.
        """
        self._changing.edit({draft_id: changes}, reason)
        return self._grid.row(draft_id)

    def edit_many(self, changes: Mapping[str, Changes], reason: str | None = None) -> tuple[Row, ...]:
        """Changes several drafts, all or none; raises as `edit`."""
        self._changing.edit(changes, reason)
        return self._grid.rows_of(changes)

    def tick(self, ids: Collection[str], *, ticked: bool) -> None:
        """Ticks or unticks by hand; from then on the program leaves these ticks alone."""
        self._changing.tick(ids, ticked=ticked)

    def place(self, file_id: str, option: PlaceOption | None) -> Row:
        """Puts the seal or signature of a file where the person wants it, or back to the rule's place."""
        return self._grid.row(self._changing.place(file_id, option))

    def propose_numbers(self, ids: Collection[str]) -> dict[str, str]:
        """Draft id → next number, for those of `ids` that lack one: urgent ones first, then as in the grid."""
        return self._grid.next_numbers(ids)

    def fill(self, ids: Collection[str]) -> tuple[Row, ...]:
        """Gives the next numbers to those of `ids` that lack one (Điền số tiếp theo); the changed rows. Numbers of a
        register on a server are kept for their documents at once.

        Raises as `NumberRights.number`; those of other documents are given all the same.
        """
        proposals = self.propose_numbers(ids)
        local = self.edit_many({draft_id: Changes(number=number) for draft_id, number in proposals.items()})
        given: list[str] = []
        for register, drafts in self._grid.on_servers(ids).items():
            given += self._rights.number(self._grid.body_code() or "", register, drafts, self._grid.today())
        return (*local, *self._grid.rows_of(given))

    def read_receivers(self, text: str) -> tuple[str, ...]:
        """Codes of the receivers that a person typed; KnownError "out_receiver_unreadable", "out_receiver_on_paper"."""
        return read_receivers(text, self._grid.understand)

    def read_cells(self, text: str) -> paste.Pasted:
        """What a `paste` of this text would change; raises as that."""
        return paste.read_cells(text, self._grid.understand)

    def paste(self, ids: Sequence[str], text: str) -> paste.PasteResult:
        """Fills drafts, in the order of `ids`, from cells of a spreadsheet, row by row (Dán danh sách số).

        A row with a cell that can't be read changes nothing. KnownError "out_paste_nothing", "out_paste_unclear".
        """
        pasted = self.read_cells(text)
        pairs = zip(ids, pasted.rows, strict=False)
        changes = {draft_id: row.changes for draft_id, row in pairs if row.changes and row.changes != Changes()}
        if changes:
            self.edit_many(changes)
        return paste.PasteResult(tuple(changes), pasted.faults, max(0, len(pasted.rows) - len(ids)), pasted.ignored)

    # --- arranging -------------------------------------------------------------------------------------------------

    def merge(self, ids: Collection[str], main: str) -> Row:
        """Makes one document of several: the others' files become appendices of `main`, one of `ids`; what goes along
        with them goes along with it.
        """
        self._changing.merge(ids, main)
        return self._grid.row(main)

    def split(self, file_id: str) -> tuple[Row, ...]:
        """Makes an appendix a document of its own, right behind the one it was in; both rows.

        KnownError "out_main_needed" for a main file.
        """
        return self._grid.rows_of(self._changing.split(file_id))

    def set_role(self, file_id: str, role: FileRole) -> Row:
        """Makes a file the main one of its document, the old one an appendix; KnownError "out_main_needed" where no
        main file would be left.
        """
        return self._grid.row(self._changing.set_role(file_id, role))

    def reorder(self, ids: Sequence[str]) -> None:
        """Puts the documents into this order; those not named come behind."""
        self._changing.reorder(ids)

    def reorder_files(self, draft_id: str, file_ids: Sequence[str]) -> Row:
        """Puts the appendices of a document into this order."""
        self._changing.reorder_files(draft_id, file_ids)
        return self._grid.row(draft_id)

    # --- what goes along -------------------------------------------------------------------------------------------

    def attach(self, draft_id: str, paths: Sequence[Path]) -> Attached:
        """Has files go along with a document unsigned, chosen by the person; its row, and what was not taken.

        KnownError "out_gone", "out_being_signed".
        """
        left = self._attaching.attach(draft_id, paths)
        return Attached(self._grid.row(draft_id), left)

    def detach(self, attachment_id: str) -> Row:
        """Takes a file that goes along out of its document; the file in the clerk's folder stays."""
        return self._grid.row(self._attaching.detach(attachment_id))

    def why_not_converted(self, attachment_id: str) -> KnownError | None:
        """Why a file that goes along can't become a PDF on this machine; None where it can. KnownError "out_gone"."""
        return self._attaching.why_not_converted(attachment_id)

    def convert(self, attachment_id: str, *, keep_source: bool, progress: Progress = _quiet) -> Row:
        """Has LibreOffice make a PDF of a file that goes along, which then is an appendix and is signed; the file
        itself goes along too where `keep_source`. May take two minutes.

        KnownError "office_…", "secret", "out_gone", "out_being_signed", and what makes a PDF unreadable.
        """
        return self._grid.row(self._attaching.convert(attachment_id, keep_source=keep_source, progress=progress))

    # --- examining, signing ----------------------------------------------------------------------------------------

    def examine(
        self,
        ids: Collection[str],
        chosen: SigningCertificate | None,
        progress: Progress = _quiet,
        cancelled: Callable[[], bool] = never,
    ) -> Examined:
        """Looks at drafts as the signing will, with the certificate that will sign, or without a token.

        What the preflight knows already is not asked again. Rows that are ready get ticked, others unticked, unless
        the clerk has ticked by hand. Cancelled, it leaves the rest as it was. KnownError "image_unusable".
        """
        return self._examining.examine(ids, chosen, progress, cancelled)

    def jobs(self, ids: Collection[str], *, send: bool = True) -> tuple[DocumentJob, ...]:
        """What the signing is told of these drafts: hỏa tốc first, then by number; with the plans that were seen.

        `send` False: signed and kept, not sent (Chỉ ký). KnownError "out_not_ready" for one that can't be signed as it
        is, or was not examined as it is.
        """
        return self._handing.jobs(ids, send=send)

    @contextmanager
    def signing(self, ids: Collection[str], *, send: bool = True) -> Iterator[tuple[DocumentJob, ...]]:
        """As `jobs`, and nobody changes these drafts until the end. `follow` tells what becomes of each.

        KnownError "out_being_signed" besides.
        """
        with self._handing.signing(ids, send=send) as jobs:
            yield jobs

    def follow(self, work: DocumentWork) -> None:
        """To be called when a document of `signing` was signed or has failed, as `SigningRun.document_done`."""
        self._handing.follow(work)
