"""Whatever a driver does and whenever: this process lives, the right error comes, no PIN is spent by itself, and the
next signature works when the fault is gone.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from signer_token import wire
from signer_token.channel import Child, ChildCrashed, ChildFailed
from signer_token.client import Deadlines, TokenError, TokenHost, TokenSession
from signer_token.model import Pin, PinState, Token
from tests.support.pkcs11_shim import CountingModule, build_counting_module
from tests.support.softhsm import PIN, TOKEN_HOST_COMMAND, SoftTokens, softhsm_module, write_configuration

ATTRIBUTES = b"\x31\x0bsigned attr"
SIGNATURE_PIN, WRONG, NEW = "246802", "999999", "531642"
PATIENT = Deadlines(load_s=60, list_s=60, open_s=60, pin_pad_s=60, sign_s=60, close_s=10)


@dataclass(frozen=True)
class Bench:
    """Two tokens behind the module that fails, and one host for all tests of this file, as in a window of a day."""

    host: TokenHost
    counting: CountingModule
    made: SoftTokens

    @property
    def agency(self) -> Token:
        return next(token for token in self.host.tokens() if token.label == "UBND xã Hòa Sơn")

    @property
    def leader(self) -> Token:
        return next(token for token in self.host.tokens() if token.label == "Lãnh đạo")

    def open(self, pin: str | None = PIN, *, final_try: bool = False) -> TokenSession:
        """The agency's token, logged in."""
        typed = None if pin is None else Pin(pin)
        return self.host.open(self.agency.serial, self.made.agency_sha256, typed, final_try=final_try)

    def change_pin(self, old: str, new: str, *, final_try: bool = False) -> None:
        """Another PIN for the agency's token."""
        serial, sha256 = self.agency.serial, self.made.agency_sha256
        self.host.change_pin(serial, sha256, Pin(old), Pin(new), final_try=final_try)

    def refused(self, pin: str | None = PIN, *, final_try: bool = False) -> TokenError:
        """What a login comes to that must fail."""
        with pytest.raises(TokenError) as refusal:
            self.open(pin, final_try=final_try)
        return refusal.value

    def works(self) -> None:
        """The fault is gone: one PIN, one signature."""
        self.counting.misbehave()
        before = self.counting.user_logins()
        with self.open() as session:
            session.sign(ATTRIBUTES)
        assert self.counting.user_logins() == before + 1
        assert self.counting.open_sessions() == 0

    @contextmanager
    def short_of_time(self, **seconds: float) -> Iterator[None]:
        """Deadlines for a call that will hang; what is to work gets as much time as a busy machine may want."""
        self.host._deadlines = replace(PATIENT, **seconds)
        yield
        self.host._deadlines = PATIENT


@pytest.fixture(scope="module")
def bench_of_this_file(made_tokens: SoftTokens, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("faults")
    shutil.copytree(made_tokens.folder, folder / "softhsm")
    write_configuration(folder / "softhsm")
    tokens = replace(made_tokens, folder=folder / "softhsm")
    counting = build_counting_module(folder, softhsm_module())
    with TokenHost(TOKEN_HOST_COMMAND, counting.path, env=tokens.env, deadlines=PATIENT) as host:
        yield Bench(host, counting, tokens)


@pytest.fixture
def bench(bench_of_this_file: Bench) -> Iterator[Bench]:
    bench_of_this_file.counting.begin_anew()
    yield bench_of_this_file
    bench_of_this_file.counting.begin_anew()


def fails(session: TokenSession) -> TokenError:
    """What a signature comes to that must fail."""
    with pytest.raises(TokenError) as refusal:
        session.sign(ATTRIBUTES)
    return refusal.value


# ---- signing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("crash", "driver_crashed"),
        pytest.param("abort", "driver_crashed", marks=pytest.mark.long),
        ("0x6", "driver_error"),
        ("0x80000042", "driver_error"),
        ("0x32", "token_removed"),
        ("unplug", "token_removed"),
        ("0xa4", "pin_locked"),
        ("0x101", "session_lost"),
        ("garbage", "signature_wrong"),
        ("short", "signature_wrong"),
    ],
)
def test_a_fault_in_the_second_signature_ends_the_session_and_spends_no_pin(
    bench: Bench, fault: str, code: str
) -> None:
    bench.counting.misbehave(C_Sign=f"{fault}@2")
    session = bench.open()
    session.sign(ATTRIBUTES)
    failed = fails(session)
    assert failed.code == code
    assert all(str(failed.explain(lang)) for lang in ("vi", "en"))
    assert fails(session).code == "session_lost"
    assert bench.counting.user_logins() == 1
    bench.works()


