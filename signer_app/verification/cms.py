"""The CMS in a signature: whether it is well formed, fits the signed bytes and was made with the named certificate.

Runs in a worker. Uses pyHanko's primitives one by one; says nothing about trust. BrokenError where the signature is
wrong in itself, UnreadableError where it can't be judged.
"""

import contextlib
import datetime as dt
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from asn1crypto import cms, core, parser, tsp, x509
from pyhanko.sign.general import (
    CMSExtractionError,
    CMSStructuralError,
    extract_signer_info,
    find_cms_attribute_iter,
    match_issuer_serial,
)
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import extract_self_reported_ts, validate_sig_integrity

from signer_app.verification.faults import BrokenError, LimitError, UnreadableError
from signer_app.verification.strength import long_enough

_WEAK_DIGESTS = frozenset({"md2", "md5", "sha1"})
"""TT 15/2025 PL I 1.3 leaves no room for SHA-1 and older."""
_KNOWN_SIGNATURES = frozenset({"rsassa_pkcs1v15", "rsassa_pss", "ecdsa", "ed25519", "ed448"})
_MAX_CERTIFICATES = 64
_MAX_TIMESTAMPS = 8
_PLAIN = "certificate"
"""What is no attribute certificate, and no extended one of old."""

Digest = Callable[[str], bytes]
"""The digest of what was signed, by the name of the hash ("sha256")."""


@dataclass(frozen=True)
class Signed:
    """A CMS SignedData whose signature is right.

    `weak` tells of an algorithm that no longer proves anything; `claimed_time` is the signer's own signingTime;
    `certificates` are all others that came along; `crls` and `ocsps` (DER) what was embedded in the CMS itself.
    """

    certificate: x509.Certificate
    certificates: tuple[x509.Certificate, ...]
    weak: bool
    claimed_time: dt.datetime | None
    signer_info: cms.SignerInfo
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Token:
    """An RFC 3161 timestamp token. `right` says that it fits what it stamps and its own signature is right."""

    time: dt.datetime
    right: bool
    weak: bool
    certificate: x509.Certificate | None
    certificates: tuple[x509.Certificate, ...] = field(default=())


def load_signed_data(contents: bytes) -> cms.SignedData:
    """The SignedData in a /Contents string: DER, then nothing but zeros (ISO 32000-2, 12.8.3.3.1)."""
    fault = BrokenError("verify_cms_malformed")
    try:
        header, body, trailer = (parser.parse(contents)[n] for n in (3, 4, 5))
        length = len(header) + len(body) + len(trailer)
        if contents[length:].strip(b"\x00"):
            raise fault
        info = cms.ContentInfo.load(contents[:length], strict=True)
        if info["content_type"].native != "signed_data":
            raise fault
        signed = info["content"]
        _read_through(signed)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError):
        raise fault from None
    return signed


def _read_through(signed: cms.SignedData) -> None:
    """Forces the lazy parser through what is signed now, while a failure still means a malformed CMS.

    Piece by piece, and no deeper than the values of attributes: what asn1crypto fills in for what is left out counts as
    a change, and then it encodes everything again whenever it is asked for the bytes.
    """
    _ = signed["encap_content_info"]["content_type"].native
    for info in signed["signer_infos"]:
        _ = [info[name].native for name in ("version", "sid", "digest_algorithm", "signature_algorithm", "signature")]
        for name in ("signed_attrs", "unsigned_attrs"):
            if not isinstance(info[name], core.Void):
                _ = [(attribute["type"].native, *attribute["values"]) for attribute in info[name]]


def digests_named(signed: cms.SignedData | None) -> set[str]:
    """The hashes of the signed bytes that a signature or a document timestamp names; none where that is unreadable."""
    names: set[str] = set()
    # Whoever checks the CMS says what is wrong with it.
    with contextlib.suppress(ValueError, TypeError, KeyError, IndexError, AttributeError):
        if signed is not None:
            names.add(signed["signer_infos"][0]["digest_algorithm"]["algorithm"].native)
            info = signed["encap_content_info"]["content"]
            if isinstance(info, core.ParsableOctetString) and isinstance(info.parsed, tsp.TSTInfo):
                names = {info.parsed["message_imprint"]["hash_algorithm"]["algorithm"].native}
    return names


def check_detached(signed: cms.SignedData, digest: Digest) -> Signed:
    """Checks a signature over external bytes (PAdES, adbe.pkcs7.detached)."""
    content = signed["encap_content_info"]
    if content["content_type"].native != "data" or content["content"].native is not None:
        raise BrokenError("verify_cms_malformed")
    return _check(signed, "data", digest)


