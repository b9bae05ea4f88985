"""Renewed certificates: which older one a new certificate replaces, and what it takes over once a person says so.

Main process; pure functions over a certificate that the token host listed and the settings. Proposes and never decides:
two people of one body may have one name, so a person is asked, once.
"""

from dataclasses import dataclass
from typing import TypeVar

import msgspec
from cryptography import x509
from cryptography.x509.oid import NameOID

from signer_app.signing.certificate_facts import key_id
from signer_app.store.settings import Body, CertificateRole, KnownCertificate, Settings
from signer_token.model import TokenCertificate

T = TypeVar("T")


@dataclass(frozen=True)
class Inheritance:
    """A new certificate takes over from an old one (both by SHA-256) role, body and pictures of the holder's hand."""

    certificate: str
    facts: KnownCertificate
    old: str
    old_facts: KnownCertificate
    role: CertificateRole
    body: Body | None


def facts_of(certificate: TokenCertificate) -> KnownCertificate:
    """What the settings keep of a certificate."""
    return KnownCertificate(
        subject=certificate.subject,
        issuer=certificate.issuer,
        serial=certificate.serial,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        key_id=key_id(certificate.der),
    )


def inherits(new: TokenCertificate, settings: Settings) -> Inheritance | None:
    """What `new` would take over, from the youngest confirmed certificate that it replaces; None where it replaces none
    or a person was asked about it before.

    It replaces one of the same subject or the same key, by an issuer of the same family, with another serial number
    and a later validity.
    """
    if new.sha256 in settings.certificates or _role(new.sha256, settings) is not None:
        return None
    facts = facts_of(new)
    replaced = [
        (known.not_after, sha256, role)
        for sha256, known in settings.certificates.items()
        if (role := _role(sha256, settings)) is not None and _replaces(facts, known)
    ]
    if not replaced:
        return None
    _until, old, role = max(replaced)
    return Inheritance(new.sha256, facts, old, settings.certificates[old], role, settings.body_of(old))


def take_over(settings: Settings, wish: Inheritance) -> Settings:
    """The settings in which the new certificate has all that the old one had; the old one keeps it while it is valid.

    What the old one has *now* counts, whatever it had when the person was asked.
    """
    new, old = wish.certificate, wish.old
    role = _role(old, settings)
    if role is None:
        return settings
    bodies = tuple(
        msgspec.structs.replace(body, certificates=(*body.certificates, new))
        if old in body.certificates and new not in body.certificates
        else body
        for body in settings.bodies
    )
    return msgspec.structs.replace(
        settings,
        roles={**settings.roles, new: role},
        bodies=bodies,
        certificates={**settings.certificates, new: wish.facts},
        handwriting=_handed_on(settings.handwriting, old, new),
        pictures=_handed_on(settings.pictures, old, new),
        signatures=_handed_on(settings.signatures, old, new),
    )


def ask_as_new(settings: Settings, wish: Inheritance) -> Settings:
    """The settings that remember the person's no: the certificate is asked about as any other new one."""
    return msgspec.structs.replace(settings, certificates={**settings.certificates, wish.certificate: wish.facts})


def remembered(settings: Settings, certificates: tuple[TokenCertificate, ...]) -> Settings:
    """The settings with the facts of those certificates whose role is confirmed; the same object where they are known.

    Settings written before facts were kept get them this way when the token is next plugged in.
    """
    missing = {
        one.sha256: facts_of(one)
        for one in certificates
        if one.sha256 not in settings.certificates and _role(one.sha256, settings) is not None
    }
    if not missing:
        return settings
    return msgspec.structs.replace(settings, certificates={**settings.certificates, **missing})


def _role(sha256: str, settings: Settings) -> CertificateRole | None:
    """The confirmed role."""
    if settings.body_of(sha256) is not None:
        return CertificateRole.AGENCY
    return settings.roles.get(sha256)


def _replaces(new: KnownCertificate, old: KnownCertificate) -> bool:
    return (
        new.serial != old.serial
        and new.not_before >= old.not_before
        and new.not_after > old.not_after
        and (_folded(new.subject) == _folded(old.subject) or new.key_id == old.key_id)
        and _family(new.issuer) == _family(old.issuer)
    )


def _family(issuer: str) -> tuple[str, ...]:
    """Country and organisation of an issuer: an authority of a new generation has another common name."""
    try:
        name = x509.Name.from_rfc4514_string(issuer)
    except ValueError:
        return (_folded(issuer),)
    parts = [
        str(part.value)
        for oid in (NameOID.COUNTRY_NAME, NameOID.ORGANIZATION_NAME)
        for part in name.get_attributes_for_oid(oid)
    ]
    organised = bool(name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))
    return tuple(_folded(part) for part in parts) if organised else (_folded(issuer),)


def _folded(text: str) -> str:
    """Without what a registrar may type otherwise the next time: capitals and blanks. Names are NFC already."""
    return " ".join(text.casefold().split())


def _handed_on(by_certificate: dict[str, T], old: str, new: str) -> dict[str, T]:
    return {**by_certificate, new: by_certificate[old]} if old in by_certificate else by_certificate