@pytest.mark.parametrize("call", [pytest.param("C_SignInit", marks=pytest.mark.long), "C_Sign"])
def test_a_driver_that_hangs_while_signing_is_killed_at_the_deadline(bench: Bench, call: str) -> None:
    bench.counting.misbehave(**{call: "hang@2"})
    session = bench.open()
    session.sign(ATTRIBUTES)
    with bench.short_of_time(sign_s=0.2):
        assert fails(session).code == "driver_timeout"
    assert bench.counting.user_logins() == 1
    bench.works()


def test_a_driver_that_is_slow_within_its_deadline_does_no_harm(bench: Bench) -> None:
    bench.counting.misbehave(C_Login="20ms", C_Sign="20ms", C_GetSlotList="20ms")
    with bench.open() as session:
        session.sign(ATTRIBUTES)
    assert bench.counting.user_logins() == 1


def test_a_call_that_is_given_its_time_takes_all_of_it(bench: Bench) -> None:
    """The module in front of the token, by what it writes down itself."""
    bench.counting.misbehave(C_Sign="=60ms", times="on")
    with bench.open() as session:
        for _signature in range(2):
            session.sign(ATTRIBUTES)
    first, second = bench.counting.signing_times()
    assert first[1] - first[0] >= 60_000_000 <= second[1] - second[0]
    assert first[1] <= second[0]
    assert bench.counting.calls().count("C_Sign") == 2


def test_when_signatures_were_made_is_written_down_only_where_that_is_wanted(bench: Bench) -> None:
    with bench.open() as session:
        session.sign(ATTRIBUTES)
    assert bench.counting.signing_times() == []
    bench.counting.misbehave(times="on", C_Sign="0x6@2")
    with bench.open() as session:
        session.sign(ATTRIBUTES)
        ((begun, ended),) = bench.counting.signing_times()
        assert 0 < begun < ended
        assert fails(session).code == "driver_error"
    # A call that was answered without the real module is none of the token's.
    assert bench.counting.signing_times() == [(begun, ended)]
    bench.counting.begin_anew()
    assert bench.counting.signing_times() == []


# ---- logging in and listing ----------------------------------------------------------------------------------------


@pytest.mark.long
def test_a_driver_that_hangs_at_the_login_is_killed_and_the_pin_was_tried_once(bench: Bench) -> None:
    bench.agency  # noqa: B018  the host is up, so that the short time is the login's own
    bench.counting.misbehave(C_Login="hang")
    with bench.short_of_time(open_s=1.0):
        refusal = bench.refused()
    assert refusal.code == "driver_timeout"
    assert str(bench.counting.path) in refusal.explain("vi").why
    assert bench.counting.user_logins() == 1
    bench.works()


@pytest.mark.long
def test_a_driver_that_crashes_at_the_login_is_told_and_the_pin_was_tried_once(bench: Bench) -> None:
    bench.counting.misbehave(C_Login="crash")
    assert bench.refused().code == "driver_crashed"
    assert bench.counting.user_logins() == 1
    bench.works()


def test_a_driver_that_hangs_before_the_login_costs_no_try(bench: Bench) -> None:
    serial = bench.agency.serial
    bench.counting.misbehave(C_GetSlotList="hang")
    with bench.short_of_time(open_s=0.2), pytest.raises(TokenError) as late:
        bench.host.open(serial, bench.made.agency_sha256, Pin(PIN))
    assert late.value.code == "driver_timeout"
    with bench.short_of_time(list_s=0.2), pytest.raises(TokenError) as listing:
        bench.host.tokens()
    assert listing.value.code == "driver_timeout"
    assert bench.counting.user_logins() == 0
    bench.works()


