"""Each filled signature field of a file looked at by itself: its range, the state that it closed, its CMS.

Runs in a worker. All ranges are read first, so that one pass over the file makes every digest; then each signature is
opened in the order of time, in the state that it closed. A fault makes that one signature broken or unreadable, never
better. What came after a signature is for `document` to look at.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from asn1crypto import cms as asn1_cms
from asn1crypto import x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfStrictReadError

from signer_app.verification import cms
from signer_app.verification.chains import parse_certificates
from signer_app.verification.comparison import Comparison
from signer_app.verification.faults import BrokenError, UnreadableError
from signer_app.verification.model import Change, Integrity
from signer_app.verification.permissions import Permissions, read_permissions
from signer_app.verification.revision import FormField, Revision, Widget
from signer_app.verification.rules import State
from signer_app.verification.source import SignedRange, SourceFile

_DETACHED = frozenset({"/ETSI.CAdES.detached", "/adbe.pkcs7.detached", "/PBAD.PAdES"})
_TIMESTAMP = "/ETSI.RFC3161"
_MAX_CANDIDATES = 8
"""Certificates of one issuer and number that a timestamp may have been made with."""


@dataclass(frozen=True)
class FoundSignature:
    """A filled signature field and what was found out about it, apart from trust.

    `fault` is the code of what is wrong with it. `signed` is set when the CMS is right; `token` for a document
    timestamp. `claimed` is the raw /M. `state` holds the number of the signed state and the state itself.
    """

    field: FormField
    is_timestamp: bool
    integrity: Integrity
    fault: str | None = None
    claimed: str | None = None
    range: SignedRange | None = None
    state: State | None = None
    signed: cms.Signed | None = None
    token: cms.Token | None = None
    changes: tuple[Change, ...] = ()
    covers_whole_file: bool = False
    permissions: Permissions | None = None
    widget: Widget | None = None


@dataclass(frozen=True)
class _Claim:
    """What a signature with a good range says; `data` is its CMS where that is well formed."""

    contents: bytes
    range: SignedRange
    data: asn1_cms.SignedData | None


T = TypeVar("T")

Filled = tuple[FormField, generic.DictionaryObject]
"""A signature field with its signature dictionary, as the file has them now."""


def odd(error: Exception, *, strict: bool) -> str:
    """The code for an unexpected failure; strictness alone is no verdict, the lenient reader gets its turn."""
    if strict and isinstance(error, PdfStrictReadError):
        raise error
    return "verify_damaged"


class Finder:
    """Opens the signatures of one file; `final` is the file as it is, `held` the certificates in its /DSS."""

    def __init__(self, source: SourceFile, final: Revision, held: Sequence[bytes], *, strict: bool) -> None:
        self._source = source
        self._final = final
        self._held = held
        self._strict = strict
        self._latest: Revision | None = None
        self.revisions: dict[int, Revision] = {}
        """The signed states that the file's history has, by where the file ended."""

    def find(self, filled: Sequence[Filled]) -> list[FoundSignature]:
        """All of them, in the order of the ends of their ranges; those without a good range come last."""
        read = [(one, self._fenced(one, partial(self._claim, one))) for one in filled]
        claims = [(one, claim) for one, claim in read if isinstance(claim, _Claim)]
        claims.sort(key=lambda pair: pair[1].range.end)
        self._source.read_once((claim.range, name) for _, claim in claims for name in cms.digests_named(claim.data))
        opened = [self._fenced(one, partial(self._open, one, claim)) for one, claim in claims]
        return opened + [failed for _, failed in read if isinstance(failed, FoundSignature)]

    def _fenced(self, filled: Filled, look: Callable[[], T]) -> T | FoundSignature:
        field, signature = filled
        failed = FoundSignature(field, self._final.is_timestamp(signature), Integrity.UNREADABLE)
        try:
            return look()
        except BrokenError as error:
            return replace(failed, integrity=Integrity.BROKEN, fault=error.code)
        except UnreadableError as error:
            return replace(failed, fault=error.code)
        except Exception as error:  # noqa: BLE001  # pyHanko fails with many types on odd files
            return replace(failed, fault=odd(error, strict=self._strict))

    def _claim(self, filled: Filled) -> _Claim:
        _, signature = filled
        contents = self._final.entry(signature, "/Contents")
        if not isinstance(contents, generic.TextStringObject | generic.ByteStringObject):
            raise BrokenError("verify_cms_malformed")
        numbers = [self._final.resolve(item) for item in self._final.array(dict.get(signature, "/ByteRange"))]
        if not all(isinstance(number, generic.NumberObject) for number in numbers):
            raise BrokenError("verify_byte_range")
        held = bytes(contents.original_bytes)
        signed_range = self._source.signed_range([int(number) for number in numbers], held)
        data = None
        with contextlib.suppress(BrokenError):
            # That it is malformed is said after the state has been looked at.
            data = cms.load_signed_data(held)
        return _Claim(held, signed_range, data)

    def _open(self, filled: Filled, claim: _Claim) -> FoundSignature:
        field, signature = filled
        revision = self._revision(claim.range.end)
        same = revision.fields.get(field.name)
        closing = revision.signature_of(same) if same is not None else None
        if same is None or closing is None or not Comparison(revision, self._final).same(closing, signature):
            raise BrokenError("verify_history")
        permissions = read_permissions(revision, same, closing)
        claimed = revision.entry(closing, "/M")
        is_timestamp = self._final.is_timestamp(signature)
        found = FoundSignature(
            field=same,
            is_timestamp=is_timestamp,
            integrity=Integrity.INTACT,
            claimed=str(claimed) if isinstance(claimed, generic.TextStringObject) else None,
            range=claim.range,
            state=State(0, field.name, is_timestamp, False, permissions, revision),
            covers_whole_file=self._source.only_blank(claim.range.end),
            permissions=permissions,
            widget=next((widget for widget in same.widgets if widget.visible), None),
        )
        return self._with_cms(found, claim, str(revision.entry(closing, "/SubFilter")))

    def _revision(self, end: int) -> Revision:
        if end not in self.revisions:
            revision = Revision(self._source, end, self._final.memory, strict=self._strict, earlier=self._latest)
            try:
                revision.check_ending()
            except BrokenError:
                raise BrokenError("verify_byte_range") from None
            if not self._final.continues(revision):
                raise BrokenError("verify_history")
            self.revisions[end] = self._latest = revision
        return self.revisions[end]

    def _with_cms(self, found: FoundSignature, claim: _Claim, subfilter: str) -> FoundSignature:
        def digest(name: str) -> bytes:
            return self._source.digest(claim.range, name)

        try:
            signed_data = claim.data if claim.data is not None else cms.load_signed_data(claim.contents)
            if found.is_timestamp and subfilter == _TIMESTAMP:
                token = self._token(signed_data, digest)
                if not token.right:
                    raise BrokenError("verify_digest")
                return replace(found, token=token)
            if not found.is_timestamp and subfilter in _DETACHED:
                return replace(found, signed=cms.check_detached(signed_data, digest))
            raise UnreadableError("verify_algorithm_unsupported")
        except BrokenError as error:
            return replace(found, integrity=Integrity.BROKEN, fault=error.code)
        except UnreadableError as error:
            return replace(found, integrity=Integrity.UNREADABLE, fault=error.code)
        except Exception as error:  # noqa: BLE001  # a CMS can be odd in as many ways as a PDF
            return replace(found, integrity=Integrity.UNREADABLE, fault=odd(error, strict=self._strict))

    def _token(self, signed_data: asn1_cms.SignedData, digest: cms.Digest) -> cms.Token:
        """The token of a document timestamp. One that came without its certificate is held against those in /DSS.

        Anybody may put certificates there: only one that the token was made with counts.
        """
        try:
            return cms.check_token(signed_data, digest)
        except UnreadableError as error:
            if error.code != "verify_certificate_missing":
                raise
            for candidate in _completed(signed_data, parse_certificates(self._held)):
                token = cms.check_token(candidate, digest)
                if token.certificate is not None:
                    return token
            raise


def _completed(signed: asn1_cms.SignedData, certificates: Iterable[x509.Certificate]) -> Iterator[asn1_cms.SignedData]:
    """The same with each of a few certificates whose issuer and number its signer names (RFC 5652, 5.3)."""
    sid = signed["signer_infos"][0]["sid"]
    if sid.name != "issuer_and_serial_number":
        return
    named = [
        one
        for one in certificates
        if one.serial_number == sid.chosen["serial_number"].native and one.issuer == sid.chosen["issuer"]
    ]
    for one in named[:_MAX_CANDIDATES]:
        whole = signed.copy()
        whole["certificates"] = asn1_cms.CertificateSet([asn1_cms.CertificateChoices("certificate", one)])
        yield whole
