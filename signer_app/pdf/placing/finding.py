"""The rules by which a signature finds its place, asked in the order that its profile gives.

Runs in a worker. The first rule that is sure wins; where none is, the place that the person chose last time, else the
first that was found, and the person is asked. No rule draws anything.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, cached_property

from signer_app.pdf.geometry import Rect
from signer_app.pdf.leaders import lies_in
from signer_app.pdf.letter import SignerBlock, find_receivers_box, text_end
from signer_app.pdf.marks import Refused
from signer_app.pdf.names import fold
from signer_app.pdf.pages import last_first
from signer_app.pdf.placing.boxes import page_of, require_on_page, seal_box, signature_box
from signer_app.pdf.placing.ink import Ink, ink_of_page
from signer_app.pdf.placing.inputs import Inputs, Place
from signer_app.pdf.plan import SEAL_FIELD
from signer_resources.rules.profiles import Picture, PlaceRule, SignatureProfile

_PAGES_TRIED = 3
"""Empty pages at the end of a file are passed over, so many at most."""
_GAP_MM = 6.0
_STEP_MM = 2.0
_HEADING = ("cong hoa xa hoi chu nghia viet nam", "doc lap tu do hanh phuc")
"""Ô 1, folded."""
_LARGEST_FIELD = 2.0
"""So many times the seal's diameter a field may measure that was made for it."""
_SPILL_MM = 3.0
"""How far a signature may hang over the edge of the paper: the rim of a picture has no ink."""
_SMALLEST_FIELD = (20.0, 8.0)
"""mm: a field that is smaller shows no signature that anybody can read."""


