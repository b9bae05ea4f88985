"""The documents that wait to be signed: brought in, grouped, filled in, numbered, examined, handed to the signing.

Main process; every method may block and may be called on any thread. Drafts live in the database; what the preflight
said of them lives in memory and is asked again after a start. Never signs, never asks for a PIN.

One lock guards what is in memory; it is never held while the store is asked, whose own lock may be held outside of it.
"""

import datetime as dt
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec

from signer_app.exchange.directory import Directory, load_directory
from signer_app.outgoing import adding, arranging, numbers, paste
from signer_app.outgoing.checks import Ground, Organisations
from signer_app.outgoing.grouping import Group, group
from signer_app.outgoing.model import (
    Added,
    Changes,
    Draft,
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
from signer_app.signing.images import Images, load_images
from signer_app.signing.jobs import DocumentJob, appendix_profile, job_of, seen_hash
from signer_app.signing.preflights import Preflights
from signer_app.store.model import FileState
from signer_app.store.store import Transaction, View
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.errors import KnownError
from signer_resources.rules import RuleProfile


def _quiet(_key: str, _done: int, _total: int) -> None:
    pass


class Outgoing:
    """All drafts of one workspace."""

    def __init__(self, space: Workspace) -> None:
        self._space = space
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
        last: dict[numbers.Series, int] = {}
        used = {}
        if body is not None:
            years = {numbers.day_of(draft, today).year for draft in drafts}
            for year in years:
                last |= {(year, series): number for series, number in view.documents.last_numbers(body, year).items()}
            uses = [use for draft in drafts if (use := numbers.use_of(draft, today)) is not None]
            used = view.documents.find_numbers(body, uses)
        taken = numbers.Taken.of(drafts, today, last, used)
        organisations = Organisations.of(self.directory())
        return drafts, Ground(today, taken, view.drafts.issued_before(), organisations, rules.load(today))

    def _body_code(self) -> str | None:
        """Under which code numbers are taken: the body of the certificate looked through last, else the only one."""
        with self._turn:
            chosen = self._chosen
        if chosen is not None:
            return chosen.body_code
        bodies = self._space.settings.bodies
        return bodies[0].code if len(bodies) == 1 else None

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
        groups, left = group(found.files), list(found.left)
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
        faults: dict[Path, KnownError] = {}
        for path in files.files:
            try:
                seen[path] = adding.look(self._space, examiner, path)
            except KnownError as error:
                faults[path] = error
        left = [Left(path.name, error) for path, error in faults.items()]
        if not all(isinstance(error, adding.AlreadyHereError) for error in faults.values()):
            return None, [*left, *(Left(path.name, KnownError("out_part_left")) for path in seen)]
        opened: list[DraftFile] = []
        try:
            for path, sha256 in seen.items():
                main = path == files.main
                role, how = (FileRole.MAIN, profile) if main else (FileRole.APPENDIX, appendix_profile(profile))
                opened.append(adding.take(self._space, examiner, path, sha256, role, how))
            return (self._keep(opened, faults.get(files.main)) if opened else None), left
        except BaseException as error:
            self._space.store.discard({file.blob for file in opened})
            if not isinstance(error, KnownError):
                raise
            return None, [*left, *(Left(path.name, error) for path in seen)]

    def _keep(self, opened: Sequence[DraftFile], main_known: KnownError | None) -> Draft:
        """Writes the draft; appendices whose main file is in a draft already join that one."""

        def write(tx: Transaction) -> Draft:
            for file in opened:
                # Another thread may have thrown the very same bytes away meanwhile, when no row named them.
                self._space.store.blobs.size(file.blob)
            files = self._with_outputs(tx, opened)
            if isinstance(main_known, adding.AlreadyHereError):
                host = tx.drafts.with_blob(main_known.blob)
                if host is not None:
                    whole = arranging.joined(self._free(host), files)
                    tx.drafts.put(whole)
                    return whole
            draft = arranging.new_draft(files, self._space.now(), tx.drafts.next_position(), self._rules())
            tx.drafts.add(draft)
            return draft

        return self._space.store.write(write)

    def _with_outputs(self, tx: Transaction, files: Sequence[DraftFile]) -> tuple[DraftFile, ...]:
        taken = tx.drafts.outputs() | {file.output_path or "" for file in tx.documents.pending_exports()}
        outputs = adding.outputs_for(files, self._today(), taken)
        return tuple(msgspec.structs.replace(file, output=outputs[file.id]) for file in files)

    def remove(self, ids: Collection[str]) -> None:
        """Takes drafts out, with their copies; the files in the clerk's folders stay. KnownError "out_being_signed"."""

        def write(tx: Transaction) -> set[str]:
            drafts = [self._free(draft) for draft_id in ids if (draft := tx.drafts.get(draft_id)) is not None]
            blobs = {file.blob for draft in drafts for file in draft.files}
            tx.drafts.remove([draft.id for draft in drafts])
            tx.batches.skip_pending(blobs, "out_removed")
            return blobs

        self._space.store.discard(self._space.store.write(write))
        with self._turn:
            for draft_id in ids:
                self._answers.pop(draft_id, None)
                self._signed.pop(draft_id, None)

    # --- filling in ------------------------------------------------------------------------------------------------

    def edit(self, draft_id: str, changes: Changes) -> Row:
        """Changes a draft; its row as it is then. KnownError "out_gone", "out_being_signed", "out_…_unreadable"."""
        return self.edit_many({draft_id: changes})[0]

    def edit_many(self, changes: Mapping[str, Changes]) -> tuple[Row, ...]:
        """Changes several drafts, all or none; raises as `edit`."""
        profile = self._rules()

        def write(tx: Transaction) -> None:
            for draft_id, change in changes.items():
                tx.drafts.put(arranging.changed(self._taken(tx, draft_id), change, profile))

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
        """Makes one document of several: the others' files become appendices of `main`, one of `ids`."""

        def write(tx: Transaction) -> None:
            whole = self._taken(tx, main)
            others = [self._taken(tx, draft.id) for draft in tx.drafts.list() if draft.id in ids and draft.id != main]
            tx.drafts.remove([draft.id for draft in others])
            tx.drafts.put(arranging.joined(whole, [file for draft in others for file in draft.files]))

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
                tx.drafts.put(arranging.with_main(draft, file_id, self._rules()))
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
                self._remember(draft, work, today)
            done += len(draft.files)
        progress("progress_examine", done, total)
        return Examined(self._ticked(self._rows_of(ids)), tuple(left))

    def _examiner(self, chosen: SigningCertificate | None) -> Examiner:
        images = load_images(self._space.settings, self._space.store.blobs, chosen)
        return Examiner(self._space, chosen, images, self._rules(), self.preflights)

    def _facts_reader(self) -> Examiner:
        """Reads pages even where a picture of the settings is missing; that is told when the draft is examined."""
        with self._turn:
            chosen = self._chosen
        try:
            return self._examiner(chosen)
        except KnownError:
            return Examiner(self._space, chosen, Images(), self._rules(), self.preflights)

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
            taken = {file.output_path or "" for file in view.documents.pending_exports()}
        taken |= {file.output for draft in drafts if draft.id not in wanted for file in draft.files}
        files = [file for draft in drafts if draft.id in wanted for file in draft.files]
        return adding.outputs_for(files, self._today(), taken)

    def _rules(self) -> RuleProfile:
        return rules.load(self._today())