@pytest.mark.parametrize(
    ("call", "fault", "code"),
    [
        ("load", "crash", "driver_crashed"),
        ("load", "hang", "driver_timeout"),
        pytest.param("C_Initialize", "crash", "driver_crashed", marks=pytest.mark.long),
        pytest.param("C_Initialize", "hang", "driver_timeout", marks=pytest.mark.long),
        pytest.param("C_Initialize", "0x30", "module_load_failed", marks=pytest.mark.long),
    ],
)
def test_a_driver_that_does_not_load_is_named_and_gets_no_pin(bench: Bench, call: str, fault: str, code: str) -> None:
    serial = bench.agency.serial
    bench.host.close()
    bench.counting.misbehave(**{call: fault})
    # No more than a hang needs, where one is meant: everything else fails at once.
    with bench.short_of_time(load_s=0.3 if fault == "hang" else 60.0), pytest.raises(TokenError) as failed:
        bench.host.open(serial, bench.made.agency_sha256, Pin(PIN))
    assert failed.value.code == code
    assert str(bench.counting.path) in failed.value.explain("vi").why
    assert bench.counting.user_logins() == 0
    bench.works()


# ---- two tokens, in and out ----------------------------------------------------------------------------------------


def test_a_token_pulled_out_between_two_signatures_hides_the_other_as_little_as_it_comes_back_logged_in(
    bench: Bench,
) -> None:
    agency, session = bench.agency, bench.open()
    session.sign(ATTRIBUTES)
    bench.counting.misbehave(gone=agency.serial)
    assert fails(session).code == "token_removed"
    assert [token.label for token in bench.host.tokens()] == ["Lãnh đạo"]
    assert bench.counting.user_logins() == 1
    with pytest.raises(TokenError) as gone:
        bench.host.open(agency.serial, bench.made.agency_sha256, Pin(PIN))
    assert gone.value.code == "token_removed"
    bench.counting.misbehave()
    assert {token.label for token in bench.host.tokens()} == {"UBND xã Hòa Sơn", "Lãnh đạo"}
    assert fails(session).code == "session_lost"
    assert bench.counting.user_logins() == 1
    bench.works()


def test_a_token_that_is_pulled_out_beside_the_one_that_signs_disturbs_nothing(bench: Bench) -> None:
    leader = bench.leader
    with bench.open() as session:
        bench.counting.misbehave(gone=leader.serial)
        assert [token.label for token in bench.host.tokens()] == ["UBND xã Hòa Sơn"]
        session.sign(ATTRIBUTES)
        bench.counting.misbehave()
        assert len(bench.host.tokens()) == 2
        session.sign(ATTRIBUTES)
    assert bench.counting.user_logins() == 1


def test_a_token_exchanged_unseen_between_two_signatures_is_not_signed_with(bench: Bench) -> None:
    session = bench.open()
    session.sign(ATTRIBUTES)
    bench.counting.misbehave(C_SignInit="0xb3")  # back already, and its sessions are gone
    assert fails(session).code == "session_lost"
    bench.works()


def test_a_token_pulled_out_in_the_middle_of_a_listing_hides_no_other(bench: Bench) -> None:
    assert len(bench.host.tokens()) == 2
    bench.counting.misbehave(C_GetTokenInfo="unplug@1")
    assert len(bench.host.tokens()) == 1
    bench.works()


def test_slots_without_a_token_and_tokens_that_were_never_set_up_are_not_listed(bench: Bench) -> None:
    listed = []
    for lines in ({"gone": "#0"}, {"gone": "#0,#1"}, {"clear_flags": "0x400"}, {}):  # CKF_TOKEN_INITIALIZED
        bench.counting.misbehave(**lines)
        listed.append(len(bench.host.tokens()))
    assert listed == [1, 0, 0, 2]


@pytest.mark.parametrize("call", ["C_GetSlotList", "C_GetSlotInfo"])
def test_a_listing_that_fails_once_after_a_removal_is_repeated_by_itself(bench: Bench, call: str) -> None:
    bench.counting.misbehave(**{call: "0xe0@1"})
    assert len(bench.host.tokens()) == 2
    assert bench.counting.user_logins() == 0


# ---- wrong PINs ----------------------------------------------------------------------------------------------------


