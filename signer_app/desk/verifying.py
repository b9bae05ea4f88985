"""Checking signatures: one file or whole folders, the network asked for what is missing, what was undecided looked at
again, the report as a PDF, the evidence kept and destroyed.

Main process, any thread; everything blocks. Files of others are read by workers only. A check always has an answer:
what a worker can't do in its time and memory is `unreadable` and `indeterminate`. Evidence is kept where this process
may write; one that only reads can ask for the data folder's lock for a moment afterwards.
"""

import os
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from signer_app.evidence.keeping import EvidenceKeeper
from signer_app.evidence.pieces import named
from signer_app.paper.writing import write_paper
from signer_app.signing.opening import screened
from signer_app.tasks import Verify
from signer_app.verification.model import FileReport, Integrity, TrustMaterial, Verdict
from signer_app.verification.names import one_line
from signer_app.verification.undecided import could_be_decided
from signer_app.workspace import Overrides, Workspace, workspace
from signer_resources.errors import KnownError
from signer_resources.messages import Lang

if TYPE_CHECKING:
    from signer_app.store.evidence import EvidenceOfDocument
    from signer_app.store.model import Evidence
    from signer_app.store.store import StoreReader

_MOST_FILES = 100_000
"""Files of one check; more is no office's folder but the root of a disk."""
_ASKED_AT_ONCE = 50
"""Files whose news are fetched before they are looked at again: the cache holds what a few files need."""
_REMEMBERED = 500
"""Undecided files that are looked at again; the oldest are forgotten first."""


@dataclass(frozen=True)
class Checked:
    """What a check found. `name` is what the person calls the file; `evidence`: it is kept in the store."""

    path: Path
    name: str
    report: FileReport
    evidence: bool


@dataclass(frozen=True)
class _Waiting:
    """A check whose evidence may be kept as soon as this process may write, with what of the material it needs."""

    report: FileReport
    name: str
    pieces: Mapping[str, bytes]

    def find(self, wanted: AbstractSet[str]) -> Mapping[str, bytes]:
        """Those of the wanted pieces that were at hand."""
        return {sha256: der for sha256, der in self.pieces.items() if sha256 in wanted}


@dataclass(frozen=True)
class _Undecided:
    """What it is called, whether it was screened when it came, and its SHA-256."""

    name: str
    free_of_marks: bool
    sha256: str | None


