"""`signer register`: the two registers and the period report on the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import signer_resources
from signer_app.cli.main import command_line
from signer_app.registers.paper_entries import PaperDocument, enter_paper
from signer_app.store.datafolder import DataFolder
from signer_app.store.settings import Body, Settings, save_settings
from signer_app.store.store import Store
from tests.registers.conftest import BODY, CLERK, NAMES, Bureau, at
from tests.store.letters import Clock

SCHEMA = json.loads((Path(signer_resources.__file__).parent / "schemas" / "register.json").read_text(encoding="utf-8"))
Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs `signer register` on a folder with two documents that went out and one that came; exit code and output."""
    folder, clock = DataFolder(tmp_path / "dữ liệu"), Clock()
    with folder.lock(), Store.open(folder, clock) as store:
        bureau = Bureau(store, clock)
        save_settings(folder, Settings(bodies=(Body(code=BODY, name=NAMES[BODY]),)))
        bureau.sent(bureau.signed("1", at(20, year=2025)), at(20, 9, year=2025))
        bureau.signed("3", at(20, year=2025))
        paper = PaperDocument("Điện lực An Sơn", "V/v cắt điện")
        with store.transaction() as tx:
            enter_paper(tx, BODY, paper, at(23, year=2025), CLERK)

    def run(*words: str, as_json: bool = True) -> tuple[int, Any]:
        capsys.readouterr()
        code = command_line(["--data-dir", str(folder.path), *(["--json"] if as_json else []), "register", *words])
        told = capsys.readouterr().out
        return code, json.loads(told) if as_json else told

    return run


def test_numbers_arrivals_and_reports_have_the_form_that_scripts_rely_on(call: Call, tmp_path: Path) -> None:
    for words, key, count in (
        (("--year", "2025"), "numbers", 2),
        (("--year", "2025", "--search", "3/ubnd"), "numbers", 1),
        (("--year", "2025", "--incoming"), "arrivals", 1),
        (("--year", "2025", "--incoming", "--search", "cat dien"), "arrivals", 1),
        (("--year", "2025", "--incoming", "--search", "khac"), "arrivals", 0),
        (("--report", "2025-11-16", "2025-11-22"), "late", 1),
    ):
        code, told = call(*words)
        jsonschema.validate(told, SCHEMA)
        assert (code, len(told[key])) == (0, count), words


def test_a_register_and_a_report_are_written_where_they_are_wanted(call: Call, tmp_path: Path) -> None:
    book, came, report = tmp_path / "đi.csv", tmp_path / "đến.xlsx", tmp_path / "báo cáo.pdf"
    code, told = call("--year", "2025", "--out", str(book))
    jsonschema.validate(told, SCHEMA)
    assert (code, told["out"]) == (0, str(book))
    assert "2" in {line.split(",")[0] for line in book.read_text(encoding="utf-8-sig").splitlines()}
    assert call("--year", "2025", "--incoming", "--out", str(came), as_json=False)[0] == 0
    assert came.stat().st_size > 0
    code, told = call("--report", "2025-11-16", "2025-11-22", "--out", str(report), as_json=False)
    assert code == 0
    assert str(report.name) in told
    assert report.read_bytes().startswith(b"%PDF")
    code, told = call("--report", "2025-11-16", "2025-11-22", "--out", str(report))
    assert (code, told["error"]["code"]) == (1, "output_exists")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--report", "2025-11-16", "2025-11-22"), "usage_register_out"),
        (("--report", "16/11", "2025-11-22", "--out", "x.pdf"), "usage_date"),
        (("--report", "2025-11-22", "2025-11-16", "--out", "x.pdf"), "report_period"),
        (("--report", "2025-11-16", "2025-11-22", "--incoming"), "usage_arguments"),
        (("--reason", "x"), "usage_arguments"),
        (("--out", "x.docx"), "report_form_unknown"),
    ],
)
def test_what_makes_no_sense_is_a_wrong_usage(
    call: Call, words: tuple[str, ...], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if code == "usage_register_out":
        assert call(*words, as_json=False)[0] == 2
        return
    exit_code, told = call(*words)
    assert (exit_code, told["error"]["code"]) == (2, code)


def test_the_tables_on_the_screen_show_each_line(call: Call) -> None:
    assert "Điện lực" in call("--year", "2025", "--incoming", as_json=False)[1].replace("\n", " ")
    assert "3/UBND-VHXH" in call("--year", "2025", as_json=False)[1].replace("\n", "")
    assert "2020" in call("--year", "2020", "--incoming", as_json=False)[1]
