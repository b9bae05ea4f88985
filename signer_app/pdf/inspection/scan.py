"""Whether page 1 is a picture, as a scan of paper is: how many dots an inch it has, and whether it is in colour.

Runs in a worker, with PDFium's own page objects. A copy in electronic form and a digitised record are made of paper;
what was typed, or printed to PDF, is another thing. It asks what the pictures say of themselves and unpacks none.
"""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from signer_app.pdf.geometry import PageFrame
from signer_app.pdf.model import CopyForm, Finding, PreflightRequest, Severity
from signer_resources.rules import RuleProfile

_MOST_PICTURES = 2_000
"""Some scanners write a page in strips, or in layers."""
_LEAST_SHARE = 0.5
"""Of the page that its pictures must cover."""
_MM_PER_INCH = 25.4
_COLOURED = frozenset(
    {
        pdfium_c.FPDF_COLORSPACE_DEVICERGB,
        pdfium_c.FPDF_COLORSPACE_DEVICECMYK,
        pdfium_c.FPDF_COLORSPACE_CALRGB,
        pdfium_c.FPDF_COLORSPACE_LAB,
        pdfium_c.FPDF_COLORSPACE_INDEXED,
    }
)
_COLOUR_BITS = 24
_ROUNDING = 0.98
"""A scanner's page is some dots larger or smaller than its paper."""


@dataclass(frozen=True)
class Scan:
    """A page that is a picture."""

    dpi: float
    colour: bool


def scan_of(pictures: Sequence[tuple[Any, float]], page: pdfium.PdfPage, frame: PageFrame) -> Scan | None:
    """What a page with these pictures (handle, and area in square units) is as a scan; None where they cover little."""
    area = sum(size for _handle, size in pictures)
    whole = frame.visible.width * frame.visible.height
    if whole <= 0 or area < _LEAST_SHARE * whole:
        return None
    dots, colour = 0, False
    told = pdfium_c.FPDF_IMAGEOBJ_METADATA()
    for handle, _size in pictures[:_MOST_PICTURES]:
        if pdfium_c.FPDFImageObj_GetImageMetadata(handle, page.raw, ctypes.byref(told)):
            dots += told.width * told.height
            colour = colour or told.colorspace in _COLOURED or told.bits_per_pixel >= _COLOUR_BITS
    square_inches = area / whole * (frame.width_mm / _MM_PER_INCH) * (frame.height_mm / _MM_PER_INCH)
    return Scan((dots / square_inches) ** 0.5, colour)


def scan_findings(scan: Scan | None, known: RuleProfile, request: PreflightRequest) -> Iterator[Finding]:
    """What page 1 lacks of a scan, for signatures that are put on one; an extract is typed anew (NĐ 30/2020, Đ25.3)."""
    rule = known.profile(request.profile.value).scan
    if not rule or (request.copy is not None and request.copy.form is CopyForm.TRICH_SAO):
        return
    least = known.number(rule)
    if scan is None:
        yield Finding("copy_not_a_scan", Severity.WARNING)
        return
    if scan.dpi < least * _ROUNDING:
        yield Finding("copy_scan_coarse", Severity.WARNING, {"dpi": f"{scan.dpi:.0f}", "least": f"{least:.0f}"})
    if not scan.colour:
        yield Finding("copy_scan_grey", Severity.WARNING)