def is_folder(path: Path) -> bool:
    """Whether it is one; Path.is_dir raises where a name is too long."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path) -> bool:
    """The same for files."""
    return os.path.isfile(path)  # noqa: PTH113


def files_of(paths: Sequence[Path], cancelled: Callable[[], bool] = lambda: False) -> tuple[Path, ...]:
    """The files that are meant: those given, and of folders every *.pdf in any case, however deep, in their order.

    A folder that can't be read stands for itself: its check says so. No link to a folder is followed. KnownError
    "verify_too_many_files"; what is found so far when cancelled.
    """
    found: list[Path] = []
    for path in paths:
        found += sorted(_pdfs_in(path, _MOST_FILES - len(found), cancelled)) if is_folder(path) else [path]
        if len(found) > _MOST_FILES:
            raise KnownError("verify_too_many_files", most=_MOST_FILES)
    return tuple(dict.fromkeys(found))


def _pdfs_in(folder: Path, room: int, cancelled: Callable[[], bool]) -> list[Path]:
    found: list[Path] = []

    def closed(error: OSError) -> None:
        found.append(Path(error.filename or folder))

    for place, _folders, names in os.walk(folder, onerror=closed):
        pdfs = (Path(place, name) for name in names if name.lower().endswith(".pdf"))
        found += [file for file in pdfs if is_file(file)]
        if cancelled() or len(found) > room:
            break
    return found


class Verifying:
    """The checks of one workspace."""

    def __init__(self, space: Workspace) -> None:
        self._space = space
        self._keeper = EvidenceKeeper(space)
        self._guard = threading.Lock()
        self._undecided: OrderedDict[Path, _Undecided] = OrderedDict()
        self._free: set[tuple[str, str]] = set()
        """SHA-256 and name of what was screened here and found free of marks; the name may carry one, too."""
        self._waiting: list[_Waiting] = []
        self._pieces: dict[str, bytes] = {}

    # ---- checking --------------------------------------------------------------------------------------------------

    def check(
        self,
        path: Path,
        *,
        name: str | None = None,
        ask_network: bool = True,
        free_of_marks: bool = False,
        again: bool = False,
    ) -> Checked:
        """What the signatures of a file are worth; never raises for what the file is or does.

        With `ask_network` the addresses that the answer wants are asked, and the file is looked at once more; `again`:
        also those that have just failed.
        `free_of_marks`: these bytes were screened for marks of secrecy before, when they came.
        """
        shown = _shown(path.name if name is None else name)
        report, material = self._look(path)
        if ask_network and report.wanted_urls and self._space.revocation.fetch(report.wanted_urls, again=again):
            report, material = self._look(path)
        screened_before = free_of_marks or self._screened_before(report, shown)
        self._remember(path, shown, report, free_of_marks=free_of_marks)
        kept = _signed(report) and (screened_before or self._free_of_marks(path, shown, report))
        return Checked(path, shown, report, kept and self._keep(shown, report, material))

    def check_many(
        self,
        paths: Sequence[Path],
        each: Callable[[Checked], None],
        progress: Callable[[str, int, int], None],
        cancelled: Callable[[], bool] = lambda: False,
        *,
        ask_network: bool = True,
    ) -> None:
        """Checks the files one after the other and hands out each answer; `progress` as `Console.progress` gives it.

        With `ask_network` those that want news are handed out a second time (`ask_for_many`).
        """
        wanting: list[Checked] = []
        for done, path in enumerate(paths):
            if cancelled():
                return
            progress("progress_verify", done, len(paths))
            checked = self.check(path, ask_network=False)
            each(checked)
            if ask_network and checked.report.wanted_urls:
                wanting.append(checked)
        self.ask_for_many(wanting, each, progress, cancelled)

    def ask_for_many(
        self,
        wanting: Sequence[Checked],
        each: Callable[[Checked], None],
        progress: Callable[[str, int, int], None],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Asks the network for what these checks wanted, and hands out newer answers where anything came."""
        for begin in range(0, len(wanting), _ASKED_AT_ONCE):
            some = wanting[begin : begin + _ASKED_AT_ONCE]
            new = False
            for done, one in enumerate(some, start=begin):
                if cancelled():
                    return
                progress("progress_verify", done, len(wanting))
                new = self._space.revocation.fetch(one.report.wanted_urls) or new
            for one in some if new else ():
                if cancelled():
                    return
                each(self.check(one.path, name=one.name, ask_network=False))

    def undecided(self) -> int:
        """How many files of this run could not be decided for want of anchors, CRLs or OCSP answers. Never blocks."""
        return len(self._undecided)

    def check_again(self, cancelled: Callable[[], bool] = lambda: False) -> tuple[Checked, ...]:
        """Those looked at again: the network is back, anchors were installed. Files that are gone are forgotten."""
        with self._guard:
            undecided = tuple(self._undecided.items())
        answers: list[Checked] = []
        for path, one in undecided:
            if cancelled():
                break
            if path not in self._undecided:
                # Its evidence was destroyed meanwhile.
                continue
            if is_file(path):
                # While the network answers, addresses that failed lately are due too; a dead one isn't asked for each.
                again = not answers or not could_be_decided(answers[-1].report)
                answers.append(self.check(path, name=one.name, free_of_marks=one.free_of_marks, again=again))
            else:
                with self._guard:
                    self._undecided.pop(path, None)
        return tuple(answers)

    def _look(self, path: Path) -> tuple[FileReport, TrustMaterial]:
        material, now = self._space.trust, self._space.now()
        file = _readable(str(path.absolute()))
        code = "verify_file_unreadable"
        if file == str(path.absolute()):
            try:
                return self._space.workers.verify(Verify(file, material, now)).report, material
            except KnownError:
                # Late, or dead of the file: an answer all the same, and never a better one.
                code = "verify_limit"
        return FileReport(file, Verdict.INDETERMINATE, Integrity.UNREADABLE, code, {}, (), ()), material

    def _remember(self, path: Path, name: str, report: FileReport, *, free_of_marks: bool) -> None:
        with self._guard:
            self._undecided.pop(path, None)
            if could_be_decided(report):
                self._undecided[path] = _Undecided(name, free_of_marks, report.sha256)
            while len(self._undecided) > _REMEMBERED:
                self._undecided.popitem(last=False)

    # ---- evidence --------------------------------------------------------------------------------------------------

    def _keep(self, name: str, report: FileReport, material: TrustMaterial) -> bool:
        if not self._space.folder.locked:
            with self._guard:
                self._waiting.append(_Waiting(report, name, self._needed(report, material)))
            return False
        try:
            return self._keeper.keep(report, name, lambda wanted: named(wanted, material))
        except KnownError:
            # A full disk hinders no check; that nothing was kept is told with the answer.
            return False

    def _needed(self, report: FileReport, material: TrustMaterial) -> Mapping[str, bytes]:
        """The pieces that the report rests on, each held once however many files rest on it: lists can be large."""
        wanted = {proof.sha256 for one in report.signatures for proof in one.proofs}
        self._pieces.update(named(wanted - self._pieces.keys(), material))
        return {sha256: self._pieces[sha256] for sha256 in wanted if sha256 in self._pieces}

    def _screened_before(self, report: FileReport, name: str) -> bool:
        """Whether these bytes were screened here, or evidence about them is there: it was only kept after that."""
        if report.sha256 is None:
            return False
        return (report.sha256, name) in self._free or (self._space.folder.locked and bool(self.evidence(report.sha256)))

    def _free_of_marks(self, path: Path, name: str, report: FileReport) -> bool:
        """Whether these very bytes carry no mark of secrecy: else nothing of the document may be written down."""
        try:
            if report.sha256 is None or screened(self._space, path, name).sha256 != report.sha256:
                return False
        except KnownError:
            return False
        self._free.add((report.sha256, name))
        return True

    def keep_what_waits(self) -> frozenset[str]:
        """Keeps the evidence of the checks of a process that only reads, taking the data folder's lock for a moment.

        The SHA-256 of the files whose evidence is kept. No data folder is made for it. KnownError "busy" where a window
        or another command has the lock, and those of `workspace` and `Store.write`.
        """
        with self._guard:
            waiting, self._waiting, self._pieces = self._waiting, [], {}
        folder = self._space.folder
        if not waiting or not folder.database.is_file():
            return frozenset()
        with workspace(folder.path, Overrides(), writing=True, now=self._space.now) as writer:
            keeper = EvidenceKeeper(writer)
            kept = [one.report.sha256 for one in waiting if keeper.keep(one.report, one.name, one.find)]
        return frozenset(sha256 for sha256 in kept if sha256 is not None)

    def evidence(self, sha256: str) -> "tuple[Evidence, ...]":
        """What is kept about the signatures of the document with this hash."""
        with self._reader.view() as view:
            return view.evidence.of_document(sha256)

    def documents(self, limit: int = 10_000) -> "tuple[EvidenceOfDocument, ...]":
        """The documents of which evidence is kept, the newest first."""
        with self._reader.view() as view:
            return view.evidence.documents(limit)

    def documents_beginning(self, digits: str, limit: int = 100) -> tuple[str, ...]:
        """The SHA-256 of the documents of which evidence is kept, as far as they begin like this."""
        with self._reader.view() as view:
            return view.evidence.beginning(digits, limit)

    def destroy_evidence(self, sha256: str) -> int:
        """Destroys all evidence about the document, with a line in the journal; how many records there were.

        It doesn't come back by itself: what would be looked at again, or waits to be kept, is forgotten too.
        KnownError as `Store.write`.
        """
        with self._guard:
            for path in [path for path, one in self._undecided.items() if one.sha256 == sha256]:
                del self._undecided[path]
            self._waiting = [one for one in self._waiting if one.report.sha256 != sha256]
        return self._keeper.destroy(sha256)

    @property
    def _reader(self) -> "StoreReader":
        return self._space.store if self._space.folder.locked else self._space.reader

    # ---- report ----------------------------------------------------------------------------------------------------

    def report_pdf(self, checked: Sequence[Checked], target: Path) -> None:
        """Writes the report on these checks as a PDF to a new file; KnownError as `write_paper`."""
        from signer_app.verification.paper import PaperEntry, report_paper

        entries = [PaperEntry(name, one.report) for name, one in zip(told_apart(checked), checked, strict=True)]
        write_paper(target, report_paper(entries, self._space.now(), self._lang))

    @property
    def _lang(self) -> Lang:
        return self._space.lang


def told_apart(checked: Sequence[Checked]) -> tuple[str, ...]:
    """What the files are called in a list of them: by their names, and those that share one by their paths."""
    names = Counter(one.name for one in checked)
    return tuple(one.name if names[one.name] == 1 else _shown(str(one.path)) for one in checked)


def _signed(report: FileReport) -> bool:
    """Whether there is a signature that evidence can be kept of."""
    return report.sha256 is not None and any(one.chain for one in report.signatures)


def _readable(name: str) -> str:
    """The name as text; one that isn't, as old archives leave them behind, with question marks."""
    return name.encode(errors="replace").decode()


def _shown(name: str) -> str:
    """The name as people see it: in one line, for it may have been made to look like words of ours."""
    return one_line(_readable(name))


def kept(checked: Iterable[Checked], hashes: frozenset[str]) -> tuple[Checked, ...]:
    """`checked` with those marked whose evidence was kept afterwards."""
    return tuple(
        Checked(one.path, one.name, one.report, one.evidence or one.report.sha256 in hashes) for one in checked
    )
