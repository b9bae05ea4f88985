"""One letter under the body's seal: what comes out, how it looks, and what others say of it."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm

from signer_app.demo.pki_names import Holder
from tests.app.letters import Wording, signed_by, write_letter
from tests.app.pages import changed_inside, changed_outside
from tests.support.workspace import DAY, Desk

SEAL = ("--profile", "agency", "--date", DAY)


def accepted_by_others(path: Path) -> int:
    """How many signatures pdfsig finds; each must be valid, and qpdf must find no fault."""
    subprocess.run(["qpdf", "--check", str(path)], check=True, capture_output=True)
    told = subprocess.run(["pdfsig", "-nocert", str(path)], check=True, capture_output=True, text=True).stdout
    found = told.count("Signature Validation:")
    assert told.count("Signature Validation: Signature is Valid.") == found, told
    return found


def verdicts(desk: Desk, path: Path) -> tuple[int, dict[str, Any]]:
    answer = desk.call("verify", path, "--trust", desk.data / "demo" / "trust")
    return answer.code, answer.json[0]


def text_of(path: Path) -> str:
    return subprocess.run(["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True, text=True).stdout


def field_values(path: Path) -> dict[str, str]:
    with path.open("rb") as handle:
        form = PdfFileReader(handle).root["/AcroForm"]
        fields = [reference.get_object() for reference in form["/Fields"]]
        return {str(field["/T"]): str(field["/V"]) for field in fields if field["/FT"] == "/Tx"}


def test_a_letter_with_prepared_fields_gets_number_date_and_seal_with_one_signature(desk: Desk) -> None:
    letter = desk.letter("cong-van.pdf", "Công văn số 3.pdf")
    original = letter.read_bytes()
    checked = desk.call("check", letter, *SEAL, "--number", "3/UBND-VP")
    assert (checked.code, checked.json[0]["state"]) == (0, "ready")
    placement = checked.json[0]["placement"]

    answer = desk.sign(letter, *SEAL, "--number", "3/UBND-VP", apart=True)

    output = desk.letters / "Công văn số 3.signed.pdf"
    entry = answer.documents[0]
    assert (answer.code, entry["state"], entry["output"]) == (0, "signed", str(output))
    assert entry["level"] == "b-t"
    assert letter.read_bytes() == original
    assert output.read_bytes().startswith(original)
    assert {spot["what"] for spot in placement} == {"number", "date", "seal"}
    assert changed_outside(letter, output, placement) == []
    assert all(changed_inside(letter, output, spot) for spot in placement)
    assert accepted_by_others(output) == 2
    assert list(field_values(output).values()) == ["03", "20/11/2026"]
    seal = next(spot for spot in placement if spot["what"] == "seal")
    assert (seal["w"], seal["h"]) == (38.0, 38.0)

    code, report = verdicts(desk, output)
    assert (code, report["verdict"], report["integrity"]) == (0, "valid", "intact")
    leader, body = report["signatures"]
    assert (leader["signer"], leader["integrity"], leader["trust"]) == ("Nguyễn Thị Phượng", "intact", "trusted")
    assert (body["signer"], body["level"]) == ("ỦY BAN NHÂN DÂN XÃ HÒA SƠN", "b-t")

    stored = desk.files()[0]
    with desk.store() as store:
        assert stored.blob_out is not None
        assert store.blobs.path(stored.blob_out).read_bytes() == output.read_bytes()
    assert desk.packets() == ()  # no receivers were named: signed and kept, not sent


def test_without_a_timestamp_service_the_letter_is_signed_lower_and_all_is_done(desk: Desk) -> None:
    desk.change_settings(tsa_url=desk.site.dead_url)
    letters = [desk.letter("cong-van.pdf"), desk.letter("giay-moi.pdf")]
    listing = desk.listing("input,number,date", f"cong-van.pdf,3/UBND-VP,{DAY}", f"giay-moi.pdf,4/GM-UBND,{DAY}")

    answer = desk.sign("--list", listing, "--profile", "agency", "--level", "b-t")

    assert (answer.code, answer.states) == (0, ["signed", "signed"])
    assert [entry["level"] for entry in answer.documents] == ["b-b", "b-b"]
    code, report = verdicts(desk, letters[0].with_suffix(".signed.pdf"))
    assert (code, report["signatures"][-1]["timestamp"]) == (0, None)


def test_a_letter_signed_elsewhere_gets_number_and_date_by_a_signature_of_their_own(desk: Desk) -> None:
    plain = write_letter(desk.letters / "draft.pdf", Wording())
    letter = signed_by(desk.site.pki.leaf(Holder.LEADER), plain, desk.letters / "letter.pdf")
    placement = desk.call("check", letter, *SEAL, "--number", "12/QĐ-UBND").json[0]["placement"]

    answer = desk.sign(letter, *SEAL, "--number", "12/QĐ-UBND")

    output = letter.with_suffix(".signed.pdf")
    assert (answer.code, answer.states) == (0, ["signed"])
    assert answer.documents[0]["message"]
    assert output.read_bytes().startswith(letter.read_bytes())
    assert accepted_by_others(output) == 3
    assert changed_outside(letter, output, placement) == []
    code, report = verdicts(desk, output)
    assert (code, report["verdict"]) == (0, "valid")
    assert [s["integrity"] for s in report["signatures"]] == ["intact", "intact", "intact"]
    assert "12/QĐ-UBND" in " ".join(text_of(output).split()) or changed_inside(letter, output, placement[0])


def test_a_letter_certified_without_fields_is_signed_after_a_warning_and_shows_as_changed(desk: Desk) -> None:
    plain = write_letter(desk.letters / "draft.pdf", Wording())
    leader = desk.site.pki.leaf(Holder.LEADER)
    letter = signed_by(leader, plain, desk.letters / "letter.pdf", certify=MDPPerm.FILL_FORMS)
    checked = desk.call("check", letter, *SEAL, "--number", "12/QĐ-UBND")
    assert (checked.code, checked.json[0]["state"]) == (0, "warning")
    assert "certified_will_change" in {finding["code"] for finding in checked.json[0]["findings"]}

    answer = desk.sign(letter, *SEAL, "--number", "12/QĐ-UBND")

    assert (answer.code, answer.states, answer.codes) == (0, ["signed"], [None]), answer.out
    code, report = verdicts(desk, letter.with_suffix(".signed.pdf"))
    assert (code, report["verdict"], report["integrity"]) == (1, "changed", "changed")
    assert [s["integrity"] for s in report["signatures"]] == ["changed", "intact", "intact"]


def test_a_submission_and_its_appendix_are_one_document(desk: Desk) -> None:
    main, appendix = desk.letter("to-trinh.pdf"), desk.letter("to-trinh-phu-luc.pdf")
    listing = desk.listing(
        "document,input,role,number,date,to",
        f"a,{appendix.name},appendix,,,",
        f"a,{main.name},main,5/TTr-UBND,{DAY},H77; H77.02",
    )

    answer = desk.sign("--list", listing, "--profile", "agency")

    assert (answer.code, answer.states) == (0, ["signed", "signed"])
    assert [Path(entry["input"]).name for entry in answer.documents] == [main.name, appendix.name]
    packet, *others = desk.packets()
    assert (others, packet.document) == ([], "05/TTr-UBND")
    with desk.store() as store:
        packed = store.blobs.path(packet.sha256).read_text(encoding="utf-8")
    assert ("H77.02" in packed, packed.count("<edXML:Attachment>") or packed.count(":Attachment>")) != (False, 0)
    for name in (main.name, appendix.name):
        assert accepted_by_others(desk.letters / name.replace(".pdf", ".signed.pdf")) >= 1


@pytest.mark.parametrize("place", [None, "-1,20,250,60,25"])
def test_a_plain_signature_is_invisible_unless_a_place_is_given_and_is_never_sent(
    desk: Desk, place: str | None
) -> None:
    source = write_letter(desk.letters / "note.pdf", Wording())
    words = ("--place", place) if place else ()
    out = desk.folder / "out" / "deep"

    answer = desk.sign(source, "--cert", desk.leader, "--to", "H77", "--out", out, *words)

    output = out / "note.signed.pdf"
    assert (answer.code, answer.documents[0]["output"]) == (0, str(output))
    spot = {"what": "stamp_text", "page": 1, "x": 20, "y": 250, "w": 60, "h": 25}
    assert changed_outside(source, output, [spot] if place else []) == []
    assert changed_inside(source, output, spot) is (place is not None)
    assert accepted_by_others(output) == 1
    assert desk.packets() == ()


def test_a_folder_is_taken_recursively_and_mirrored(desk: Desk) -> None:
    source = write_letter(desk.letters / "one.PDF", Wording())
    (desk.letters / "tháng 11").mkdir()
    shutil.copyfile(source, desk.letters / "tháng 11" / "two.pdf")
    shutil.copyfile(source, desk.letters / "old.signed.pdf")
    (desk.letters / "notes.txt").write_text("không phải PDF", encoding="utf-8")
    out = desk.folder / "out"

    answer = desk.sign(desk.letters, "--cert", desk.leader, "--out", out, "--level", "b-b")

    assert (answer.code, answer.states) == (0, ["signed", "signed"])
    made = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert made == {"one.signed.pdf", "tháng 11/two.signed.pdf"}