def _check(signed: cms.SignedData, content_type: str, digest: Digest) -> Signed:
    try:
        if len(signed["certificates"]) > _MAX_CERTIFICATES:
            raise LimitError
        signer_info = extract_signer_info(signed)
    except CMSExtractionError:
        raise UnreadableError("verify_certificate_missing") from None
    certificate, others = _certificates(signed, signer_info)
    try:
        algorithm = signer_info["signature_algorithm"]
        known = algorithm.signature_algo in _KNOWN_SIGNATURES
        hash_name = signer_info["digest_algorithm"]["algorithm"].native
    except ValueError:
        known, hash_name = False, ""
    if not known:
        raise UnreadableError("verify_algorithm_unsupported")
    try:
        intact, valid = validate_sig_integrity(
            signer_info, certificate, expected_content_type=content_type, actual_digest=digest(hash_name)
        )
    except (CMSStructuralError, SignatureValidationError):
        raise BrokenError("verify_cms_malformed") from None
    if not intact:
        raise BrokenError("verify_digest")
    if not valid:
        raise BrokenError("verify_signature_value")
    crls, ocsps = _embedded_revocation(signed, signer_info)
    return Signed(
        certificate=certificate,
        certificates=others,
        weak=_is_weak(algorithm, hash_name, certificate),
        claimed_time=extract_self_reported_ts(signer_info),
        signer_info=signer_info,
        crls=crls,
        ocsps=ocsps,
    )


def _certificates(
    signed: cms.SignedData, signer_info: cms.SignerInfo
) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    """The signer's certificate and all others that came along. The set has no order (RFC 5652, 5.1)."""
    thread = threading.get_ident()
    held = [_read(choice.chosen.untag().dump(), thread) for choice in signed["certificates"] if choice.name == _PLAIN]
    sid = signer_info["sid"]
    signers = [certificate for certificate in held if _is_named(certificate, sid)]
    if not signers:
        raise UnreadableError("verify_certificate_missing")
    return signers[-1], tuple(certificate for certificate in held if not any(certificate is one for one in signers))


def _is_named(certificate: x509.Certificate, sid: cms.SignerIdentifier) -> bool:
    if sid.name != "issuer_and_serial_number":
        return bool(certificate.key_identifier == sid.chosen.native)
    # The number first: names are compared by rules that take long (RFC 4518).
    same_number = certificate.serial_number == sid.chosen["serial_number"].native
    return bool(same_number and match_issuer_serial(sid.chosen, certificate))


@lru_cache(maxsize=256)
def _read(der: bytes, _thread: int) -> x509.Certificate:
    """A certificate as it was read before: those of a batch come with each letter. For each thread its own, because
    asn1crypto parses when it is asked.
    """
    return x509.Certificate.load(der)


def _is_weak(algorithm: Any, hash_name: str, certificate: x509.Certificate) -> bool:
    names = {hash_name}
    # ed25519 and its like name no hash of their own.
    with contextlib.suppress(ValueError):
        names.add(algorithm.hash_algo)
    return bool(names & _WEAK_DIGESTS) or not long_enough(certificate)


def _embedded_revocation(
    signed: cms.SignedData, signer_info: cms.SignerInfo
) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    crls: list[bytes] = []
    ocsps: list[bytes] = []
    try:
        crls += [
            choice.chosen.untag().dump()
            for choice in (signed["crls"] if signed["crls"].native else ())
            if choice.name == "certificate_list"
        ]
        for attribute in find_cms_attribute_iter(signer_info["signed_attrs"], "adobe_revocation_info_archival"):
            crls += [item.untag().dump() for item in attribute["crl"] or ()]
            ocsps += [item.untag().dump() for item in attribute["ocsp"] or ()]
    except (ValueError, TypeError, KeyError, AttributeError):
        # Evidence that can't be read is no evidence; the signature itself was checked before.
        return tuple(crls), tuple(ocsps)
    return tuple(crls), tuple(ocsps)


def signature_timestamps(signed: Signed) -> Iterator[Token]:
    """The RFC 3161 tokens over this signature (CAdES signature-time-stamp, ETSI EN 319 122-1, 5.3)."""
    value = signed.signer_info["signature"].native

    def imprint(name: str) -> bytes:
        return hashlib.new(name, value).digest()

    try:
        tokens = list(find_cms_attribute_iter(signed.signer_info["unsigned_attrs"], "signature_time_stamp_token"))
    except (KeyError, ValueError, TypeError):
        return
    for token in tokens[:_MAX_TIMESTAMPS]:
        try:
            yield check_token(token["content"], imprint)
        except (BrokenError, UnreadableError, ValueError, TypeError, KeyError, AttributeError):
            continue


def check_token(signed: cms.SignedData, imprint: Digest) -> Token:
    """A timestamp token, and whether it stamps what `imprint` digests (RFC 3161, 2.4.2).

    BrokenError where there is no readable token at all; a readable one that doesn't fit comes back as not `right`.
    """
    content = signed["encap_content_info"]["content"]
    info = content.parsed if isinstance(content, core.ParsableOctetString) else None
    if signed["encap_content_info"]["content_type"].native != "tst_info" or not isinstance(info, tsp.TSTInfo):
        raise BrokenError("verify_cms_malformed")
    time = info["gen_time"].native
    raw = bytes(content)
    try:
        checked = _check(signed, "tst_info", lambda name: hashlib.new(name, raw).digest())
    except BrokenError:
        return Token(time, right=False, weak=False, certificate=None)
    stamped = info["message_imprint"]
    name = stamped["hash_algorithm"]["algorithm"].native
    return Token(
        time,
        right=stamped["hashed_message"].native == imprint(name),
        weak=checked.weak or name in _WEAK_DIGESTS,
        certificate=checked.certificate,
        certificates=checked.certificates,
    )
