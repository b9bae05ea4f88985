"""Builds the chain from a certificate to an anchor in hand.

Runs in a worker, never fetches. The path rules of RFC 5280 are pyhanko-certvalidator's; revocation is left to
`revocation`, which looks at every CRL and OCSP response in hand. Work is bounded: a bomb of cross-certificates ends
as no chain.
"""

import asyncio
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from asn1crypto import x509
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import (
    DisallowedAlgorithmError,
    PathBuildingError,
    ValidationError,
)
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.validate import async_validate_path

from signer_app.verification.model import Trust, TrustMaterial

_MAX_PATHS = 16
_MAX_CERTIFICATES = 256


@dataclass(frozen=True)
class Chain:
    """`certificates` from the leaf up to and with the anchor; empty unless `trust` is trusted."""

    trust: Trust
    certificates: tuple[x509.Certificate, ...] = ()
    weak: bool = False


class TrustStore:
    """Anchors and supporting, parsed once for all signatures of a file."""

    def __init__(self, material: TrustMaterial) -> None:
        self.anchors = tuple(parse_certificates(material.anchors))
        self._intermediates = tuple(parse_certificates(material.intermediates))

    def chain(self, leaf: x509.Certificate, others: Iterable[x509.Certificate], moment: dt.datetime) -> Chain:
        """The first chain that is good at `moment`; a leaf outside its own validity is tried at its nearest day.

        Whether the leaf was valid at `moment` is a question of its own (invalid, not indeterminate).
        """
        if not self.anchors:
            return Chain(Trust.UNKNOWN)
        supporting = [*others, *self._intermediates][:_MAX_CERTIFICATES]
        moment = min(max(moment, leaf.not_valid_before), leaf.not_valid_after)
        if any(anchor.dump() == leaf.dump() for anchor in self.anchors):
            return Chain(Trust.TRUSTED, (leaf,))
        return asyncio.run(self._search(leaf, supporting, moment))

    async def _search(
        self, leaf: x509.Certificate, supporting: Sequence[x509.Certificate], moment: dt.datetime
    ) -> Chain:
        context = ValidationContext(
            trust_roots=list(self.anchors),
            other_certs=list(supporting),
            moment=moment,
            best_signature_time=moment,
            allow_fetching=False,
            revocation_mode="none",
        )
        paths = context.path_builder.async_build_paths_lazy(leaf)
        weak = False
        tried = 0
        try:
            async for path in paths:
                tried += 1
                try:
                    await async_validate_path(context, path)
                except DisallowedAlgorithmError:
                    weak = True
                except ValidationError:
                    pass
                else:
                    return Chain(Trust.TRUSTED, _upwards(path))
                if tried >= _MAX_PATHS:
                    break
        except PathBuildingError:
            pass
        finally:
            await paths.cancel()  # type: ignore[no-untyped-call]
        return Chain(Trust.UNTRUSTED, weak=weak)


def _upwards(path: ValidationPath) -> tuple[x509.Certificate, ...]:
    return tuple(reversed(list(path.iter_certs(include_root=True))))


def parse_certificates(encoded: Iterable[bytes]) -> Iterable[x509.Certificate]:
    """The certificates among these DER strings; what can't be read is left out."""
    for der in encoded:
        try:
            certificate = x509.Certificate.load(der, strict=True)
            # The lazy parser is led through the parts that chains are built of.
            _ = certificate.not_valid_before, certificate.not_valid_after, certificate.public_key.bit_size
            _ = certificate.subject.hashable, certificate.issuer.hashable, certificate.critical_extensions
        except (ValueError, TypeError, KeyError, OverflowError):
            continue
        yield certificate


def may_sign(certificate: x509.Certificate) -> bool:
    """Whether keyUsage allows signing documents: digitalSignature or nonRepudiation (TT 15/2025 PL II)."""
    usage = certificate.key_usage_value
    return usage is not None and bool({"digital_signature", "non_repudiation"} & usage.native)


def may_timestamp(certificate: x509.Certificate) -> bool:
    """Whether the certificate is a TSA's: extendedKeyUsage timeStamping alone, critical (RFC 3161, 2.3)."""
    usage = certificate.extended_key_usage_value
    return (
        usage is not None
        and list(usage.native) == ["time_stamping"]
        and "extended_key_usage" in certificate.critical_extensions
    )
