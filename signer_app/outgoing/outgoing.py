"""The documents that wait to be signed: brought in, grouped, filled in, numbered, examined, handed to the signing.

Main process; every method may block and may be called on any thread. Drafts live in the database; what the preflight
said of them lives in memory and is asked again after a start. Never signs, never asks for a PIN.

One lock guards what is in memory; it is never held while the store is asked, whose own lock may be held outside of it.
"""

import datetime as dt
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import msgspec

from signer_app.attachments import opening
from signer_app.attachments.office import Office, find_office
from signer_app.exchange.directory import Directory, load_directory
from signer_app.outgoing import adding, again, along, arranging, numbers, paste
from signer_app.outgoing.checks import Ground, Organisations
from signer_app.outgoing.grouping import Group, group
from signer_app.outgoing.model import (
    Added,
    Attached,
    Changes,
    Draft,
    DraftAttachment,
    DraftFile,
    Examined,
    FileRole,
    Left,
    PlaceOption,
    Profile,
    Row,
    State,
)
from signer_app.outgoing.rows import Answer, make_row, question
from signer_app.signing.batch import DocumentWork, Progress, never
from signer_app.signing.certificates import SigningCertificate
from signer_app.signing.examine import Examiner
from signer_app.signing.forgetting import forget_draft
from signer_app.signing.giving_up import let_go
from signer_app.signing.images import Images, images_for
from signer_app.signing.jobs import DocumentJob, appendix_profile, job_of, seen_hash
from signer_app.signing.preflights import Preflights
from signer_app.store.model import FileState
from signer_app.store.sequences import BY_NOTATION, Sequences
from signer_app.store.store import Transaction, View
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.errors import KnownError
from signer_resources.rules import RuleProfile

F = TypeVar("F", DraftFile, DraftAttachment)


def _quiet(_key: str, _done: int, _total: int) -> None:
    pass


def _blobs(files: Iterable[DraftFile], attachments: Iterable[DraftAttachment]) -> set[str]:
    return {file.blob for file in files} | {item.blob for item in attachments}


def _pending_outputs(tables: View | Transaction) -> set[str]:
    """Where copies of signed documents are still to go."""
    pending = (*tables.documents.pending_exports(), *tables.attachments.pending_exports())
    return {file.output_path or "" for file in pending}


def _why_not_again(view: View, draft: Draft) -> KnownError | None:
    """Why a draft can't take the place of a signed document any more; None for one that can, or is to take none's."""
    try:
        if draft.replaces is not None:
            view.replacing.require_replaceable(draft.replaces)
    except KnownError as error:
        return error
    return None


def _copies(draft: Draft) -> tuple[DraftFile | DraftAttachment, ...]:
    """All of which a copy goes beside the originals."""
    return (*draft.files, *draft.attachments)


