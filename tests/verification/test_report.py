"""The answer as JSON and words, and the folder of trust material."""

import base64
import datetime as dt
import json
import os
from pathlib import Path
from typing import Any, Literal

import jsonschema
import msgspec
import pypdfium2
import pytest

import signer_resources
from signer_app.verification.facts import signature_facts
from signer_app.verification.model import (
    Change,
    ChangeKind,
    FileReport,
    Integrity,
    TrustMaterial,
    Verdict,
    worst_integrity,
    worst_verdict,
)
from signer_app.verification.paper import PaperEntry, report_paper
from signer_app.verification.report import to_json
from signer_app.verification.trust_dir import TrustFolderError, load_trust_dir
from signer_app.verification.verify import verify_file
from signer_resources.messages import catalogue, text
from tests.verification.conftest import Checker
from tests.verification.documents import SignAs, annotate, append_timestamp, increment, make_document, sign
from tests.verification.small_pki import NOW, Pki, make_certificate, make_crl, make_ocsp
from tests.verification.test_changes_after_signing import TEXT_BOX

LANGUAGES: tuple[Literal["vi", "en"], ...] = ("vi", "en")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(signer_resources.path("schemas/verify.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(loaded)
    return loaded


def reports(pki: Pki, check: Checker) -> list[FileReport]:
    signed = sign(make_document(), pki.leader, SignAs("L"))
    covered = increment(signed, annotate(TEXT_BOX, "1 1 1 rg 0 0 222 30 re f"))
    return [
        check(signed, pki.trust()),
        check(signed, TrustMaterial()),
        check(append_timestamp(signed, pki.tsa), pki.trust()),
        check(covered, pki.trust()),
        check(make_document(), pki.trust()),
        check(b"no PDF", pki.trust()),
        check(signed.replace(b"/ByteRange", b"/ByteRangX"), pki.trust()),
    ]


def test_every_answer_fits_the_schema_in_both_languages(pki: Pki, check: Checker, schema: dict[str, Any]) -> None:
    answers = reports(pki, check)
    for language in LANGUAGES:
        shown = [to_json(report, language) for report in answers]
        jsonschema.validate(json.loads(json.dumps(shown)), schema)
        assert all(entry["message"] for entry in shown)


def test_the_schema_allows_nothing_else(pki: Pki, check: Checker, schema: dict[str, Any]) -> None:
    shown: Any = to_json(reports(pki, check)[0], "vi")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([shown | {"more": 1}], schema)


def test_times_are_told_in_the_zone_of_law(pki: Pki, check: Checker) -> None:
    how = SignAs("L", at=dt.datetime(2026, 11, 21, 18, 30, tzinfo=dt.UTC))
    shown = to_json(check(sign(make_document(), pki.leader, how), pki.trust()), "vi")
    assert shown["signatures"][0]["signing_time"] == "2026-11-22T01:30:00+07:00"


def test_a_broken_page_is_named_in_the_words_of_the_clerks(pki: Pki, check: Checker) -> None:
    shown = to_json(reports(pki, check)[3], "vi")
    assert shown["message"] == (
        "Chữ ký không hợp lệ: nội dung trang 1 bị thay đổi sau khi ký. Đề nghị trả lại nơi gửi."
    )
    assert "Trang 1: chữ hoặc hình có khi ký bị che mất." in [
        change["message"] for change in shown["signatures"][0]["changes"]
    ]


def test_the_seven_facts_of_the_circular_are_told_in_its_order(pki: Pki, check: Checker) -> None:
    report = check(append_timestamp(sign(make_document(), pki.leader, SignAs("L")), pki.tsa), pki.trust())
    facts = signature_facts(report.signatures[0], "vi")
    assert [fact.what for fact in facts] == [
        "Nơi cấp chứng thư số",
        "Người ký",
        "Đơn vị quản lý",
        "Thời gian ký",
        "Tính toàn vẹn",
        "Hiệu lực khi ký",
        "Thời hạn chứng thư số",
        "Gốc tin cậy đã dùng",
    ]
    issuer, signer, _unit, time, integrity, at_signing, period, anchor = (fact.value for fact in facts)
    assert (issuer, signer) == ("CA thử nghiệm", "Nguyễn Văn Ổn")
    assert time == "15:00:00 22/11/2026, theo dấu thời gian"
    assert integrity == "Nội dung đã ký chưa bị thay đổi"
    assert at_signing == "Còn hiệu lực, chưa bị thu hồi"
    assert period == "15:00:00 18/10/2025 đến 15:00:00 27/12/2027"
    assert anchor == "Gốc do cơ quan tự cài: Gốc thử nghiệm"


def test_what_is_not_known_of_a_signature_is_said_so(pki: Pki, check: Checker) -> None:
    signed = sign(make_document(), pki.leader, SignAs("L"))
    signature = check(signed, TrustMaterial()).signatures[0]
    values = {fact.what: fact.value for fact in signature_facts(signature, "vi")}
    assert values["Thời gian ký"] == "15:00:00 22/11/2026, theo máy của người ký (không có dấu thời gian)"
    assert values["Hiệu lực khi ký"] == "Chưa kiểm tra được"
    assert values["Gốc tin cậy đã dùng"] == "Chưa cài gốc nào trên máy"


def test_a_certificate_without_an_end_can_be_told(pki: Pki, check: Checker) -> None:
    report = check(sign(make_document(), pki.leader, SignAs("L")), pki.trust())
    never = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
    endless = msgspec.structs.replace(
        report, signatures=(msgspec.structs.replace(report.signatures[0], not_after=never, signing_time=never),)
    )
    assert to_json(endless, "vi")["signatures"][0]["not_after"] == "9999-12-31T23:59:59+07:00"
    assert words(report_paper([PaperEntry("a.pdf", endless)], NOW, "vi"))


# The report on paper


def words(pdf: bytes) -> str:
    """The text of all pages, blanks and line ends as one blank."""
    with pypdfium2.PdfDocument(pdf) as document:
        text = " ".join(page.get_textpage().get_text_range() for page in document)
    return " ".join(text.split())


def test_the_report_on_paper_says_verdict_facts_changes_and_what_it_rests_on(pki: Pki, check: Checker) -> None:
    entries = [PaperEntry(f"tệp {n}.pdf", report) for n, report in enumerate(reports(pki, check), start=1)]
    said = words(report_paper(entries, NOW, "vi"))
    for told in (
        "KẾT QUẢ KIỂM TRA CHỮ KÝ SỐ",
        "Chữ ký hợp lệ: 2 · Chưa đủ thông tin để xác thực: 2 · Chữ ký không hợp lệ: 2 · Không có chữ ký số: 1",
        "CHỮ KÝ KHÔNG HỢP LỆ",
        "Nội dung trang 1 bị thay đổi sau khi ký. Đề nghị trả lại nơi gửi.",
        "Trang 1: chữ hoặc hình có khi ký bị che mất. (không được phép)",
        "(1) Nơi cấp chứng thư số CA thử nghiệm",
        "(7) Thời hạn chứng thư số 15:00:00 18/10/2025 đến 15:00:00 27/12/2027",
        "Máy chưa cài chứng thư số gốc tin cậy.",
        "CRL lập 15:00:00 21/11/2026, dùng đến 15:00:00 29/11/2026: Không bị thu hồi.",
        str(entries[0].report.sha256),
    ):
        assert told in said
    assert "REPORT ON CHECKED SIGNATURES" in words(report_paper(entries, NOW, "en"))


def test_pages_of_the_report_are_numbered_and_nothing_runs_off_them(pki: Pki, check: Checker) -> None:
    entries = [PaperEntry("dài" * 300 + "\u200b李.pdf", report) for report in reports(pki, check)] * 3
    with pypdfium2.PdfDocument(report_paper(entries, NOW, "vi")) as document:
        assert len(document) > 3
        for number, page in enumerate(document, start=1):
            if number > 1:
                assert page.get_textpage().get_text_range().split()[0] == str(number)
            ink = page.render(scale=1, grayscale=True).to_pil().point(lambda shade: 255 if shade < 128 else 0)
            left, _top, right, bottom = ink.getbbox()
            assert left >= 84
            assert right <= 595 - 41
            assert bottom <= 842 - 55


def test_every_kind_of_change_has_words() -> None:
    for kind in ChangeKind:
        for language in LANGUAGES:
            assert text(f"verify_change_{kind}", language, page=1, field="so")


def test_every_verdict_and_every_code_in_the_program_has_words() -> None:
    folder = Path(signer_resources.__file__).parents[2] / "signer_app" / "verification"
    written = "".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.py")))
    known = catalogue().texts
    codes = {part.split('"')[0] for part in written.split('"')[1::2] if part.startswith("verify_")}
    codes = {code for code in codes if "{" not in code and code != "verify_file"}
    assert len(codes) > 20
    assert codes <= known.keys()
    assert {f"verify_{verdict}" for verdict in (Verdict.VALID, Verdict.CHANGED, Verdict.UNSIGNED)} <= known.keys()


def test_the_report_travels_as_json_and_comes_back_the_same(pki: Pki, check: Checker) -> None:
    for report in reports(pki, check):
        assert msgspec.json.decode(msgspec.json.encode(report), type=FileReport) == report


def test_a_file_is_as_good_as_its_worst_signature() -> None:
    order = [Integrity.INTACT, Integrity.CHANGED, Integrity.UNREADABLE, Integrity.BROKEN]
    for n, worst in enumerate(order):
        assert worst_integrity(order[: n + 1]) is worst
    assert worst_integrity([]) is Integrity.UNSIGNED
    verdicts = [Verdict.VALID, Verdict.CHANGED, Verdict.INDETERMINATE, Verdict.INVALID]
    for n, verdict in enumerate(verdicts):
        assert worst_verdict(verdicts[: n + 1]) is verdict
    assert worst_verdict([]) is Verdict.UNSIGNED


def test_a_change_tells_its_gaps(pki: Pki, check: Checker) -> None:
    change: Change = reports(pki, check)[3].signatures[0].changes[0]
    assert change.params.get("page") == change.page


# The trust folder


def pem(kind: str, der: bytes) -> bytes:
    body = base64.encodebytes(der)
    return b"-----BEGIN " + kind.encode() + b"-----\n" + body + b"-----END " + kind.encode() + b"-----\n"


def test_a_trust_folder_is_sorted_by_what_its_files_hold(pki: Pki, tmp_path: Path) -> None:
    (tmp_path / "gốc.cer").write_bytes(pki.root.der)
    (tmp_path / "bundle.pem").write_bytes(
        b"# comment\n" + pem("CERTIFICATE", pki.ca.der) + pem("X509 CRL", make_crl(pki.ca))
    )
    (tmp_path / "root.crl").write_bytes(make_crl(pki.root))
    (tmp_path / "answer.ocsp").write_bytes(make_ocsp(pki.leader))
    (tmp_path / "README.txt").write_text("nothing")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    material = load_trust_dir(tmp_path)
    assert material.anchors == (pki.root.der,)
    assert material.intermediates == (pki.ca.der,)
    assert len(material.crls) == 2
    assert len(material.ocsps) == 1
    assert material.warnings == ("README.txt", "empty")


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_links_in_a_trust_folder_are_followed(pki: Pki, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(pki.root.der)
    folder = tmp_path / "trust"
    folder.mkdir()
    (folder / "link.pem").symlink_to(tmp_path / "real")
    (folder / "dangling.pem").symlink_to(tmp_path / "none")
    assert load_trust_dir(folder).anchors == (pki.root.der,)


def test_a_missing_trust_folder_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(TrustFolderError) as caught:
        load_trust_dir(tmp_path / "none")
    assert caught.value.exit == 2
    assert "none" in str(caught.value)


def test_a_folder_of_trust_makes_a_document_valid(pki: Pki, tmp_path: Path) -> None:
    for name, content in [
        ("root.pem", pem("CERTIFICATE", pki.root.der)),
        ("ca.crl", make_crl(pki.ca)),
        ("root.crl", make_crl(pki.root)),
        ("other.pem", pem("CERTIFICATE", make_certificate("Khác", None, ca=True).der)),
    ]:
        (tmp_path / name).write_bytes(content)
    document = tmp_path / "a.pdf"
    document.write_bytes(sign(make_document(), pki.leader, SignAs("L")))
    assert verify_file(document, load_trust_dir(tmp_path), NOW).verdict is Verdict.VALID
