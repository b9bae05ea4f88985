"""`prepare`: a file up to the bytes that the token signs; `signature.finish` puts the signature in afterwards.

Runs in a worker, file in, file out, in chunks. `prepare` is a pure function of source bytes, step and signing time:
called twice it gives the same output and the same `to_be_signed`. Between the two nothing is held: `Prepared` is all
that `finish` needs. pyHanko's PdfSigner does the PDF work, so that its checks of DocMDP, locks, seed values and
cross-references stay in force.
"""

import datetime as dt
import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.general import SigningError

from signer_app.pdf.appearance import DrawnAppearance, StepStampStyle
from signer_app.pdf.fields import find_field, widget_box
from signer_app.pdf.form import Frames, corners, fill_field, make_fields
from signer_app.pdf.increment import open_increment
from signer_app.pdf.model import Prepared
from signer_app.pdf.plan import VIETNAM, SignStep, canonical
from signer_app.pdf.signature import CONTENTS_BYTES, DIGEST, external_signer, signed_attributes
from signer_resources.errors import KnownError

if TYPE_CHECKING:
    # collections.abc has it from Python 3.12 on.
    from typing_extensions import Buffer

_CHUNK = 1 << 20


def prepare(
    source: Path,
    output: Path,
    step: SignStep,
    *,
    images: Mapping[str, bytes],
    moment: dt.datetime,
    certificate: bytes,
    chain: Sequence[bytes],
    source_sha256: str | None = None,
) -> Prepared:
    """Writes `source` plus the step's increment with an empty signature to `output`.

    `certificate` and `chain` are DER, the chain from the issuer upwards; `moment` is aware. With
    `source_sha256` the source must still be those bytes. KnownError `blob_damaged`, `image_unusable`, or
    `pdf_not_signable` with pyHanko's reason.
    """
    moment = moment.astimezone(VIETNAM).replace(microsecond=0)
    signer = external_signer(certificate, tuple(chain), None)
    # What is known need not be read for: the copy is held against it below.
    digest_in = bytes.fromhex(source_sha256) if source_sha256 is not None else _file_digest(source)
    seed = b"\0".join((digest_in, canonical(step), moment.isoformat().encode()))
    frames = Frames(source)
    try:
        with source.open("rb") as handle, _Copy(output, source.stat().st_size) as target:
            writer = open_increment(handle, seed)
            writer.IO_CHUNK_SIZE = _CHUNK
            make_fields(writer, step, frames, moment)
            for fill in step.fill:
                fill_field(writer, fill, frames, images, moment)
            pdf_signer = PdfSigner(
                PdfSignatureMetadata(
                    field_name=step.field,
                    md_algorithm=DIGEST,
                    subfilter=SigSeedSubFilter.PADES,
                    name=signer.subject_name,
                    reason=step.reason,
                ),
                signer,
                stamp_style=_stamp_style(writer, step, frames, images, moment),
                new_field_spec=None if step.existing else _new_field(step, frames),
            )
            session = pdf_signer.init_signing_session(writer, existing_fields_only=step.existing)
            session.system_time = moment
            document = session.prepare_tbs_document(validation_info=None, bytes_reserved=CONTENTS_BYTES * 2)
            digest, _ = document.digest_tbs_document(output=target, chunk_size=_CHUNK)
    except OSError:
        # A full disk is no fault of the file.
        raise
    except Exception as error:
        if source_sha256 is not None and _file_digest(source).hex() != source_sha256:
            raise KnownError("blob_damaged", sha256=source_sha256) from error
        if isinstance(error, KnownError):
            raise
        # pyHanko fails with many exception types on odd files, not only its own.
        reason = str(error) if isinstance(error, SigningError) else f"{type(error).__name__}: {error}"
        raise KnownError("pdf_not_signable", reason=reason) from error
    if target.digest != digest_in:
        raise KnownError("blob_damaged", sha256=digest_in.hex())
    attributes = signed_attributes(certificate, chain, digest.document_digest)
    return Prepared(attributes, digest.document_digest, digest.reserved_region_start, digest.reserved_region_end)


def _stamp_style(
    writer: IncrementalPdfFileWriter,
    step: SignStep,
    frames: Frames,
    images: Mapping[str, bytes],
    moment: dt.datetime,
) -> StepStampStyle:
    if step.drawing is None or step.page is None or step.rect is None:
        return StepStampStyle()
    frame = frames[step.page]
    box = frame.to_user(step.rect)
    if step.existing:
        field = find_field(writer.root, step.field)
        known = widget_box(field) if field is not None else None
        if known is None:
            raise KnownError("field_missing", field=step.field)
        box = known
    return StepStampStyle(appearance=DrawnAppearance(frame, step.drawing, images, moment), field_box=box)


def _new_field(step: SignStep, frames: Frames) -> SigFieldSpec:
    if step.page is None or step.rect is None:
        return SigFieldSpec(step.field)
    return SigFieldSpec(step.field, on_page=step.page, box=corners(frames[step.page].to_user(step.rect)))


class _Copy(io.BufferedRandom):
    """The output while it is written; makes the digest of its first `length` bytes, the copy of the source."""

    def __init__(self, path: Path, length: int) -> None:
        super().__init__(io.FileIO(path, "w+"))
        self._left = length
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> bytes:
        """SHA-256 of what was copied."""
        return self._hash.digest()

    def write(self, data: "Buffer") -> int:
        """As any file's; the copy comes first, in order."""
        if self._left > 0:
            copied = memoryview(data)[: self._left]
            self._left -= len(copied)
            self._hash.update(copied)
        return super().write(data)


def _file_digest(path: Path) -> bytes:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").digest()