class Outgoing:
    """All drafts of one workspace."""

    def __init__(self, space: Workspace, office: Callable[[], Office | None] = find_office) -> None:
        self._space = space
        self._office = office
        self._turn = threading.RLock()
        self.preflights = Preflights(space)
        """For the signing run, so that nothing is looked at twice."""
        self._chosen: SigningCertificate | None = None
        self._answers: dict[str, Answer] = {}
        self._signing: dict[str, Row | None] = {}
        self._signed: dict[str, Row] = {}
        self._directory: tuple[float, Directory] | None = None

    # --- what there is ---------------------------------------------------------------------------------------------

    def rows(self) -> tuple[Row, ...]:
        """All rows in the clerk's order, those among them that were signed since `forget_signed`."""
        rows = self._unsigned(lambda _draft: True)
        with self._turn:
            signing, signed = frozenset(self._signing), list(self._signed.values())
        shown = [replace(row, state=State.SIGNING) if row.draft.id in signing else row for row in rows]
        return tuple(sorted([*shown, *signed], key=lambda row: (row.draft.position, row.draft.id)))

    def _unsigned(self, wanted: Callable[[Draft], bool]) -> tuple[Row, ...]:
        """The rows of those drafts, whether they are being signed or not."""
        with self._space.store.view() as view:
            drafts, ground = self._ground(view)
        proposals = numbers.proposals(drafts, ground.today, ground.taken)
        with self._turn:
            answers = dict(self._answers)
        return tuple(
            make_row(draft, ground, answers.get(draft.id), proposals.get(draft.id)) for draft in drafts if wanted(draft)
        )

    def forget_signed(self) -> None:
        """Takes the rows of signed documents off the grid; they stay in the register."""
        with self._turn:
            self._signed.clear()

    def directory(self) -> Directory:
        """The organisations as the server last told them."""
        file = self._space.folder.cache / "organisations.json"
        try:
            stamp = file.stat().st_mtime
        except OSError:
            return Directory()
        with self._turn:
            known = self._directory
        if known is None or known[0] != stamp:
            known = (stamp, load_directory(self._space.folder.cache))
            with self._turn:
                self._directory = known
        return known[1]

    def _today(self) -> dt.date:
        return self._space.now().date()

    def _ground(self, view: View) -> tuple[tuple[Draft, ...], Ground]:
        """All drafts, and what the checks look at beside each."""
        drafts, today, body = view.drafts.list(), self._today(), self._body_code()
        taken = numbers.taken(view, drafts, today, body, self._sequences(body))
        organisations = Organisations.of(self.directory())
        again_refused = {draft.id: error for draft in drafts if (error := _why_not_again(view, draft)) is not None}
        issued = view.drafts.issued_before()
        return drafts, Ground(today, taken, issued, organisations, rules.load(today), again_refused)

    def _body_code(self) -> str | None:
        """Under which code numbers are taken: the body of the certificate looked through last, else the only one."""
        with self._turn:
            chosen = self._chosen
        if chosen is not None:
            return chosen.body_code
        bodies = self._space.settings.bodies
        return bodies[0].code if len(bodies) == 1 else None

    def _sequences(self, body: str | None) -> Sequences:
        known = self._space.settings.body(body) if body is not None else None
        return known.sequences if known is not None else BY_NOTATION

    def _rows_of(self, ids: Collection[str]) -> tuple[Row, ...]:
        wanted = frozenset(ids)
        return self._unsigned(lambda draft: draft.id in wanted)

    # --- bringing in, taking out -----------------------------------------------------------------------------------

    def add(
        self,
        paths: Sequence[Path],
        progress: Progress = _quiet,
        cancelled: Callable[[], bool] = never,
        *,
        profile: Profile = Profile.AGENCY,
    ) -> Added:
        """Brings in files and folders, grouped into documents; each document is kept as soon as it is whole.

        A document of which one file can't be taken is left out whole: it must not go out without its appendix.
        """
        found = adding.find(paths, cancelled)
        groups, left = group(found.files, found.beside), list(found.left)
        grouped = {path for files in groups for path in files.attachments}
        left += [along.left_alone(path) for path in found.beside if path not in grouped]
        examiner, drafts, done = self._facts_reader(), list[Draft](), 0
        self.preflights.refresh()
        for files in groups:
            if cancelled():
                return Added(tuple(drafts), tuple(left), interrupted=True)
            progress("out_progress_open", done, len(found.files))
            draft, refused = self._add_group(files, examiner, profile)
            left += refused
            if draft is not None:
                drafts.append(draft)
            done += len(files.files)
        progress("out_progress_open", done, len(found.files))
        return Added(tuple(drafts), tuple(left), interrupted=not groups and cancelled())

    def _add_group(self, files: Group, examiner: Examiner, profile: Profile) -> tuple[Draft | None, list[Left]]:
        """All files are looked at before the first is copied: nothing stays of a document with a secret part."""
        seen: dict[Path, str] = {}
        beside: list[opening.Seen] = []
        faults: dict[Path, KnownError] = {}
        for path in files.files:
            try:
                seen[path] = adding.look(self._space, examiner, path)
            except KnownError as error:
                faults[path] = error
        for path in files.attachments:
            try:
                beside.append(opening.look(self._space, path))
            except KnownError as error:
                faults[path] = error
        left = [Left(path.name, error) for path, error in faults.items()]
        looked_at = [*seen, *(one.path for one in beside)]
        if not all(isinstance(error, adding.AlreadyHereError) for error in faults.values()):
            return None, [*left, *(Left(path.name, KnownError("out_part_left")) for path in looked_at)]
        opened: list[DraftFile] = []
        attached: list[DraftAttachment] = []
        try:
            for path, sha256 in seen.items():
                main = path == files.main
                role, how = (FileRole.MAIN, profile) if main else (FileRole.APPENDIX, appendix_profile(profile))
                opened.append(adding.take(self._space, examiner, path, sha256, role, how))
            attached += [along.take(self._space, one) for one in beside]
            return self._keep(opened, attached, faults.get(files.main)), left
        except BaseException as error:
            self._space.store.discard(_blobs(opened, attached))
            if not isinstance(error, KnownError):
                raise
            return None, [*left, *(Left(path.name, error) for path in looked_at)]

    def _keep(
        self, opened: Sequence[DraftFile], attached: Sequence[DraftAttachment], main_known: KnownError | None
    ) -> Draft | None:
        """Writes the draft; what comes with a main file that is in a draft already joins that one."""

        def write(tx: Transaction) -> Draft | None:
            for blob in _blobs(opened, attached):
                # Another thread may have thrown the very same bytes away meanwhile, when no row named them.
                self._space.store.blobs.size(blob)
            files, beside = self._with_outputs(tx, opened), self._with_outputs(tx, attached)
            if isinstance(main_known, adding.AlreadyHereError):
                host = tx.drafts.with_blob(main_known.blob)
                if host is not None:
                    whole = arranging.joined(self._free(host), files, beside)
                    if whole == host:
                        return None
                    tx.drafts.put(whole)
                    return whole
            if not files:
                return None
            draft = arranging.new_draft(files, self._space.now(), tx.drafts.next_position(), self._rules(), beside)
            tx.drafts.add(draft)
            return draft

        return self._space.store.write(write)

    def _with_outputs(self, tx: Transaction, files: Sequence[F]) -> tuple[F, ...]:
        taken = tx.drafts.outputs() | _pending_outputs(tx)
        outputs = adding.outputs_for(files, self._today(), taken)
        return tuple(msgspec.structs.replace(file, output=outputs[file.id]) for file in files)

    def remove(self, ids: Collection[str], reason: str | None = None) -> None:
        """Takes drafts out, with their copies; the files in the clerk's folders stay. Numbers that are kept for them
        are given up for this `reason`. KnownError "out_being_signed"; "out_number_kept" without a reason.
        """

        def write(tx: Transaction) -> set[str]:
            drafts = [self._free(draft) for draft_id in ids if (draft := tx.drafts.get(draft_id)) is not None]
            for draft in drafts:
                self._let_go(tx, draft, None, reason)
            blobs = {blob for draft in drafts for blob in draft.blobs}
            tx.drafts.remove([draft.id for draft in drafts])
            tx.batches.skip_pending(blobs, "out_removed")
            return blobs

        self._space.store.discard(self._space.store.write(write))
        with self._turn:
            for draft_id in ids:
                self._answers.pop(draft_id, None)
                self._signed.pop(draft_id, None)

    # --- filling in ------------------------------------------------------------------------------------------------

    def edit(self, draft_id: str, changes: Changes, reason: str | None = None) -> Row:
        """Changes a draft; its row as it is then. A number that it keeps and doesn't want any more is given up for this
        `reason` (Bỏ số). KnownError "out_gone", "out_being_signed", "out_…_unreadable"; "out_number_kept" without a
        reason.
        """
        return self.edit_many({draft_id: changes}, reason)[0]

    def edit_many(self, changes: Mapping[str, Changes], reason: str | None = None) -> tuple[Row, ...]:
        """Changes several drafts, all or none; raises as `edit`."""
        profile = self._rules()

        def write(tx: Transaction) -> None:
            for draft_id, change in changes.items():
                before = self._taken(tx, draft_id)
                after = arranging.changed(before, change, profile)
                self._let_go(tx, before, after, reason)
                tx.drafts.put(after)

        self._space.store.write(write)
        return self._rows_of(changes)

    def tick(self, ids: Collection[str], *, ticked: bool) -> None:
        """Ticks or unticks by hand; from then on the program leaves these ticks alone."""
        self._space.store.write(lambda tx: tx.drafts.tick(ids, ticked=ticked, by_hand=True))

    def place(self, file_id: str, option: PlaceOption | None) -> Row:
        """Puts the seal or signature of a file where the person wants it, or back to the rule's place."""

        def write(tx: Transaction) -> str:
            draft = self._with_file(tx, file_id)
            files = tuple(
                msgspec.structs.replace(file, place=option) if file.id == file_id else file for file in draft.files
            )
            tx.drafts.put(msgspec.structs.replace(draft, files=files))
            return draft.id

        return self._rows_of([self._space.store.write(write)])[0]

    def propose_numbers(self, ids: Collection[str]) -> dict[str, str]:
        """Draft id → next number, for those of `ids` that lack one: urgent ones first, then as in the grid."""
        with self._space.store.view() as view:
            drafts, ground = self._ground(view)
        wanted = frozenset(ids)
        return numbers.proposals([draft for draft in drafts if draft.id in wanted], ground.today, ground.taken)

    def fill(self, ids: Collection[str]) -> tuple[Row, ...]:
        """Gives the next numbers to those of `ids` that lack one (Điền số tiếp theo); the changed rows."""
        proposals = self.propose_numbers(ids)
        return self.edit_many({draft_id: Changes(number=number) for draft_id, number in proposals.items()})

    def paste(self, ids: Sequence[str], text: str) -> paste.PasteResult:
        """Fills drafts, in the order of `ids`, from cells of a spreadsheet, row by row (Dán danh sách số).

        A row with a cell that can't be read changes nothing. KnownError "out_paste_nothing", "out_paste_unclear".
        """
        pasted = paste.read_cells(text, self.directory())
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

        def write(tx: Transaction) -> None:
            whole = self._taken(tx, main)
            others = [self._taken(tx, draft.id) for draft in tx.drafts.list() if draft.id in ids and draft.id != main]
            for draft in others:
                self._let_go(tx, draft, None, None)
            tx.drafts.remove([draft.id for draft in others])
            files = [file for draft in others for file in draft.files]
            tx.drafts.put(arranging.joined(whole, files, [item for draft in others for item in draft.attachments]))

        self._space.store.write(write)
        return self._rows_of([main])[0]

    def split(self, file_id: str) -> tuple[Row, ...]:
        """Makes an appendix a document of its own, right behind the one it was in; both rows.

        KnownError "out_main_needed" for a main file.
        """

        def write(tx: Transaction) -> tuple[str, str]:
            draft = self._with_file(tx, file_id)
            rest, taken = arranging.without(draft, file_id)
            own = arranging.new_draft(
                [arranging.as_main(taken, draft.profile)], self._space.now(), draft.position, self._rules()
            )
            tx.drafts.put(rest)
            tx.drafts.add(own)
            order = [other.id for other in tx.drafts.list() if other.id != own.id]
            order.insert(order.index(rest.id) + 1, own.id)
            tx.drafts.order(order)
            return rest.id, own.id

        return self._rows_of(self._space.store.write(write))

    def set_role(self, file_id: str, role: FileRole) -> Row:
        """Makes a file the main one of its document, the old one an appendix; KnownError "out_main_needed" where no
        main file would be left.
        """

        def write(tx: Transaction) -> str:
            draft = self._with_file(tx, file_id)
            main = draft.main.id == file_id
            if main and role is not FileRole.MAIN:
                raise KnownError("out_main_needed", name=draft.main.name)
            if not main and role is FileRole.MAIN:
                moved = arranging.with_main(draft, file_id, self._rules())
                self._let_go(tx, draft, moved, None)
                tx.drafts.put(moved)
            return draft.id

        return self._rows_of([self._space.store.write(write)])[0]

    def reorder(self, ids: Sequence[str]) -> None:
        """Puts the documents into this order; those not named come behind."""
        self._space.store.write(lambda tx: tx.drafts.order(ids))

    def reorder_files(self, draft_id: str, file_ids: Sequence[str]) -> Row:
        """Puts the appendices of a document into this order."""
        self._space.store.write(
            lambda tx: tx.drafts.put(arranging.with_files_in_order(self._taken(tx, draft_id), file_ids))
        )
        return self._rows_of([draft_id])[0]

    # --- what goes along, and what comes again -----------------------------------------------------------------------

    def attach(self, draft_id: str, paths: Sequence[Path]) -> Attached:
        """Has files go along with a document unsigned, chosen by the person; its row, and what was not taken.

        KnownError "out_gone", "out_being_signed".
        """
        with self._space.store.view() as view:
            if view.drafts.get(draft_id) is None:
                raise KnownError("out_gone")
        taken, left = along.take_all(self._space, paths)

        def write(tx: Transaction) -> None:
            tx.drafts.put(arranging.joined(self._taken(tx, draft_id), (), self._with_outputs(tx, taken)))

        try:
            self._space.store.write(write)
        except BaseException:
            self._space.store.discard({item.blob for item in taken})
            raise
        return Attached(self._rows_of([draft_id])[0], left)

    def detach(self, attachment_id: str) -> Row:
        """Takes a file that goes along out of its document; the file in the clerk's folder stays."""

        def write(tx: Transaction) -> str:
            draft, _item = self._with_attachment(tx, attachment_id)
            tx.drafts.put(arranging.without_attachment(draft, attachment_id))
            return draft.id

        with self._space.store.view() as view:
            _draft, item = self._with_attachment(view, attachment_id)
        draft_id = self._space.store.write(write)
        self._space.store.discard({item.blob})
        return self._rows_of([draft_id])[0]

    def why_not_converted(self, attachment_id: str) -> KnownError | None:
        """Why a file that goes along can't become a PDF on this machine; None where it can. KnownError "out_gone"."""
        with self._space.store.view() as view:
            _draft, item = self._with_attachment(view, attachment_id)
        return along.why_not_converted(item, self._office())

    def convert(self, attachment_id: str, *, keep_source: bool, progress: Progress = _quiet) -> Row:
        """Has LibreOffice make a PDF of a file that goes along, which then is an appendix and is signed; the file
        itself goes along too where `keep_source`. May take two minutes.

        KnownError "office_…", "secret", "out_gone", "out_being_signed", and what makes a PDF unreadable.
        """
        with self._space.store.view() as view:
            draft, item = self._with_attachment(view, attachment_id)
        progress("attachment_progress_convert", 0, 1)
        self.preflights.refresh()
        made = along.converted(self._space, self._facts_reader(), draft, item, self._office())

        def write(tx: Transaction) -> str:
            now, _item = self._with_attachment(tx, attachment_id)
            rest = now if keep_source else arranging.without_attachment(now, attachment_id)
            tx.drafts.put(arranging.joined(rest, self._with_outputs(tx, [made])))
            return now.id

        try:
            draft_id = self._space.store.write(write)
        except BaseException:
            self._space.store.discard({made.blob})
            raise
        self._space.store.discard({item.blob})
        progress("attachment_progress_convert", 1, 1)
        return self._rows_of([draft_id])[0]

    def sign_again(self, document_id: str) -> Draft:
        """A draft of what a document was signed from, which takes its place and its number once it is signed (Ký lại);
        the one that waits already where there is one.

        KnownError "again_unknown", "again_sent", "again_replaced", "out_already_here", "secret".
        """
        with self._space.store.view() as view:
            signed, waiting = again.read_signed(view, document_id), view.drafts.replacing(document_id)
        if waiting is not None:
            return waiting
        self.preflights.refresh()
        draft = again.draft_again(self._space, self._facts_reader(), signed)

        def write(tx: Transaction) -> Draft:
            tx.replacing.require_replaceable(document_id)
            placed = msgspec.structs.replace(
                draft,
                position=tx.drafts.next_position(),
                files=self._with_outputs(tx, draft.files),
                attachments=self._with_outputs(tx, draft.attachments),
            )
            tx.drafts.add(placed)
            return placed

        return self._space.store.write(write)

    def _with_attachment(self, tables: View | Transaction, attachment_id: str) -> tuple[Draft, DraftAttachment]:
        """An attachment that may be changed, and its draft; KnownError "out_gone", "out_being_signed"."""
        draft = tables.drafts.with_attachment(attachment_id)
        if draft is None:
            raise KnownError("out_gone")
        return self._free(draft), next(item for item in draft.attachments if item.id == attachment_id)

    # --- what may be changed ------------------------------------------------------------------------------------------

    def _let_go(self, tx: Transaction, before: Draft, after: Draft | None, reason: str | None) -> None:
        """Gives up what the draft keeps and doesn't want any more; KnownError "out_number_kept" without a reason."""
        kept = tx.reservations.of_owner(numbers.owner_of(before))
        let_go(tx, numbers.dropped(kept, after, self._today(), self._space.settings), reason, self._space.now())

    def _taken(self, tx: Transaction, draft_id: str) -> Draft:
        """A draft that may be changed; KnownError "out_gone", "out_being_signed"."""
        draft = tx.drafts.get(draft_id)
        if draft is None:
            raise KnownError("out_gone")
        return self._free(draft)

    def _with_file(self, tx: Transaction, file_id: str) -> Draft:
        draft = tx.drafts.with_file(file_id)
        if draft is None:
            raise KnownError("out_gone")
        return self._free(draft)

    def _free(self, draft: Draft) -> Draft:
        with self._turn:
            if draft.id in self._signing:
                raise KnownError("out_being_signed")
        return draft

    # --- examining -------------------------------------------------------------------------------------------------

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
        with self._turn:
            self._chosen = chosen
        with self._space.store.view() as view:
            everything = view.drafts.list()
        wanted = frozenset(ids)
        drafts = [draft for draft in everything if draft.id in wanted]
        outputs = self._outputs(everything, wanted)
        examiner, today, left = self._examiner(chosen), self._today(), list[Left]()
        total, done = sum(len(draft.files) for draft in drafts), 0
        self.preflights.refresh()
        for draft in drafts:
            if cancelled():
                break
            progress("progress_examine", done, total)
            work = DocumentWork.of(job_of(draft, outputs=outputs))
            examiner.examine_document(work)
            if any(file.secret for file in work.files):
                left += self._drop(draft)
            else:
                self._remember(self._repaired(draft, work), work, today)
            done += len(draft.files)
        progress("progress_examine", done, total)
        return Examined(self._ticked(self._rows_of(ids)), tuple(left))

    def _examiner(self, chosen: SigningCertificate | None) -> Examiner:
        images = images_for(self._space, chosen, self._today())
        return Examiner(self._space, chosen, images, self._rules(), self.preflights)

    def _facts_reader(self) -> Examiner:
        """Reads pages even where a picture of the settings is missing; that is told when the draft is examined."""
        with self._turn:
            chosen = self._chosen
        try:
            return self._examiner(chosen)
        except KnownError:
            return Examiner(self._space, chosen, Images(), self._rules(), self.preflights)

    def _repaired(self, draft: Draft, work: DocumentWork) -> Draft:
        """The draft with what was repaired for it: from now on the repaired copy is shown and signed."""
        plans = {
            file.id: done.plan for file, done in zip(draft.files, work.files, strict=True) if done.plan is not None
        }
        now = arranging.repaired(draft, plans)
        if now != draft:

            def write(tx: Transaction) -> None:
                # What else was changed of it meanwhile stays.
                if (current := tx.drafts.get(draft.id)) is not None:
                    tx.drafts.put(arranging.repaired(current, plans))

            self._space.store.write(write)
        return now

    def _remember(self, draft: Draft, work: DocumentWork, today: dt.date) -> None:
        files = {file.id: found for file, found in zip(draft.files, work.files, strict=True)}
        with self._turn:
            self._answers[draft.id] = Answer(question(draft, today), files)

    def _drop(self, draft: Draft) -> list[Left]:
        """A mark was seen that the screen at opening, by an older program, had not: nothing of it stays."""
        forget_draft(self._space.store, draft)
        with self._turn:
            self._answers.pop(draft.id, None)
        return [Left(file.name, KnownError("secret")) for file in draft.files]

    def _ticked(self, rows: Sequence[Row]) -> tuple[Row, ...]:
        """The rows, ticked by their states where nobody has ticked by hand."""
        ready = {row.draft.id: row.state is State.READY for row in rows if row.state is not State.CHECKING}
        wrong = [
            row for row in rows
            if not row.draft.ticked_by_hand and ready.get(row.draft.id, row.draft.ticked) != row.draft.ticked
        ]  # fmt: skip
        if not wrong:
            return tuple(rows)

        def write(tx: Transaction) -> None:
            for ticked in (True, False):
                ids = [row.draft.id for row in wrong if ready[row.draft.id] is ticked]
                tx.drafts.tick(ids, ticked=ticked, by_hand=False)

        self._space.store.write(write)
        changed = {row.draft.id: msgspec.structs.replace(row.draft, ticked=ready[row.draft.id]) for row in wrong}
        return tuple(replace(row, draft=changed.get(row.draft.id, row.draft)) for row in rows)

    # --- signing ---------------------------------------------------------------------------------------------------

    def jobs(self, ids: Collection[str], *, send: bool = True) -> tuple[DocumentJob, ...]:
        """What the signing is told of these drafts: hỏa tốc first, then by number; with the plans that were seen.

        `send` False: signed and kept, not sent (Chỉ ký). KnownError "out_not_ready" for one that can't be signed as it
        is, or was not examined as it is.
        """
        with self._space.store.view() as view:
            outputs = self._outputs(view.drafts.list(), ids)
        return self._jobs(self._signable(ids), outputs, send=send)

    @contextmanager
    def signing(self, ids: Collection[str], *, send: bool = True) -> Iterator[tuple[DocumentJob, ...]]:
        """As `jobs`, and nobody changes these drafts until the end. `follow` tells what becomes of each.

        KnownError "out_being_signed" besides.
        """
        marks: dict[str, Row | None] = dict.fromkeys(ids)
        with self._turn:
            if self._signing.keys() & marks.keys():
                raise KnownError("out_being_signed")
            # Marked before they are read: who changes one from now on is refused, who did before is seen.
            self._signing |= marks
        try:
            with self._space.store.view() as view:
                outputs = self._outputs(view.drafts.list(), ids)
            rows = self._signable(ids)
            with self._turn:
                self._signing |= {row.draft.id: row for row in rows}
            yield self._jobs(rows, outputs, send=send)
        finally:
            with self._turn:
                for draft_id in marks:
                    self._signing.pop(draft_id, None)

    def follow(self, work: DocumentWork) -> None:
        """To be called when a document of `signing` was signed or has failed, as `SigningRun.document_done`."""
        with self._turn:
            row = self._signing.get(work.job.draft or "")
        if row is None:
            return
        outcomes = tuple(file.outcome for file in work.files)
        signed = all(outcome.state is FileState.SIGNED for outcome in outcomes)
        secret = any(file.secret for file in work.files)
        if not (signed or secret):
            self._remember(row.draft, work, self._today())
        with self._turn:
            del self._signing[row.draft.id]
            if signed or secret:
                self._answers.pop(row.draft.id, None)
            if signed:
                self._signed[row.draft.id] = replace(row, state=State.SIGNED, outcomes=outcomes)

    def _signable(self, ids: Collection[str]) -> tuple[Row, ...]:
        """The rows in the order of signing; each was examined as it is."""
        rows = self._rows_of(ids)
        for row in rows:
            if not row.signable or not all(file.id in row.plans for file in row.draft.files):
                raise KnownError("out_not_ready", name=row.draft.label or row.draft.main.name)
        if len(rows) != len(set(ids)):
            raise KnownError("out_gone")
        return tuple(sorted(rows, key=lambda row: numbers.signing_order(row.draft)))

    def _jobs(self, rows: Sequence[Row], outputs: Mapping[str, str], *, send: bool) -> tuple[DocumentJob, ...]:
        jobs = []
        for row in rows:
            job = job_of(row.draft, {key: seen_hash(plan) for key, plan in row.plans.items()}, outputs)
            jobs.append(job if send else msgspec.structs.replace(job, receivers=()))
        return tuple(jobs)

    def _outputs(self, drafts: Sequence[Draft], ids: Collection[str]) -> dict[str, str]:
        """File id → where its signed copy goes if it is signed today; for the drafts `ids`, beside all others."""
        wanted = frozenset(ids)
        with self._space.store.view() as view:
            taken = _pending_outputs(view)
        taken |= {file.output for draft in drafts if draft.id not in wanted for file in _copies(draft)}
        files = [file for draft in drafts if draft.id in wanted for file in _copies(draft)]
        return adding.outputs_for(files, self._today(), taken)

    def _rules(self) -> RuleProfile:
        return rules.load(self._today())
