"""What is told of modules that are tried: one that loads, and each way of not doing so."""

import sys
from pathlib import Path

import pytest

from signer_token import probes
from signer_token.probes import Outcome, probe, probe_all
from tests.support.pkcs11_shim import CountingModule, build_counting_module
from tests.support.softhsm import TOKEN_HOST_COMMAND, SoftTokens, softhsm_module

PATIENT_S = 60.0


def test_a_module_that_loads_says_what_it_is(soft_tokens: SoftTokens, counting: CountingModule) -> None:
    done = probe(TOKEN_HOST_COMMAND, counting.path, soft_tokens.env, PATIENT_S)
    assert (done.outcome, done.error) == (Outcome.LOADED, None)
    assert done.facts
    assert done.facts.manufacturer == "SoftHSM"
    assert done.facts.library_version.startswith("2.")
    assert done.facts.cryptoki_version.startswith("2.")
    calls = counting.calls()
    assert calls.count("C_Initialize") == calls.count("C_Finalize") == 1
    assert not [call for call in calls if call.startswith(("C_GetSlotList", "C_OpenSession", "C_Login"))]


@pytest.mark.parametrize(
    ("action", "deadline_s", "outcome", "code"),
    [
        ("crash", PATIENT_S, Outcome.CRASHED, "driver_load_crashed"),
        ("hang", 0.2, Outcome.SILENT, "driver_load_silent"),
        ("0x30", PATIENT_S, Outcome.REFUSED, "module_load_failed"),
    ],
)
def test_a_module_that_misbehaves_is_told_by_its_name(
    counting: CountingModule, action: str, deadline_s: float, outcome: Outcome, code: str
) -> None:
    counting.misbehave(C_Initialize=action)
    done = probe(TOKEN_HOST_COMMAND, counting.path, {}, deadline_s)
    assert done.outcome is outcome
    assert done.error
    assert done.error.code == code
    assert str(counting.path) in str(done.error.explain("vi"))


def test_a_module_that_hangs_at_its_end_has_loaded_all_the_same(
    counting: CountingModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "_END_S", 0.1)
    counting.misbehave(C_Finalize="hang")
    assert probe(TOKEN_HOST_COMMAND, counting.path, {}, PATIENT_S).outcome is Outcome.LOADED


def test_a_host_that_can_not_be_started_says_nothing_of_the_module(tmp_path: Path) -> None:
    done = probe([str(tmp_path / "no program")], softhsm_module(), {})
    assert done.outcome is Outcome.NOT_TRIED


def test_what_is_no_library_is_refused_with_the_systems_words(tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("no library")
    done = probe(TOKEN_HOST_COMMAND, tmp_path / "text.so", {}, PATIENT_S)
    assert done.outcome is Outcome.REFUSED
    assert "ELF" in done.reason or "file too short" in done.reason


def test_a_host_that_does_not_start_says_nothing_of_the_module(counting: CountingModule) -> None:
    done = probe(["false"], counting.path, {}, PATIENT_S)
    assert done.error
    assert (done.outcome, done.error.code) == (Outcome.NOT_TRIED, "driver_not_tried")
    assert counting.calls() == []


def test_an_answer_that_says_nothing_of_the_module_is_no_success(counting: CountingModule) -> None:
    imports = "from signer_token import wire; from signer_token.channel import serve"
    mute = [sys.executable, "-c", f"{imports}; serve(lambda _request: wire.Done(), wire.REQUESTS)"]
    assert probe(mute, counting.path, {}, PATIENT_S).outcome is Outcome.CRASHED


def test_one_that_crashes_takes_no_other_along_and_the_order_stays(tmp_path: Path, soft_tokens: SoftTokens) -> None:
    made = []
    for number in range(5):
        folder = tmp_path / str(number)
        folder.mkdir()
        made.append(build_counting_module(folder, softhsm_module()))
    made[1].misbehave(C_Initialize="crash")
    made[3].misbehave(C_Initialize="0x5")
    tried = probe_all(TOKEN_HOST_COMMAND, [module.path for module in made], soft_tokens.env, PATIENT_S)
    assert [done.module for done in tried] == [module.path for module in made]
    good, crashed, refused = Outcome.LOADED, Outcome.CRASHED, Outcome.REFUSED
    assert [done.outcome for done in tried] == [good, crashed, good, refused, good]
