"""The pictures that stamps show: the body's seal, the leader's signature; found through the settings, named by hash.

Main process. A plan names a picture by the SHA-256 of its file, so that a changed picture is another plan.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from signer_app.signing.certificates import SigningCertificate
from signer_app.store.blobs import BlobStore
from signer_app.store.settings import Body, Settings
from signer_resources.errors import KnownError

_MAX_BYTES = 16 << 20


@dataclass(frozen=True)
class Images:
    """Hashes of the pictures that apply, and where each hash lies."""

    seal: str | None = None
    signature: str | None = None
    files: tuple[tuple[str, Path], ...] = ()

    def paths(self) -> dict[str, str]:
        """Hash to path, as the workers take it."""
        return {sha256: str(path) for sha256, path in self.files}


def load_images(settings: Settings, blobs: BlobStore, chosen: SigningCertificate | None) -> Images:
    """The pictures for this certificate; KnownError "image_unusable" for one that is set and not there."""
    body = chosen.body if chosen is not None else (settings.bodies[0] if len(settings.bodies) == 1 else None)
    seal = _seal_file(body, blobs)
    signature = _signature_file(chosen, settings, blobs) if chosen is not None else None
    found: list[tuple[str, Path]] = []
    hashes: list[str | None] = []
    for path in (seal, signature):
        hashes.append(None if path is None else _hash(path))
        if path is not None and hashes[-1] is not None:
            found.append((hashes[-1], path))
    return Images(hashes[0], hashes[1], tuple(found))


def _seal_file(body: Body | None, blobs: BlobStore) -> Path | None:
    if body is None or body.seal is None:
        return None
    return Path(body.seal.file) if body.seal.file is not None else blobs.path(body.seal.blob or "")


def _signature_file(chosen: SigningCertificate, settings: Settings, blobs: BlobStore) -> Path | None:
    sha256 = chosen.certificate.sha256
    if sha256 in settings.signatures:
        return blobs.path(settings.signatures[sha256])
    return Path(settings.pictures[sha256]) if sha256 in settings.pictures else None


def _hash(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise KnownError("image_unusable", name=path.name)
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise KnownError("image_unusable", name=path.name) from error