def test_three_wrong_pins_lock_the_token_and_the_last_is_tried_only_when_confirmed(bench: Bench) -> None:
    bench.counting.misbehave(locks="3")
    first = bench.refused(WRONG)
    assert (first.code, first.pin_state, bench.agency.pin_state) == ("pin_incorrect", PinState.LOW, PinState.LOW)
    second = bench.refused(WRONG)
    assert (second.code, second.pin_state) == ("pin_incorrect", PinState.FINAL)
    assert (bench.refused().code, bench.counting.user_logins()) == ("pin_final", 2)
    third = bench.refused(WRONG, final_try=True)
    assert (third.code, third.pin_state, bench.counting.user_logins()) == ("pin_locked", PinState.LOCKED, 3)

    bench.host.close()  # what the token knows outlives the process
    assert (bench.agency.pin_state, bench.leader.pin_state) == (PinState.LOCKED, PinState.OK)
    assert (bench.refused(final_try=True).code, bench.counting.user_logins()) == ("pin_locked", 3)


def test_the_right_pin_at_the_last_try_gives_all_tries_back(bench: Bench) -> None:
    bench.counting.misbehave(locks="3")
    for _ in range(2):
        bench.refused(WRONG)
    with bench.open(final_try=True) as session:
        session.sign(ATTRIBUTES)
    assert (bench.agency.pin_state, bench.counting.user_logins()) == (PinState.OK, 3)


# ---- keys that ask again -------------------------------------------------------------------------------------------


def test_a_key_that_asks_again_gets_its_pin_for_each_signature_and_the_user_is_logged_in_once(bench: Bench) -> None:
    bench.counting.misbehave(always_auth="all")
    with bench.open() as session:
        assert session.asks_again
        assert fails(session).code == "signature_pin_needed"
        session.authorise(Pin(PIN))
        assert bench.counting.context_logins() == 0, "first used at the next signature"
        for _ in range(3):
            session.sign(ATTRIBUTES)
    assert (bench.counting.user_logins(), bench.counting.context_logins()) == (1, 3)
    calls = bench.counting.calls()
    assert all(calls[at - 1 : at + 2] == ["C_SignInit", "C_Login 2", "C_Sign"] for at in places(calls, "C_Login 2"))


def places(calls: list[str], name: str) -> list[int]:
    return [at for at, call in enumerate(calls) if call == name]


def test_only_the_token_whose_key_asks_again_is_asked(bench: Bench) -> None:
    bench.counting.misbehave(always_auth=bench.leader.serial)
    with bench.open() as session:
        assert not session.asks_again
        session.sign(ATTRIBUTES)
    assert bench.counting.context_logins() == 0


def test_a_signature_pin_of_its_own_is_used_as_it_was_typed(bench: Bench) -> None:
    bench.counting.misbehave(always_auth="all", signature_pin=SIGNATURE_PIN)
    with bench.open() as session:
        session.authorise(Pin(SIGNATURE_PIN))
        session.sign(ATTRIBUTES)
        session.sign(ATTRIBUTES)
    assert (bench.counting.user_logins(), bench.counting.context_logins()) == (1, 2)


def test_a_wrong_signature_pin_is_tried_once_and_its_tries_are_counted_apart(bench: Bench) -> None:
    bench.counting.misbehave(always_auth="all", signature_pin=SIGNATURE_PIN, locks="3")
    for typed, code in enumerate(("signature_pin_incorrect", "signature_pin_incorrect", "signature_pin_locked"), 1):
        session = bench.open()
        session.authorise(Pin(WRONG))
        assert fails(session).code == code
        assert fails(session).code == "session_lost"
        assert (bench.counting.user_logins(), bench.counting.context_logins()) == (typed, typed)
        assert bench.agency.pin_state is PinState.OK
    session = bench.open()
    session.authorise(Pin(SIGNATURE_PIN))
    assert fails(session).code == "signature_pin_locked", "the right one comes too late"
    bench.works()


def test_a_signature_pin_that_is_refused_when_it_is_repeated_is_not_tried_again(bench: Bench) -> None:
    bench.counting.misbehave(always_auth="all", C_Login_context="0xa0@2")
    session = bench.open()
    session.authorise(Pin(PIN))
    session.sign(ATTRIBUTES)
    assert fails(session).code == "signature_pin_incorrect"
    assert fails(session).code == "session_lost"
    assert (bench.counting.user_logins(), bench.counting.context_logins()) == (1, 2)
    bench.works()


