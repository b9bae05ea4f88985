"""Boxes of the decree's layout: the signature between title and name, the seal over a part of it.

Pure functions over mm of the displayed page; run anywhere. Sizes come from the rules; a seal keeps its real size.
"""

from collections.abc import Sequence

from signer_app.pdf.geometry import PageFrame, Rect
from signer_app.pdf.letter import SignerBlock
from signer_app.pdf.marks import Refused
from signer_app.pdf.measures import Measures
from signer_app.pdf.model import PlaceOption
from signer_app.pdf.pagetext import PageText


def signature_box(block: SignerBlock, measures: Measures, scale: float = 1.0) -> Rect:
    """Between title and name, centred on the name, in the room there is (ô 7c); `scale` for paper that is not A4."""
    width, height = (side * scale for side in measures.signature_mm)
    fit = min(1.0, (block.room.h - 1.0) / height)
    width, height = width * fit, height * fit
    centre = block.name_box.x + block.name_box.w / 2
    return Rect(centre - width / 2, block.room.y + (block.room.h - height) / 2, width, height).rounded()


def seal_box(
    signature: Rect, diameter: float, measures: Measures, frame: PageFrame, receivers: Rect | None = None
) -> Rect:
    """Over about a third of the signature, on its left, centred on its height (NĐ 30 Đ33.1b), within the page.

    It moves to the right, over at most half of the signature, where that keeps it off Nơi nhận (ô 9b).
    """
    left = signature.x + signature.w * measures.seal_overlap - diameter
    top = signature.y + signature.h / 2 - diameter / 2
    seal = _on_page(Rect(left, top, diameter, diameter), frame)
    if receivers is not None and receivers.overlaps(seal) and receivers.x < seal.x + diameter / 2:
        furthest = signature.x + signature.w * measures.seal_overlap_max - diameter
        if receivers.right <= furthest:
            seal = _on_page(Rect(max(seal.x, receivers.right), top, diameter, diameter), frame)
    return seal.rounded()


def _on_page(rect: Rect, frame: PageFrame) -> Rect:
    x = max(0.0, min(rect.x, frame.width_mm - rect.w))
    return Rect(x, max(0.0, min(rect.y, frame.height_mm - rect.h)), rect.w, rect.h)


def page_of(option: PlaceOption, pages: Sequence[PageText]) -> int:
    """The page (from 0) that a place means; Refused "place_outside" where there is none."""
    count = len(pages)
    page = option.page - 1 if option.page > 0 else count + option.page
    if option.page == 0 or not 0 <= page < count:
        raise Refused("place_outside", page=str(option.page), pages=str(count))
    return page


def require_on_page(rect: Rect, option: PlaceOption, frame: PageFrame, count: int) -> None:
    """Refused "place_outside" where a box hangs over the page, or is none."""
    across = 0 <= rect.x < rect.right <= frame.width_mm + 0.1
    down = 0 <= rect.y < rect.bottom <= frame.height_mm + 0.1
    if not (across and down):
        raise Refused("place_outside", page=str(option.page), pages=str(count))
