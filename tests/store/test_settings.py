"""Settings: written whole, read strictly, and never silently other than they were meant."""

import sys
from pathlib import Path

import pytest

from signer_app.store import durable
from signer_app.store.datafolder import DataFolder
from signer_app.store.settings import (
    Body,
    CertificateRole,
    Exchange,
    Seal,
    ServerSettings,
    Settings,
    load_settings,
    save_settings,
)
from signer_resources.errors import KnownError

FULL = Settings(
    language="en",
    modules=("/usr/lib/libbit4xpki.so",),
    bodies=(
        Body(
            code="H77.15",
            name="ỦY BAN NHÂN DÂN XÃ HÒA SƠN",
            aliases=("UBND xã Hòa Sơn",),
            certificates=("ab" * 32,),
            seal=Seal(diameter_mm=36.0, blob="cd" * 32),
            signers=("Nguyễn Thị Phượng",),
            exchange=Exchange.EXTERNAL,
        ),
    ),
    server=ServerSettings(
        url="https://van-ban.example",
        server_id="s",
        signer_certificate_der=b"\x30\x82",
        devices={"H77.15": "0193"},
    ),
    roles={"ab" * 32: CertificateRole.AGENCY},
)


def test_what_is_saved_is_what_is_loaded(folder: DataFolder) -> None:
    folder.create()
    assert load_settings(folder) == Settings()
    save_settings(folder, FULL)
    assert load_settings(folder) == FULL
    assert "ỦY BAN" in folder.settings.read_text(encoding="utf-8")


def test_bodies_are_found_by_code_and_by_certificate() -> None:
    assert FULL.body("H77.15") is FULL.body_of("ab" * 32) is FULL.bodies[0]
    assert FULL.body("H77") is None
    assert FULL.body_of("00" * 32) is None
    assert FULL.blobs() == {"cd" * 32}


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('{"langage": "vi"}', "langage"),
        ('{"language": "fr"}', "$.language"),
        (
            '{"bodies": [{"code": "H77", "name": "A", "certificates": ["ABCD"]}]}',
            "$.bodies[0].certificates[0]",
        ),
        ('{"bodies": [{"code": "H77", "name": "A", "seal": {"diameter_mm": 36}}]}', "$.bodies[0].seal"),
        ('{"tsa_timeout_s": -1}', "$.tsa_timeout_s"),
        ("{", "truncated"),
        ('"\xff', ""),
    ],
)
def test_a_wrong_field_is_named_with_its_place(folder: DataFolder, content: str, place: str) -> None:
    folder.create()
    folder.settings.write_text(content, encoding="latin-1")
    with pytest.raises(KnownError) as caught:
        load_settings(folder)
    assert caught.value.code == "settings_invalid"
    assert place in str(caught.value.params["reason"])


def test_a_file_beyond_all_measure_is_not_read(folder: DataFolder) -> None:
    folder.create()
    folder.settings.write_bytes(b" " * (5 << 20))
    with pytest.raises(KnownError) as caught:
        load_settings(folder)
    assert caught.value.code == "settings_invalid"


def test_a_failed_save_leaves_the_old_settings_and_no_leftover(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.create()
    save_settings(folder, FULL)

    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable, "move_over", full)
    with pytest.raises(KnownError) as caught:
        save_settings(folder, Settings())
    assert caught.value.code == "disk_full"
    assert load_settings(folder) == FULL
    assert not list(folder.path.glob(".*"))


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX mode")
def test_the_file_is_the_users_alone(folder: DataFolder) -> None:
    folder.create()
    save_settings(folder, FULL)
    assert folder.settings.stat().st_mode & 0o777 == 0o600
