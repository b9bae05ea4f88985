"""A look-alike of a letter that was signed with the Cipher Committee's software in January 2018, as one was measured.

Hybrid cross-references, a blank in /ByteRange, 20,000 digits of /Contents, `adbe.pkcs7.detached`; a CMS in BER of
indefinite length with SHA-1 everywhere, the leaf alone, no signing-certificate attribute, and a timestamp straight
under the root that is 43 seconds older than the signer's own time.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any

from asn1crypto import cms, core, tsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.verification.documents import hybrid, make_document
from tests.verification.small_pki import (
    DAY,
    Holder,
    Key,
    Pki,
    make_certificate,
    make_crl,
    sign_raw,
    weakened,
    weakened_crl,
)

SIGNED = dt.datetime(2018, 1, 12, 3, 20, 43, tzinfo=dt.UTC)
"""The signer's own time."""
STAMPED = SIGNED - dt.timedelta(seconds=43)
_DIGITS = 20_000


@dataclass(frozen=True)
class OldPki:
    """Root, CA under it, signer, and the TSA, all signed with SHA-1; the CAs' lists of those days."""

    root: Holder
    ca: Holder
    signer: Holder
    tsa: Holder

    @property
    def crls(self) -> tuple[bytes, ...]:
        lists = (make_crl(one, issued=SIGNED + DAY, next_update=SIGNED + 8 * DAY) for one in (self.root, self.ca))
        return tuple(weakened_crl(crl, by) for crl, by in zip(lists, (self.root, self.ca), strict=True))


def old_pki(pki: Pki, digest: str = "sha1") -> OldPki:
    """With two RSA keys of `pki` for the four: generating others takes longer than all the rest."""

    life: Any = {"not_before": SIGNED - 1600 * DAY, "not_after": SIGNED + 200 * DAY}

    def made(name: str, issuer: Holder | None, key: Key, **more: Any) -> Holder:
        return weakened(make_certificate(name, issuer, key=key, **life, **more), digest)

    root = made("RootCA 2010", None, pki.leader.key, ca=True)
    ca = made("CA 2010", root, pki.tsa.key, ca=True)
    who = {"organization": "Bộ X", "unit": "Vụ Y"}
    signer = made("Nguyễn Văn Ổn", ca, pki.leader.key, usage="content_commitment", **who)
    stamps = ExtendedKeyUsageOID.TIME_STAMPING
    return OldPki(root, ca, signer, made("Máy chủ cấp dấu thời gian", root, pki.tsa.key, extended=stamps))


def old_letter(
    pki: OldPki, *, claimed: dt.datetime = SIGNED, stamped: dt.datetime | None = STAMPED, digest: str = "sha1"
) -> bytes:
    """The letter; `claimed` is its signingTime, `stamped` the time of its timestamp, if it has one."""
    return _filled(_increment(), pki, claimed, stamped, digest)


def _increment() -> bytes:
    base = hybrid(make_document(pages=1))
    previous = int(base[base.rindex(b"startxref") :].split()[1])
    signature = (
        b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /Name (Nguyen Van On)"
        b" /Reason (da ky len van ban nay!) /Location (Viet Nam) /M (D:20180112102043+07'00')"
        b" /ByteRange [0 0000000000 0000000000 0000000000 ] /Contents <%b> >>" % (b"0" * _DIGITS)
    )
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [7 0 R] /SigFlags 3 >> >>",
        4: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
        b" /Resources << /Font << /F1 3 0 R >> >>  /Annots [7 0 R] >>",
        7: b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature1) /F 132 /Rect [0 0 0 0] /P 4 0 R /V 8 0 R >>",
        8: signature,
    }
    out, table = bytearray(base), b"xref\n"
    for number, body in objects.items():
        table += b"%d 1\n%010d 00000 n \n" % (number, len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    trailer = b"trailer\n<< /Size 9 /Root 1 0 R /Prev %d /ID [<00><00>] >>\nstartxref\n%d\n%%%%EOF\n"
    return bytes(out + table + trailer % (previous, start))


def _filled(document: bytes, pki: OldPki, claimed: dt.datetime, stamped: dt.datetime | None, digest: str) -> bytes:
    gap = document.rindex(b"/Contents <") + len(b"/Contents ")
    end = gap + _DIGITS + 2
    numbers = b"/ByteRange [0 %010d %010d %010d ]" % (gap, end, len(document) - end)
    at = document.rindex(b"/ByteRange [")
    document = document[:at] + numbers + document[at + len(numbers) :]
    signed = hashlib.new(digest, document[:gap] + document[end:]).digest()
    contents = _cms(pki, signed, claimed, stamped, digest).hex().encode().ljust(_DIGITS, b"0")
    return document[: gap + 1] + contents + document[end - 1 :]


def _cms(pki: OldPki, signed: bytes, claimed: dt.datetime, stamped: dt.datetime | None, digest: str) -> bytes:
    def token(value: bytes) -> Any:
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": "1.1.2",
                "message_imprint": {
                    "hash_algorithm": {"algorithm": digest},
                    "hashed_message": hashlib.new(digest, value).digest(),
                },
                "serial_number": 1,
                "gen_time": stamped,
                "accuracy": {"seconds": 60},
            }
        ).dump()
        content = {"content_type": "tst_info", "content": core.ParsableOctetString(info)}
        return _signed_data(pki.tsa, content, hashlib.new(digest, info).digest(), stamped, digest)

    data = _signed_data(pki.signer, {"content_type": "data"}, signed, claimed, digest)
    if stamped is not None:
        signer_info = data["content"]["signer_infos"][0]
        signer_info["unsigned_attrs"] = [
            {"type": "signature_time_stamp_token", "values": [token(signer_info["signature"].native)]}
        ]
    return _indefinite(data)


def _signed_data(by: Holder, content: Any, signed: bytes, at: dt.datetime | None, digest: str) -> cms.ContentInfo:
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": [content["content_type"]]},
            {"type": "signing_time", "values": [cms.Time({"utc_time": at})]},
            {"type": "message_digest", "values": [signed]},
        ]
    )
    signer_info = {
        "version": "v1",
        "sid": cms.SignerIdentifier(
            {
                "issuer_and_serial_number": {
                    "issuer": by.asn1.issuer,
                    "serial_number": by.certificate.serial_number,
                }
            }
        ),
        "digest_algorithm": {"algorithm": digest},
        "signed_attrs": attributes,
        "signature_algorithm": {"algorithm": "rsassa_pkcs1v15"},
        "signature": sign_raw(by.key, attributes.dump(), digest),
    }
    data = {
        "version": "v1" if content["content_type"] == "data" else "v3",
        "digest_algorithms": [{"algorithm": digest}],
        "encap_content_info": content,
        "certificates": [by.asn1],
        "signer_infos": [signer_info],
    }
    return cms.ContentInfo({"content_type": "signed_data", "content": data})


def _indefinite(info: cms.ContentInfo) -> bytes:
    """The outer three layers in BER with an end-of-contents mark in place of a length."""
    inner: bytes = cms.SignedData.load(info["content"].untag().dump(force=True)).contents
    layers = b"\x30\x80" + info["content_type"].dump() + b"\xa0\x80\x30\x80"
    encoded: bytes = layers + inner + 3 * b"\x00\x00"
    return encoded
