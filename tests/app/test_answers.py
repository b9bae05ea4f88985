"""What the looking commands say, as JSON and as words, in both languages; and how a certificate is named."""

import json
from pathlib import Path

import jsonschema
import pytest

import signer_resources
from tests.app.letters import Wording, write_letter
from tests.support.workspace import CANARY_PIN, Desk, schema

SCHEMAS = sorted(path.stem for path in signer_resources.path("schemas/verify.json").parent.glob("*.json"))


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))


def test_there_is_a_schema_for_each_command_and_for_errors() -> None:
    looking = {"tokens", "check", "verify", "evidence", "trust", "outbox", "inbox", "journal", "doctor", "drivers"}
    commands = {
        "sign",
        "resume",
        "upgrade",
        "sync",
        "demo",
        "handover",
        "form",
        "register",
        "report",
        "backup",
        "restore",
        "restored",
        "support-code",
        "events",
        "settings",
        "setup",
        "training",
        "update",
        *looking,
    }
    assert set(SCHEMAS) == {*commands, "error"}


def test_tokens_are_listed_with_their_certificates_and_roles(desk: Desk) -> None:
    answer = desk.run("tokens")
    assert answer.code == 0
    found = {c["sha256"]: c for token in answer.json for c in token["certificates"]}
    assert set(found) == {desk.agency, desk.leader}
    assert (found[desk.agency]["role"], found[desk.agency]["key"]) == ("agency", "RSA-2048")
    assert (found[desk.leader]["role"], found[desk.leader]["key"]) == ("personal", "RSA-3072")
    assert "Nguyễn Thị Phượng" in found[desk.leader]["subject"]
    assert {token["pin_state"] for token in answer.json} == {"ok"}
    for lang, word in (("vi", "Chứng thư số"), ("en", "Certificate")):
        words = desk.call("tokens", text=True, options=("--lang", lang))
        assert (words.code, word.casefold() in words.out.casefold()) == (0, True)
        assert desk.agency[:16] in words.out


def test_a_certificate_is_named_by_serial_or_by_a_prefix_of_its_hash(desk: Desk) -> None:
    letter = write_letter(desk.letters / "letter.pdf", Wording())
    serial = next(
        c["serial"] for t in desk.call("tokens").json for c in t["certificates"] if c["sha256"] == desk.leader
    )
    with_colons = ":".join(desk.leader[i : i + 2] for i in range(0, 16, 2)).upper()
    for name in (serial.upper(), with_colons):
        assert desk.call("check", letter, "--cert", name).code == 0
    none = desk.sign(letter)
    assert (none.code, none.json["error"]["code"]) == (2, "usage_certificate_ambiguous")
    assert desk.leader[:12] in none.json["error"]["message"]
    unknown = desk.sign(letter, "--cert", "00112233445566778899")
    assert (unknown.code, unknown.json["error"]["code"]) == (2, "usage_certificate_unknown")


def test_stdout_is_one_json_document_and_words_stand_elsewhere(waiting: Desk) -> None:
    letter = waiting.letter()
    (waiting.letters / "cong-van.signed.pdf").unlink(missing_ok=True)
    answer = waiting.seal(letter, "1/UBND-VP", options=("--lang", "en"))
    decoder = json.JSONDecoder()
    _value, end = decoder.raw_decode(answer.out)
    assert answer.out[end:] == "\n"
    assert (answer.code, answer.codes) == (1, ["number_used"])
    assert answer.documents[0]["message"].startswith("The number ")


def test_words_say_what_was_done_and_what_was_not(desk: Desk) -> None:
    write_letter(desk.letters / "nobody.pdf", Wording())
    desk.letter()
    listing = desk.listing("input,number,date", "cong-van.pdf,1/UBND-VP,2026-11-20", "nobody.pdf,2/QĐ-UBND,2026-11-20")
    words = ("sign", "--list", listing, "--profile", "agency", "--level", "b-b")
    answer = desk.run(*words, pin=CANARY_PIN, text=True)
    assert answer.code == 1
    told = " ".join(answer.out.split())
    assert "cong-van.pdf" in told
    assert "Chưa có chữ ký số của người có thẩm quyền" in told
    assert "{" not in told


def test_verify_looks_through_the_anchors_that_it_is_given(waiting: Desk, tmp_path: Path) -> None:
    stored = next(file for file in waiting.files() if file.name == "cong-van.pdf")
    sealed = tmp_path / "sealed.pdf"
    with waiting.store() as store:
        sealed.write_bytes(store.blobs.path(stored.blob_out or "").read_bytes())
    plain = write_letter(tmp_path / "plain.pdf", Wording())
    nobody = tmp_path / "no-anchors"
    nobody.mkdir()
    good = waiting.run("verify", sealed)
    assert (good.code, good.json[0]["verdict"]) == (0, "valid")
    unknown = waiting.call("verify", sealed, plain, "--trust", nobody)
    assert unknown.code == 1
    assert [report["verdict"] for report in unknown.json] == ["indeterminate", "unsigned"]
    assert {s["trust"] for s in unknown.json[0]["signatures"]} == {"unknown"}
    missing = waiting.call("verify", tmp_path / "missing.pdf")
    assert (missing.code, missing.json["error"]["code"]) == (2, "usage_missing_input")
    words = waiting.call("verify", sealed, text=True)
    assert "Chữ ký hợp lệ" in words.out
