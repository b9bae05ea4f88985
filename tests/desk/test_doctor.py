"""`signer doctor`: the same checks as in the window, with cause and fix, as words and as JSON."""

import datetime as dt
from pathlib import Path

import pytest

from signer_app.desk.check_values import CheckName
from signer_app.store.model import JournalAction
from signer_app.workspace import Overrides, workspace
from tests.store.letters import Clock, Letters, not_secret
from tests.support.workspace import Desk, Program, Site


@pytest.fixture
def desk(site: Site, tmp_path: Path) -> Desk:
    return site.desk(tmp_path)


def test_every_check_is_told_with_result_cause_and_fix(desk: Desk) -> None:
    with desk.server():
        answer = desk.call("doctor")
    found = {one["check"]: one for one in answer.json["checks"]}
    assert list(found) == [name.value for name in CheckName]
    bad = {name: one for name, one in found.items() if one["state"] == "bad"}
    assert (answer.code, bad) == (0, {})
    for name in ("driver", "token", "clock", "server", "keyring", "timestamp", "disk", "database", "fonts"):
        assert found[name]["state"] == "good", found[name]
    troubled = [one for one in found.values() if one["code"] is not None]
    assert all(one["found"] and one["cause"] and one["fix"] for one in troubled)


def test_something_bad_is_exit_1_and_says_what_to_do_in_the_language_asked_for(desk: Desk) -> None:
    desk.data.chmod(0o755)
    answer = desk.call("doctor", text=True, options=("--lang", "en"))
    assert answer.code == 1
    assert "[Bad] Data folder" in answer.out
    assert "Cause: " in answer.out
    assert f"To mend it: Ask technical support to run: chmod -R u=rwX,go= {desk.data}" in answer.out
    assert "[Needs a look] Document server" in answer.out
    assert "Traceback" not in answer.err


def test_it_works_before_the_first_use_and_makes_nothing(site: Site, tmp_path: Path) -> None:
    program = Program(site.home, tmp_path, tmp_path / "later")
    answer = program.call("doctor", options=("--module", tmp_path / "none.so"))
    found = {one["check"]: one for one in answer.json["checks"]}
    assert (answer.code, found["driver"]["code"]) == (1, "module_missing")
    assert found["disk"]["state"] == "good"
    assert not program.data.exists()


def test_a_persons_word_about_the_clock_goes_into_the_journal(desk: Desk) -> None:
    clock = Clock()
    clock.time = dt.datetime.now(dt.UTC) + dt.timedelta(days=90)
    with workspace(desk.data, Overrides(), writing=True, now=clock) as space:
        space.store.commit_signed(Letters(space.store, clock).signing("1"), not_secret)

    def clock_code(*words: str) -> str | None:
        checks = desk.call("doctor", *words).json["checks"]
        code: str | None = next(one["code"] for one in checks if one["check"] == "clock")
        return code

    assert clock_code() == "clock_before_last_signature"
    assert clock_code("--confirm-clock") is None
    assert clock_code() is None
    with desk.store() as store, store.view() as view:
        actions = [entry.use.action for entry in view.journal.entries()]
    assert actions.count(JournalAction.CLOCK) == 1


def test_tokens_tell_use_key_and_days_left_of_each_certificate(desk: Desk) -> None:
    answer = desk.call("tokens")
    found = {c["sha256"]: c for token in answer.json for c in token["certificates"]}
    body = found[desk.agency]
    assert {"signing", "non_repudiation"} <= set(body["usage"])
    assert body["life"] == "valid"
    assert body["days_left"] > 60
    assert body["key_present"] in (True, None)
    words = desk.call("tokens", text=True)
    assert "ký số" in words.out
