"""Opens a file of others so that an increment can be appended to it, and writes that without chance and clock.

Runs in a worker. The input's bytes stay as they are. A file that is encrypted but opens without a password is extended
with the encryption that it has (ISO 32000-1, 7.6); one that asks for a password never. What pyHanko can't extend raises
pyHanko's own errors, which the callers tell as a reason.
"""

import errno
import hashlib
import io
import logging
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import IO, Any

from asn1crypto import algos
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.crypt import AuthStatus, StandardSecurityHandler
from pyhanko.pdf_utils.crypt.filter_mixins import AESCryptFilterMixin
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.xref import XRefSectionData
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import ExternalSigner, PdfSignatureMetadata, PdfSigner

from signer_app.pdf.fields import entry, fields
from signer_app.pdf.objects import put
from signer_app.pdf.shapes import Shape, odd_shape
from signer_app.verification.model import FileReport, Integrity
from signer_app.verification.unlocking import Unlocked
from signer_resources.errors import KnownError

# pyHanko tells of each odd file on its logger; what matters comes back as a finding.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)

_ODD = (PdfError, ValueError, KeyError, TypeError, IndexError, AttributeError, AssertionError, RecursionError)
"""What pyHanko raises for files that it can't read."""

_HEADER = b"%PDF-"
_MECHANISM = algos.SignedDigestAlgorithm({"algorithm": "rsassa_pkcs1v15"})
_EMPTY = 64
_FORM, _LOOKS = "/AcroForm", "/NeedAppearances"
_ROOM = 10_000
_MAX_NUMBER = 4_194_304
"""PDFium reads no object with a higher number (kMaxObjectNumber)."""


class Damage(StrEnum):
    """Why a file can't be extended, by the name that the standard has for what is broken."""

    START = "%PDF"
    """Something stands before the header, or there is none."""
    REFERENCES = "xref"
    """The cross-reference table or its trailer."""
    PAGES = "Pages"
    """The tree of pages."""
    FORM = "AcroForm"
    """The form, where a signature would go."""
    OBJECTS = "obj"
    """Objects that aren't what the file says they are."""


_DAMAGE_OF = {
    Shape.PAGE_TWICE: Damage.PAGES,
    Shape.FIELD_IN_CIRCLES: Damage.FORM,
    Shape.ORPHAN_WIDGET: Damage.FORM,
}


class _PureIncrementalWriter(IncrementalPdfFileWriter):
    """An increment without chance and clock, so that the same input gives the same bytes.

    The file identifier is not random: ISO 32000-1, 14.4 asks that its second part changes with the content, and a hash
    of what makes the content does that. Info dictionary and XMP stay as they are: pyHanko would put the time of this
    PC's clock and zone in them, and its own name; the time of signing stands in the signature.
    """

    seed: bytes = b""
    makes_up_looks = False

    @classmethod
    def _handle_id(cls, prev: PdfFileReader) -> generic.ArrayObject:
        changing = generic.ByteStringObject(hashlib.sha256(cls.seed).digest()[:16])
        try:
            first = prev.trailer["/ID"][0]
        except (KeyError, IndexError, TypeError):
            return generic.ArrayObject([changing, changing])
        original = getattr(first, "original_bytes", None)
        kept = generic.ByteStringObject(original if original is not None else bytes(first))
        return generic.ArrayObject([kept, changing])

    def _update_meta(self) -> None:
        pass

    def _prep_dom_for_writing(self) -> None:
        """Puts back what pyHanko takes out of forms that ask for looks made up by the viewer: else fields look bare."""
        super()._prep_dom_for_writing()  # type: ignore[no-untyped-call]
        form = entry(self.root, _FORM)
        if self.makes_up_looks and isinstance(form, generic.DictionaryObject) and _LOOKS not in form:
            put(form, _LOOKS, True)
            # pyHanko has marked the form as changed when it took the entry out.


class _OpenedReader(PdfFileReader):
    """Reads an encrypted file as if it weren't. pyHanko's own way leaves proxies within arrays, on which its code for
    locked fields stumbles.
    """

    _unlocked: Unlocked | None = None

    def _read_object(self, ref: Any, marker: Any, never_decrypt: bool = False, as_metadata_stream: bool = False) -> Any:
        if never_decrypt or as_metadata_stream or not isinstance(marker, int):
            return super()._read_object(ref, marker, never_decrypt, as_metadata_stream)
        if self._unlocked is None:
            self._unlocked = Unlocked(self.encrypt_dict, self.document_id[0])
        key = (ref.idnum, ref.generation)
        return self._unlocked.plain(super()._read_object(ref, marker, never_decrypt=True), key)


def open_increment(source: IO[bytes], seed: bytes) -> IncrementalPdfFileWriter:
    """A writer that appends to `source`; lenient only where the strict reader gives up (Word's hybrid files).

    Raises what pyHanko raises for files that it can't extend, and KnownError `pdf_encrypted` for those that want a
    password, or whose encryption it doesn't know.
    """
    writer_type = type("_SeededWriter", (_PureIncrementalWriter,), {"seed": seed})
    try:
        writer: _PureIncrementalWriter = writer_type(source)
        if writer.prev.xrefs.hybrid_xrefs_present:
            raise PdfError("hybrid cross-reference sections")
    except _ODD:
        source.seek(0)
        writer = writer_type(source, strict=False)
    if "/Encrypt" in writer.trailer:
        _open(writer)
        writer = writer_type(source, prev=_OpenedReader(source, strict=writer.prev.strict))
        _open(writer)
        _without_chance(writer, seed)
    writer._lastobj_id = _last_number(writer)
    form = entry(writer.root, _FORM)
    writer.makes_up_looks = isinstance(form, generic.DictionaryObject) and bool(entry(form, _LOOKS))
    return writer


