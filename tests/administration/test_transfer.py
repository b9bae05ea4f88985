"""Settings that travel, enrolment files, the diagnostic file, the self-test, and the commands for them."""

import datetime as dt
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from signer_app.administration.diagnostic import gather, masked
from signer_app.administration.enrolment import enrolment_trouble, pick_up, read_enrolment, set_up
from signer_app.administration.exported import export_settings, read_exported
from signer_app.administration.machine import Key, Machine, MachineValues
from signer_app.administration.self_test import SelfTest, Step, StepState
from signer_app.administration.transfer import look_at, take, write_settings
from signer_app.cli.main import command_line
from signer_app.desk.checks import Checks
from signer_app.desk.exchange import ExchangeSnapshot
from signer_app.desk.lights import lights
from signer_app.desk.support import support_code
from signer_app.desk.tokens import TokensSnapshot
from signer_app.logs import close_log, log_event
from signer_app.store.settings import (
    Body,
    CertificateRole,
    NetworkSettings,
    Seal,
    ServerSettings,
    Settings,
)
from signer_app.workspace import Overrides, workspace
from signer_resources.errors import KnownError
from signer_sync.secrets import Secret, SecretStore
from tests.desk.office import MONDAY, Office, changed

CODE = "Zk3-one-time-code-0123456789abcdef"
SEAL = Seal(diameter_mm=36, picture="c" * 64)
BODY = Body(code="H77.15", name="UBND xã Hòa Sơn", seals=(SEAL,), signers=("Nguyễn Thị Phượng",))
FULL = Settings(
    clerk="Lan",
    bodies=(BODY,),
    tsa_url="http://tsa.example.vn",
    server=ServerSettings(url="https://vb.example.vn", server_id="one", devices={"H77.15": "device"}),
    network=NetworkSettings(proxy_user="lan"),
    roles={"a" * 64: CertificateRole.AGENCY},
)


def exported(settings: Settings, file: Path) -> Path:
    file.write_bytes(export_settings(settings))
    return file


def enrolment(file: Path, mode: int = 0o600, **changes: Any) -> Path:
    told = {
        "format": 1,
        "id": "01234567-89ab-7def-8123-456789abcdef",
        "machine": "VT-01",
        "expires": (MONDAY + dt.timedelta(days=7)).isoformat(),
        "settings": json.loads(export_settings(FULL))["settings"],
        "code": CODE,
        **changes,
    }
    file.write_text(json.dumps(told), encoding="utf-8")
    file.chmod(mode)
    return file


# ---- export and import


def test_what_belongs_to_one_machine_or_person_does_not_travel(tmp_path: Path) -> None:
    text = exported(FULL, tmp_path / "out.json").read_text(encoding="utf-8")
    for word in ("Lan", "device", "c" * 64, "lan"):
        assert f'"{word}"' not in text
    assert read_exported(tmp_path / "out.json").tsa_url == "http://tsa.example.vn"


def test_an_import_shows_first_and_then_does_what_it_has_shown(office: Office, tmp_path: Path) -> None:
    mine = msgspec.structs.replace(BODY, name="UBND xã cũ")
    changed(office, clerk="Mai", bodies=(mine, Body(code="H77.99", name="Trạm y tế")))
    before = office.space.folder.settings.read_bytes()
    shown = look_at(office.space, exported(FULL, tmp_path / "in.json"))
    places = {one.place: (one.before, one.after) for one in shown.differences}
    assert places["bodies.H77.15.name"] == ('"UBND xã cũ"', '"UBND xã Hòa Sơn"')
    assert places["tsa_url"] == ("null", '"http://tsa.example.vn"')
    assert not any(place.startswith(("clerk", "bodies.H77.99", "bodies.H77.15.seals")) for place in places)
    assert office.space.folder.settings.read_bytes() == before
    kept = take(office.space, shown)
    after = office.space.settings
    assert (after.clerk, after.tsa_url, len(after.bodies)) == ("Mai", "http://tsa.example.vn", 2)
    assert after.bodies[0].seals == (SEAL,)
    assert kept is not None
    assert kept.read_bytes() == before
    assert look_at(office.space, tmp_path / "in.json").differences == ()


