"""The inspection of a file's structure, from its catalogue down to each page, with qpdf.

Runs in a worker; opens the file once, reads no stream's data but the metadata's. A walk that runs out of steps, or
meets what qpdf can't read, says so by a sighting: it never ends the preflight.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pikepdf

from signer_app.pdf.inspection.access import Access, access_of
from signer_app.pdf.inspection.actions import annotation_actions, document_actions, page_actions
from signer_app.pdf.inspection.annotations import annotation_looks, attached_files
from signer_app.pdf.inspection.embedded import embedded_secret
from signer_app.pdf.inspection.forms import Form, read_form
from signer_app.pdf.inspection.layers import read_layers
from signer_app.pdf.inspection.metadata import says_secret
from signer_app.pdf.inspection.reading import elements, entry, has, identity, name, values
from signer_app.pdf.inspection.resources import Resources, file_name
from signer_app.pdf.inspection.sightings import Budget, Sighting
from signer_app.pdf.training_mark import Marked, carried_by

_STEPS = 400_000
"""Dictionaries looked at in one document; a letter has some dozens, a thousand scanned pages some thousands."""
_FEW_OBJECTS = 3_000
"""In a file with no more, every stream is looked at, also those that no page leads to."""


class PasswordNeededError(Exception):
    """The file opens with a password only, or for the holders of certain keys."""


class UnreadableStructureError(Exception):
    """qpdf can't read the file at all."""


@dataclass
class Structure:
    """What the structure says. `sightings` in the order in which a person would look."""

    access: Access = field(default_factory=Access)
    form: Form = field(default_factory=Form)
    secret: bool = False
    training: Marked = field(default_factory=Marked)
    sightings: list[Sighting] = field(default_factory=list)


def read_structure(path: Path, certificate: str = "") -> Structure:
    """The structure of the file at `path`, to be signed by the certificate with this SHA-256 (hex, "" not known).

    PasswordNeededError; UnreadableStructureError.
    """
    try:
        pdf = pikepdf.open(path, access_mode=pikepdf.AccessMode.stream)
    except pikepdf.PasswordError as error:
        raise PasswordNeededError from error
    except (pikepdf.PikepdfError, OSError, RuntimeError, ValueError) as error:
        # qpdf knows no key but a password's, and says so of files for the holders of certificates.
        raise (PasswordNeededError if "encrypt" in str(error) else UnreadableStructureError) from error
    structure = Structure()
    with pdf:
        try:
            structure.access = access_of(pdf)
            _look(pdf, structure, certificate)
        except (pikepdf.PikepdfError, RuntimeError, ValueError, OverflowError):
            structure.sightings.append(Sighting("inspection_incomplete", "qpdf"))
    return structure


def _look(pdf: pikepdf.Pdf, structure: Structure, certificate: str) -> None:
    root, budget, seen = pdf.Root, Budget(_STEPS), structure.sightings
    structure.secret = says_secret(pdf) or embedded_secret(pdf)
    structure.training = carried_by(pdf)
    seen += document_actions(root, budget)
    places = _Places(pdf)
    structure.form = read_form(root, places.of_annotations, certificate, budget)
    seen += structure.form.sightings
    resources = Resources(read_layers(root), budget)
    for number, page in enumerate(places.pages, 1):
        if not budget.spend():
            break
        seen += resources.page(page, number)
        if has(page, "/AA"):
            seen += page_actions(page, number, budget)
        for annotation in elements(entry(page, "/Annots")):
            if not budget.spend():
                break
            seen += annotation_actions(annotation, number, budget)
            seen += annotation_looks(annotation, number)
            seen += _of_looks(annotation, number, resources)
    seen += attached_files(root, budget)
    seen += _loose_streams(pdf, seen)
    if has(entry(root, "/Perms"), "/UR3") or has(entry(root, "/Perms"), "/UR"):
        seen.append(Sighting("usage_rights", "Perms"))
    if budget.short:
        seen.append(Sighting("inspection_incomplete", "qpdf"))


class _Places:
    """The pages, and on which of them each annotation lies."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self.pages = [page.obj for page in pdf.pages]
        self.of_annotations = {
            identity(annotation): number
            for number, page in enumerate(self.pages, 1)
            for annotation in elements(entry(page, "/Annots"))
        }
        self.of_annotations.pop((0, 0), None)


def _of_looks(annotation: Any, number: int, resources: Resources) -> Iterator[Sighting]:
    """What the looks of an annotation are drawn from, also those of its states."""
    for _moment, look in values(entry(annotation, "/AP")):
        for state in (look, *(stream for _name, stream in values(look))):
            yield from resources.drawing(state, number)


def _loose_streams(pdf: pikepdf.Pdf, seen: list[Sighting]) -> Iterator[Sighting]:
    """Streams in other files that were not met at any page, in files small enough to look at every object."""
    if len(pdf.objects) > _FEW_OBJECTS or any(sighting.code == "external_content" for sighting in seen):
        return
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Stream) and has(thing, "/F") and name(entry(thing, "/Type")) != "/EmbeddedFile":
            yield Sighting("external_content", "stream", file_name(entry(thing, "/F")))
