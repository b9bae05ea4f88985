"""Whether a certificate is a body's or a person's: confirmed in the settings, or guessed.

Main process, on certificates that the token host listed; loads no PDF library and asks nobody.
"""

from asn1crypto import x509

from signer_app.store.settings import CertificateRole, Settings
from signer_token.model import TokenCertificate


def role_of(certificate: TokenCertificate, settings: Settings) -> CertificateRole:
    """The confirmed role, else a guess: no machine mark tells a body's certificate from a person's.

    A body's has no e-mail address and a name in capitals, or the name of a body in the settings.
    """
    confirmed = settings.roles.get(certificate.sha256)
    if confirmed is not None:
        return confirmed
    if settings.body_of(certificate.sha256) is not None:
        return CertificateRole.AGENCY
    parsed = x509.Certificate.load(certificate.der)
    has_email = any(name.name == "rfc822_name" for name in parsed.subject_alt_name_value or ())
    if not has_email and certificate.common_name == certificate.common_name.upper():
        return CertificateRole.AGENCY
    return CertificateRole.PERSONAL