def _last_number(writer: IncrementalPdfFileWriter) -> int:
    """The number after which new objects are numbered.

    The trailer's /Size says so (ISO 32000-1, table 15), but where it is too small, pyHanko would write over objects
    that are there, and where it is huge, beyond what viewers read. PdfError when there is no room below their limit.
    """
    xrefs, highest = writer.prev.xrefs, 0
    for revision in range(xrefs.total_revisions):
        section: XRefSectionData | None = xrefs.get_xref_data(revision)
        while section is not None:
            for numbers in (section.standard_xrefs, section.xrefs_in_objstm, section.freed):
                highest = max(highest, max(numbers, default=0))
            section = section.hybrid.xref_data if section.hybrid is not None else None
    if highest > _MAX_NUMBER - _ROOM:
        raise PdfError("object numbers beyond what viewers read")
    size = int(writer.trailer["/Size"])
    return size if highest < size <= _MAX_NUMBER - _ROOM else highest


def _open(writer: IncrementalPdfFileWriter) -> None:
    """Opens an encrypted file with the empty password; KnownError where that isn't possible."""
    try:
        if not isinstance(writer.security_handler, StandardSecurityHandler):
            raise KnownError("pdf_encrypted")
        found = writer.encrypt("")  # type: ignore[no-untyped-call]
    except (*_ODD, NotImplementedError) as error:
        raise KnownError("pdf_encrypted") from error
    if found.status is AuthStatus.FAILED:
        raise KnownError("pdf_encrypted")


def _without_chance(writer: IncrementalPdfFileWriter, seed: bytes) -> None:
    """Takes the initialisation vectors of AES from `seed`, in order; everybody can open the file anyway."""
    handler = writer.security_handler
    assert handler is not None
    numbers = count()

    def encrypt(key: bytes, plaintext: bytes, params: object = None) -> bytes:
        vector = hashlib.sha256(b"%d\0%s" % (next(numbers), seed)).digest()[:16]
        padder = padding.PKCS7(128).padder()
        cipher = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
        return vector + cipher.update(padder.update(plaintext) + padder.finalize()) + cipher.finalize()

    for crypt in handler.crypt_filter_config.filters():
        if isinstance(crypt, AESCryptFilterMixin):
            crypt.encrypt = encrypt  # type: ignore[method-assign]


def unsound(path: Path, report: FileReport) -> Damage | None:
    """What keeps the file from being signed so that all can read it: not extendable, or unreadable to our own verifier.

    `report` is the verifier's on the file. Raises as `extendable` does.
    """
    damage = extendable(path)
    if damage is not None:
        return damage
    # What can't be read beforehand can't be read afterwards: the recheck would throw the output away.
    unread = report.integrity is Integrity.UNREADABLE and report.message_code == "verify_damaged"
    return Damage.OBJECTS if unread and not report.signatures else None


def extendable(path: Path) -> Damage | None:
    """What keeps a signature from being appended to the file; None when nothing does.

    A dry run of what `prepare` does: the increment with an invisible, empty signature is made and thrown away. Raises
    OSError, and KnownError as `open_increment` does.
    """
    with path.open("rb") as source:
        if source.read(len(_HEADER)) != _HEADER:
            return Damage.START
        writer: IncrementalPdfFileWriter | None = None
        for damage, attempt in (
            (Damage.REFERENCES, None),
            (Damage.PAGES, _reach_pages),
            (Damage.FORM, _reach_fields),
            (Damage.OBJECTS, _sign_empty),
        ):
            try:
                if attempt is None:
                    writer = open_increment(source, b"")
                elif writer is not None:
                    attempt(writer)
            except KnownError:
                raise
            except SigningError:
                # What earlier signatures allow is told apart from what is broken.
                break
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                # A reference before the file's beginning, to which pyHanko has gone.
                return damage
            except Exception:  # noqa: BLE001 - pyHanko fails with many exception types on odd files, not only its own
                return damage
    shape = odd_shape(path)
    return _DAMAGE_OF[shape] if shape is not None else None


def _reach_pages(writer: IncrementalPdfFileWriter) -> None:
    writer.find_page_for_modification(0)  # type: ignore[no-untyped-call]
    writer.find_page_for_modification(-1)  # type: ignore[no-untyped-call]


def _reach_fields(writer: IncrementalPdfFileWriter) -> None:
    """Each field can be found by name, as filling one does."""
    for _name, _field in fields(writer.root):
        pass


def _sign_empty(writer: IncrementalPdfFileWriter) -> None:
    """All steps of a signature up to the one that asks for the key."""
    signer = ExternalSigner(None, None, b"", signature_mechanism=_MECHANISM)
    metadata = PdfSignatureMetadata(
        field_name="signer-dry-run", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, name="?"
    )
    session = PdfSigner(metadata, signer, new_field_spec=SigFieldSpec("signer-dry-run")).init_signing_session(writer)
    session.prepare_tbs_document(validation_info=None, bytes_reserved=_EMPTY)
    writer._write_updated_section(io.BytesIO())  # type: ignore[no-untyped-call]
