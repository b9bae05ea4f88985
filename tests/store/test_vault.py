"""The vault: what is kept comes back to its owner alone; pictures that lay plain are taken in at the next start."""

import datetime as dt
import hashlib
import io
import sys
from pathlib import Path

import msgspec
import pytest
from keyring.backend import KeyringBackend

from signer_app.pdf.model import Profile
from signer_app.signing.images import images_for
from signer_app.store.blobs import BlobStore
from signer_app.store.datafolder import DataFolder
from signer_app.store.settings import Body, HandKind, Handwriting, Seal, Settings, load_settings, save_settings
from signer_app.vault.keys import VaultKeys
from signer_app.vault.vault import MAX_BYTES, Vault
from signer_app.workspace import Overrides, workspace
from signer_resources.errors import KnownError
from signer_sync.keystore import FileKeyStore, KeyringKeyStore, KeyStore
from tests.desk.office import ORG

PNG = b"\x89PNG\r\n\x1a\n a round seal in red " * 50
ID = hashlib.sha256(PNG).hexdigest()
DEMO = Settings(softhsm2_conf="/x/softhsm2.conf")
"""Keys of a demonstration are files: no test touches the keyring of whoever runs it."""


class Ring(KeyringBackend):
    """A keyring of this test alone."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


def vault_in(folder: Path, ring: Ring | None = None) -> Vault:
    """A vault as a process opens it anew; with a keyring, or without."""

    def choose(keys: Path) -> KeyStore:
        return FileKeyStore(keys) if ring is None else KeyringKeyStore(ring)

    return Vault(folder / "vault", VaultKeys(folder / "keys", choose))


def refused(vault: Vault, picture: str = ID) -> str:
    with pytest.raises(KnownError) as caught:
        vault.open(picture)
    return caught.value.code


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("ring", [None, Ring()], ids=["key in a file", "key in the keyring"])
def test_a_picture_comes_back_and_nothing_of_it_lies_plain(tmp_path: Path, ring: Ring | None) -> None:
    assert vault_in(tmp_path, ring).keep(PNG) == ID
    again = vault_in(tmp_path, ring)
    assert again.open(ID) == PNG
    before = everything(tmp_path)
    assert again.keep(PNG) == ID
    assert everything(tmp_path) == before, "the same picture is kept once"
    assert b"PNG" not in before
    assert (tmp_path / "keys").exists() is (ring is None)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX mode")
def test_vault_and_key_are_the_users_alone(tmp_path: Path) -> None:
    vault_in(tmp_path).keep(PNG)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o700}


def test_a_copy_without_the_machines_keyring_shows_nothing(tmp_path: Path) -> None:
    ring = Ring()
    vault_in(tmp_path, ring).keep(PNG)
    thief = vault_in(tmp_path, Ring())
    assert refused(thief) == "image_unusable"


def test_a_keyring_that_was_away_finds_its_pictures_again(tmp_path: Path) -> None:
    ring, other = Ring(), PNG + b"other"
    vault_in(tmp_path, ring).keep(PNG)
    away = vault_in(tmp_path)
    assert refused(away) == "image_unusable"
    kept = away.keep(other)
    back = vault_in(tmp_path, ring)
    assert (back.open(ID), back.open(kept)) == (PNG, other)


def test_what_was_altered_swapped_or_is_gone_is_refused(tmp_path: Path) -> None:
    vault, folder = vault_in(tmp_path), tmp_path / "vault"
    vault.keep(PNG)
    other = vault.keep(PNG + b"other")
    sound = (folder / ID).read_bytes()
    for place in (0, 6, 25, 40, len(sound) - 1):
        altered = bytearray(sound)
        altered[place] ^= 1
        (folder / ID).write_bytes(altered)
        assert refused(vault) == "image_unusable", place
    for content in (b"", sound[:20], sound[:-1], (folder / other).read_bytes(), sound + bytes(MAX_BYTES)):
        (folder / ID).write_bytes(content)
        assert refused(vault) == "image_unusable"
    (folder / ID).unlink()
    assert refused(vault) == "image_unusable"
    assert vault.keep(PNG) == ID
    assert vault.open(ID) == PNG


@pytest.mark.parametrize("name", ["", "key", "../signer.sqlite", "A" * 64])
def test_a_name_that_is_none_opens_no_file(tmp_path: Path, name: str) -> None:
    vault = vault_in(tmp_path)
    vault.keep(PNG)
    assert refused(vault, name) == "image_unusable"


def test_a_picture_beyond_all_measure_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(KnownError) as caught:
        vault_in(tmp_path).keep(bytes(MAX_BYTES + 1))
    assert caught.value.code == "image_unusable"
    assert list(tmp_path.iterdir()) == []


def test_what_nothing_names_is_collected(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    vault.keep(PNG)
    orphan = vault.keep(PNG + b"orphan")
    (tmp_path / "vault" / ".x.part").write_bytes(b"half")
    assert vault.collect({ID}) == 2
    assert (vault.open(ID), refused(vault, orphan)) == (PNG, "image_unusable")
    assert vault.collect({ID}) == 0


# ---- the first start with a vault ----------------------------------------------------------------------------------


def plain(folder: DataFolder, tmp_path: Path) -> Settings:
    """Settings as an older version left them: a seal's blob, a leader's blob and file, a file that is gone."""
    folder.create()
    blobs = BlobStore(folder.blobs)
    seal, signature = (blobs.add_stream(io.BytesIO(PNG + one)).sha256 for one in (b"seal", b"signature"))
    (tmp_path / "of the clerk.png").write_bytes(PNG)
    settings = msgspec.structs.replace(
        DEMO,
        bodies=(Body(code=ORG, name="UBND", seals=(Seal(diameter_mm=36, blob=seal),)),),
        signatures={"a" * 64: signature},
        pictures={
            "a" * 64: str(tmp_path / "gone.png"),
            "b" * 64: str(tmp_path / "of the clerk.png"),
            "c" * 64: str(tmp_path / "gone.png"),
        },
    )
    save_settings(folder, settings)
    return settings


def test_the_first_start_takes_plain_pictures_in_and_deletes_the_blobs(folder: DataFolder, tmp_path: Path) -> None:
    old = plain(folder, tmp_path)
    with workspace(folder.path, Overrides(), writing=True) as space:
        settings, vault = space.settings, space.vault
        (seal,) = settings.bodies[0].seals
        assert (seal.diameter_mm, seal.blob) == (36, None)
        assert vault.open(str(seal.picture)) == PNG + b"seal"
        (signature,) = settings.handwriting["a" * 64]
        assert (vault.open(signature.picture), signature.kind) == (PNG + b"signature", HandKind.SIGNATURE)
        assert vault.open(settings.handwriting["b" * 64][0].picture) == PNG
        assert settings.pictures == {"c" * 64: old.pictures["c" * 64]}, "what can't be read stays as it is set"
        assert settings.signatures == {}
        _ = space.store
    assert PNG not in everything(folder.path)
    assert (tmp_path / "of the clerk.png").exists(), "the clerk's own file is the clerk's"
    kept = load_settings(folder)
    with workspace(folder.path, Overrides(), writing=True) as space:
        assert space.settings == kept
        assert {path.name for path in (folder.path / "vault").iterdir()} == {"key", *kept.kept_pictures()}


def test_a_start_that_only_reads_moves_nothing(folder: DataFolder, tmp_path: Path) -> None:
    old = plain(folder, tmp_path)
    with workspace(folder.path, Overrides(), writing=False) as space:
        assert space.settings == old
    assert not (folder.path / "vault").exists()


def test_a_picture_that_was_taken_out_of_the_settings_goes_at_the_next_start(folder: DataFolder) -> None:
    folder.create()
    save_settings(folder, DEMO)
    with workspace(folder.path, Overrides(), writing=True) as space:
        picture = space.vault.keep(PNG)
    with workspace(folder.path, Overrides(), writing=True):
        assert not (folder.path / "vault" / picture).exists()


def test_a_start_without_settings_deletes_no_picture(folder: DataFolder, tmp_path: Path) -> None:
    folder.create()
    save_settings(folder, DEMO)
    with workspace(folder.path, Overrides(), writing=True) as space:
        seal = Seal(diameter_mm=36, picture=space.vault.keep(PNG))
        bodies = (Body(code=ORG, name="UBND", seals=(seal,)),)
        space.change_settings(lambda now: msgspec.structs.replace(now, bodies=bodies))
    aside = folder.settings.rename(tmp_path / "aside.json")
    with workspace(folder.path, Overrides(), writing=True):
        pass
    aside.rename(folder.settings)
    with workspace(folder.path, Overrides(), writing=True) as space:
        assert space.vault.open(str(seal.picture)) == PNG


# ---- which picture a stamp shows -----------------------------------------------------------------------------------


def test_the_pictures_of_the_day_are_opened_and_others_are_not(folder: DataFolder) -> None:
    folder.create()
    save_settings(folder, DEMO)
    before, after = dt.date(2026, 6, 30), dt.date(2026, 7, 1)
    with workspace(folder.path, Overrides(), writing=True) as space:
        old, new = space.vault.keep(PNG + b"old"), space.vault.keep(PNG + b"new")
        seals = (
            Seal(diameter_mm=34, picture=old, valid_to=before),
            Seal(diameter_mm=36, picture=new, valid_from=after, valid_to=after),
        )
        space.change_settings(
            lambda now: msgspec.structs.replace(
                now,
                bodies=(Body(code=ORG, name="UBND", seals=seals),),
                handwriting={"a" * 64: (Handwriting(picture="f" * 64),)},
            )
        )
        found = images_for(space, None, before)
        assert (found.seal, found.seal_mm, found.contents) == (old, 34, {old: PNG + b"old"})
        assert images_for(space, None, after).seal == new
        found.require(Profile.AGENCY)
        none = images_for(space, None, dt.date(2026, 7, 2))
        assert (none.seal, none.contents) == (None, {})
        with pytest.raises(KnownError) as caught:
            none.require(Profile.AGENCY)
        assert caught.value.code == "seal_not_valid"
        assert "02/07/2026" in caught.value.explain("vi").what
        none.require(Profile.PLAIN)
        assert "PNG" not in repr(found)