@pytest.mark.parametrize(
    ("fault", "code"), [("crash@2", "driver_crashed"), ("0x6@2", "driver_error"), ("0x32@2", "token_removed")]
)
def test_a_fault_in_the_login_of_a_signature_is_not_taken_for_a_wrong_pin(bench: Bench, fault: str, code: str) -> None:
    bench.counting.misbehave(always_auth="all", C_Login_context=fault)
    session = bench.open()
    session.authorise(Pin(PIN))
    session.sign(ATTRIBUTES)
    assert fails(session).code == code
    assert (bench.counting.user_logins(), bench.counting.context_logins()) == (1, 2)
    bench.works()


@pytest.mark.parametrize(("text", "code"), [("", "pin_empty"), ("mật", "pin_not_ascii")])
def test_what_can_be_no_signature_pin_is_not_tried_and_the_session_stands(bench: Bench, text: str, code: str) -> None:
    bench.counting.misbehave(always_auth="all")
    with bench.open() as session:
        with pytest.raises(TokenError) as refusal:
            session.authorise(Pin(text))
        assert refusal.value.code == code
        session.authorise(Pin(PIN))
        session.sign(ATTRIBUTES)
    assert bench.counting.context_logins() == 1


# ---- PIN pads and new PINs -----------------------------------------------------------------------------------------


def test_a_pin_typed_on_the_reader_is_never_asked_for_here(bench: Bench) -> None:
    assert not bench.agency.pin_pad
    assert (bench.refused(None).code, bench.counting.user_logins()) == ("pin_empty", 0)
    bench.counting.misbehave(pin_pad=PIN)
    assert bench.agency.pin_pad
    with bench.open(None) as session:
        session.sign(ATTRIBUTES)
    assert bench.counting.user_logins() == 1


@pytest.mark.parametrize(("typed", "code"), [("cancel", "pin_pad_cancelled"), (WRONG, "pin_incorrect")])
def test_a_reader_at_which_no_right_pin_is_typed_has_its_own_words(bench: Bench, typed: str, code: str) -> None:
    bench.counting.misbehave(pin_pad=typed)
    assert (bench.refused(None).code, bench.counting.user_logins()) == (code, 1)
    bench.works()


def test_a_new_pin_takes_the_place_of_the_old_without_a_login(bench: Bench) -> None:
    bench.change_pin(PIN, NEW)
    try:
        assert (bench.counting.calls().count("C_SetPIN"), bench.counting.user_logins()) == (1, 0)
        assert bench.refused().code == "pin_incorrect"
        with bench.open(NEW) as session:
            session.sign(ATTRIBUTES)
    finally:
        bench.change_pin(NEW, PIN)
    bench.works()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("0xa1", "pin_rejected"),
        ("0xa2", "pin_rejected"),
        ("0xa0", "pin_incorrect"),
        ("0xa4", "pin_locked"),
        ("0x6", "driver_error"),
        ("0xe0", "token_removed"),
        pytest.param("crash", "pin_change_unknown", marks=pytest.mark.long),
    ],
)
def test_a_change_of_pin_that_is_refused_is_tried_once_and_told(bench: Bench, fault: str, code: str) -> None:
    bench.counting.misbehave(C_SetPIN=fault)
    with pytest.raises(TokenError) as refusal:
        bench.change_pin(PIN, NEW)
    assert refusal.value.code == code
    assert (bench.counting.calls().count("C_SetPIN"), bench.counting.user_logins()) == (1, 0)
    bench.works()


def test_a_wrong_old_pin_costs_a_try_and_the_last_one_is_confirmed_first(bench: Bench) -> None:
    bench.counting.misbehave(locks="3")
    codes = []
    for final_try in (False, False, False, True, True):
        with pytest.raises(TokenError) as refusal:
            bench.change_pin(WRONG, NEW, final_try=final_try)
        codes.append((refusal.value.code, refusal.value.pin_state))
    assert codes == [
        ("pin_incorrect", PinState.LOW),
        ("pin_incorrect", PinState.FINAL),
        ("pin_final", PinState.FINAL),
        ("pin_locked", PinState.LOCKED),
        ("pin_locked", PinState.LOCKED),
    ]
    assert bench.counting.calls().count("C_SetPIN") == 3


