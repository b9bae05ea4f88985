"""Every kind of signature on its way through the command line, and what programs of others say of the results."""

import subprocess
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pytest

from signer_app.demo.pki_names import Holder
from tests.app.letters import Wording, signed_by, write_letter
from tests.app.pages import changed_outside
from tests.support.workspace import CANARY_PIN, DAY, Desk

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

NUMBER = ("--number", "7/QĐ-UBND", "--date", DAY)


def _accepted(path: Path, *, document_timestamps: int = 0) -> None:
    """qpdf, MuPDF, PDFium and poppler each open the file, and poppler calls every signature valid.

    Its version in Debian 12 doesn't verify document timestamps, so those are counted out.
    """
    subprocess.run(["qpdf", "--check", str(path)], check=True, capture_output=True)
    drawn = subprocess.run(["mutool", "draw", "-q", "-r", "30", "-o", "/dev/null", "-F", "pnm", str(path)],
                           check=True, capture_output=True, text=True)  # fmt: skip
    assert "error" not in drawn.stderr, drawn.stderr
    with pikepdf.open(path) as pdf:
        pages = len(pdf.pages)
    document = pdfium.PdfDocument(path)
    assert len(document) == pages
    document.close()
    told = subprocess.run(["pdfsig", "-nocert", str(path)], check=True, capture_output=True, text=True).stdout
    found = told.count("Signature #")
    valid = told.count("Signature Validation: Signature is Valid.")
    assert found - document_timestamps == valid > 0, told


def _integrity(desk: Desk, path: Path) -> list[str]:
    answer = desk.call("verify", path, "--trust", desk.data / "demo" / "trust")
    assert answer.json[0]["integrity"] == "intact", answer.json
    return [signature["integrity"] for signature in answer.json[0]["signatures"]]


def _signed(desk: Desk, source: Path, profile: str, certificate: str, *more: object) -> Path:
    answer = desk.sign(source, "--profile", profile, "--cert", certificate, *more)
    assert answer.states == ["signed"], answer.out
    output = Path(answer.documents[0]["output"])
    assert output.read_bytes().startswith(source.read_bytes())
    return output


def test_a_letter_goes_from_the_initial_to_the_archive_timestamp_and_everybody_accepts_it(desk: Desk) -> None:
    letter = write_letter(desk.letters / "nhap.pdf", Wording(text="Điều 1. Ban hành kèm theo Quyết định này./."))
    initial = _signed(desk, letter, "initial", desk.leader)
    leader = _signed(desk, initial, "leader", desk.leader)
    sealed = _signed(desk, leader, "agency", desk.agency, *NUMBER)
    raised = desk.call("upgrade", sealed, "--level", "b-lta")
    assert raised.documents[0]["level"] == "b-lta", raised.out
    top = Path(raised.documents[0]["output"])
    assert top.read_bytes().startswith(sealed.read_bytes())
    for step in (initial, leader, sealed):
        _accepted(step)
        assert set(_integrity(desk, step)) == {"intact"}
    stamps = top.read_bytes().count(b"/DocTimeStamp")
    assert stamps >= 1
    _accepted(top, document_timestamps=stamps)
    assert set(_integrity(desk, top)) == {"intact"}


def test_an_initial_alone_lets_no_seal_be_put_on(desk: Desk) -> None:
    letter = write_letter(desk.letters / "nhap.pdf", Wording(text="Điều 1. Ban hành kèm theo Quyết định này./."))
    initial = _signed(desk, letter, "initial", desk.leader)
    answer = desk.sign(initial, "--profile", "agency", "--cert", desk.agency, *NUMBER)
    assert answer.states == ["refused"]
    assert answer.codes == ["leader_only_initial"]


@pytest.mark.parametrize(
    ("profile", "more"),
    [
        ("copy", ("--copy-form", "sy", "--ordered-by", "Chủ tịch Nguyễn Thị Phượng")),
        ("archive", ()),
        ("plain", ()),
        ("plain", ("--place", "1,20,250,60,16")),
    ],
    ids=["copy", "archive", "invisible", "plain"],
)
def test_what_the_body_signs_by_itself_is_accepted_by_others(desk: Desk, profile: str, more: tuple[str, ...]) -> None:
    scan = write_letter(desk.letters / "quet.pdf", Wording(number_line="Số: 12/QĐ-UBND",
                                                           date_line="Hòa Sơn, ngày 05 tháng 3 năm 2026"))  # fmt: skip
    output = _signed(desk, scan, profile, desk.agency, *more)
    _accepted(output)
    assert _integrity(desk, output) == ["intact"]


def test_an_appendix_carries_its_line_and_is_accepted(desk: Desk) -> None:
    desk.letter("cong-van.pdf")
    write_letter(desk.letters / "phu-luc.pdf", Wording())
    listing = desk.listing(
        "input,role,document,number,date",
        f"cong-van.pdf,main,a,7/UBND-VP,{DAY}",
        "phu-luc.pdf,appendix,a,,",
    )
    answer = desk.sign("--list", listing, "--profile", "agency", pin=CANARY_PIN)
    assert answer.states == ["signed", "signed"], answer.out
    for entry in answer.documents:
        _accepted(Path(entry["output"]))
        assert set(_integrity(desk, Path(entry["output"]))) == {"intact"}


def test_a_leader_who_signed_elsewhere_costs_a_second_signature_and_stays_intact(desk: Desk) -> None:
    letter = write_letter(desk.letters / "ngoai.pdf", Wording())
    signed = signed_by(desk.site.pki.leaf(Holder.LEADER), letter, desk.letters / "ngoai.ky.pdf")
    told = desk.call("check", signed, "--profile", "agency", "--cert", desk.agency, *NUMBER).json[0]
    assert "two_signatures" in {finding["code"] for finding in told["findings"]}
    sealed = _signed(desk, signed, "agency", desk.agency, *NUMBER)
    _accepted(sealed)
    assert _integrity(desk, sealed) == ["intact"] * 3
    assert not changed_outside(signed, sealed, told["placement"])
