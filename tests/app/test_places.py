"""Names and places as people have them, from the command line to the signed copy on the disk."""

import os
import unicodedata
from pathlib import Path

import pytest

from tests.app.letters import Wording, write_letter
from tests.support.workspace import Desk


@pytest.mark.skipif(os.name == "nt", reason="names that Windows doesn't have")
def test_a_folder_of_odd_names_is_signed_and_mirrored_and_what_cannot_be_signed_says_why(desk: Desk) -> None:
    twins = [unicodedata.normalize(form, "sâu/tờ trình.pdf") for form in ("NFC", "NFD")]
    long = "ă" * 124 + ".pdf"
    names = ["50% #1?.pdf", "phòng. /a..pdf", "phòng. /'b' \"c\" .PDF", "CON.pdf", *twins, long]
    for name in names:
        path = desk.letters / name
        path.parent.mkdir(exist_ok=True)
        write_letter(path, Wording(text=name))
    (desk.letters / "up").symlink_to(desk.letters)
    (desk.letters / "cũ.signed.pdf").write_bytes(b"%PDF-")
    Path(os.fsdecode(os.fsencode(desk.letters) + b"/c\xf4ng v\xe3n.pdf")).write_bytes(b"%PDF-")
    out = desk.folder / "kết quả #1 %"

    answer = desk.sign(desk.letters, "--cert", desk.leader, "--level", "b-b", "--out", out)

    told = {str(Path(entry["input"]).relative_to(desk.letters)): entry["code"] for entry in answer.documents}
    assert told == {**dict.fromkeys(names), long: "output_name_long"}
    assert answer.code == 1
    assert "c\ufffdng v\ufffdn.pdf" in answer.err
    made = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert made == {str(Path(name).with_suffix(".signed.pdf")) for name in names if name != long}
    for name in names[:-1]:
        signed = (out / name).with_suffix(".signed.pdf")
        assert signed.read_bytes().startswith((desk.letters / name).read_bytes())
        assert signed.stat().st_nlink == (desk.letters / name).stat().st_nlink == 1
    blobs = [path for path in (desk.data / "blobs").rglob("*") if path.is_file()]
    assert {path.stat().st_nlink for path in blobs} == {1}
