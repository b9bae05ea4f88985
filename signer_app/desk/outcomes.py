"""What became of the files of a batch, taken together by document as a person thinks of them.

Pure values in and out, any thread; nothing is read or asked.
"""

from collections.abc import Sequence

from signer_app.desk.signing_values import DocumentOutcome, Planned
from signer_app.levels.model import ORDER
from signer_app.outgoing.model import Row
from signer_app.signing.batch import Outcome
from signer_app.store.model import FileState
from signer_app.verification.model import Level


def by_document(planned: Sequence[Planned], files: Sequence[Outcome]) -> tuple[DocumentOutcome, ...]:
    """The files of a batch, in its order, taken together by document."""
    outcomes, at = [], 0
    for one in planned:
        behind = at + len(one.job.files)
        outcomes.append(document_outcome(one, files[at:behind]))
        at = behind
    return tuple(outcomes)


def document_outcome(planned: Planned, files: Sequence[Outcome]) -> DocumentOutcome:
    """A document is as its files are; of several reasons the one that is no consequence of another counts."""
    unsigned = [file for file in files if file.state is not FileState.SIGNED]
    own = [file for file in unsigned or files if file.code not in (None, "part_refused")]
    speaks = (own or unsigned or list(files))[0]
    return DocumentOutcome(
        draft=planned.job.draft,
        label=planned.label,
        state=speaks.state,
        code=speaks.code,
        params=dict(speaks.params),
        warnings=tuple(warning for file in files for warning in file.warnings),
        level=min((file.level for file in files if file.level), key=_height, default=None),
        document=files[0].document,
    )


def left_outcome(row: Row) -> DocumentOutcome:
    """A draft of a stopped batch that can't be signed as it is now."""
    draft, reason = row.draft, next(iter(row.reasons), None)
    return DocumentOutcome(
        draft=draft.id,
        label=draft.label or draft.main.name,
        state=FileState.REFUSED,
        code=reason.code if reason else "out_not_ready",
        params=dict(reason.params) if reason else {"name": draft.main.name},
    )


def _height(level: str) -> int:
    """How high a level is."""
    return ORDER.index(Level(level))
