import sys
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from signer_token import client
from signer_token.client import TokenError, TokenHost, TokenHosts
from signer_token.model import Pin, PinState, Token
from tests.support.pkcs11_shim import CountingModule
from tests.support.softhsm import (
    AGENCY_NAME,
    LEADER_NAME,
    PIN,
    TOKEN_HOST_COMMAND,
    SoftTokens,
    softhsm_module,
)

ATTRIBUTES = b"\x31\x0bsigned attr"
LOCKED, FINAL = "0x40000", "0x20000"


def agency_token(host: TokenHost) -> Token:
    return next(token for token in host.tokens() if token.label == "UBND xã Hòa Sơn")


def check(signature: bytes, der: bytes) -> None:
    key = x509.load_der_x509_certificate(der).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(signature, ATTRIBUTES, padding.PKCS1v15(), hashes.SHA256())


def test_tokens_are_listed_with_their_certificates_and_without_login(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    tokens = {token.label: token for token in host.tokens()}
    assert set(tokens) == {"UBND xã Hòa Sơn", "Lãnh đạo"}
    agency, leader = tokens["UBND xã Hòa Sơn"], tokens["Lãnh đạo"]
    # The authority's and the unreadable certificate are left out.
    assert {c.der for c in agency.certificates} == {soft_tokens.agency, soft_tokens.keyless}
    assert {c.der for c in leader.certificates} == {
        soft_tokens.leader,
        soft_tokens.encipherment,
        soft_tokens.asking,
        soft_tokens.elliptic,
    }
    body = next(c for c in agency.certificates if c.der == soft_tokens.agency)
    assert (body.common_name, body.key, body.sha256) == (AGENCY_NAME, "RSA-2048", soft_tokens.agency_sha256)
    of_leader = [c for c in leader.certificates if c.common_name == LEADER_NAME]
    assert [c.key for c in of_leader] == ["RSA-3072", "RSA-3072"]
    assert {c.der for c in of_leader if c.usable_for_signing} == {soft_tokens.leader}
    assert agency.serial != leader.serial
    assert (agency.pin_state, agency.module, agency.manufacturer) == (
        PinState.OK,
        counting.path,
        "SoftHSM project",
    )
    assert counting.user_logins() == 0


def test_each_token_signs_with_the_key_of_the_chosen_certificate(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    wanted = {soft_tokens.agency_sha256: soft_tokens.agency, soft_tokens.leader_sha256: soft_tokens.leader}
    for token in host.tokens():
        chosen = next(c for c in token.certificates if c.sha256 in wanted)
        with host.open(token.serial, chosen.sha256, Pin(PIN)) as session:
            assert session.certificate == chosen
            for _ in range(3):
                check(session.sign(ATTRIBUTES), wanted[chosen.sha256])
    assert counting.user_logins() == 2
    assert counting.calls().count("C_Logout") == 2


def test_a_token_that_lists_no_hashing_mechanism_signs_a_digest_info(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    counting.misbehave(C_GetMechanismList="nohash")
    with host.open(agency_token(host).serial, soft_tokens.agency_sha256, Pin(PIN)) as session:
        check(session.sign(ATTRIBUTES), soft_tokens.agency)


def test_a_wrong_pin_is_one_login_and_ends_there(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    serial = agency_token(host).serial
    with pytest.raises(TokenError) as refused:
        host.open(serial, soft_tokens.agency_sha256, Pin("999999"))
    assert (refused.value.code, refused.value.exit) == ("pin_incorrect", 3)
    assert refused.value.pin_state is PinState.LOW
    assert "999999" not in f"{refused.value!r} {refused.value} {refused.value.params}"
    assert counting.user_logins() == 1
    assert agency_token(host).pin_state is PinState.LOW

    with host.open(serial, soft_tokens.agency_sha256, Pin(PIN)) as session:
        check(session.sign(ATTRIBUTES), soft_tokens.agency)
    assert counting.user_logins() == 2
    assert agency_token(host).pin_state is PinState.OK


@pytest.mark.parametrize(("text", "code"), [("", "pin_empty"), ("mâtkhẩu", "pin_not_ascii")])
def test_what_can_be_no_pin_is_never_tried(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens, text: str, code: str
) -> None:
    with pytest.raises(TokenError) as refused:
        host.open("any", soft_tokens.agency_sha256, Pin(text))
    assert (refused.value.code, refused.value.exit) == (code, 3)
    assert counting.calls() == []


def test_a_locked_token_is_not_tried(host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens) -> None:
    serial = agency_token(host).serial
    counting.misbehave(flags=LOCKED)
    assert agency_token(host).pin_state is PinState.LOCKED
    with pytest.raises(TokenError) as refused:
        host.open(serial, soft_tokens.agency_sha256, Pin(PIN), final_try=True)
    assert (refused.value.code, refused.value.pin_state) == ("pin_locked", PinState.LOCKED)
    assert counting.user_logins() == 0


def test_the_final_try_is_taken_only_when_confirmed(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    serial = agency_token(host).serial
    counting.misbehave(flags=FINAL)  # after the listing: what counts is the state at the login
    with pytest.raises(TokenError) as refused:
        host.open(serial, soft_tokens.agency_sha256, Pin(PIN))
    assert (refused.value.code, refused.value.pin_state) == ("pin_final", PinState.FINAL)
    assert counting.user_logins() == 0
    with host.open(serial, soft_tokens.agency_sha256, Pin(PIN), final_try=True) as session:
        check(session.sign(ATTRIBUTES), soft_tokens.agency)
    assert counting.user_logins() == 1


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("0xa0", "pin_incorrect"),
        ("0xa2", "pin_length"),
        ("0xa3", "pin_expired"),
        ("0xa4", "pin_locked"),
        ("0x102", "pin_not_set"),
        ("0x6", "driver_error"),
        ("0x30", "driver_error"),
        ("0xa1", "driver_error"),
        ("0x80000042", "driver_error"),
        ("0x32", "token_removed"),
    ],
)
def test_each_answer_to_a_login_has_its_own_words_and_costs_one_try(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens, value: str, code: str
) -> None:
    serial = agency_token(host).serial
    counting.misbehave(C_Login=value)
    with pytest.raises(TokenError) as refused:
        host.open(serial, soft_tokens.agency_sha256, Pin(PIN))
    assert refused.value.code == code
    assert counting.user_logins() == 1
    for lang in ("vi", "en"):
        assert str(refused.value.explain(lang))
    if code == "driver_error":
        assert f"{int(value, 16):08x}" in refused.value.explain("vi").why


def test_a_wrong_pin_that_locks_the_token_is_told_as_locked(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    serial = agency_token(host).serial
    counting.misbehave(C_Login="0xa0", flags_after_login=LOCKED)
    with pytest.raises(TokenError) as refused:
        host.open(serial, soft_tokens.agency_sha256, Pin(PIN))
    assert (refused.value.code, refused.value.pin_state) == ("pin_locked", PinState.LOCKED)
    assert counting.user_logins() == 1


def test_a_certificate_of_the_other_token_is_not_tried(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    with pytest.raises(TokenError) as refused:
        host.open(agency_token(host).serial, soft_tokens.leader_sha256, Pin(PIN))
    assert refused.value.code == "certificate_not_found"
    assert counting.user_logins() == 0


def test_a_token_that_is_no_longer_there_is_not_tried(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    serial = agency_token(host).serial
    counting.misbehave(C_GetSlotList="empty")
    with pytest.raises(TokenError) as refused:
        host.open(serial, soft_tokens.agency_sha256, Pin(PIN))
    assert refused.value.code == "token_removed"
    assert counting.user_logins() == 0


def test_a_key_with_the_right_id_and_label_but_another_modulus_is_not_taken(
    host: TokenHost, counting: CountingModule
) -> None:
    token = agency_token(host)
    keyless = next(c for c in token.certificates if c.common_name == "Không có khóa")
    with pytest.raises(TokenError) as refused:
        host.open(token.serial, keyless.sha256, Pin(PIN))
    assert refused.value.code == "key_missing"
    assert counting.calls().count("C_Logout") == 1


def test_a_key_that_wants_a_pin_for_each_signature_gets_the_one_that_was_given_for_it(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    token = next(t for t in host.tokens() if t.label == "Lãnh đạo")
    with host.open(token.serial, sha256(soft_tokens.asking).hexdigest(), Pin(PIN)) as session:
        assert session.asks_again
        with pytest.raises(TokenError) as needed:
            session.sign(ATTRIBUTES)
        assert needed.value.code == "signature_pin_needed"
        session.authorise(Pin(PIN))
        for _ in range(3):
            session.sign(ATTRIBUTES)
    assert (counting.user_logins(), counting.calls().count("C_Login 2")) == (1, 3)


def test_the_first_refused_pin_for_a_signature_ends_the_session_and_is_not_repeated(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    token = next(t for t in host.tokens() if t.label == "Lãnh đạo")
    session = host.open(token.serial, sha256(soft_tokens.asking).hexdigest(), Pin(PIN))
    session.authorise(Pin("00000000"))
    told = []
    for _ in range(2):
        with pytest.raises(TokenError) as refused:
            session.sign(ATTRIBUTES)
        told.append(refused.value.code)
    assert told == ["signature_pin_incorrect", "session_lost"]
    assert (counting.user_logins(), counting.calls().count("C_Login 2")) == (1, 1)
    with host.open(token.serial, sha256(soft_tokens.asking).hexdigest(), Pin(PIN)) as again:
        again.authorise(Pin(PIN))
        again.sign(ATTRIBUTES)


def test_a_pin_is_changed_without_a_login_and_only_by_who_knows_the_old_one(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    token = agency_token(host)
    with pytest.raises(TokenError) as wrong:
        host.change_pin(token.serial, soft_tokens.agency_sha256, Pin("00000000"), Pin("moi-2026"))
    assert wrong.value.code == "pin_incorrect"
    with pytest.raises(TokenError) as short:
        host.change_pin(token.serial, soft_tokens.agency_sha256, Pin(PIN), Pin("abc"))
    assert short.value.code == "pin_rejected"
    host.change_pin(token.serial, soft_tokens.agency_sha256, Pin(PIN), Pin("moi-2026"))
    try:
        assert counting.user_logins() == 0
        host.open(token.serial, soft_tokens.agency_sha256, Pin("moi-2026")).close()
    finally:
        host.change_pin(token.serial, soft_tokens.agency_sha256, Pin("moi-2026"), Pin(PIN))


def test_a_token_tells_how_long_its_pin_may_be(host: TokenHost) -> None:
    token = agency_token(host)
    assert (token.pin_least, token.pin_most, token.pin_pad) == (4, 255, False)


def test_a_path_that_the_system_can_not_look_at_hides_no_other_driver(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    bad = TokenHost(TOKEN_HOST_COMMAND, Path("/" + "x" * 5000))
    with TokenHosts([bad, host]) as hosts:
        listing = hosts.tokens()
    assert [fault.error.code for fault in listing.faults] == ["module_load_failed"]
    assert len(listing.tokens) == 2


def test_a_driver_that_anybody_may_have_exchanged_is_not_loaded(host: TokenHost, counting: CountingModule) -> None:
    counting.path.chmod(0o777)
    with pytest.raises(TokenError) as refused:
        host.tokens()
    assert refused.value.code == "driver_exposed"
    assert counting.calls() == []


def test_a_driver_of_another_width_is_told_as_such_and_not_loaded(host: TokenHost, counting: CountingModule) -> None:
    image = bytearray(counting.path.read_bytes())
    image[4] = 1  # EI_CLASS: a 32-bit file
    counting.path.write_bytes(image)
    with pytest.raises(TokenError) as refused:
        host.tokens()
    assert refused.value.code in ("driver_wrong_width", "driver_wrong_machine")
    assert counting.calls() == []


def test_certificates_are_read_once_for_each_insertion(host: TokenHost, counting: CountingModule) -> None:
    first = host.tokens()
    sessions = counting.calls().count("C_OpenSession")
    assert host.tokens() == first
    assert counting.calls().count("C_OpenSession") == sessions
    assert host.tokens(fresh=True) == first
    assert counting.calls().count("C_OpenSession") > sessions


def test_a_key_that_is_not_rsa_is_refused_before_the_login(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    token = next(t for t in host.tokens() if t.label == "Lãnh đạo")
    with pytest.raises(TokenError) as refused:
        host.open(token.serial, sha256(soft_tokens.elliptic).hexdigest(), Pin(PIN))
    assert refused.value.code == "key_unsupported"
    assert counting.user_logins() == 0


@pytest.mark.parametrize(
    ("action", "code"), [("crash", "driver_crashed"), ("0x30", "driver_error"), ("0x101", "session_lost")]
)
def test_a_driver_that_fails_while_signing_ends_the_session_without_a_second_login(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens, action: str, code: str
) -> None:
    serial = agency_token(host).serial
    session = host.open(serial, soft_tokens.agency_sha256, Pin(PIN))
    check(session.sign(ATTRIBUTES), soft_tokens.agency)
    counting.misbehave(C_Sign=action)
    with pytest.raises(TokenError) as failed:
        session.sign(ATTRIBUTES)
    assert failed.value.code == code
    counting.misbehave()
    with pytest.raises(TokenError) as over:
        session.sign(ATTRIBUTES)
    assert over.value.code == "session_lost"
    session.close()
    assert counting.user_logins() == 1

    with host.open(serial, soft_tokens.agency_sha256, Pin(PIN)) as again:
        check(again.sign(ATTRIBUTES), soft_tokens.agency)
    assert counting.user_logins() == 2


def test_a_token_pulled_out_while_signing_is_told_as_that_whatever_the_driver_says(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    session = host.open(agency_token(host).serial, soft_tokens.agency_sha256, Pin(PIN))
    counting.misbehave(C_Sign="0x6", C_GetSlotList="empty")
    with pytest.raises(TokenError) as failed:
        session.sign(ATTRIBUTES)
    assert failed.value.code == "token_removed"
    assert host.tokens() == ()
    counting.misbehave()
    assert len(host.tokens()) == 2, "and is seen again when it is back"


@pytest.mark.parametrize("call", ["C_Login", "C_Sign"])
def test_a_driver_that_hangs_is_killed_and_the_next_signature_works(
    impatient: Callable[..., TokenHost], counting: CountingModule, soft_tokens: SoftTokens, call: str
) -> None:
    # The login's deadline leaves time for what comes before the login in the same request.
    host = impatient(open_s=3.0) if call == "C_Login" else impatient(sign_s=1.0)
    serial = agency_token(host).serial
    if call == "C_Login":
        counting.misbehave(C_Login="hang")
        with pytest.raises(TokenError) as late:
            host.open(serial, soft_tokens.agency_sha256, Pin(PIN))
    else:
        session = host.open(serial, soft_tokens.agency_sha256, Pin(PIN))
        counting.misbehave(C_Sign="hang")
        with pytest.raises(TokenError) as late:
            session.sign(ATTRIBUTES)
    assert late.value.code == "driver_timeout"
    assert str(counting.path) in late.value.explain("vi").why
    assert counting.user_logins() == 1
    counting.misbehave()
    with host.open(serial, soft_tokens.agency_sha256, Pin(PIN)) as again:
        check(again.sign(ATTRIBUTES), soft_tokens.agency)
    assert counting.user_logins() == 2


@pytest.mark.parametrize("call", ["C_Initialize", "C_GetSlotList"])
def test_who_hurries_waits_for_no_driver_that_hangs(host: TokenHost, counting: CountingModule, call: str) -> None:
    failures: list[str] = []

    def look() -> None:
        try:
            host.tokens()
        except TokenError as error:
            failures.append(error.code)

    counting.misbehave(**{call: "hang"})
    looking = threading.Thread(target=look)
    looking.start()
    while call not in counting.calls():
        looking.join(0.01)
    host.hurry()
    looking.join(30)
    assert failures == ["driver_crashed"]
    with pytest.raises(TokenError):
        host.tokens()
    assert counting.calls().count(call) == 1


def test_a_wrong_signature_is_never_handed_out(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    session = host.open(agency_token(host).serial, soft_tokens.agency_sha256, Pin(PIN))
    counting.misbehave(C_Sign="garbage")
    with pytest.raises(TokenError) as wrong:
        session.sign(ATTRIBUTES)
    assert wrong.value.code == "signature_wrong"
    assert counting.calls().count("C_Logout") == 1
    counting.misbehave()
    with pytest.raises(TokenError) as over:
        session.sign(ATTRIBUTES)
    assert over.value.code == "session_lost"


def test_a_crash_in_a_listing_is_told_once_and_the_next_listing_works(
    host: TokenHost, counting: CountingModule
) -> None:
    counting.misbehave(C_GetSlotList="crash")
    with pytest.raises(TokenError) as crashed:
        host.tokens()
    assert crashed.value.code == "driver_crashed"
    counting.misbehave()
    assert len(host.tokens()) == 2


def test_a_host_found_dead_is_started_again_for_a_listing_and_before_a_pin_is_sent(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    serial = agency_token(host).serial
    for listing in (True, False):
        assert host._child is not None
        host._child._process.kill()
        host._child._process.wait()
        if listing:
            assert len(host.tokens()) == 2
        else:
            host.open(serial, soft_tokens.agency_sha256, Pin(PIN)).close()
    assert counting.user_logins() == 1


def test_a_driver_that_prints_does_no_harm(host: TokenHost, counting: CountingModule) -> None:
    counting.misbehave(C_Initialize="print", C_GetSlotList="print")
    assert len(host.tokens()) == 2


def test_a_module_that_cannot_start_is_named(host: TokenHost, counting: CountingModule) -> None:
    counting.misbehave(C_Initialize="0x5")
    with pytest.raises(TokenError) as failed:
        host.tokens()
    assert (failed.value.code, failed.value.params["module"]) == ("module_load_failed", str(counting.path))
    assert "CKR_GENERAL_ERROR" in failed.value.explain("vi").why


def test_a_file_that_is_no_module_and_one_that_is_missing_are_told_apart(tmp_path: Path) -> None:
    no_module = tmp_path / "driver.so"
    no_module.write_bytes(b"not a library")
    for path, code in ((no_module, "module_load_failed"), (tmp_path / "none.so", "module_missing")):
        with TokenHost(TOKEN_HOST_COMMAND, path) as host, pytest.raises(TokenError) as failed:
            host.tokens()
        assert failed.value.code == code
        assert str(path) in failed.value.explain("en").why


def test_a_command_that_is_no_token_host_is_a_crash_and_gets_no_pin(tmp_path: Path) -> None:
    module = tmp_path / "driver.so"
    module.touch()
    with TokenHost([sys.executable, "-c", "print('hello')"], module) as host:
        with pytest.raises(TokenError) as failed:
            host.open("1", "ab", Pin(PIN))
        assert failed.value.code == "driver_crashed"


def test_one_session_of_a_module_at_a_time(host: TokenHost, soft_tokens: SoftTokens) -> None:
    serial = agency_token(host).serial
    with host.open(serial, soft_tokens.agency_sha256, Pin(PIN)) as session:
        with pytest.raises(RuntimeError, match="is open"):
            host.open(serial, soft_tokens.agency_sha256, Pin(PIN))
        assert len(host.tokens()) == 2, "listing goes on beside it"
        check(session.sign(ATTRIBUTES), soft_tokens.agency)
        with pytest.raises(ValueError, match="signed attributes"):
            session.sign(b"x" * 65537)
        check(session.sign(ATTRIBUTES), soft_tokens.agency)


def test_closing_the_host_logs_out_and_leaves_no_thread(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens
) -> None:
    threads = threading.active_count()
    session = host.open(agency_token(host).serial, soft_tokens.agency_sha256, Pin(PIN))
    host.close()
    ends = [call for call in counting.calls() if call in ("C_Logout", "C_Finalize")]
    assert ends == ["C_Logout", "C_Finalize"]
    assert threading.active_count() == threads
    with pytest.raises(TokenError) as over:
        session.sign(ATTRIBUTES)
    assert over.value.code == "session_lost"


def test_several_modules_show_each_token_once_and_a_broken_one_hides_nothing(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens, tmp_path: Path
) -> None:
    broken = TokenHost(TOKEN_HOST_COMMAND, tmp_path / "none.so")
    twin = TokenHost(TOKEN_HOST_COMMAND, softhsm_module(), env=soft_tokens.env)
    with TokenHosts([broken, host, twin]) as hosts:
        listing = hosts.tokens()
        assert [token.module for token in listing.required()] == [counting.path] * 2
        assert [(f.module.name, f.error.code) for f in listing.faults] == [("none.so", "module_missing")]
        token = next(t for t in listing.tokens if t.label == "Lãnh đạo")
        with hosts.open(token, soft_tokens.leader_sha256, Pin(PIN)) as session:
            check(session.sign(ATTRIBUTES), soft_tokens.leader)


def test_no_token_is_told_with_the_reason_that_is_known(
    host: TokenHost, counting: CountingModule, tmp_path: Path
) -> None:
    counting.misbehave(C_GetSlotList="empty")
    missing = TokenHost(TOKEN_HOST_COMMAND, tmp_path / "none.so")
    with pytest.raises(TokenError) as none:
        TokenHosts([host]).tokens().required()
    with pytest.raises(TokenError) as why:
        TokenHosts([host, missing]).tokens().required()
    with pytest.raises(TokenError) as no_driver:
        TokenHosts([]).tokens()
    assert [e.value.code for e in (none, why, no_driver)] == ["no_token", "module_missing", "no_module"]


def test_a_sick_driver_is_left_alone_until_somebody_would_be_refused_for_it(
    host: TokenHost, counting: CountingModule, soft_tokens: SoftTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(client, "time", SimpleNamespace(monotonic=lambda: now))
    well = TokenHost(TOKEN_HOST_COMMAND, softhsm_module(), env=soft_tokens.env)

    def looks() -> int:
        return counting.calls().count("C_GetSlotList")

    counting.misbehave(C_GetSlotList="crash")
    with TokenHosts([host, well]) as hosts:
        assert [fault.remembered for fault in hosts.tokens().faults] == [False]
        before = looks()
        counting.misbehave()
        now += client.SICK_S - 1
        assert [fault.remembered for fault in hosts.tokens().faults] == [True]
        seen = hosts.wanted(lambda tokens: len(tokens) == 2)
        assert (len(seen), looks()) == (2, before), "what is wanted shows elsewhere"
        assert {token.module for token in hosts.wanted(lambda _tokens: False)} == {counting.path}
        assert hosts.tokens().faults == ()


def test_a_sick_driver_is_asked_once_a_minute_however_long_it_was_sick(
    host: TokenHost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    now = 1000.0
    monkeypatch.setattr(client, "time", SimpleNamespace(monotonic=lambda: now))
    no_module = tmp_path / "driver.so"
    no_module.write_bytes(b"not a library")
    asked = []
    with TokenHosts([TokenHost(TOKEN_HOST_COMMAND, no_module)]) as hosts:
        for _ in range(6):
            (fault,) = hosts.tokens().faults
            asked.append("." if fault.remembered else "x")
            now += client.SICK_S + 0.1
    assert "".join(asked) == "xx.x.x"


def test_the_pin_is_in_no_argument_and_no_environment_of_the_host(host: TokenHost, soft_tokens: SoftTokens) -> None:
    with host.open(agency_token(host).serial, soft_tokens.agency_sha256, Pin(PIN)):
        assert host._child is not None
        process = Path(f"/proc/{host._child.pid}")
        if not process.exists():
            pytest.skip("reads a process by /proc")
        assert PIN.encode() not in (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        assert b"SOFTHSM2_CONF" in (process / "environ").read_bytes()
