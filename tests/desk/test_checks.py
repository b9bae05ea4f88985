"""The machine's lights: each says how it stands by what is really there."""

import datetime as dt
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from signer_app.demo.pki import DemoPki
from signer_app.demo.pki_names import Holder
from signer_app.desk.check_values import Check, CheckName, CheckState, merged, told, worst
from signer_app.desk.checks import Checks
from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_app.desk.networking import Networking
from signer_app.desk.tokens import CertificateView, Life, TokensSnapshot, TokenView, look
from signer_app.store.model import JournalAction
from signer_app.store.settings import (
    Body,
    CertificateRole,
    ChannelKind,
    Exchange,
    NetworkSettings,
    ProxyChoice,
    ServerSettings,
)
from signer_app.workspace import Overrides, Workspace, workspace
from signer_resources.errors import KnownError
from signer_sync.keystore import FileKeyStore
from signer_token.model import PinState, Token, TokenCertificate
from tests.desk.office import ORG, Office, changed
from tests.store.letters import Clock, Letters, not_secret
from tests.support.pki import shared_pki
from tests.support.workspace import Site
from tests.sync.office_proxy import office_proxy

GOOD, WARN, BAD, NOT_CHECKED = CheckState.GOOD, CheckState.WARN, CheckState.BAD, CheckState.NOT_CHECKED
DEAD = "http://127.0.0.1:9"
"""The discard port, on which nobody listens."""
NOTHING_SEEN = TokensSnapshot()
ASKED = frozenset({CheckName.SERVER, CheckName.NETWORK, CheckName.KEYRING, CheckName.TIMESTAMP})


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> DemoPki:
    return shared_pki(tmp_path_factory)


@pytest.fixture(autouse=True)
def today(office: Office) -> None:
    """Certificates of the test PKI are as old as the run of the tests."""
    office.at(dt.datetime.now(dt.UTC))


def plugged_in(
    pki: DemoPki, *, life: Life = Life.VALID, days: int = 300, pin: PinState = PinState.OK
) -> TokensSnapshot:
    """A token with the body's certificate."""
    certificate = TokenCertificate.from_der(pki.leaf(Holder.AGENCY).certificate_der)
    assert certificate is not None
    token = Token("UBND xã Hòa Sơn", "77", "", "", Path("/usr/lib/driver.so"), pin, (certificate,))
    view = CertificateView(certificate, CertificateRole.AGENCY, True, "UBND xã Hòa Sơn", life, days)
    return TokensSnapshot((TokenView(token, (view,)),), (), looked=True)


def check(office: Office, name: CheckName, tokens: TokensSnapshot = NOTHING_SEEN, link: Link = Link.NOT_ASKED) -> Check:
    found = Checks(office.space).standing(tokens, ExchangeSnapshot(link))
    return next(one for one in found if one.name is name)


def clock(checks: Checks) -> Check:
    found = checks.standing(TokensSnapshot(), ExchangeSnapshot())
    return next(one for one in found if one.name is CheckName.CLOCK)


def asking(space: Workspace) -> Checks:
    """The checks of a machine without a keyring."""
    return Checks(space, key_store=FileKeyStore)


def code(one: Check) -> str | None:
    return one.error.code if one.error else None


def test_all_lights_stand_there_in_their_order_even_before_anything_is_known(office: Office) -> None:
    found = Checks(office.space).standing(TokensSnapshot(), ExchangeSnapshot())
    assert [one.name for one in found] == list(CheckName)
    sound = {CheckName.LEVELS, CheckName.DISK, CheckName.FOLDER, CheckName.FONTS, CheckName.MACHINE}
    assert {one.name for one in found if one.state is GOOD} - {CheckName.ZONE} == sound
    assert not [one.name for one in found if one.state is BAD]


def test_without_a_driver_the_driver_is_what_is_wrong(office: Office) -> None:
    seen = look(office.space)
    assert code(check(office, CheckName.DRIVER, seen)) == "no_module"
    assert check(office, CheckName.DRIVER, seen).state is BAD
    assert code(check(office, CheckName.TOKEN, seen)) == "no_token"


def test_a_driver_that_fails_beside_one_that_works_is_a_warning(office: Office, pki: DemoPki) -> None:
    fine = plugged_in(pki)
    broken = TokensSnapshot(fine.tokens, (KnownError("module_missing", module="/x.so"),), looked=True)
    assert (check(office, CheckName.DRIVER, broken).state, check(office, CheckName.DRIVER, fine).state) == (WARN, GOOD)


def test_a_driver_for_another_width_is_named_with_both_widths_and_its_failure_is_told_once(
    office: Office, tmp_path: Path
) -> None:
    driver = tmp_path / "bit4xpki.so"
    driver.write_bytes(b"\x7fELF\x01\x01\x01" + bytes(9) + b"\x03\x00\x03\x00" + bytes(64))
    changed(office, modules=(str(driver), "/nowhere/other.so"))
    faults = (
        KnownError("module_load_failed", module=str(driver), reason="wrong ELF class"),
        KnownError("module_missing", module="/nowhere/other.so"),
    )
    found = check(office, CheckName.DRIVER, TokensSnapshot((), faults, looked=True))
    assert (found.state, code(found), found.params["names"]) == (
        BAD,
        "driver_wrong_width",
        "bit4xpki.so (32 bit), other.so",
    )
    assert [error.code for error in found.also] == ["module_missing"]
    said = told(found, "en")
    assert "bit4xpki.so doesn't fit" in said.what
    assert "32-bit" in said.why
    assert "/nowhere/other.so" in said.why


