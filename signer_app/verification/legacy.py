"""The rule for what was signed with SHA-1: believed only when a timestamp proves that it is older than a set date.

Runs in a worker; pure. Says what rests on SHA-1 and on nothing weaker; whether the timestamp is good is judged by
`signers`. Without the date nothing is ever let pass (TT 15/2025/TT-BKHCN PL I leaves no room for SHA-1).
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from asn1crypto import cms, core, tsp, x509
from pyhanko.sign.general import (
    CMSExtractionError,
    extract_certificate_info,
    extract_signer_info,
    find_cms_attribute_iter,
)

from signer_app.verification.cms import Signed, Token
from signer_app.verification.strength import long_enough

_VIETNAM = dt.timezone(dt.timedelta(hours=7))
_BROKEN = frozenset({"md2", "md5"})
_Faults = (CMSExtractionError, ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError)
"""What others' tokens make the parsers raise."""


@dataclass(frozen=True)
class Legacy:
    """The setting. `before` is a day in Vietnam's time; None: the rule is off."""

    before: dt.date | None

    def covers(self, time: dt.datetime) -> bool:
        """Whether what existed at this proven time may rest on SHA-1."""
        return self.before is not None and time.astimezone(_VIETNAM).date() < self.before

    @property
    def reason(self) -> str:
        """Why something that rests on SHA-1 alone is not believed: a code of the catalogue."""
        return "verify_sha1_rule_off" if self.before is None else "verify_sha1_not_proven_old"


def signed_with_sha1(signed: Signed) -> bool:
    """Whether SHA-1 is the weakest thing about the signature itself."""
    return _sha1_at_worst(signed.signer_info, signed.certificate)


def stamped_with_sha1(signed: Signed, token: Token) -> bool:
    """The same for a timestamp token that stands in this signature; nothing better is said when in doubt."""
    same = [one for one in _raw_tokens(signed) if _gen_time(one) == token.time]
    return bool(same) and all(_token_sha1_at_worst(one) for one in same)


def _raw_tokens(signed: Signed) -> Iterator[cms.SignedData]:
    attributes = signed.signer_info["unsigned_attrs"]
    for token in find_cms_attribute_iter(attributes, "signature_time_stamp_token"):
        yield token["content"]


def _info(token: cms.SignedData) -> tsp.TSTInfo | None:
    content = token["encap_content_info"]["content"]
    parsed = content.parsed if isinstance(content, core.ParsableOctetString) else None
    return parsed if isinstance(parsed, tsp.TSTInfo) else None


def _gen_time(token: cms.SignedData) -> dt.datetime | None:
    try:
        info = _info(token)
        return info["gen_time"].native if info is not None else None
    except _Faults:
        return None


def _token_sha1_at_worst(token: cms.SignedData) -> bool:
    try:
        info = _info(token)
        if info is None or info["message_imprint"]["hash_algorithm"]["algorithm"].native in _BROKEN:
            return False
        return _sha1_at_worst(extract_signer_info(token), extract_certificate_info(token).signer_cert)
    except _Faults:
        return False


def _sha1_at_worst(signer_info: cms.SignerInfo, certificate: x509.Certificate) -> bool:
    names = {signer_info["digest_algorithm"]["algorithm"].native}
    try:
        names.add(signer_info["signature_algorithm"].hash_algo)
    except ValueError:
        # rsaEncryption and ed25519 name no hash of their own.
        names.discard(None)
    return long_enough(certificate) and not names & _BROKEN
