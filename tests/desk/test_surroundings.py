"""What the program stands on: rights of its folder, time zone, fonts, keyring."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import keyring.backend
import pytest
from fontTools.ttLib import TTFont
from keyring.errors import KeyringError

import signer_resources
from signer_app.desk.check_values import Check, CheckState
from signer_app.desk.surroundings import broken_fonts, folder_check, fonts_check, keyring_check, zone_check
from signer_app.exchange.session import exchanging_bodies, server_address
from signer_app.store.settings import Body, Seal, ServerSettings
from signer_app.workspace import Overrides, workspace
from signer_sync.keystore import FileKeyStore, KeyStore, choose_key_store
from tests.desk.office import ORG, Office, changed

GOOD, WARN, BAD, NOT_CHECKED = CheckState.GOOD, CheckState.WARN, CheckState.BAD, CheckState.NOT_CHECKED


def code(one: Check) -> str | None:
    return one.error.code if one.error else None


# ---- the data folder


def test_a_folder_of_ones_own_is_good(office: Office) -> None:
    office.desk.begin()
    assert folder_check(office.space).state is GOOD


@pytest.mark.parametrize("name", ["", "settings.json", "signer.sqlite", "keys", "vault"])
def test_whatever_others_could_read_is_named(office: Office, name: str) -> None:
    office.desk.begin()
    changed(office, clerk="Hạnh")
    path = office.space.folder.path / name
    if name in ("keys", "vault"):
        path.mkdir(mode=0o700)
    assert folder_check(office.space).state is GOOD
    path.chmod(path.stat().st_mode | 0o040)
    found = folder_check(office.space)
    assert (found.state, code(found)) == (BAD, "machine_folder_open")
    assert found.error is not None
    assert found.error.params["name"] == str(path)


def test_before_the_first_use_there_is_nothing_to_be_open(tmp_path: Path) -> None:
    with workspace(tmp_path / "later", Overrides(), writing=False) as space:
        assert folder_check(space).state is NOT_CHECKED
    assert not (tmp_path / "later").exists()


# ---- time zone


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    with monkeypatch.context() as patch:
        yield patch
    time.tzset()


@pytest.mark.parametrize(
    ("name", "state", "said"),
    [("ICT-7", GOOD, None), ("UTC0", WARN, "UTC+00:00"), ("NST3:30", WARN, "UTC-03:30"), ("CST-8", WARN, "UTC+08:00")],
)
def test_another_time_zone_than_vietnams_is_a_warning(
    zone: pytest.MonkeyPatch, name: str, state: CheckState, said: str | None
) -> None:
    zone.setenv("TZ", name)
    time.tzset()
    found = zone_check()
    assert (found.state, found.params.get("zone")) == (state, said)


# ---- fonts


def test_the_programs_own_fonts_are_whole() -> None:
    assert fonts_check().state is GOOD


def test_a_font_that_is_missing_damaged_or_lacks_letters_is_named(tmp_path: Path) -> None:
    fonts = tmp_path / "fonts"
    shutil.copytree(signer_resources.path("fonts"), fonts)
    (fonts / "SignerSerif-Bold.ttf").unlink()
    whole = (fonts / "SignerSerif-Italic.ttf").read_bytes()
    (fonts / "SignerSerif-Italic.ttf").write_bytes(whole[: len(whole) // 3])
    (fonts / "BeVietnamPro-Regular.ttf").write_bytes(b"no font")
    with TTFont(fonts / "BeVietnamPro-SemiBold.ttf") as font:
        for table in font["cmap"].tables:
            table.cmap.pop(ord("ế"), None)
        font.save(fonts / "BeVietnamPro-SemiBold.ttf")
    assert broken_fonts(fonts) == (
        "SignerSerif-Bold.ttf",
        "SignerSerif-Italic.ttf",
        "BeVietnamPro-Regular.ttf",
        "BeVietnamPro-SemiBold.ttf",
    )


# ---- keyring


class Memory(keyring.backend.KeyringBackend):
    """A keyring that works; `broken`: one that doesn't."""

    priority = 1

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.broken = broken
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.broken:
            raise KeyringError
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.mark.parametrize(("broken", "key"), [(False, "ut_keyring_good"), (True, "ut_keyring_file")])
def test_a_keyring_is_believed_only_when_it_keeps_what_it_is_given(office: Office, broken: bool, key: str) -> None:
    ring = Memory(broken=broken)

    def choose(folder: Path) -> KeyStore:
        return choose_key_store(folder, ring)

    assert keyring_check(office.space, choose).key == key
    assert not ring.kept, "the trial is taken out again"


def test_a_device_key_that_is_gone_is_bad(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    # Not the keyring of whoever runs the tests.
    monkeypatch.setattr("signer_app.exchange.session.choose_key_store", FileKeyStore)
    device = "0197a000-0000-7000-8000-000000000001"
    server = ServerSettings(url="http://127.0.0.1:9", server_id="x", signer_certificate_der=b"x", devices={ORG: device})
    changed(office, server=server, bodies=(Body(code=ORG, name="UBND xã Hòa Sơn"),))
    found = keyring_check(office.space, FileKeyStore)
    assert (found.state, code(found)) == (BAD, "not_enrolled")


def test_a_picture_of_a_seal_that_cannot_be_opened_is_bad(office: Office) -> None:
    changed(office, softhsm2_conf="/x/softhsm2.conf")
    picture = office.space.vault.keep(b"\x89PNG seal")
    changed(office, bodies=(Body(code=ORG, name="UBND xã Hòa Sơn", seals=(Seal(diameter_mm=36, picture=picture),)),))
    assert keyring_check(office.space, FileKeyStore).state is not BAD
    (office.space.folder.path / "vault" / picture).unlink()
    found = keyring_check(office.space, FileKeyStore)
    assert (found.state, code(found)) == (BAD, "image_unusable")


def test_a_body_with_a_server_of_its_own_is_enrolled_there(office: Office) -> None:
    own = ServerSettings(url="http://127.0.0.1:9", devices={ORG: "0197a000-0000-7000-8000-000000000001"})
    here, elsewhere = Body(code=ORG, name="UBND", server=own), Body(code="H77.16", name="HĐND")
    changed(office, server=ServerSettings(url="http://127.0.0.1:8"), bodies=(here, elsewhere))
    settings = office.space.settings
    assert exchanging_bodies(settings) == (here,)
    assert [server_address(settings, body) for body in (here, elsewhere)] == [own.url, "http://127.0.0.1:8"]
