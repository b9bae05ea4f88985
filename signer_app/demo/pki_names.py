"""Who holds a certificate in the test PKI, and what stands in it.

Data only: names, key sizes, usages and validity of every certificate, shaped like those which the Government
Cipher Committee issues to agencies and their leaders. It makes no key, reads no file and runs anywhere.
"""

from dataclasses import dataclass
from enum import StrEnum

CA_LIFE_DAYS = 3652  # ten years
LEAF_LIFE_DAYS = 1826  # five years, as the agencies' certificates of 2025 have

CA_START_DAYS = -731
"""The authorities are older than the demonstration, so that a certificate that has already run out was once
good under them: two whole CRL periods, and the day before creation on which everything starts."""

CRL_PERIOD_DAYS = 365
"""Long, because a demonstration runs without a network; a fresher answer is the OCSP responder's."""

REVOKED_ON_DAY = -30

_TEST_ORGANISATION = "Dữ liệu thử nghiệm, không có giá trị pháp lý (TEST ONLY)"
_PROVINCE = "An Sơn"
_PROVINCE_BODY = "ỦY BAN NHÂN DÂN TỈNH AN SƠN"
_COMMUNE_BODY = "ỦY BAN NHÂN DÂN XÃ HÒA SƠN"
_FRONT_BODY = "ỦY BAN MẶT TRẬN TỔ QUỐC VIỆT NAM XÃ HÒA SƠN"


class Authority(StrEnum):
    """The two certificate authorities; the value names their files and their URLs."""

    ROOT = "root"
    ISSUING = "issuing"


class Holder(StrEnum):
    """Holders of end certificates; the value names their files."""

    AGENCY = "agency"
    LEADER = "leader"
    FRONT_LEADER = "front-leader"
    DRAFTER = "drafter"
    REVOKED_LEADER = "revoked-leader"
    EXPIRED_LEADER = "expired-leader"
    SERVER = "server"
    TSA = "tsa"
    OCSP = "ocsp"


@dataclass(frozen=True)
class Subject:
    """A distinguished name; `locality` is left out when None, the country is always VN."""

    common_name: str
    organization: str
    locality: str | None = None


@dataclass(frozen=True)
class CertificatePlan:
    """What one certificate shall say.

    Days count from the day of creation; names of usages are those of asn1crypto.
    """

    subject: Subject
    key_bits: int
    key_usage: tuple[str, ...]
    start_day: int = -1
    life_days: int = LEAF_LIFE_DAYS
    email: str | None = None
    extended_key_usage: str | None = None
    """A single purpose; critical for a TSA (RFC 3161 section 2.3)."""
    path_length: int | None = None
    """For an authority: how many authorities may stand below it. None for everyone else."""
    ocsp_no_check: bool = False
    """RFC 6960 section 4.2.2.2.1: the responder's own certificate isn't asked after."""
    revoked_on_day: int | None = None


# A person's key usage is nonRepudiation alone and there is no extended usage, as seen in a certificate of the
# Government Cipher Committee; the agency's may also authenticate.
_PERSON = ("non_repudiation",)
_AGENCY = ("digital_signature", "non_repudiation")
_AUTHORITY = ("key_cert_sign", "crl_sign")

AUTHORITIES: dict[Authority, CertificatePlan] = {
    Authority.ROOT: CertificatePlan(
        Subject("CA thử nghiệm – gốc (TEST ROOT)", _TEST_ORGANISATION),
        3072, _AUTHORITY, CA_START_DAYS, CA_LIFE_DAYS, path_length=1,
    ),
    Authority.ISSUING: CertificatePlan(
        Subject("CA thử nghiệm – cơ quan (TEST)", _TEST_ORGANISATION),
        3072, _AUTHORITY, CA_START_DAYS, CA_LIFE_DAYS, path_length=0,
    ),
}  # fmt: skip

HOLDERS: dict[Holder, CertificatePlan] = {
    Holder.AGENCY: CertificatePlan(Subject(_COMMUNE_BODY, _PROVINCE_BODY, _PROVINCE), 2048, _AGENCY),
    Holder.LEADER: CertificatePlan(
        Subject("Nguyễn Thị Phượng", _COMMUNE_BODY), 3072, _PERSON, email="phuongnt@hoason.example"
    ),
    Holder.FRONT_LEADER: CertificatePlan(
        Subject("Đặng Văn Thưởng", _FRONT_BODY), 2048, _PERSON, email="thuongdv@hoason.example"
    ),
    Holder.DRAFTER: CertificatePlan(
        Subject("Lê Hữu Đạt", _COMMUNE_BODY), 2048, _PERSON, email="datlh@hoason.example"
    ),
    Holder.REVOKED_LEADER: CertificatePlan(
        Subject("Trần Quốc Khánh", _COMMUNE_BODY), 2048, _PERSON, start_day=-365,
        email="khanhtq@hoason.example", revoked_on_day=REVOKED_ON_DAY,
    ),
    Holder.EXPIRED_LEADER: CertificatePlan(
        Subject("Võ Thị Mỹ Hạnh", _COMMUNE_BODY), 2048, _PERSON, start_day=-395, life_days=365,
        email="hanhvtm@hoason.example",
    ),
    Holder.SERVER: CertificatePlan(
        Subject("Máy chủ liên thông văn bản tỉnh An Sơn", _PROVINCE_BODY, _PROVINCE), 2048, _AGENCY
    ),
    Holder.TSA: CertificatePlan(
        Subject("Dịch vụ cấp dấu thời gian thử nghiệm (TEST TSA)", _TEST_ORGANISATION), 2048,
        ("digital_signature", "non_repudiation"), extended_key_usage="time_stamping",
    ),
    Holder.OCSP: CertificatePlan(
        Subject("Dịch vụ kiểm tra chứng thư số thử nghiệm (TEST OCSP)", _TEST_ORGANISATION), 2048,
        ("digital_signature",), extended_key_usage="ocsp_signing", ocsp_no_check=True,
    ),
}  # fmt: skip
