"""Builds the chain from a certificate to an anchor in hand.

Runs in a worker or, for a token's own certificate, in the main process; never fetches. Which certificates might stand
above one another is searched here, with limits on steps, depth, size and time; whether such a path holds is RFC 5280 as
pyhanko-certvalidator reads it. An anchor is trusted as it is, whatever signed it. Revocation is left to `revocation`.
A limit that is reached ends as no chain.
"""

import asyncio
import bisect
import datetime as dt
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import cryptography.x509
from asn1crypto import x509
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.errors import DisallowedAlgorithmError, ValidationError
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import DisallowWeakAlgorithmsPolicy
from pyhanko_certvalidator.validate import async_validate_path

from signer_app.verification.addresses import ODD
from signer_app.verification.model import Trust, TrustMaterial
from signer_app.verification.names import validity
from signer_app.verification.strength import long_enough

_MAX_PATHS = 16
_MAX_STEPS = 400
"""How many certificates are looked at as issuers in one search; cross-certificates make n! ways of n of them."""
_MAX_DEPTH = 10
"""Certificates in a path, leaf and anchor included; the Cipher Committee's have three."""
_MAX_CERTIFICATES = 256
_MAX_REMEMBERED = 512
_MAX_BYTES = 32 << 10
"""Of one certificate; real ones have two or three thousand."""
_MAX_NAMES = 64
"""Alternative names and name constraints in one certificate: each of the first is held against each of the others."""
_ALLOWANCE_S = 10.0
"""Time for all searches of one file together."""

_SIGNING_PURPOSES = frozenset(
    {
        "2.5.29.37.0",  # any
        "1.3.6.1.5.5.7.3.36",  # document signing (RFC 9336)
        "1.3.6.1.4.1.311.10.3.12",  # Microsoft's document signing
        "1.2.840.113583.1.1.5",  # Adobe's
        "1.3.6.1.5.5.7.3.4",  # e-mail
        "1.3.6.1.5.5.7.3.2",  # a client's login
        "1.3.6.1.4.1.311.20.2.2",  # smart card login
    }
)
"""What the keys of persons and bodies are certified for; those of servers, TSAs and OCSP responders are not."""

_STRICT = DisallowWeakAlgorithmsPolicy()  # type: ignore[no-untyped-call]
_WITH_SHA1 = DisallowWeakAlgorithmsPolicy(weak_hash_algos=frozenset({"md2", "md5"}))  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Chain:
    """`certificates` from the leaf up to and with the anchor; empty unless `trust` is trusted.

    `weak`: there is a path, but an algorithm in it proves nothing any more. `limit`: the search was broken off.
    `relatives` are certificates in hand that bear the name of a CA of the chain with another key.
    """

    trust: Trust
    certificates: tuple[x509.Certificate, ...] = ()
    weak: bool = False
    limit: bool = False
    relatives: tuple[x509.Certificate, ...] = ()

    @cached_property
    def parsed(self) -> tuple[cryptography.x509.Certificate, ...]:
        """The certificates as the stricter of the two X.509 readers sees them; ValueError where it can't."""
        read = tuple(_readable(self.certificates))
        if len(read) != len(self.certificates):
            raise ValueError("a certificate that only one of the readers can read")
        return read

    @cached_property
    def parsed_relatives(self) -> tuple[cryptography.x509.Certificate, ...]:
        """The relatives that the stricter reader can read."""
        return tuple(_readable(self.relatives))


def _readable(certificates: Iterable[x509.Certificate]) -> Iterator[cryptography.x509.Certificate]:
    for one in certificates:
        try:
            yield cryptography.x509.load_der_x509_certificate(one.dump())
        except ODD:
            continue


_Key = tuple[bytes, frozenset[bytes], tuple[int, int], bool]


class _Material:
    """Anchors and supporting certificates as they were read, and what was found with them: the same for every file.

    A batch is checked against one material, and its letters bring the same certificates again and again.
    """

    def __init__(self, anchors: tuple[bytes, ...], intermediates: tuple[bytes, ...]) -> None:
        self.anchors = tuple(parse_certificates(anchors))
        self.intermediates = tuple(parse_certificates(intermediates))
        self.known: dict[_Key, Chain] = {}
        self.read: dict[bytes, x509.Certificate | None] = {}

    def forget_some(self) -> None:
        """Files are strangers': what they bring must not fill the memory."""
        if len(self.known) > _MAX_REMEMBERED or len(self.read) > _MAX_REMEMBERED:
            self.known.clear()
            self.read.clear()


