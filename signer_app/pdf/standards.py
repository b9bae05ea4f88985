"""What a file claims to be by its XMP metadata (PDF/A, PDF/UA), and whether a signature of ours leaves that true.

Runs in a worker, on files of others; reads, never writes. A claim is what the file says of itself: whether it was true
before isn't checked here, only whether our increment adds what the claimed standard forbids (ISO 19005, ISO 14289).
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pikepdf

from signer_app.pdf.plan import Drawing, ImageItem, SignStep

_MOST_BYTES = 1 << 20
_MOST_INTENTS = 16
# Matched as text: an XML parser would have to be kept from entities, and finds no more.
_CLAIM = re.compile(r"\b(pdfaid|pdfuaid):(part|conformance)(?:\s*=\s*[\"']|\s*>\s*)([0-9A-Za-z]{1,2})\s*[<\"']")


class Obstacle(StrEnum):
    """What of our increment a claimed standard doesn't allow, by the name that the standard has for it."""

    TRANSPARENCY = "SMask, BM"
    """Soft masks and blending, which a seal over a signature needs: PDF/A-1 (ISO 19005-1, 6.4)."""
    COLOUR = "OutputIntent"
    """Colours without a profile that tells what they are (ISO 19005-1, 6.2.3.3; 19005-2, 6.2.4.3)."""
    ENCRYPTION = "Encrypt"
    """All parts of ISO 19005."""
    TAGS = "StructTreeRoot"
    """A widget outside of the tags (ISO 14289-1, 7.18)."""


@dataclass(frozen=True)
class Claims:
    """What a file says of itself: `names` as people write them ("PDF/A-2b"), `archive` the part of PDF/A or 0."""

    names: tuple[str, ...] = ()
    archive: int = 0
    accessible: bool = False
    profiles: frozenset[int] = frozenset()
    """Numbers of colours (1 grey, 3 RGB, 4 CMYK) of the profiles that the file names for its output."""
    encrypted: bool = False


def claims(path: Path) -> Claims:
    """The claims of the file; none where qpdf can't read it. Raises OSError."""
    try:
        with pikepdf.open(path, suppress_warnings=True) as pdf:
            return _claims(pdf)
    except (pikepdf.PikepdfError, RuntimeError, ValueError, TypeError, KeyError):
        return Claims()


def _claims(pdf: pikepdf.Pdf) -> Claims:
    found: dict[tuple[str, str], str] = {}
    for standard, what, value in _CLAIM.findall(_metadata(pdf)):
        found.setdefault((standard, what), value)
    part, level = found.get(("pdfaid", "part"), ""), found.get(("pdfaid", "conformance"), "")
    names = []
    if part.isdigit():
        names.append(f"PDF/A-{part}{level.lower()}")
    if (accessible := found.get(("pdfuaid", "part"), "")).isdigit():
        names.append(f"PDF/UA-{accessible}")
    return Claims(
        names=tuple(names),
        archive=int(part) if part.isdigit() else 0,
        accessible=accessible.isdigit(),
        profiles=_profiles(pdf) if part.isdigit() else frozenset(),
        encrypted=pdf.is_encrypted,
    )


def _metadata(pdf: pikepdf.Pdf) -> str:
    stream: Any = pdf.Root.get("/Metadata")
    if not isinstance(stream, pikepdf.Stream):
        return ""
    data = stream.read_raw_bytes()[:_MOST_BYTES]
    if stream.get("/Filter") == pikepdf.Name.FlateDecode:
        try:
            data = zlib.decompressobj().decompress(data, _MOST_BYTES)
        except zlib.error:
            return ""
    encoding = "utf-16" if data[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8"
    return data.decode(encoding, errors="replace")


def _profiles(pdf: pikepdf.Pdf) -> frozenset[int]:
    intents: Any = pdf.Root.get("/OutputIntents")
    if not isinstance(intents, pikepdf.Array):
        return frozenset()
    found: set[int] = set()
    for number in range(min(len(intents), _MOST_INTENTS)):
        intent: Any = intents[number]
        profile = intent.get("/DestOutputProfile") if isinstance(intent, pikepdf.Dictionary) else None
        count = profile.get("/N") if isinstance(profile, pikepdf.Stream) else None
        if isinstance(count, int):
            found.add(count)
    return frozenset(found)


def obstacles(found: Claims, steps: Sequence[SignStep]) -> tuple[tuple[str, Obstacle], ...]:
    """The claims that signing by these steps makes untrue, each with what stands in its way."""
    drawings = [step.drawing for step in steps if step.drawing is not None]
    drawings += [fill.drawing for step in steps for fill in step.fill]
    met: list[tuple[str, Obstacle]] = []
    archive = next((name for name in found.names if name.startswith("PDF/A")), None)
    if archive is not None:
        pictures = any(map(_has_picture, drawings))
        if found.encrypted:
            met.append((archive, Obstacle.ENCRYPTION))
        if found.archive == 1 and (pictures or any(drawing.multiply for drawing in drawings)):
            met.append((archive, Obstacle.TRANSPARENCY))
        if (pictures and 3 not in found.profiles) or (drawings and not found.profiles):
            met.append((archive, Obstacle.COLOUR))
    shown = bool(drawings) or any(step.make for step in steps)
    met += [(name, Obstacle.TAGS) for name in found.names if name.startswith("PDF/UA") and shown]
    return tuple(met)


def _has_picture(drawing: Drawing) -> bool:
    return any(isinstance(item, ImageItem) for item in drawing.items)
