"""What `check` tells of files that deceive, as JSON and as words; it works without a token and keeps nothing."""

import json
from pathlib import Path

import jsonschema
import pikepdf
import pytest

from signer_app.cli.main import command_line
from tests.pdf.traps import made
from tests.support.workspace import schema


def _runs_a_script(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))


def _is_secret(pdf: pikepdf.Pdf) -> None:
    pdf.docinfo["/Title"] = "Độ mật: Tối mật"


HIDDEN = b"BT /F1 24 Tf 1 g 72 500 Td (Phu luc an) Tj ET"


def test_check_tells_every_finding_with_its_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.pdf").write_bytes(made(_runs_a_script, HIDDEN))
    (tmp_path / "b.pdf").write_bytes(made())
    (tmp_path / "b.signed.pdf").write_bytes(b"")
    (tmp_path / "c.pdf").write_bytes(made())
    (tmp_path / "d.pdf").write_bytes(made(_is_secret))
    (tmp_path / "d.signed.pdf").write_bytes(b"")
    files = [str(tmp_path / name) for name in ("a.pdf", "b.pdf", "c.pdf", "d.pdf")]
    front = ["--lang", "vi", "--data-dir", str(tmp_path / "data")]

    assert command_line(["--json", *front, "check", *files]) == 1

    answer = json.loads(capsys.readouterr().out)
    jsonschema.validate(answer, schema("check"))
    told = {Path(entry["file"]).name: (entry["state"], [f["code"] for f in entry["findings"]]) for entry in answer}
    assert told == {
        "a.pdf": ("warning", ["script", "text_paper_colour"]),
        "b.pdf": ("refused", ["output_exists"]),
        "c.pdf": ("ready", []),
        # Of a secret file nothing else is told.
        "d.pdf": ("refused", ["secret"]),
    }
    script, hidden = (finding["message"] for finding in answer[0]["findings"])
    assert "OpenAction" in script
    assert ("«Phu luc an»" in hidden, "trang: 1" in hidden) == (True, True)
    assert answer[2]["signatures"] == []

    assert command_line([*front, "check", "--profile", "leader", files[0]]) == 1
    assert "JavaScript" in "".join(capsys.readouterr())
