"""The command `restored`: what a restore has left to be said, and saying it without a window."""

import io
import json
import os
import sys

import jsonschema
import pytest

from signer_app.backup.reconciling import held, numbers_open
from signer_app.cli.main import command_line
from tests.backup.spare import Spare
from tests.support.workspace import schema


def asked(spare: Spare, monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, dict[str, object]]:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    code = command_line(["restored", *words, "--data-dir", os.fspath(spare.folder.path), "--json"])
    return code, json.loads(out.getvalue())


def test_numbers_and_packets_are_told_and_answered(spare: Spare, monkeypatch: pytest.MonkeyPatch) -> None:
    spare.post.office.signed("5", receivers=(), group="UBND-VHXH")
    packet = spare.post.given("6")
    spare.make()
    spare.restored()
    code, told = asked(spare, monkeypatch)
    jsonschema.Draft202012Validator(schema("restored")).validate(told)
    assert (code, told["to_ask"], told["held"]) == (1, 1, [])
    with spare.new_machine() as new:
        assert new.sync().sent == 0
    _code, told = asked(spare, monkeypatch)
    assert isinstance(told["held"], list)
    assert [one["packet_id"] for one in told["held"]] == [packet.packet_id]
    assert isinstance(told["numbers"], list)
    books = [f"{one['book']}={one['last'] + 2}" for one in told["numbers"]]
    # One book is forgotten: nothing is taken.
    code, told = asked(spare, monkeypatch, "--last", books[0])
    assert (code, told["error"]) != (0, None)
    code, told = asked(spare, monkeypatch, "--last", "UBND-VHXH 7")
    assert code == 2
    words = [word for book in books for word in ("--last", book)]
    code, told = asked(spare, monkeypatch, *words, "--send", packet.packet_id)
    assert (code, told["numbers"], told["held"], told["to_ask"]) == (0, [], [], 0)
    with spare.new_machine() as new:
        assert not numbers_open(new.space)
        assert held(new.space) == ()
        assert new.sync().sent == 1