@pytest.mark.parametrize("content", [b"", b"{}", b'{"format":1,"version":"1","settings":{"clerks":1}}', b"\xff\xfe"])
def test_a_file_that_is_no_export_changes_nothing(office: Office, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in.json").write_bytes(content)
    with pytest.raises(KnownError) as caught:
        look_at(office.space, tmp_path / "in.json")
    assert caught.value.code == "settings_import_invalid"


def test_an_import_that_touches_what_is_locked_is_refused_whole(tmp_path: Path) -> None:
    locked = Machine(
        msgspec.convert({"tsa_url": "http://theirs"}, MachineValues),
        frozenset({Key.TSA}),
        Path("/etc/x"),
    )
    with workspace(tmp_path / "data", Overrides(machine=lambda: locked), writing=True) as space:
        with pytest.raises(KnownError) as caught:
            look_at(space, exported(FULL, tmp_path / "in.json"))
        assert caught.value.code == "setting_locked"
        assert space.settings.bodies == ()


def test_an_export_replaces_nothing(office: Office, tmp_path: Path) -> None:
    write_settings(office.space, tmp_path / "out.json")
    with pytest.raises(KnownError) as caught:
        write_settings(office.space, tmp_path / "out.json")
    assert caught.value.code == "output_exists"


# ---- enrolment


def test_an_enrolment_file_sets_a_machine_up_once_and_leaves_no_code_behind(office: Office, tmp_path: Path) -> None:
    changed(office, softhsm2_conf="/demo")  # its keys lie in the folder, not in this user's keyring
    file = enrolment(tmp_path / "enrolment.json")
    copy = file.read_bytes()
    set_up(office.space, file)
    body = office.space.settings.body("H77.15")
    assert body is not None
    assert office.space.settings.server is not None
    assert office.space.settings.server.devices == {}
    assert not file.exists()
    keys = list((office.space.folder.path / "keys").iterdir())
    assert [key.stat().st_mode & 0o777 for key in keys] == [0o600]
    others = [one for one in office.space.folder.path.rglob("*") if one.is_file() and one not in keys]
    assert not any(CODE.encode() in one.read_bytes() for one in others)
    file.write_bytes(copy)
    file.chmod(0o600)
    with pytest.raises(KnownError) as caught:
        set_up(office.space, file)
    assert caught.value.code == "enrolment_used"


@pytest.mark.parametrize(
    ("mode", "changes", "code"),
    [
        (0o644, {}, "enrolment_file_open"),
        (0o600, {"expires": "2026-11-01T00:00:00+07:00"}, "enrolment_expired"),
        (0o600, {"expires": "2026-12-01T00:00:00"}, "enrolment_file_invalid"),
        (0o600, {"code": "short"}, "enrolment_file_invalid"),
        (0o600, {"pin": "12345678"}, "enrolment_file_invalid"),
        (0o600, {"settings": {}}, "enrolment_file_invalid"),
    ],
)
def test_a_file_that_may_not_be_used_changes_nothing_and_shows_no_code(
    office: Office, tmp_path: Path, mode: int, changes: dict[str, Any], code: str
) -> None:
    file = enrolment(tmp_path / "enrolment.json", mode, **changes)
    found = pick_up(office.space, file)
    assert found is not None
    assert found.code == code
    assert enrolment_trouble(office.space, file) is not None
    assert CODE not in repr(found) + str(found.explain("vi"))
    assert "12345678" not in str(found.params)
    assert office.space.settings.bodies != (BODY,)
    assert file.exists()


def test_the_code_shows_itself_to_nobody(office: Office, tmp_path: Path) -> None:
    assert CODE not in repr(read_enrolment(office.space, enrolment(tmp_path / "enrolment.json")))


def test_at_the_start_nothing_happens_where_no_file_lies_ready(office: Office, tmp_path: Path) -> None:
    (tmp_path / "empty.json").touch()
    assert pick_up(office.space, tmp_path / "none.json") is None
    assert pick_up(office.space, tmp_path / "empty.json") is None


# ---- the diagnostic file


def test_the_diagnostic_file_names_no_person_no_document_and_no_secret(office: Office, tmp_path: Path) -> None:
    changed(office, clerk="Lan", bodies=(BODY,), network=NetworkSettings(proxy_user="lan.phuong"))
    office.signed("98765")
    log_event("stopped", code="no_token")
    made = gather(office.space, Checks(office.space).standing(TokensSnapshot(), ExchangeSnapshot()))
    made.save(tmp_path / "out.zip")
    with zipfile.ZipFile(io.BytesIO((tmp_path / "out.zip").read_bytes())) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert {"machine.json", "checks.json", "settings.json", "counts.json"} <= set(files)
    whole = "".join(files.values())
    for word in ("Phượng", "Lan", "lan.phuong", "98765", str(tmp_path)):
        assert word not in whole, word
    assert json.loads(files["counts.json"])["rows"]["document"] == 1
    assert json.loads(files["counts.json"])["schema"] >= 16
    assert len(json.loads(files["checks.json"])["lights"]) == 8
    assert [entry.name for entry in made.entries] == list(files)
    assert masked(FULL).bodies[0].signers == ("***",)


# ---- the self-test


def test_the_self_test_tries_every_step_and_leaves_nothing(office: Office) -> None:
    before = sorted(office.space.folder.path.rglob("*"))
    tried = SelfTest(office.space, _NoKeyring).run()
    states = {one.step: one.state for one in tried}
    assert list(states) == list(Step)
    assert not [one for one in tried if one.state is StepState.BAD]
    for step in (Step.SIGN, Step.VERIFY, Step.RENDER, Step.TLS, Step.DATABASE, Step.FONTS, Step.DISK):
        assert states[step] is StepState.GOOD, step
    keyring = next(one for one in tried if one.step is Step.KEYRING)
    assert keyring.error is not None
    assert (keyring.state, keyring.error.code) == (StepState.WARN, "self_test_no_keyring")
    assert sorted(one for one in office.space.folder.path.rglob("*") if one.parent.name != "logs") == [
        one for one in before if one.parent.name != "logs"
    ]


class _NoKeyring(SecretStore):
    """A system without a keyring."""

    def __init__(self) -> None:
        from keyring.backends.null import Keyring

        super().__init__(Keyring())  # type: ignore[no-untyped-call]


class _Forgetful(_NoKeyring):
    """A keyring that gives something else back."""

    def load(self, name: str) -> Secret | None:
        return Secret("other")


def test_a_step_that_fails_is_told_with_its_fix_and_hinders_no_other(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SelfTest, "_sign", lambda *_: 1 / 0)
    tried = {one.step: one for one in SelfTest(office.space, _Forgetful).run()}
    sign, keyring = tried[Step.SIGN].error, tried[Step.KEYRING].error
    assert sign is not None
    assert keyring is not None
    assert (sign.code, keyring.code) == ("self_test_failed", "self_test_keyring")
    assert tried[Step.VERIFY].state is StepState.NOT_TRIED
    assert tried[Step.RENDER].state is StepState.GOOD
    assert sign.explain("vi").do


# ---- the commands


@pytest.fixture(autouse=True)
def quiet_log() -> Any:
    yield
    close_log()


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, Any]:
    code = command_line([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_the_commands_of_an_administrator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, file = ("--data-dir", tmp_path / "data"), exported(FULL, tmp_path / "in.json")
    code, told = run(capsys, *data, "settings", "import", file)
    assert (code, told["taken"]) == (0, False)
    code, told = run(capsys, *data, "settings", "import", file, "--yes")
    assert (code, told["taken"], bool(told["changes"])) == (0, True, True)
    code, told = run(capsys, *data, "settings", "export", tmp_path / "out.json")
    assert (code, read_exported(tmp_path / "out.json").bodies[0].name) == (0, BODY.name)
    code, told = run(capsys, *data, "setup", "--enrolment", tmp_path / "none.json")
    assert (code, told["error"]["code"]) == (1, "enrolment_file_invalid")
    code, told = run(capsys, "support-code", support_code("1.2.3", lights(())))
    assert (code, told["version"], told["error"]) == (0, "1.2.3", None)
    code, told = run(capsys, "support-code", "AAAA")
    assert (code, told["error"]["code"]) == (2, "support_code_wrong")
    code, told = run(capsys, *data, "events", "--since", "yesterday")
    assert (code, told["error"]["code"]) == (2, "usage_since")
    assert (tmp_path / "data" / "logs" / "signer.log").stat().st_uid == os.getuid()
