"""Settings: written whole, read strictly, and never silently other than they were meant."""

import datetime as dt
import sys
from pathlib import Path

import msgspec
import pytest

from signer_app.store import durable
from signer_app.store.datafolder import DataFolder
from signer_app.store.sequences import Register
from signer_app.store.settings import (
    Body,
    CertificateRole,
    Exchange,
    FormerName,
    HandKind,
    Handwriting,
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
            former_names=(FormerName(name="ỦY BAN NHÂN DÂN XÃ HÒA BÌNH", valid_to=dt.date(2025, 6, 30)),),
            seals=(
                Seal(diameter_mm=35.0, picture="ab" * 32, valid_to=dt.date(2025, 6, 30)),
                Seal(diameter_mm=36.0, picture="cd" * 32, valid_from=dt.date(2025, 7, 1)),
            ),
            registers=(Register(name="Sổ quyết định, thông báo", notations=("QĐ-UBND", "TB-UBND")),),
            notations=("UBND",),
            server=ServerSettings(url="https://xa.example"),
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
    handwriting={"ef" * 32: (Handwriting(picture="12" * 32, kind=HandKind.INITIAL, width_mm=14),)},
)
BODY = FULL.bodies[0]


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
    assert FULL.kept_pictures() == {"ab" * 32, "cd" * 32, "12" * 32}


def test_the_seal_is_the_one_that_is_used_on_the_day() -> None:
    june, july = dt.date(2025, 6, 30), dt.date(2025, 7, 1)
    assert (BODY.seal_on(june), BODY.seal_on(july)) == BODY.seals
    gap = msgspec.structs.replace(BODY, seals=BODY.seals[:1])
    assert gap.seal_on(july) is None
    always = Seal(diameter_mm=36, picture="00" * 32)
    after_loss = msgspec.structs.replace(BODY, seals=(BODY.seals[1], always))
    assert after_loss.seal_on(june) is always
    assert after_loss.seal_on(july) is BODY.seals[1], "what began last goes before what always holds"
    again = msgspec.structs.replace(always, picture="01" * 32)
    assert msgspec.structs.replace(BODY, seals=(always, again)).seal_on(july) is again


def test_a_former_name_ends_with_its_last_day() -> None:
    june, july = dt.date(2025, 6, 30), dt.date(2025, 7, 1)
    old = "ỦY BAN NHÂN DÂN XÃ HÒA BÌNH"
    assert old in BODY.names_on(june)
    assert old not in BODY.names_on(july)
    assert (BODY.former_on(june), BODY.former_on(july)) == ((), (old,))


def test_a_body_is_read_from_the_lines_of_the_page() -> None:
    day = dt.date(2026, 11, 20)
    province = Body(code="H77", name="Ủy ban nhân dân tỉnh An Sơn")
    offices = [
        Body(code=f"H77.{n}", name="Văn phòng", parent_name=parent)
        for n, parent in (("1", "HĐND tỉnh"), ("2", "UBND tỉnh"))
    ]
    settings = Settings(bodies=(BODY, province, *offices))
    assert settings.body_named(("ỦY BAN NHÂN DÂN", "XÃ HOÀ SƠN"), day) is BODY
    assert settings.body_named(("ỦY BAN NHÂN DÂN TỈNH AN SƠN", "UBND xã Hòa Sơn"), day) is BODY
    assert settings.body_named(("ỦY BAN NHÂN DÂN TỈNH AN SƠN",), day) is province
    assert settings.body_named(("UBND TỈNH", "VĂN PHÒNG"), day) is offices[1]
    assert settings.body_named(("VĂN PHÒNG",), day) is None, "which of the two isn't said"
    assert settings.body_named(("UBND XÃ HÒA BÌNH",), day) is None
    assert settings.body_named(("UBND XÃ HÒA BÌNH",), dt.date(2025, 6, 1)) is BODY
    assert settings.body_named((), day) is None


def test_a_body_has_its_own_server_or_the_machines() -> None:
    assert FULL.server_of(BODY) == ServerSettings(url="https://xa.example")
    assert FULL.server_of(msgspec.structs.replace(BODY, server=None)) is FULL.server


def test_settings_of_an_older_version_are_read(folder: DataFolder) -> None:
    folder.create()
    seal = '{"diameter_mm": 36, "blob": "' + "ab" * 32 + '"}'
    old = f'{{"bodies": [{{"code": "H1", "name": "A", "seal": {seal}}}, {{"code": "H2", "name": "B", "seal": null}}]}}'
    folder.settings.write_text(old, encoding="utf-8")
    settings = load_settings(folder)
    assert settings.bodies[0].seals == (Seal(diameter_mm=36, blob="ab" * 32),)
    assert settings.bodies[1].seals == ()
    assert settings.has_plain_pictures
    assert settings.blobs() == {"ab" * 32}
    assert not FULL.has_plain_pictures


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('{"langage": "vi"}', "langage"),
        ('{"language": "fr"}', "$.language"),
        (
            '{"bodies": [{"code": "H77", "name": "A", "certificates": ["ABCD"]}]}',
            "$.bodies[0].certificates[0]",
        ),
        ('{"bodies": [{"code": "H77", "name": "A", "seal": {"diameter_mm": 36}}]}', "$.bodies[0].seals[0]"),
        ('{"bodies": "H77"}', "$.bodies"),
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