@pytest.mark.parametrize(
    ("pin", "state", "error"),
    [
        (PinState.OK, GOOD, None),
        (PinState.UNKNOWN, GOOD, None),
        (PinState.LOW, WARN, "machine_token_low"),
        (PinState.FINAL, WARN, "machine_token_final"),
        (PinState.LOCKED, BAD, "machine_token_locked"),
    ],
)
def test_the_state_of_the_pin_is_the_token_s_light(
    office: Office, pki: DemoPki, pin: PinState, state: CheckState, error: str | None
) -> None:
    found = check(office, CheckName.TOKEN, plugged_in(pki, pin=pin))
    assert (found.state, code(found)) == (state, error)


def test_a_certificate_is_good_with_its_root_and_a_fresh_revocation_list_in_hand(
    office: Office, pki: DemoPki, tmp_path: Path
) -> None:
    pki.write_trust_dir(tmp_path / "trust")
    changed(office, trust_dir=str(tmp_path / "trust"))
    found = check(office, CheckName.CERTIFICATE, plugged_in(pki))
    assert (found.state, found.key) == (GOOD, "ut_certificate_good")
    assert found.params["until"]
    assert found.params["list"]


def test_a_certificate_without_roots_or_revocation_data_is_a_warning_not_an_obstacle(
    office: Office, pki: DemoPki, tmp_path: Path
) -> None:
    found = check(office, CheckName.CERTIFICATE, plugged_in(pki))
    assert (found.state, code(found)) == (WARN, "machine_no_anchors")
    bare = tmp_path / "roots"
    bare.mkdir()
    (bare / "root.crt").write_bytes(pki.root_der)
    (bare / "issuing.crt").write_bytes(pki.issuing_der)
    changed(office, trust_dir=str(bare))
    found = check(office, CheckName.CERTIFICATE, plugged_in(pki))
    assert (found.state, code(found)) == (WARN, "machine_revocation_unchecked")


@pytest.mark.parametrize(
    ("life", "days", "state", "error"),
    [
        (Life.EXPIRED, -1, BAD, "certificate_expired"),
        (Life.NOT_YET, 300, BAD, "certificate_not_yet_valid"),
        (Life.ENDING, 57, WARN, "machine_certificate_ending"),
        (Life.DUE, 27, WARN, "machine_certificate_due"),
        (Life.LAST, 7, BAD, "machine_certificate_last"),
    ],
)
def test_a_certificate_s_life_is_told(
    office: Office, pki: DemoPki, tmp_path: Path, life: Life, days: int, state: CheckState, error: str
) -> None:
    pki.write_trust_dir(tmp_path / "trust")
    changed(office, trust_dir=str(tmp_path / "trust"))
    found = check(office, CheckName.CERTIFICATE, plugged_in(pki, life=life, days=days))
    assert (found.state, code(found)) == (state, error)


def test_a_trust_folder_that_is_gone_is_told_and_the_other_lights_stand(office: Office, pki: DemoPki) -> None:
    changed(office, trust_dir="/nowhere/trust")
    seen = plugged_in(pki)
    assert code(check(office, CheckName.CERTIFICATE, seen)) == "trust_dir_missing"
    assert check(office, CheckName.TOKEN, seen).state is GOOD
    assert {one.name for one in asking(office.space).asked(seen)} == ASKED


@pytest.mark.parametrize(
    ("link", "state", "error"),
    [
        (Link.NOT_SET, WARN, "server_not_set"),
        (Link.NOT_ENROLLED, WARN, "not_enrolled"),
        (Link.NOT_ASKED, NOT_CHECKED, None),
        (Link.REACHED, GOOD, None),
    ],
)
def test_the_server_s_light_is_what_the_last_pass_said(
    office: Office, link: Link, state: CheckState, error: str | None
) -> None:
    found = check(office, CheckName.SERVER, link=link)
    assert (found.state, code(found)) == (state, error)


def test_offline_is_an_answer(office: Office) -> None:
    changed(office, server=ServerSettings(url=DEAD), tsa_url=f"{DEAD}/tsa", tsa_timeout_s=2.0)
    checks = asking(office.space)
    found = {one.name: one for one in checks.asked(TokensSnapshot())}
    assert code(found[CheckName.SERVER]) == "server_unreachable"
    assert code(found[CheckName.TIMESTAMP]) == "machine_tsa_away"
    assert clock(checks).state is NOT_CHECKED


