"""The command `inbox`: documents and packets as JSON that fits its schema, and as words in both languages."""

import argparse
import json
from pathlib import Path

import jsonschema
import pytest

import signer_resources
from signer_app.cli.console import Console
from signer_app.cli.inbox import inbox
from tests.desk.office import Office
from tests.exchange.arrivals import Post, post


def told(here: Office, capsys: pytest.CaptureFixture[str], *, as_json: bool, lang: str = "vi") -> str:
    capsys.readouterr()
    console = Console("en" if lang == "en" else "vi", as_json=as_json)
    assert inbox(here.space, argparse.Namespace(), console) == 0
    return capsys.readouterr().out


def prepared(here: Post) -> None:
    here.came(here.letter("1"))
    here.came(here.letter("2"))
    here.came(here.recall("2"))
    here.office.secret_came()
    here.deciding.accept_all_valid()


def test_the_answer_fits_its_schema_and_tells_how_each_document_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = json.loads(signer_resources.path("schemas/inbox.json").read_text(encoding="utf-8"))
    with post(tmp_path) as here:
        empty = json.loads(told(here.office, capsys, as_json=True))
        prepared(here)
        answer = json.loads(told(here.office, capsys, as_json=True))
    jsonschema.validate(empty, schema)
    jsonschema.validate(answer, schema)
    assert empty == {"documents": [], "packets": []}
    found = {one["document"]: one for one in answer["documents"]}
    assert (found["1/UBND-VX"]["state"], found["1/UBND-VX"]["number"], found["1/UBND-VX"]["verdict"]) == (
        "accepted",
        1,
        "valid",
    )
    assert (found["2/UBND-VX"]["state"], found["2/UBND-VX"]["asked"]) == ("arrived", "recall")
    assert [packet["state"] for packet in answer["packets"]] == ["secret"]


def test_the_words_are_those_of_the_window(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with post(tmp_path) as here:
        assert "Chưa có văn bản đến." in told(here.office, capsys, as_json=False)
        prepared(here)
        words = told(here.office, capsys, as_json=False)
        english = told(here.office, capsys, as_json=False, lang="en")
    for part in ("1/UBND-VX", "Chữ ký hợp lệ", "1/2026", "Đã tiếp nhận", "Nơi gửi yêu cầu thu hồi văn bản", "độ mật"):
        assert part in words
    assert "Its sender asks for it back" in english
