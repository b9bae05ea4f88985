"""The papers that go with the program: its list of parts (CycloneDX) and the texts of all licences.

Called at the end of `build.spec`. Writes two files into the frozen program's folder; same parts, same bytes.
"""

import datetime as dt
import hashlib
import os
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from signer_packaging.parts import Part, UnknownLicenceError, may_be_shipped, parts_of

SBOM = "sbom.cdx.json"
LICENCES = "licences.txt"
_LINE = "-" * 100


def write_papers(root: Path, sources: Iterable[Path], folder: Path) -> list[Part]:
    """Writes both papers about the files `sources` into `folder`; what the program consists of.

    UnclaimedFilesError, UnknownLicenceError, also for a licence under which it must not be given away.
    """
    parts = parts_of(root, sources)
    refused = [f"{part.name}: {part.licence}" for part in parts if not may_be_shipped(part.licence)]
    if refused:
        raise UnknownLicenceError("; ".join(refused))
    (folder / SBOM).write_text(sbom(parts), encoding="utf-8", newline="\n")
    (folder / LICENCES).write_text(licences(parts), encoding="utf-8", newline="\n")
    return parts


def sbom(parts: Sequence[Part]) -> str:
    """The list of parts as CycloneDX 1.6, JSON."""
    own = next(part for part in parts if part.name == "signer")
    root = _component(own, ComponentType.APPLICATION)
    components = {part.key: _component(part) for part in parts if part is not own}
    carried: dict[str, list[Component]] = {}
    for part in parts:
        if part.carrier is not None:
            carried.setdefault(part.carrier.lower(), []).append(components[part.key])
    bom = Bom(components=components.values())
    bom.metadata = BomMetaData(component=root, timestamp=built_at())
    direct = [components[part.key] for part in parts if part is not own and part.carrier is None]
    bom.dependencies = [
        Dependency(root.bom_ref, [Dependency(one.bom_ref) for one in (*direct, *carried.get("signer", ()))]),
        *(
            Dependency(component.bom_ref, [Dependency(one.bom_ref) for one in carried.get(component.name.lower(), ())])
            for component in components.values()
        ),
    ]
    names = "\n".join(f"{part.key} {part.licence}" for part in parts)
    bom.serial_number = uuid.UUID(bytes=hashlib.sha256(names.encode()).digest()[:16], version=4)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def licences(parts: Sequence[Part]) -> str:
    """Each part with its licence, then each text once with the parts that it belongs to."""
    told = [
        "Signer is licensed under the Apache License, version 2.0. The installed program also holds the parts listed",
        "here, each under its own licence. The texts follow as the parts come with them; a library inside of another",
        "part is covered by the texts of that part.",
        "",
    ]
    for part in parts:
        inside = f" (in {part.carrier})" if part.carrier else ""
        told.append(f"  {part.name}{f' {part.version}' if part.version else ''}{inside}: {part.licence}")
    texts: dict[str, list[str]] = {}
    for part in parts:
        for file in part.texts:
            text = file.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n").strip("\n")
            owners = texts.setdefault(text, [])
            if part.name not in owners:
                owners.append(part.name)
    for text, owners in texts.items():
        told += ["", _LINE, ", ".join(owners), _LINE, "", text]
    return "\n".join(told) + "\n"


def built_at() -> dt.datetime:
    """The time that the build goes by (SOURCE_DATE_EPOCH), else now, to the second."""
    said = os.environ.get("SOURCE_DATE_EPOCH")
    return dt.datetime.fromtimestamp(int(said), dt.UTC) if said else dt.datetime.now(dt.UTC).replace(microsecond=0)


def _component(part: Part, kind: ComponentType = ComponentType.LIBRARY) -> Component:
    return Component(
        name=part.name,
        version=part.version,
        type=kind,
        bom_ref=part.key,
        licenses=[LicenseExpression(part.licence)],
        purl=PackageURL.from_string(part.purl) if part.purl else None,
        properties=[Property(name="signer:inside", value=part.carrier)] if part.carrier else None,
    )
