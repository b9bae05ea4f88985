"""Appends to a signed document what makes its signatures last: document timestamps and validation data.

Runs in a worker, file in, file out, in chunks; each step is one increment with the file so far as exact prefix, and a
pure function of what it is given. Asks nobody: the token and the news are fetched on the network side. Nothing here
decides that the outcome is good; it is checked again before anyone keeps it.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from asn1crypto import cms, crl, ocsp
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, enumerate_sig_fields
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp, PreparedByteRangeDigest
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError

from signer_app.levels.model import DataAdded, StampGap
from signer_app.pdf.increment import open_increment
from signer_app.pdf.validation_data import Chosen, material_of
from signer_app.verification.model import FileReport, TrustMaterial
from signer_resources.errors import KnownError

TOKEN_BYTES = 16_384
"""Room for the token of a timestamp in bytes: with the whole chain of its server it has some 6,000."""
DIGEST = "sha256"
_CHUNK = 1 << 20
_FIELD = "Timestamp{number}"


def prepare_timestamp(source: Path, output: Path) -> StampGap:
    """Writes `source` plus an increment with an empty document timestamp to `output`.

    The field is invisible and new: a name that the file doesn't have yet. KnownError "level_not_appendable".
    """
    with _increment(source, b"timestamp") as writer, output.open("w+b") as target:
        _declare(writer)
        names = {name for name, *_ in enumerate_sig_fields(writer)}
        name = next(free for free in _names() if free not in names)
        embedding = PdfCMSEmbedder(new_field_spec=SigFieldSpec(name)).write_cms(field_name=name, writer=writer)
        next(embedding)
        stamp = DocumentTimestamp(bytes_reserved=TOKEN_BYTES * 2)  # type: ignore[no-untyped-call]
        embedding.send(SigObjSetup(sig_placeholder=stamp))
        prepared, _ = embedding.send(SigIOSetup(md_algorithm=DIGEST, output=target, chunk_size=_CHUNK))
        embedding.close()
    return StampGap(
        document_digest=prepared.document_digest,
        gap_start=prepared.reserved_region_start,
        gap_end=prepared.reserved_region_end,
    )


def finish_timestamp(path: Path, gap: StampGap, token: bytes) -> None:
    """Puts the token (DER of its ContentInfo) into the room that `prepare_timestamp` left, in place.

    KnownError "level_token_too_large".
    """
    prepared = PreparedByteRangeDigest(gap.document_digest, gap.gap_start, gap.gap_end)
    try:
        with path.open("r+b") as handle:
            prepared.fill_with_cms(handle, cms.ContentInfo.load(token))
    except SigningError as error:
        raise KnownError("level_token_too_large", size=len(token)) from error


def add_validation(
    source: Path,
    output: Path,
    report: FileReport,
    trust: TrustMaterial,
    now: dt.datetime,
    largest: int | None = None,
) -> DataAdded:
    """Writes `source` plus an increment with the chains, OCSP answers and CRLs that its signatures need to `output`.

    `report` is the verifier's on `source`. Nothing is written where something is missing or the news have more bytes
    than `largest`; what the file holds already is not written again. KnownError "level_not_appendable".
    """
    try:
        chosen = material_of(source, trust, report, now).chosen(inside_only=False)
    except OSError:
        raise
    except Exception as error:
        raise _not_appendable(error) from error
    size = sum(len(der) for der in {der for one in chosen for der in (*one.crls, *one.ocsps)})
    missing = any(one.missing or not one.part.trusted for one in chosen)
    if missing or (largest is not None and size > largest):
        return DataAdded(written=False, size=size)
    with _increment(source, b"validation") as writer, output.open("w+b") as target:
        _declare(writer)
        _fill_store(writer, chosen)
        writer.write(target)  # type: ignore[no-untyped-call]
    return DataAdded(written=True, size=size)


def _fill_store(writer: IncrementalPdfFileWriter, chosen: Sequence[Chosen]) -> None:
    """One entry of /VRI for each signature, by the SHA-1 of its /Contents (ISO 32000-2, 12.8.4.4).

    An entry that is there stays as it is: what is left behind unused by another one would be a change without a reason.
    """
    contents = {one.field_name: one.pkcs7_content for one in writer.prev.embedded_signatures}
    entries = _entries(writer)
    for one in chosen:
        content = contents.get(one.part.name)
        known = content is None or DocumentSecurityStore.sig_content_identifier(content) in entries
        DocumentSecurityStore.supply_dss_in_writer(
            writer,
            None if known else content,
            certs=one.part.certificates,
            ocsps=[ocsp.OCSPResponse.load(der) for der in one.ocsps],
            crls=[crl.CertificateList.load(der) for der in one.crls],
        )


def _entries(writer: IncrementalPdfFileWriter) -> frozenset[str]:
    try:
        return frozenset(DocumentSecurityStore.read_dss(writer).vri_entries)
    except NoDSSFoundError:
        return frozenset()


@contextmanager
def _increment(source: Path, purpose: bytes) -> Iterator[IncrementalPdfFileWriter]:
    """A writer over `source`; whatever pyHanko makes of an odd file is told as a reason."""
    try:
        with source.open("rb") as handle:
            digest = hashlib.file_digest(handle, DIGEST).digest()
            handle.seek(0)
            writer = open_increment(handle, purpose + b"\0" + digest)
            writer.IO_CHUNK_SIZE = _CHUNK
            yield writer
    except (KnownError, OSError):
        # A full disk is no fault of the file.
        raise
    except Exception as error:
        # pyHanko fails with many exception types on odd files, not only its own.
        raise _not_appendable(error) from error


def _not_appendable(error: Exception) -> KnownError:
    return KnownError("level_not_appendable", reason=type(error).__name__)


def _declare(writer: IncrementalPdfFileWriter) -> None:
    """A file older than PDF 2.0 declares document timestamps and a DSS (ETSI EN 319 142-1, 5.5)."""
    writer.ensure_output_version(version=(1, 7))  # type: ignore[no-untyped-call]
    if writer.output_version < (2, 0):
        writer.register_extension(ESIC_EXTENSION_1)


def _names() -> Iterator[str]:
    number = 1
    while True:
        yield _FIELD.format(number=number)
        number += 1
