"""What this machine knows of certificates and devices, plugged in or not: for the book, and for forms about lost ones.

Main process, any thread; blocks while tokens are listed. Looks at the tokens, at the hand-over book and at the evidence
of earlier signatures, in this order; never logs in.
"""

import datetime as dt
import unicodedata
from collections.abc import Sequence

from cryptography import x509
from cryptography.x509.oid import NameOID

from signer_app.custody.values import Subject
from signer_app.signing.jobs import UsageError
from signer_app.store.custody import CertificateFacts, DeviceFacts
from signer_app.store.model import EvidenceRecord
from signer_app.store.store import View
from signer_app.store.times import VIETNAM
from signer_app.workspace import Workspace
from signer_token.client import TokenError
from signer_token.model import Token, TokenCertificate


def facts_of(certificate: TokenCertificate) -> CertificateFacts:
    """The certificate as papers name it; days are Vietnam's."""
    return CertificateFacts(
        sha256=certificate.sha256,
        serial=certificate.serial,
        name=certificate.common_name or certificate.subject,
        organization=certificate.organization,
        issuer=_issuer(certificate),
        not_before=certificate.not_before.astimezone(VIETNAM),
        not_after=certificate.not_after.astimezone(VIETNAM),
    )


def plugged_in(space: Workspace) -> tuple[Token, ...]:
    """The tokens that are there now; a driver's fault hides only what is on its own."""
    try:
        return space.hosts.tokens().tokens
    except TokenError:
        return ()


def known_subjects(tokens: Sequence[Token], view: View) -> tuple[Subject, ...]:
    """All certificates of which anything is known, those on `tokens` first."""
    last_uses: dict[str, dt.datetime] = {}
    remembered: dict[str, Subject] = {}
    for entry in view.custody.latest():
        minute = entry.minute
        remembered[minute.certificate.sha256] = Subject(minute.certificate, minute.device)
    for record in view.custody.signed_with():
        subject = _of_evidence(record)
        if subject is not None:
            last_uses[subject.certificate.sha256] = record.signing_time
            remembered.setdefault(subject.certificate.sha256, subject)
    found = {
        certificate.sha256: Subject(facts_of(certificate), DeviceFacts(serial=token.serial, label=token.label), token)
        for token in tokens
        for certificate in token.certificates
    }
    everything = {**found, **{sha256: one for sha256, one in remembered.items() if sha256 not in found}}
    return tuple(
        Subject(one.certificate, one.device, one.token, last_uses.get(sha256)) for sha256, one in everything.items()
    )


def wanted_subject(subjects: tuple[Subject, ...], wanted: str | None) -> Subject:
    """The one named by serial or beginning of its SHA-256 (hex); without a name the only one there is. UsageError."""
    found = subjects
    if wanted is not None:
        key = wanted.replace(":", "").strip().lower()
        if not key or any(c not in "0123456789abcdef" for c in key):
            raise UsageError("usage_certificate", text=wanted)
        serial = key.lstrip("0") or "0"
        found = tuple(
            one for one in subjects
            if one.certificate.sha256.startswith(key) or one.certificate.serial.lstrip("0") == serial
        )  # fmt: skip
    if not found:
        raise UsageError("usage_certificate_unknown", text=wanted or "-")
    if len(found) > 1:
        names = "; ".join(f"{one.certificate.name} ({one.certificate.sha256[:12]})" for one in found)
        raise UsageError("usage_certificate_ambiguous", names=names)
    return found[0]


def _issuer(certificate: TokenCertificate) -> str:
    """The issuer's common name; its whole name where it has none."""
    names = x509.load_der_x509_certificate(certificate.der).issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return unicodedata.normalize("NFC", str(names[0].value)) if names else certificate.issuer


def _of_evidence(record: EvidenceRecord) -> Subject | None:
    try:
        certificate = TokenCertificate.from_der(record.signer_cert_der)
    except ValueError:
        return None
    return Subject(facts_of(certificate), DeviceFacts(serial=record.token_serial, label="")) if certificate else None