@lru_cache(maxsize=4)
def _material(anchors: tuple[bytes, ...], intermediates: tuple[bytes, ...], _thread: int) -> _Material:
    """One for each thread: asn1crypto parses when it is asked, and not for two at once."""
    return _Material(anchors, intermediates)


class TrustStore:
    """Anchors and supporting certificates for all signatures of a file; for one thread of a process."""

    def __init__(self, material: TrustMaterial, clock: Callable[[], float] = time.monotonic) -> None:
        self._material = _material(material.anchors, material.intermediates, threading.get_ident())
        self._material.forget_some()
        self.anchors = self._material.anchors
        self._intermediates = self._material.intermediates
        self._clock = clock
        self._spent = 0.0

    def chain(
        self, leaf: x509.Certificate, others: Iterable[x509.Certificate], moment: dt.datetime, *, sha1: bool = False
    ) -> Chain:
        """The first chain that is good at `moment`; a leaf outside its own validity is tried at its nearest day.

        Whether the leaf was valid at `moment` is a question of its own (invalid, not indeterminate). `sha1`: SHA-1 is
        let pass, for the legacy rule.
        """
        if not self.anchors:
            return Chain(Trust.UNKNOWN)
        usable = self._once(leaf)
        if usable is None:
            return Chain(Trust.UNTRUSTED, limit=True)
        leaf = usable
        if any(anchor.dump() == leaf.dump() for anchor in self.anchors):
            return Chain(Trust.TRUSTED, (leaf,))
        moment = min(max(moment, leaf.not_valid_before), leaf.not_valid_after)
        brought = (one for one in map(self._once, others) if one is not None)
        supporting = _distinct(itertools.chain(self._intermediates, brought))[:_MAX_CERTIFICATES]
        key = leaf.sha256, frozenset(one.sha256 for one in supporting), _slot(moment, [leaf, *supporting]), sha1
        known = self._material.known
        if key in known:
            return known[key]
        chain = self._search(leaf, supporting, moment, sha1=sha1)
        if not chain.limit:
            # A search that was broken off says nothing about the next file.
            known[key] = chain
        return chain

    def _once(self, certificate: x509.Certificate) -> x509.Certificate | None:
        """The certificate as it was read the first time, for each signature brings it anew; None: it can't be used."""
        der: bytes = certificate.dump()
        read = self._material.read
        if der not in read:
            read[der] = certificate if _usable(certificate) else None
        return read[der]

    def _search(
        self, leaf: x509.Certificate, supporting: Sequence[x509.Certificate], moment: dt.datetime, *, sha1: bool
    ) -> Chain:
        if self._spent >= _ALLOWANCE_S:
            return Chain(Trust.UNTRUSTED, limit=True)
        begun = self._clock()
        context = ValidationContext(
            trust_roots=list(self.anchors),
            moment=moment,
            best_signature_time=moment,
            allow_fetching=False,
            revocation_mode="none",
            time_tolerance=dt.timedelta(0),
            algorithm_usage_policy=_WITH_SHA1 if sha1 else _STRICT,
        )
        paths = _Paths(self.anchors, supporting)
        weak = False
        try:
            for path in itertools.islice(paths.from_leaf(leaf), _MAX_PATHS):
                if self._spent + self._clock() - begun >= _ALLOWANCE_S:
                    return Chain(Trust.UNTRUSTED, weak=weak, limit=True)
                try:
                    asyncio.run(async_validate_path(context, _validation_path(path)))
                except DisallowedAlgorithmError:
                    weak = True
                except ValidationError:
                    pass
                except Exception:  # noqa: BLE001, S112  # odd certificates make the parser fail with many types
                    continue
                else:
                    if not all(long_enough(certificate) for certificate in path):
                        weak = True
                        continue
                    return Chain(Trust.TRUSTED, path, relatives=_relatives(path, supporting))
        finally:
            self._spent += self._clock() - begun
        return Chain(Trust.UNTRUSTED, weak=weak, limit=paths.exhausted)


