"""The settings of a whole machine: who may have written them, what they fill in, what they lock."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from signer_app.administration.locking import kept, over
from signer_app.administration.machine import NO_MACHINE, Key, Machine, MachineValues, read_machine
from signer_app.administration.minimum import require_version
from signer_app.exchange.session import _with_device
from signer_app.store import DataFolder, Settings, load_settings
from signer_app.store.settings import Body, Exchange, NetworkSettings, ProxyChoice, ServerSettings
from signer_app.store.update_settings import UpdateSettings
from signer_app.workspace import Overrides, workspace
from signer_resources.errors import KnownError
from signer_sync.client import PinnedServer
from signer_sync.keystore import DeviceIdentity

ME = frozenset({os.getuid()})
URL = "https://vanban.tinh.example.vn"
replace = msgspec.structs.replace


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir(mode=0o755)
    return folder / "machine.json"


def write(file: Path, settings: dict[str, Any], *locked: str, mode: int = 0o644) -> Path:
    file.write_text(json.dumps({"format": 1, "settings": settings, "locked": locked}), encoding="utf-8")
    file.chmod(mode)
    return file


def machine(*locked: Key, **values: Any) -> Machine:
    return Machine(MachineValues(**values), frozenset(locked), Path("/etc/signer/machine.json"))


def code(caught: "pytest.ExceptionInfo[KnownError]") -> str:
    return caught.value.code


def test_without_a_file_nothing_is_set(file: Path) -> None:
    assert read_machine(file, ME) == NO_MACHINE


def test_a_file_of_the_administrators_counts(file: Path) -> None:
    write(file, {"tsa_url": "http://tsa.example.vn", "server": {"url": URL}}, "server")
    found = read_machine(file, ME)
    assert (found.trouble, found.locked, found.values.tsa_url) == (
        None,
        frozenset({Key.SERVER}),
        "http://tsa.example.vn",
    )
    assert found.values.server is not None
    assert found.values.server.url == URL


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_that_others_could_write_is_ignored_as_a_whole(file: Path, mode: int) -> None:
    found = read_machine(write(file, {"tsa_url": "http://x"}, "tsa_url", mode=mode), ME)
    assert found.trouble is not None
    assert (found.trouble.code, found.is_set) == ("machine_file_open", False)
    assert over(found, Settings()) == Settings()


def test_so_is_one_in_a_folder_that_others_could_write_or_of_another_owner(file: Path) -> None:
    write(file, {"tsa_url": "http://x"})
    strangers = read_machine(file, {os.getuid() + 1})
    file.parent.chmod(0o777)
    opened = read_machine(file, ME)
    assert [one.trouble.code for one in (strangers, opened) if one.trouble] == ["machine_file_open"] * 2


def test_a_link_is_not_followed(file: Path, tmp_path: Path) -> None:
    write(tmp_path / "other.json", {"tsa_url": "http://x"})
    file.symlink_to(tmp_path / "other.json")
    found = read_machine(file, ME)
    assert found.trouble is not None
    assert found.trouble.code == "machine_file_invalid"


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff",
        b'{"format": 2, "settings": {}}',
        b'{"format": 1, "settings": {"tsa": "http://x"}}',
        b'{"format": 1, "settings": {}, "locked": ["tsa_url"]}',
        b'{"format": 1, "settings": {"minimum_version": "new"}}',
        b'{"format": 1, "settings": {"server": {"url": "https://x", "server_id": "one"}}}',
        b" " * ((1 << 20) + 1),
    ],
)
def test_a_file_with_anything_wrong_in_it_is_ignored_as_a_whole_and_told(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    file.chmod(0o644)
    found = read_machine(file, ME)
    assert found.trouble is not None
    assert (found.trouble.code, found.values) == ("machine_file_invalid", MachineValues())


def test_what_a_user_has_set_stays_unless_it_is_locked() -> None:
    own = Settings(tsa_url="http://mine")
    assert over(machine(tsa_url="http://theirs"), own).tsa_url == "http://mine"
    assert over(machine(tsa_url="http://theirs"), Settings()).tsa_url == "http://theirs"
    assert over(machine(Key.TSA, tsa_url="http://theirs"), own).tsa_url == "http://theirs"


def test_every_key_can_be_filled_in_and_locked() -> None:
    given: dict[Key, Any] = {
        Key.SERVER: {"url": URL},
        Key.EXCHANGE: "external",
        Key.TSA: "http://tsa",
        Key.NATIONAL_ROOT: "a" * 64,
        Key.TRUST_DIR: "/srv/trust",
        Key.TRUST_STORE: "/srv/anchors",
        Key.LEGACY_SHA1: "2020-01-01",
        Key.NETWORK: {"proxy": "none"},
        Key.MODULES: ["/usr/lib/driver.so"],
        Key.UPDATES: "/srv/updates",
        Key.MINIMUM: "0.2",
        Key.BACKUP: "/srv/backup",
    }
    assert set(given) == set(Key)
    mine = Settings(bodies=(Body(code="H1", name="UBND"),))
    for key, value in given.items():
        values = msgspec.convert({key.value: value}, MachineValues)
        locked = Machine(values, frozenset({key}), Path("/etc/signer/machine.json"))
        counted = over(locked, mine)
        assert counted != mine, key
        # What the machine sets is never written into the user's own file.
        assert kept(locked, mine, counted) == mine, key
        with pytest.raises(KnownError) as caught:
            kept(locked, mine, mine)
        assert (code(caught), caught.value.params["key"]) == ("setting_locked", key.value)


def test_other_settings_can_be_changed_beside_a_lock_and_what_was_filled_in_can_be_replaced() -> None:
    theirs = machine(Key.TSA, tsa_url="http://theirs", update_source="/srv/updates")
    own = Settings(tsa_url="http://mine")
    before = over(theirs, own)
    after = kept(theirs, own, replace(before, clerk="Lan", updates=UpdateSettings(source="/media/stick")))
    assert (after.tsa_url, after.clerk, after.updates.source) == ("http://mine", "Lan", "/media/stick")


def test_a_locked_server_keeps_what_this_machines_enrolment_has_brought() -> None:
    theirs = Machine(msgspec.convert({"server": {"url": URL}}, MachineValues), frozenset({Key.SERVER}), Path("/etc/x"))
    body = Body(code="H77.15", name="UBND xã")
    stored = Settings(bodies=(body,))
    before = over(theirs, stored)
    assert before.server is not None
    device = DeviceIdentity.create(body.code)
    enrolled = _with_device(before, before.server, PinnedServer("server-1", b"certificate"), device)
    after = over(theirs, kept(theirs, stored, enrolled))
    assert after.server == ServerSettings(
        url=URL, server_id="server-1", signer_certificate_der=b"certificate", devices={body.code: device.device}
    )


def test_devices_of_another_server_are_not_taken_to_the_pinned_one() -> None:
    values = msgspec.convert(
        {"server": {"url": URL, "server_id": "new", "signer_certificate_der": "AAAA"}}, MachineValues
    )
    stored = Settings(server=ServerSettings(url="https://old", server_id="old", devices={"H1": "device"}))
    found = over(Machine(values, frozenset({Key.SERVER}), Path("/etc/x")), stored).server
    assert found is not None
    assert (found.url, found.server_id, found.devices) == (URL, "new", {})


def test_a_body_cannot_get_round_a_locked_server_by_one_of_its_own() -> None:
    theirs = Machine(msgspec.convert({"server": {"url": URL}}, MachineValues), frozenset({Key.SERVER}), Path("/etc/x"))
    own = ServerSettings(url="https://elsewhere")
    stored = Settings(bodies=(Body(code="H1", name="UBND", server=own),))
    counted = over(theirs, stored)
    assert counted.server_of(counted.bodies[0]) == ServerSettings(url=URL)
    assert kept(theirs, stored, counted) == stored
    with pytest.raises(KnownError) as caught:
        kept(theirs, stored, replace(counted, bodies=(replace(counted.bodies[0], server=own),)))
    assert code(caught) == "setting_locked"


def test_a_new_body_exchanges_as_the_administrator_says() -> None:
    theirs = machine(Key.EXCHANGE, exchange=Exchange.EXTERNAL)
    new = Settings(bodies=(Body(code="H1", name="UBND"),))
    saved = kept(theirs, Settings(), new)
    assert over(theirs, saved).bodies[0].exchange is Exchange.EXTERNAL


def test_a_workspace_counts_by_the_machines_settings_and_refuses_to_change_them(file: Path, tmp_path: Path) -> None:
    write(file, {"network": {"proxy": "none"}, "tsa_url": "http://theirs"}, "network")
    overrides = Overrides(machine=lambda: read_machine(file, ME))
    with workspace(tmp_path / "data", overrides, writing=True) as space:
        assert space.settings.network == NetworkSettings(proxy=ProxyChoice.NONE)
        with pytest.raises(KnownError) as caught:
            space.change_settings(lambda now: replace(now, network=NetworkSettings()))
        assert code(caught) == "setting_locked"
        changed = space.change_settings(lambda now: replace(now, clerk="Lan"))
        assert (changed.clerk, changed.tsa_url) == ("Lan", "http://theirs")
    assert load_settings(DataFolder(tmp_path / "data")) == Settings(clerk="Lan")


@pytest.mark.parametrize(("version", "minimum"), [("0.9", "1.0"), ("1.0.4", "1.0.10"), ("1", "1.0.1")])
def test_a_program_below_the_minimum_does_not_sign(version: str, minimum: str) -> None:
    with pytest.raises(KnownError) as caught:
        require_version(Settings(updates=UpdateSettings(minimum_version=minimum)), version)
    assert (code(caught), caught.value.params) == ("program_too_old", {"version": version, "minimum": minimum})


@pytest.mark.parametrize(("version", "minimum"), [("1.0", "1.0.0"), ("1.10", "1.9"), ("2.0.dev1", "2"), ("1", None)])
def test_one_that_is_new_enough_does(version: str, minimum: str | None) -> None:
    require_version(Settings(updates=UpdateSettings(minimum_version=minimum)), version)
