"""Events for a province's monitoring: what happened, in order, by a schema, without names of files."""

import datetime as dt
import json
import stat
from pathlib import Path

import jsonschema
import pytest

from signer_app.administration.events import parse_since, write_events
from signer_app.store.batch_model import Batch, BatchFile
from signer_app.store.model import FileState, JournalAction, TokenUse
from signer_app.store.store import Transaction
from signer_resources.errors import KnownError
from signer_sync.ids import uuid7
from tests.desk.office import MONDAY, Office
from tests.support.workspace import schema

LINE = schema("events")["$defs"]["event"]


def lines(file: Path) -> list[dict[str, object]]:
    found = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for one in found:
        jsonschema.validate(one, LINE)
    return found


def a_day(office: Office) -> None:
    """A PIN that was refused, one that was right, a document, a packet that left, a refusal, a hand-over."""

    def use(action: JournalAction, result: str) -> None:
        made = TokenUse(action=action, operator="lan", certificate_sha256="a" * 64, token_serial="77", result=result)
        office.store.write(lambda tx: tx.journal.append(made, office.now))

    use(JournalAction.LOGIN, "pin_incorrect")
    use(JournalAction.LOGIN, "ok")
    document = office.signed("1")
    office.at(office.now + dt.timedelta(minutes=5))
    office.accepted(document)
    batch, now = uuid7(), office.now

    refused = BatchFile(
        batch_id=batch,
        position=0,
        input_path="/thu-muc/lan/Danh sách cán bộ.pdf",
        state=FileState.REFUSED,
        code="pdf_encrypted",
        input_sha256="b" * 64,
    )

    def refuse(tx: Transaction) -> None:
        tx.batches.add(Batch(id=batch, created_at=now, begun_at=now, command="{}"), [refused])

    office.store.write(refuse)
    office.at(office.now + dt.timedelta(minutes=5))
    use(JournalAction.HAND_OVER, "ok")


def test_a_day_is_told_in_its_order_with_stable_ids(office: Office, tmp_path: Path) -> None:
    a_day(office)
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    done = write_events(office.space, None, first)
    write_events(office.space, None, second)
    found = lines(first)
    assert done.count == len(found)
    told = [(one["event"], one["result"]) for one in found]
    assert {("pin", "pin_incorrect"), ("pin", "ok"), ("sent", "ok"), ("refused", "pdf_encrypted")} <= set(told)
    assert told.index(("pin", "pin_incorrect")) < told.index(("sent", "ok")) < told.index(("hand_over", "ok"))
    assert [str(one["at"]) for one in found] == sorted(str(one["at"]) for one in found)
    assert len({one["id"] for one in found}) == len(found)
    assert first.read_bytes() == second.read_bytes()
    assert stat.S_IMODE(first.stat().st_mode) == 0o600


def test_no_file_name_and_no_subject_is_told(office: Office, tmp_path: Path) -> None:
    a_day(office)
    write_events(office.space, None, tmp_path / "out.jsonl")
    text = (tmp_path / "out.jsonl").read_text(encoding="utf-8")
    assert "Danh sách" not in text
    assert "/thu-muc" not in text


def test_only_what_happened_since_is_told(office: Office, tmp_path: Path) -> None:
    a_day(office)
    write_events(office.space, MONDAY + dt.timedelta(minutes=7), tmp_path / "out.jsonl")
    found = {one["event"] for one in lines(tmp_path / "out.jsonl")}
    assert "hand_over" in found
    assert not found & {"pin", "sent", "refused"}


def test_a_file_that_is_there_is_never_replaced(office: Office, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("mine", encoding="utf-8")
    with pytest.raises(KnownError) as caught:
        write_events(office.space, None, target)
    assert (caught.value.code, target.read_text(encoding="utf-8")) == ("output_exists", "mine")
    assert [file.name for file in tmp_path.glob("*.jsonl*")] == ["out.jsonl"]


def test_a_day_without_a_zone_is_vietnams() -> None:
    assert parse_since("2026-11-23").isoformat() == "2026-11-23T00:00:00+07:00"
    assert parse_since("2026-11-23T08:00:00+00:00").utcoffset() == dt.timedelta(0)
    with pytest.raises(ValueError, match="Invalid"):
        parse_since("yesterday")