@pytest.mark.parametrize("fault", ["C_Finalize", "C_Initialize"])
def test_a_driver_that_dies_after_a_refused_pin_does_not_hide_that_it_was_refused(bench: Bench, fault: str) -> None:
    bench.agency  # noqa: B018  loaded, so that what is to fail is the restart
    bench.counting.misbehave(locks="3", **{fault: "crash"})
    first = bench.refused(WRONG)
    assert (first.code, first.pin_state) == ("pin_incorrect", PinState.LOW)
    bench.counting.misbehave(locks="3")
    bench.agency  # noqa: B018
    bench.counting.misbehave(locks="3", **{fault: "crash"})
    with pytest.raises(TokenError) as refused:
        bench.change_pin(WRONG, NEW)
    assert (refused.value.code, refused.value.pin_state) == ("pin_incorrect", PinState.FINAL)
    bench.counting.misbehave(locks="3")
    assert (bench.agency.pin_state, bench.counting.user_logins()) == (PinState.FINAL, 1)
    with bench.open(final_try=True) as session:
        session.sign(ATTRIBUTES)


def test_a_driver_that_dies_after_the_pin_was_changed_does_not_hide_that_it_was(bench: Bench) -> None:
    bench.agency  # noqa: B018  listed already: sessions are opened to find the certificate, then to change the PIN
    bench.counting.misbehave(C_CloseSession="crash@2")
    starts = bench.counting.calls().count("C_Initialize")
    bench.change_pin(PIN, NEW)
    assert len(bench.host.tokens()) == 2
    assert bench.counting.calls().count("C_Initialize") == starts + 1, "in a new host: the driver did die"
    bench.counting.misbehave()
    bench.change_pin(NEW, PIN)
    bench.works()


# ---- two tokens that look alike, and one that is sick --------------------------------------------------------------


def test_of_two_tokens_with_one_serial_number_the_one_with_the_certificate_gets_the_new_pin(bench: Bench) -> None:
    bench.counting.misbehave(one_serial="0001", locks="3")
    bench.host.change_pin("0001", bench.made.leader_sha256, Pin(PIN), Pin(NEW))
    try:
        bench.host.open("0001", bench.made.leader_sha256, Pin(NEW)).close()
        with pytest.raises(TokenError):
            bench.host.change_pin("0001", bench.made.agency_sha256, Pin(WRONG), Pin(NEW))
        assert (bench.agency.pin_state, bench.leader.pin_state) == (PinState.LOW, PinState.OK)
        bench.host.open("0001", bench.made.agency_sha256, Pin(PIN)).close()
    finally:
        bench.host.change_pin("0001", bench.made.leader_sha256, Pin(NEW), Pin(PIN))


@pytest.mark.parametrize("sick", ["UBND xã Hòa Sơn", "Lãnh đạo"])
def test_a_sick_token_hides_no_other_and_is_told(bench: Bench, sick: str) -> None:
    serials = {token.label: token.serial for token in bench.host.tokens()}
    sha256 = {"UBND xã Hòa Sơn": bench.made.agency_sha256, "Lãnh đạo": bench.made.leader_sha256}
    (healthy,) = set(serials) - {sick}
    bench.counting.misbehave(sick=serials[sick])
    seen = bench.host.look()
    assert [token.label for token in seen.tokens] == [healthy]
    assert [(fault.code, fault.params["ckr"]) for fault in seen.faults] == [
        ("token_unreadable", "0x00000030 CKR_DEVICE_ERROR")
    ]
    with bench.host.open(serials[healthy], sha256[healthy], Pin(PIN)) as session:
        session.sign(ATTRIBUTES)
    bench.host.change_pin(serials[healthy], sha256[healthy], Pin(PIN), Pin(PIN))
    with pytest.raises(TokenError) as refused:
        bench.host.open(serials[sick], sha256[sick], Pin(PIN))
    assert refused.value.code == "driver_error", "it may be there: not told as pulled out"
    assert bench.counting.user_logins() == 1
    bench.counting.misbehave(sick="all")
    with pytest.raises(TokenError) as nothing:
        bench.host.tokens()
    assert nothing.value.code == "driver_error"
    bench.works()