class Finder:
    """Finds the place of one profile's mark, `size` mm on A4; a seal has its real size everywhere."""

    def __init__(self, inputs: Inputs, profile: SignatureProfile, size: tuple[float, float]) -> None:
        self._inputs = inputs
        self._profile = profile
        self._size = size
        self._is_seal = profile.picture is Picture.SEAL
        self.ink: Callable[[int], Ink] = cache(lambda page: ink_of_page(inputs.path, page, inputs.frame(page)))
        self._rules: dict[PlaceRule, Callable[[], Place | None]] = {
            PlaceRule.BY_HAND: self._by_hand,
            PlaceRule.PREPARED_FIELD: self._prepared_field,
            PlaceRule.LEADER_SIGNATURE: self._leader_signature,
            PlaceRule.SIGNER_NAME: self._signer_name,
            PlaceRule.END_OF_TEXT: self._end_of_text,
            PlaceRule.REMEMBERED: self._remembered,
            PlaceRule.GEOMETRY: self._geometry,
        }

    def find(self) -> Place | None:
        """The place; None where no rule finds any. Refused for a place by hand that is not on the page."""
        unsure: list[Place] = []
        for rule in self._profile.places:
            if rule is PlaceRule.GEOMETRY and unsure:
                continue
            found = self._rules[rule]() if rule in self._rules else None
            if found is not None and self._covers_heading(found):
                found = replace(found, sure=False)
            if found is not None and found.sure:
                return found
            if found is not None:
                unsure.append(found)
        return next((one for one in unsure if one.rule is PlaceRule.REMEMBERED), next(iter(unsure), None))

    def _covers_heading(self, place: Place) -> bool:
        """Whether a seal would lie on Quốc hiệu or Tiêu ngữ (ô 1), where no rule is ever sure of it."""
        if not self._is_seal or place.page != 0 or place.rule is PlaceRule.BY_HAND:
            return False
        return any(
            fold(run.text).startswith(_HEADING) and run.box.overlaps(place.rect) for run in self._inputs.pages[0].runs
        )

    # --- the person --------------------------------------------------------------------------------------------------

    def _by_hand(self) -> Place | None:
        option = self._inputs.request.place
        if option is None:
            return None
        page = page_of(option, self._inputs.pages)
        width, height = self._size_on(page)
        if not self._is_seal:
            width, height = option.w or width, option.h or height
        rect = Rect(option.x, option.y, width, height)
        require_on_page(rect, option, self._inputs.frame(page), len(self._inputs.pages))
        return Place(page, rect.rounded(), PlaceRule.BY_HAND)

    def _remembered(self) -> Place | None:
        """Sure only on the paper that such places are remembered on, and where nothing is written."""
        option = self._inputs.request.remembered
        if option is None:
            return None
        try:
            page = page_of(option, self._inputs.pages)
            width, height = self._size_on(page)
            if not self._is_seal:
                width, height = option.w or width, option.h or height
            rect = Rect(option.x, option.y, width, height)
            require_on_page(rect, option, self._inputs.frame(page), len(self._inputs.pages))
        except Refused:
            return None
        free = not any(run.box.overlaps(rect) for run in self._inputs.pages[page].runs)
        # A seal lies over the leader's signature; anything else over nothing.
        free = free and (self._is_seal or self.ink(page).free(rect))
        sure = free and self._inputs.measures.is_paper(self._inputs.frame(page))
        return Place(page, rect.rounded(), PlaceRule.REMEMBERED, sure)

    # --- what waits or was signed ------------------------------------------------------------------------------------

    def _prepared_field(self) -> Place | None:
        return self._prepared_for_seal() if self._is_seal else self._prepared_for_signer()

    def _prepared_for_seal(self) -> Place | None:
        """The field that the leader's signature made; Refused where it is too small for the seal."""
        form, diameter = self._inputs.form, self._size[0]
        waiting = form.find(SEAL_FIELD, "/Sig")
        if waiting is None or waiting.read_only or form.locked(SEAL_FIELD) or waiting.page >= len(self._inputs.pages):
            return None
        if not waiting.shown:
            return None
        box = self._inputs.frame(waiting.page).from_user(waiting.box)
        if max(box.w, box.h) > _LARGEST_FIELD * diameter:
            # What is so large lies over half the page, and hides whatever comes to lie below it.
            return None
        if box.w + 0.5 < diameter or box.h + 0.5 < diameter:
            raise Refused("seal_field_too_small", mm=f"{diameter:g}")
        place = Place(waiting.page, box, PlaceRule.PREPARED_FIELD, waiting=waiting)
        return place if self._belongs_to_leader(place) else None

    def _belongs_to_leader(self, place: Place) -> bool:
        """Whether a prepared field lies on the page and where the leader's signature wants the seal.

        Of a joint letter it may be the other body's; a form of others may have it anywhere.
        """
        frame, box = self._inputs.frame(place.page), place.rect
        whole = box.x >= -0.1 and box.y >= -0.1 and box.right <= frame.width_mm + 0.1
        if not whole or box.bottom > frame.height_mm + 0.1:
            return False
        wanted = self._leader_signature() or self._signer_name()
        return wanted is not None and wanted.page == place.page and wanted.rect.overlaps(box)

    def _prepared_for_signer(self) -> Place | None:
        """An empty signature field between the signer's title and name, as some forms bring it."""
        form, (blocks, own) = self._inputs.form, self._blocks
        if not own or not blocks[0].sure:
            return None
        room = blocks[0].room
        for waiting in form.waiting:
            if waiting.kind != "/Sig" or waiting.name == SEAL_FIELD or waiting.page != blocks[0].page:
                continue
            box = self._inputs.frame(waiting.page).from_user(waiting.box)
            (x, y), large = box.centre, box.w >= _SMALLEST_FIELD[0] and box.h >= _SMALLEST_FIELD[1]
            within = room.x <= x <= room.right and room.y <= y <= room.bottom
            if within and large and not (waiting.read_only or waiting.seeded or form.locked(waiting.name)):
                return Place(waiting.page, box, PlaceRule.PREPARED_FIELD, waiting=waiting)
        return None

    def _leader_signature(self) -> Place | None:
        leader = self._inputs.leader
        if leader is None:
            return None
        signature = leader.signature
        if signature.page is None or signature.rect is None or signature.rect.w <= 5:
            return None
        if not 1 <= signature.page <= len(self._inputs.pages):
            return None
        page, shown = signature.page - 1, signature.rect
        frame = self._inputs.frame(page)
        (x, y), whole = shown.centre, frame.whole
        if not (0 <= x <= whole.w and 0 <= y <= whole.h):
            return None
        # An appearance much larger than a signature is laid out in its own way; keep the seal by its middle.
        width = min(shown.w, self._inputs.measures.signature_mm[0] * self._scale(page))
        box = Rect(shown.x + (shown.w - width) / 2, shown.y, width, shown.h)
        on_page = _within(shown, whole.grown(_SPILL_MM))
        at_seven = any(lies_in(signature, block) for block in self._inputs.signers.all)
        return Place(page, self._seal_at(page, box), PlaceRule.LEADER_SIGNATURE, leader.sure and on_page and at_seven)

    # --- what the page says ------------------------------------------------------------------------------------------

    @property
    def names_signer(self) -> bool:
        """Whether the page names the signer at a place of signing."""
        return self._blocks[1]

    @cached_property
    def _blocks(self) -> tuple[tuple[SignerBlock, ...], bool]:
        """Ô 7 of the signer and True; of anybody and False where the page doesn't name the signer."""
        leader = self._inputs.leader
        name = self._inputs.request.certificate_name
        if self._is_seal:
            name = (leader.signature.signer or "") if leader is not None else ""
        own = self._inputs.signers.of(name) if name else ()
        return (own, True) if own else (self._inputs.signers.all, False)

    def _signer_name(self) -> Place | None:
        blocks, own = self._blocks
        if not blocks:
            return None
        block, leader = blocks[0], self._inputs.leader
        # One who signs the letter and its appendix in one file is named twice; so is one whom a list names.
        others = [one for one in blocks if one.sure and _stand_apart(one, block)]
        sure = own and block.sure and not others and (leader is None or leader.sure)
        box = signature_box(block, self._inputs.measures, self._scale(block.page))
        rect = self._seal_at(block.page, box) if self._is_seal else box
        return Place(block.page, rect, PlaceRule.SIGNER_NAME, sure)

    def _end_of_text(self) -> Place | None:
        """Right behind "./."; below the end of the line where no room is left beside it."""
        for page in last_first(self._inputs.pages):
            end = text_end(page)
            if end is None:
                continue
            width, height = self._size_on(page.number)
            gap = self._inputs.measures.initial_gap_mm
            furthest = page.frame.width_mm - self._edge(page.number)
            beside = Rect(end.x + gap, end.y + end.h / 2 - height / 2, width, height)
            # The line above may reach into a mark that is higher than its line.
            lower = Rect(end.x + gap, end.y, width, height)
            below = Rect(furthest - width, end.bottom + gap / 2, width, height)
            for rect in (beside, lower, below):
                if rect.right <= furthest and self.ink(page.number).free(rect):
                    return Place(page.number, rect.rounded(), PlaceRule.END_OF_TEXT)
            narrow = lower if lower.right <= page.frame.width_mm else below
            return Place(page.number, narrow.rounded(), PlaceRule.END_OF_TEXT, sure=False)
        return None

    def _geometry(self) -> Place | None:
        """In the middle of the right half, below all that is drawn; never sure, for nothing was read."""
        last = len(self._inputs.pages) - 1
        for number in range(last, max(-1, last - _PAGES_TRIED), -1):
            bottom = self.ink(number).bottom()
            if bottom is not None or number == 0:
                rect = self._room_below(number, 0.0 if bottom is None else bottom)
                return Place(number, rect, PlaceRule.GEOMETRY, sure=False) if rect is not None else None
        return None

    def _room_below(self, page: int, bottom: float) -> Rect | None:
        """Free room under `bottom`, else (a footer may stand there) the lowest that there is."""
        frame, measures, scale = self._inputs.frame(page), self._inputs.measures, self._scale(page)
        width, height = (side * scale for side in measures.signature_mm) if self._is_seal else self._size_on(page)
        left, right = measures.margin_left_mm * scale, measures.margin_right_mm * scale
        centre = left + 0.75 * (frame.width_mm - left - right)
        lowest = frame.height_mm - measures.margin_bottom_mm * scale - height
        x = min(centre - width / 2, frame.width_mm - width)
        tops = [bottom + _GAP_MM * scale] if bottom + _GAP_MM * scale <= lowest else []
        tops += [lowest - _STEP_MM * step for step in range(int(max(lowest, 0) / _STEP_MM) + 1)]
        for y in tops:
            box = Rect(x, y, width, height)
            if y >= 0 and x >= 0 and self.ink(page).free(box):
                return self._seal_at(page, box) if self._is_seal else box.rounded()
        return None

    # --- sizes -------------------------------------------------------------------------------------------------------

    def _scale(self, page: int) -> float:
        return self._inputs.measures.scale(self._inputs.frame(page))

    def _size_on(self, page: int) -> tuple[float, float]:
        scale = 1.0 if self._is_seal else self._scale(page)
        return self._size[0] * scale, self._size[1] * scale

    def _edge(self, page: int) -> float:
        """How near a small mark may come to the edge of the paper, mm."""
        return 2 * self._inputs.measures.corner_edge_mm * self._scale(page)

    def _seal_at(self, page: int, signature: Rect) -> Rect:
        receivers = find_receivers_box(self._inputs.pages[page])
        return seal_box(signature, self._size[0], self._inputs.measures, self._inputs.frame(page), receivers)


def _within(inner: Rect, outer: Rect) -> bool:
    return outer.x <= inner.x and outer.y <= inner.y and inner.right <= outer.right and inner.bottom <= outer.bottom


def _stand_apart(one: SignerBlock, other: SignerBlock) -> bool:
    """Whether two finds are two places; a name in two lines is found with and without its second."""
    return one.page != other.page or not one.room.overlaps(other.room)
