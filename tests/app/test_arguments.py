"""What is said of a command line that makes no sense, by the command line's own code in this process: exit 2, words."""

import json
from pathlib import Path

import pytest

from signer_app.cli.main import command_line
from tests.app.letters import Wording, write_letter


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    for name in ("a.pdf", "b.pdf"):
        write_letter(tmp_path / name, Wording())
    (tmp_path / "empty-folder").mkdir()
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> tuple[int, str]:
    """Exit code and error code; the message must be words."""
    code = command_line(["--json", "--data-dir", str(folder / "data"), *words])
    error = json.loads(capsys.readouterr().out)["error"]
    assert len(error["message"]) > 20
    return code, error["code"]


@pytest.mark.parametrize("command", ["sign", "check"])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["missing.pdf"], "usage_missing_input"),
        (["empty-folder"], "usage_empty_folder"),
        ([], "usage_arguments"),
        (["a.pdf", "b.pdf", "--number", "1/QĐ-UBND"], "usage_one_number_many_files"),
        (["a.pdf", "b.pdf", "--date", "2026-11-20"], "usage_one_number_many_files"),
        (["a.pdf", "a.pdf"], "usage_same_output"),
        (["a.pdf", "--number", "QĐ-UBND"], "usage_number"),
        (["a.pdf", "--date", "20/11/2026"], "usage_date"),
        (["a.pdf", "--place", "0,1,2"], "usage_place"),
        (["a.pdf", "--place", "-1,1,2,0,0"], "usage_place"),
        (["a.pdf", "--profile", "chief"], "usage_arguments"),
        (["--list", "a.csv", "a.pdf"], "usage_arguments"),
        (["--list", "a.csv", "--number", "1/QĐ-UBND"], "usage_arguments"),
        (["a.pdf", "--pin", "123456"], "usage_arguments"),
    ],
)
def test_a_wish_that_makes_no_sense_is_exit_2(
    capsys: pytest.CaptureFixture[str], letters: Path, command: str, words: list[str], code: str
) -> None:
    ends = (".pdf", "folder", ".csv")
    given = [str(letters / word) if word.endswith(ends) else word for word in words]
    assert told(capsys, letters, command, *given) == (2, code)


@pytest.mark.parametrize("words", [["--to", "H77,??"], ["--level", "b-x"]])
def test_receivers_and_level_are_looked_at_before_anything_is_opened(
    capsys: pytest.CaptureFixture[str], letters: Path, words: list[str]
) -> None:
    code, error = told(capsys, letters, "sign", str(letters / "a.pdf"), *words, "--pin-stdin")
    assert (code, error) == (2, "usage_receiver" if "--to" in words else "usage_arguments")


@pytest.mark.parametrize(
    ("rows", "code", "line"),
    [
        (["file,number", "a.pdf,1/QĐ-UBND"], "usage_list", "1"),
        (["input,nummer", "a.pdf,1/QĐ-UBND"], "usage_list", "1"),
        (["input,number"], "usage_list", "1"),
        (["input,number", ",1/QĐ-UBND"], "usage_list", "2"),
        (["input,number", "a.pdf,1/QĐ-UBND,more"], "usage_list", "2"),
        (["input,role", "a.pdf,main", "b.pdf,annex"], "usage_list", "3"),
        (["input,role,document", "a.pdf,main,x", "b.pdf,main,x"], "usage_list_main", "2"),
        (["input,role,document", "a.pdf,appendix,x"], "usage_list_main", "2"),
        (["input,number,document,role", "a.pdf,1/A,x,main", "b.pdf,2/A,x,appendix"], "usage_list", "3"),
        (["input", "a.pdf", "missing.pdf"], "usage_missing_input", ""),
        (["input,number", "a.pdf,1/A", "b.pdf,một"], "usage_list", "3"),
        (["input,date", "a.pdf,20-11-2026"], "usage_list", "2"),
        (["input,profile", "a.pdf,chief"], "usage_list", "2"),
        (["input,place", "a.pdf,here"], "usage_list", "2"),
        (["input,to", "a.pdf,H77;!!"], "usage_list", "2"),
        (["input", "a.pdf", "./a.pdf"], "usage_same_output", ""),
        (["input", '"a.pdf'], "usage_list", "2"),
    ],
)
def test_a_list_that_makes_no_sense_is_exit_2_and_names_the_line(
    capsys: pytest.CaptureFixture[str], letters: Path, rows: list[str], code: str, line: str
) -> None:
    listing = letters / "list.csv"
    listing.write_text("\n".join(rows) + "\n", encoding="utf-8")
    ended = command_line(["--json", "--data-dir", str(letters / "data"), "check", "--list", str(listing)])
    error = json.loads(capsys.readouterr().out)["error"]
    assert (ended, error["code"]) == (2, code)
    assert line in error["message"]


def test_a_list_in_another_encoding_is_refused(capsys: pytest.CaptureFixture[str], letters: Path) -> None:
    listing = letters / "list.csv"
    listing.write_bytes("input,number\na.pdf,1/QĐ-UBND\n".encode("utf-16"))
    assert told(capsys, letters, "check", "--list", str(listing)) == (2, "usage_list")
    assert told(capsys, letters, "check", "--list", str(letters / "missing.csv")) == (2, "usage_list")


@pytest.mark.parametrize(("lang", "word"), [("vi", "Lệnh"), ("en", "command")])
def test_errors_come_in_the_language_asked_for(
    capsys: pytest.CaptureFixture[str], letters: Path, lang: str, word: str
) -> None:
    code = command_line(["--lang", lang, "--data-dir", str(letters / "data"), "sing", "a.pdf"])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert word in err


def test_options_may_stand_before_and_behind_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    for words in (["--data-dir", data, "--json", "outbox"], ["outbox", "--json", "--data-dir", data]):
        assert command_line(words) == 0
        assert json.loads(capsys.readouterr().out) == []


def test_looking_makes_no_data_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for words in (["outbox"], ["handover"], ["journal", "--verify"]):
        assert command_line(["--json", "--data-dir", str(tmp_path / "data"), *words]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown == [] or (shown["entries"], shown["verified"]["sound_to"]) == ([], 0)
    assert not (tmp_path / "data").exists()
