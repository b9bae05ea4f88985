"""The CRLs and OCSP answers behind a finding, kept once by content for all records that rest on them.

Main process, by the owner of the data folder's lock. A blob is here before a row names it.
"""

import hashlib
import io
from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet

from signer_app.store.blobs import BlobStore
from signer_app.verification.model import Proof, TrustMaterial

Find = Callable[[AbstractSet[str]], Mapping[str, bytes]]
"""Gives those of the wanted pieces (SHA-256) that are at hand, as DER."""


def named(wanted: AbstractSet[str], material: TrustMaterial) -> dict[str, bytes]:
    """The pieces of `material` with these SHA-256; nothing is hashed where none is wanted."""
    if not wanted:
        return {}
    found = ((hashlib.sha256(der).hexdigest(), der) for der in (*material.crls, *material.ocsps))
    return {sha256: der for sha256, der in found if sha256 in wanted}


def keep_pieces(blobs: BlobStore, proofs: Collection[Proof], find: Find) -> tuple[str, ...]:
    """The SHA-256 of those proofs that are blobs now; the others came with the document and lie there.

    `find` is only asked for what is not kept yet. Raises as `BlobStore.add_stream`.
    """
    wanted = {proof.sha256 for proof in proofs}
    kept = {sha256 for sha256 in wanted if blobs.has(sha256)}
    if missing := wanted - kept:
        kept |= {blobs.add_stream(io.BytesIO(der)).sha256 for der in find(missing).values()}
    return tuple(sorted(kept))