def test_the_server_is_asked_on_the_way_that_the_settings_say(office: Office) -> None:
    with office_proxy(login="vanthu:x") as proxy:
        by_hand = NetworkSettings(proxy=ProxyChoice.MANUAL, proxy_url=proxy.url)
        changed(office, server=ServerSettings(url="https://vb.tinh.vn"), network=by_hand)
        found = {one.name: one for one in asking(office.space).asked(TokensSnapshot())}
        assert code(found[CheckName.NETWORK]) == "proxy_refused"
        assert found[CheckName.SERVER].state is NOT_CHECKED
        assert proxy.asked[0].startswith("CONNECT vb.tinh.vn")


def test_where_another_system_exchanges_no_server_is_missed_and_none_is_asked(office: Office) -> None:
    body = Body(code=ORG, name="UBND xã Hòa Sơn", exchange=Exchange.EXTERNAL)
    changed(office, bodies=(body,), server=ServerSettings(url=DEAD))
    assert check(office, CheckName.SERVER, link=Link.NOT_ENROLLED).key == "un_server_external"
    found = {one.name: one for one in asking(office.space).asked(TokensSnapshot())}
    assert (found[CheckName.SERVER].state, found[CheckName.SERVER].key) == (GOOD, "un_server_external")


def test_a_channel_that_would_be_written_to_is_not_asked_beside_another_process(office: Office, tmp_path: Path) -> None:
    body = Body(code=ORG, name="UBND xã Hòa Sơn", channel=ChannelKind.FOLDER, exchange_folder=str(tmp_path / "gone"))
    changed(office, bodies=(body,))
    found = {one.name: one for one in asking(office.space).asked(TokensSnapshot())}
    assert code(found[CheckName.SERVER]) == "folder_unreachable"
    with workspace(office.space.folder.path, Overrides(), writing=False) as reading:
        assert Networking(reading).try_ways() == ()


def test_a_reached_server_tells_who_it_is_and_what_the_time_is(site: Site, tmp_path: Path) -> None:
    desk = site.desk(tmp_path)
    with desk.server():
        with workspace(desk.data, Overrides(), writing=True) as space:
            checks = Checks(space)
            found = {one.name: one for one in checks.asked(TokensSnapshot())}
            assert {name: one.state for name, one in found.items()} == dict.fromkeys(ASKED, GOOD)
            assert found[CheckName.SERVER].params["id"] == "demo.truc-lien-thong.tinh-an-son"
            assert clock(checks).state is GOOD
        late = dt.datetime.now(dt.UTC) - dt.timedelta(days=3)
        with workspace(desk.data, Overrides(), writing=True, now=lambda: late) as space:
            checks = Checks(space)
            checks.asked(TokensSnapshot())
            assert (clock(checks).state, code(clock(checks))) == (BAD, "machine_clock_wrong")


def test_asking_the_server_frees_the_clock_from_a_signature_of_the_future(site: Site, tmp_path: Path) -> None:
    desk = site.desk(tmp_path)
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=90)
    with desk.server():
        with workspace(desk.data, Overrides(), writing=True, now=lambda: soon) as space:
            there = Clock()
            there.time = soon
            space.store.commit_signed(Letters(space.store, there).signing("1"), not_secret)
        with workspace(desk.data, Overrides(), writing=True) as space:
            checks = Checks(space)
            assert code(clock(checks)) == "clock_before_last_signature"
            checks.asked(TokensSnapshot())
            assert clock(checks).state is GOOD
            with space.store.view() as view:
                (entry,) = view.journal.entries(limit=1)
            assert (entry.use.action, entry.use.result) == (JournalAction.CLOCK, "proved")


def test_little_room_on_the_disk_is_a_warning_hardly_any_is_bad(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for free, state in ((900 << 20, WARN), (50 << 20, BAD), (5 << 30, GOOD)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _path, free=free: SimpleNamespace(free=free))
        assert check(office, CheckName.DISK).state is state


def test_a_data_folder_that_can_t_be_written_is_bad(office: Office) -> None:
    office.space.folder.work.rmdir()
    # An empty folder that an administrator has made beforehand is as good as none.
    assert check(office, CheckName.DISK).state is GOOD
    office.space.folder.work.write_bytes(b"")
    assert code(check(office, CheckName.DISK)) == "data_folder_unwritable"


def test_a_database_that_is_damaged_is_seen_when_it_is_read_through(office: Office) -> None:
    for number in range(200):
        office.came(f"{number}".encode(), "V/v rà soát" * 20)
    checks = Checks(office.space)
    assert checks.database().state is GOOD
    office.store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with office.space.folder.database.open("r+b") as stream:
        stream.seek(-3 * 4096, 2)
        stream.write(b"\xff" * 2 * 4096)
    found = checks.database()
    assert (found.state, code(found)) == (BAD, "database_damaged")


def test_what_was_asked_takes_the_place_of_what_was_known() -> None:
    known = (Check(CheckName.DISK, GOOD, "a"), Check(CheckName.SERVER, NOT_CHECKED, "b"))
    newer = (Check(CheckName.SERVER, BAD, "c"),)
    assert merged(known, newer) == (known[0], newer[0])
    assert worst(merged(known, newer)) is BAD
