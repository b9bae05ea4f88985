"""The sample letters: nine documents of a fictional commune in the layout of Decree 30/2020, and their facts.

Read by the demo, the training mode and the tests; any process, any thread. The PDF files and `samples.toml`
are made together by `resources/tools/build_samples.py`, from the same values. It never opens a PDF.
"""

import tomllib
from enum import StrEnum
from pathlib import Path

import msgspec

import signer_resources


class Urgency(StrEnum):
    """Mức độ khẩn (Decree 30/2020, Annex I, ô 10b)."""

    NORMAL = "normal"
    URGENT = "urgent"
    """KHẨN"""
    VERY_URGENT = "very_urgent"
    """THƯỢNG KHẨN"""
    IMMEDIATE = "immediate"
    """HỎA TỐC"""


class Organisation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body that sends or receives: identifier of Decision 20/2020 and full name."""

    code: str
    name: str


class Issuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body whose letters these are; `name` is the common name of its certificate."""

    code: str
    name: str
    """As in ô 2, in capitals."""
    short_name: str
    parent: str
    place: str
    """Địa danh, as in ô 4."""


class Signer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One who signs for release; `name` is the common name of the certificate."""

    name: str
    title: str
    body: str
    authority: str | None = None
    """The line above the title: "TM. ỦY BAN NHÂN DÂN", or none."""


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One document: its files and what a reader of them must find. Number and day are blank in all."""

    id: str
    main: str
    """File name of the main letter, in this folder."""
    type: str
    """Abbreviation of Annex III; empty for an official letter (công văn)."""
    type_name: str
    notation: str
    subject: str
    signers: tuple[Signer, ...]
    """The leading body's signer first."""
    receivers: tuple[str, ...]
    """Codes of organisations."""
    pages: int
    urgency: Urgency = Urgency.NORMAL
    secret: bool = False
    month: int | None = None
    """The month, where the drafter has typed it."""
    initials: tuple[str, ...] = ()
    """Names of the drafters who put their initial at the end of the text."""
    appendices: tuple[str, ...] = ()
    """File names of what goes along in files of its own."""

    @property
    def files(self) -> tuple[str, ...]:
        """The main file and the appendices."""
        return (self.main, *self.appendices)


class SampleSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All samples, with the bodies that they name."""

    issuer: Issuer
    organisations: tuple[Organisation, ...]
    samples: tuple[Sample, ...]

    def sample(self, sample_id: str) -> Sample:
        """The sample `sample_id`; KeyError if there is none."""
        for sample in self.samples:
            if sample.id == sample_id:
                return sample
        raise KeyError(sample_id)


def load() -> SampleSet:
    """The committed samples."""
    text = signer_resources.path("samples/samples.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), SampleSet)


def file(name: str) -> Path:
    """Where the sample file `name` ("cong-van.pdf") lies; FileNotFoundError if there is none."""
    return signer_resources.path(f"samples/{name}")
