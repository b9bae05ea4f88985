"""Looks after the vault at a start: pictures from before there was one are taken in, and what nothing names is deleted.

Main process, once, under the data folder's lock, before anybody else writes. The vault's file is durable before the
settings name it, and the settings name it before the plain copy goes: a start that is cut is finished by the next. A
picture that can't be read stays as it is set, and is told when it is wanted.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from signer_app.store.blobs import BlobStore
from signer_app.store.datafolder import DataFolder
from signer_app.store.settings import Body, HandKind, Handwriting, Seal, Settings, load_settings, save_settings
from signer_app.vault.vault import MAX_BYTES, Vault

_replace = msgspec.structs.replace


def look_after(folder: DataFolder, vault: Vault) -> bool:
    """Takes in what lies plain, and collects; whether the settings are others now. The plain blobs are named by nothing
    then, so `recover` deletes them.

    KnownError as `load_settings`, `save_settings` and `Vault`.
    """
    before = load_settings(folder)
    after = taken_in(before, vault, BlobStore(folder.blobs)) if before.has_plain_pictures else before
    if after != before:
        save_settings(folder, after)
    vault.collect(after.kept_pictures())
    return after != before


def taken_in(settings: Settings, vault: Vault, blobs: BlobStore) -> Settings:
    """The settings with all plain pictures in the vault that can be read."""
    bodies = tuple(_with_seals(body, vault, blobs) for body in settings.bodies)
    plain: Mapping[str, Path] = {
        **{certificate: Path(file) for certificate, file in settings.pictures.items()},
        **{certificate: blobs.path(blob) for certificate, blob in settings.signatures.items()},
    }
    hands, done = dict(settings.handwriting), set[str]()
    for certificate, path in plain.items():
        content = _content(path)
        if content is not None:
            # What was chosen since stands behind, so that it goes before.
            hands[certificate] = (_signature(vault.keep(content)), *hands.get(certificate, ()))
            done.add(certificate)
    return _replace(
        settings,
        bodies=bodies,
        handwriting=hands,
        pictures={key: value for key, value in settings.pictures.items() if key not in done},
        signatures={key: value for key, value in settings.signatures.items() if key not in done},
    )


def _with_seals(body: Body, vault: Vault, blobs: BlobStore) -> Body:
    if all(seal.picture is not None for seal in body.seals):
        return body
    return _replace(body, seals=tuple(_in_vault(seal, vault, blobs) for seal in body.seals))


def _in_vault(seal: Seal, vault: Vault, blobs: BlobStore) -> Seal:
    if seal.picture is not None:
        return seal
    content = _content(Path(seal.file) if seal.file is not None else blobs.path(seal.blob or ""))
    return seal if content is None else _replace(seal, picture=vault.keep(content), file=None, blob=None)


def _signature(picture: str) -> Handwriting:
    return Handwriting(picture=picture, kind=HandKind.SIGNATURE)


def _content(path: Path) -> bytes | None:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError):
        # A name of the settings may be none at all.
        return None
    return content if len(content) <= MAX_BYTES else None
