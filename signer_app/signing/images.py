"""The pictures that stamps show: the body's seal, the leader's signature; found through the settings, named by hash.

Main process. A plan names a picture by the SHA-256 of its file, so that a changed picture is another plan.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from signer_app.pdf.plan import ImageItem, SignStep
from signer_app.signing.certificates import SigningCertificate
from signer_app.store.blobs import BlobStore
from signer_app.store.settings import Body, Settings
from signer_resources.errors import KnownError

_MAX_BYTES = 16 << 20


@dataclass(frozen=True)
class Images:
    """Hashes of the pictures that apply, and the content (PNG) of each hash."""

    seal: str | None = None
    signature: str | None = None
    contents: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def shown_by(self, step: SignStep) -> dict[str, bytes]:
        """Those that a step shows, as the workers take them."""
        items = step.drawing.items if step.drawing is not None else ()
        shown = {item.image for item in items if isinstance(item, ImageItem)}
        return {sha256: content for sha256, content in self.contents.items() if sha256 in shown}


def load_images(settings: Settings, blobs: BlobStore, chosen: SigningCertificate | None) -> Images:
    """The pictures for this certificate; KnownError "image_unusable" for one that is set and not there."""
    body = chosen.body if chosen is not None else (settings.bodies[0] if len(settings.bodies) == 1 else None)
    seal = _seal_file(body, blobs)
    signature = _signature_file(chosen, settings, blobs) if chosen is not None else None
    found: dict[str, bytes] = {}
    hashes: list[str | None] = []
    for path in (seal, signature):
        content = None if path is None else _content(path)
        hashes.append(None if content is None else hashlib.sha256(content).hexdigest())
        if content is not None:
            found[hashlib.sha256(content).hexdigest()] = content
    return Images(hashes[0], hashes[1], found)


def _seal_file(body: Body | None, blobs: BlobStore) -> Path | None:
    if body is None or body.seal is None:
        return None
    return Path(body.seal.file) if body.seal.file is not None else blobs.path(body.seal.blob or "")


def _signature_file(chosen: SigningCertificate, settings: Settings, blobs: BlobStore) -> Path | None:
    sha256 = chosen.certificate.sha256
    if sha256 in settings.signatures:
        return blobs.path(settings.signatures[sha256])
    return Path(settings.pictures[sha256]) if sha256 in settings.pictures else None


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise KnownError("image_unusable", name=path.name)
        return path.read_bytes()
    except OSError as error:
        raise KnownError("image_unusable", name=path.name) from error