class _Paths:
    """The ways from a certificate up to an anchor, by names alone; each certificate at most once in a way."""

    def __init__(self, anchors: Iterable[x509.Certificate], supporting: Iterable[x509.Certificate]) -> None:
        self._anchors = _by_subject(anchors)
        self._supporting = _by_subject(supporting)
        self._steps = 0

    @property
    def exhausted(self) -> bool:
        """Whether there may be more ways than were looked at."""
        return self._steps >= _MAX_STEPS

    def from_leaf(self, leaf: x509.Certificate) -> Iterator[tuple[x509.Certificate, ...]]:
        """Each way, from the leaf to the anchor; the likelier ones first."""
        yield from self._further((leaf,))

    def _further(self, way: tuple[x509.Certificate, ...]) -> Iterator[tuple[x509.Certificate, ...]]:
        top = way[-1]
        for anchor in _likelier_first(self._anchors.get(top.issuer.hashable, []), top):
            self._steps += 1
            yield (*way, anchor)
        if len(way) + 1 >= _MAX_DEPTH:
            return
        for issuer in _likelier_first(self._supporting.get(top.issuer.hashable, []), top):
            if self.exhausted:
                return
            self._steps += 1
            if all(issuer.sha256 != one.sha256 for one in way):
                yield from self._further((*way, issuer))


def _by_subject(certificates: Iterable[x509.Certificate]) -> dict[object, list[x509.Certificate]]:
    found: dict[object, list[x509.Certificate]] = {}
    for one in certificates:
        found.setdefault(one.subject.hashable, []).append(one)
    return found


def _likelier_first(candidates: list[x509.Certificate], below: x509.Certificate) -> list[x509.Certificate]:
    """The one whose key identifier is named by the certificate below comes first (RFC 5280, 4.2.1.1: a hint)."""
    wanted = below.authority_key_identifier
    return sorted(candidates, key=lambda one: wanted is None or one.key_identifier != wanted)


def _validation_path(way: Sequence[x509.Certificate]) -> ValidationPath:
    leaf, *between, anchor = way
    return ValidationPath(CertTrustAnchor(anchor), list(reversed(between)), leaf)


def _relatives(
    path: Sequence[x509.Certificate], supporting: Iterable[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    names, inside = {one.subject.hashable for one in path[1:]}, {one.sha256 for one in path}
    return tuple(one for one in supporting if one.subject.hashable in names and one.sha256 not in inside)


def _distinct(certificates: Iterable[x509.Certificate]) -> list[x509.Certificate]:
    return list({one.sha256: one for one in certificates}.values())


def _slot(moment: dt.datetime, certificates: Iterable[x509.Certificate]) -> tuple[int, int]:
    """Between which limits of validity `moment` lies: within them the same paths hold."""
    limits = sorted(itertools.chain.from_iterable((one.not_valid_before, one.not_valid_after) for one in certificates))
    return bisect.bisect_left(limits, moment), bisect.bisect_right(limits, moment)


def parse_certificates(encoded: Iterable[bytes]) -> Iterable[x509.Certificate]:
    """The certificates among these DER strings; what can't be read, or is beyond all measure, is left out."""
    for der in encoded:
        try:
            certificate = x509.Certificate.load(der, strict=True)
        except (ValueError, TypeError):
            continue
        if _usable(certificate):
            yield certificate


def _usable(certificate: x509.Certificate) -> bool:
    """Leads the lazy parser through the parts that chains are built of, and looks at their size."""
    try:
        if len(certificate.dump()) > _MAX_BYTES:
            return False
        if None in validity(certificate):
            return False
        _ = certificate.public_key.bit_size
        _ = certificate.subject.hashable, certificate.issuer.hashable, certificate.critical_extensions
        _ = certificate.key_identifier, certificate.authority_key_identifier, certificate.serial_number
        _ = certificate["signature_algorithm"]["algorithm"].native, certificate["signature_value"].native
        constraints = certificate.name_constraints_value
        names = len(certificate.subject_alt_name_value or ())
        for part in ("permitted_subtrees", "excluded_subtrees"):
            names += len(constraints[part] or ()) if constraints is not None else 0
    except Exception:  # noqa: BLE001  # asn1crypto fails with many types on odd certificates, NameError among them
        return False
    return names <= _MAX_NAMES


def may_sign(certificate: x509.Certificate) -> bool:
    """Whether keyUsage allows signing documents: digitalSignature or nonRepudiation (TT 15/2025 PL II); and where the
    key is kept for certain purposes, one of them must be a person's or a body's.
    """
    usage, purposes = certificate.key_usage_value, certificate.extended_key_usage_value
    if usage is None or not {"digital_signature", "non_repudiation"} & usage.native:
        return False
    return purposes is None or any(purpose.dotted in _SIGNING_PURPOSES for purpose in purposes)


def may_timestamp(certificate: x509.Certificate) -> bool:
    """Whether the certificate is a TSA's: extendedKeyUsage timeStamping alone, critical (RFC 3161, 2.3)."""
    usage = certificate.extended_key_usage_value
    return (
        usage is not None
        and list(usage.native) == ["time_stamping"]
        and "extended_key_usage" in certificate.critical_extensions
    )
