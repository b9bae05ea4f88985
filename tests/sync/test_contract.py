import hashlib

import msgspec
import pytest

from signer_resources.messages import catalogue
from signer_sync import contract as c
from signer_sync.errors import from_problem
from signer_sync.ids import is_uuid, uuid7

UUID = "0199a1b2-0000-7000-8000-000000000001"


def feed_item(**changes: object) -> bytes:
    plain = {
        "seq": 1,
        "type": "packet",
        "id": UUID,
        "sha256": "ab" * 32,
        "size": 10,
        "from": "H77.15",
        "kind": "new",
    }
    return msgspec.json.encode(plain | changes)


def test_members_are_camel_case_and_unknown_ones_are_ignored() -> None:
    item = msgspec.json.decode(feed_item(somethingNew={"a": 1}), type=c.FeedItem)
    assert item.sender == "H77.15"
    assert b'"from":"H77.15"' in msgspec.json.encode(item)
    limits = c.Limits(max_packet=1, max_inline=2, max_chunk=3)
    assert msgspec.json.encode(limits) == b'{"maxPacket":1,"maxInline":2,"maxChunk":3}'


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "../../etc/passwd"},
        {"id": UUID.upper()},
        {"id": UUID + "\n"},
        {"sha256": "../" + "a" * 61},
        {"sha256": "ab" * 31},
        {"size": -1},
        {"from": "../H77"},
        {"kind": "surprise" * 50},
        {"subject": "x" * 5000},
    ],
)
def test_values_out_of_shape_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(feed_item(**changes), type=c.FeedItem)


def test_an_unknown_word_for_retry_counts_as_after() -> None:
    problem = msgspec.json.decode(b'{"status":418,"code":"tea","retry":"brew"}', type=c.Problem)
    assert problem.retry_class is c.Retry.AFTER
    assert from_problem(problem, 418, None, "h").code == "server_refused"


def test_every_refusal_of_the_contract_has_words_in_both_languages() -> None:
    for kind in c.ProblemCode:
        problem = c.Problem(status=kind.status, code=kind.code, retry=kind.retry.value)
        error = from_problem(problem, kind.status, None, "máy chủ")
        error.params.setdefault("limit", 1)
        assert error.code in catalogue().errors
        assert str(error.explain("vi"))
        assert str(error.explain("en"))
        assert error.exit == 1


def test_a_servers_code_is_shown_without_its_tricks() -> None:
    problem = c.Problem(status=400, code="\x1b[31m{0.__class__}" + "x" * 99)
    shown = str(from_problem(problem, 400, None, "h").explain("vi"))
    assert "\x1b" not in shown
    assert "__class__}" not in shown


def test_digest_fields_go_there_and_back() -> None:
    digest = hashlib.sha256(b"abc").digest()
    field = c.digest_header(digest)
    assert field == "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"
    assert c.parse_digest_header(f"md5=:AAAA:, {field}") == digest
    assert c.parse_digest_header("sha-512=:AAAA:") is None


def test_a_word_that_was_made_later_leaves_its_entry_readable() -> None:
    item = msgspec.json.decode(feed_item(type="parade", kind="surprise"), type=c.FeedItem)
    assert (item.feed_type, item.packet_kind) == (None, None)
    known = msgspec.json.decode(feed_item(type="status", kind="status"), type=c.FeedItem)
    assert (known.feed_type, known.packet_kind) == (c.FeedType.STATUS, c.PacketKind.STATUS)


@pytest.mark.parametrize("field", ["sha-256=abc", "sha-256=::", "sha-256=:!:", "sha-256=:AAAA:", "sha-256"])
def test_malformed_digest_fields_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match="malformed"):
        c.parse_digest_header(field)


def test_a_journal_head_goes_there_and_back_and_nothing_else_does() -> None:
    head = c.JournalHead(41, "0f" * 32)
    assert c.JournalHead.parse(str(head)) == head
    for text in ("41", "41:xyz", "-1:" + "0f" * 32, "41:" + "0F" * 32, "41:" + "0f" * 32 + "\r\nX: y"):
        with pytest.raises(ValueError, match="journal head"):
            c.JournalHead.parse(text)


def test_ids_are_uuids_of_version_7_that_sort_by_time() -> None:
    earlier = uuid7(lambda: 1_000, lambda n: b"\xff" * n)
    later = uuid7(lambda: 1_001, lambda n: b"\0" * n)
    assert earlier < later
    assert is_uuid(earlier)
    assert (earlier[14], earlier[19]) == ("7", "b")
    assert not is_uuid(earlier.upper())
    assert not is_uuid(earlier + "\n")


def test_a_bearer_token_is_not_in_the_repr_of_its_answer() -> None:
    answer = c.BearerAnswer(access_token="very-secret-token-1", token_type="Bearer", expires_in=5)
    assert "secret" not in repr(answer)