def test_what_could_not_be_read_of_a_token_is_told_and_read_again(bench: Bench) -> None:
    whole = bench.host.tokens(fresh=True)
    bench.counting.misbehave(C_GetAttributeValue="0x6")
    seen = bench.host.look(fresh=True)
    assert [len(token.certificates) for token in seen.tokens] == [0, 0]
    assert [fault.params["ckr"] for fault in seen.faults] == ["0x00000006 CKR_FUNCTION_FAILED"]
    bench.counting.misbehave()
    seen = bench.host.look()
    assert (seen.tokens, seen.faults) == (whole, ())
    sessions = bench.counting.calls().count("C_OpenSession")
    assert bench.host.tokens() == whole
    assert bench.counting.calls().count("C_OpenSession") == sessions, "and then kept"


def test_a_token_that_is_never_read_whole_is_left_alone_for_ever_longer(bench: Bench) -> None:
    bench.host.tokens(fresh=True)
    bench.counting.misbehave(C_GetAttributeValue="0x6")
    read = []
    for _look in range(12):
        before = bench.counting.calls().count("C_OpenSession")
        seen = bench.host.look(fresh=_look == 0)
        read.append(bench.counting.calls().count("C_OpenSession") > before)
        assert seen.faults
    assert "".join("x" if one else "." for one in read) == "xx.x...x...."
    bench.counting.misbehave()


def test_the_lengths_of_a_pin_that_were_not_told_are_asked_again(bench: Bench) -> None:
    bench.host.tokens(fresh=True)
    bench.counting.misbehave(C_GetTokenInfo="0x6@4")  # three slots are asked for their tokens' flags first
    assert {token.pin_most for token in bench.host.tokens(fresh=True)} == {0, 255}
    assert {token.pin_most for token in bench.host.tokens()} == {255}


# ---- hosts without a parent ----------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="builds the module with gcc")
@pytest.mark.parametrize(
    ("call", "seconds"),
    [
        ("load", {"stuck_s": 0.2}),
        pytest.param("C_GetFunctionList", {"stuck_s": 0.2}, marks=pytest.mark.long),
        ("C_Finalize", {"end_s": 0.2}),
    ],
)
def test_a_host_whose_driver_hangs_for_good_ends_without_its_parent(
    bench: Bench, call: str, seconds: dict[str, float]
) -> None:
    bench.counting.misbehave(**{call: "hang"})
    given = ", ".join(f"{name}={value}" for name, value in seconds.items())
    command = [sys.executable, "-c", f"from signer_token.host import main; main({given})"]
    with Child[wire.Request, wire.Reply](command, wire.REPLIES, env={**os.environ, **bench.made.env}) as child:
        if "stuck_s" in seconds:
            with pytest.raises(ChildCrashed):
                child.call(wire.Load(str(bench.counting.path)), 60)
        else:
            child.call(wire.Load(str(bench.counting.path)), 60)
            child._requests.put(None)  # the pipes are closed, as by the parent's death
        assert child._process.wait(60) == 1
    assert call in bench.counting.calls()


@pytest.mark.long
def test_a_host_whose_driver_hangs_over_its_restart_ends_without_its_parent(bench: Bench) -> None:
    serial = bench.agency.serial
    command = [sys.executable, "-c", "from signer_token.host import main; main(stuck_s=3)"]
    with Child[wire.Request, wire.Reply](command, wire.REPLIES, env={**os.environ, **bench.made.env}) as child:
        child.call(wire.Load(str(bench.counting.path)), 60)
        bench.counting.misbehave(C_Finalize="hang")
        with pytest.raises(ChildFailed) as refused:
            child.call(wire.Open(serial, bench.made.agency_sha256, WRONG, final_try=False), 60)
        assert refused.value.code == "pin_incorrect"
        assert child._process.wait(60) == 1


def test_no_pin_stands_in_what_the_module_wrote(bench: Bench) -> None:
    bench.counting.misbehave(locks="3", always_auth="all", C_Sign="10ms@1")
    bench.refused(WRONG)
    session = bench.open()
    session.authorise(Pin(PIN))
    session.sign(ATTRIBUTES)
    session.close()
    for file in bench.counting.path.parent.glob("counting.*"):
        assert not any(pin.encode() in file.read_bytes() for pin in (PIN, WRONG))
