"""The body's seal with number and date: the cases of what an earlier signature allows (NĐ 30/2020, Đ14, Đ15, Đ32).

Runs in a worker. Prepared fields are filled with the signature of the seal; else number and date come as the appearance
of one more signature, made first. Nothing that stands on the page is printed over (see docs/decisions/0004).
"""

from signer_app.pdf.fonts import face
from signer_app.pdf.geometry import Rect
from signer_app.pdf.letter import find_receivers_box
from signer_app.pdf.marks import Marks, Refused, date_marks, number_marks, written_band
from signer_app.pdf.placing.finding import Finder
from signer_app.pdf.placing.inputs import Inputs, Place, Placed
from signer_app.pdf.plan import (
    DATE_FIELD,
    NUMBER_FIELD,
    Drawing,
    FillTextField,
    ImageItem,
    MakeSignatureField,
    Mark,
    Placement,
    SignStep,
)
from signer_resources.rules.profiles import PlaceRule, SignatureProfile

SEAL_LABEL = "Chữ ký số của cơ quan"
NUMBER_AND_DATE_FIELD = "so_ngay"
"""Stem of the field of the signature that carries number and date alone."""

NUMBER_RULE, DATE_RULE = "number_line", "date_line"
"""How a placement names the lines of ô 3 and ô 4."""

_TALLEST_FIELD, _WIDEST_FIELD = 3.0, 0.5
"""How high a prepared text field may be, in heights of its line, and how wide, as a share of the page."""
_LETTER_SPILL_MM = 1.0
"""How far the box of a blank may reach over a field that was made for it."""


def sealed(inputs: Inputs, profile: SignatureProfile) -> Placed:
    """One or two signatures, as the document allows; Refused with the reason where it allows none."""
    seal = inputs.body.seal
    if seal is None:
        raise Refused("seal_missing")
    number = number_marks(inputs.number_line, inputs.request.number, inputs.request.notation)
    date = date_marks(inputs.date_line, inputs.date)
    diameter = inputs.body.seal_mm
    finder = Finder(inputs, profile, (diameter, diameter))
    place = finder.find()
    if place is None:
        raise Refused("seal_place_not_found")
    _require_blank(finder, number, date)
    placements = [
        Placement(what, 1, marks.box.rounded(), rule, True)
        for what, rule, marks in ((Mark.NUMBER, NUMBER_RULE, number), (Mark.DATE, DATE_RULE, date))
        if marks is not None
    ]
    fills, drawn = _filled_and_drawn(inputs, number, date)
    field = _free_field(inputs, profile.field) if place.waiting is None else place.waiting.name
    steps = [*([_number_step(inputs, drawn, field, place)] if drawn else [])]
    steps.append(
        SignStep(
            field,
            existing=place.waiting is not None or bool(drawn),
            page=place.page,
            rect=place.rect,
            drawing=_seal_drawing(seal, place, diameter),
            fill=fills,
        )
    )
    return Placed(tuple(steps), (*placements, place.of(Mark.SEAL)), tuple(_warnings(inputs, place, bool(drawn))))


def _require_blank(finder: Finder, number: Marks | None, date: Marks | None) -> None:
    """Refused "number_differs" or "date_differs" where ink that is no text stands in a blank (a picture, a path)."""
    for code, marks in (("number_differs", number), ("date_differs", date)):
        for item in marks.items if marks is not None else ():
            width = face(item.style).width_mm(item.text, item.size)
            if not finder.ink(0).free(written_band(item.x, item.baseline, width, item.size)):
                raise Refused(code, page="?", given=item.text)


def _seal_drawing(seal: str, place: Place, diameter: float) -> Drawing:
    """The seal in its real size, in the middle of its field."""
    rect = place.rect
    inset = Rect((rect.w - diameter) / 2, (rect.h - diameter) / 2, diameter, diameter).rounded()
    return Drawing((ImageItem(seal, inset),), multiply=True)


def _filled_and_drawn(
    inputs: Inputs, number: Marks | None, date: Marks | None
) -> tuple[tuple[FillTextField, ...], list[Marks]]:
    """Values for the prepared fields; and what has none, or one that is elsewhere, locked or too small."""
    day = inputs.date.strftime("%d/%m/%Y") if inputs.date is not None else ""
    fills: list[FillTextField] = []
    drawn: list[Marks] = []
    for name, marks, value in ((NUMBER_FIELD, number, inputs.request.number or ""), (DATE_FIELD, date, day)):
        if marks is None:
            continue
        box = _room_of(inputs, name, value)
        if box is None or not _holds(box.grown(_LETTER_SPILL_MM), marks.box) or _is_vast(box, marks.box, inputs):
            drawn.append(marks)
        else:
            fills.append(FillTextField(name, value, box.rounded(), marks.within(box)))
    return tuple(fills), drawn


def _room_of(inputs: Inputs, name: str, value: str) -> Rect | None:
    """The box of a prepared text field on page 1 that may be filled with this value."""
    waiting = inputs.form.find(name, "/Tx")
    if waiting is None or waiting.page != 0 or waiting.read_only or not waiting.shown or inputs.form.locked(name):
        return None
    if waiting.longest is not None and waiting.longest < len(value):
        return None
    return inputs.frame(0).from_user(waiting.box)


def _is_vast(box: Rect, line: Rect, inputs: Inputs) -> bool:
    """Whether a field is no part of its line: what lies under its look would go unseen by the re-check."""
    return box.h > _TALLEST_FIELD * line.h or box.w > _WIDEST_FIELD * inputs.frame(0).width_mm


def _holds(outer: Rect, inner: Rect) -> bool:
    return (
        outer.x <= inner.x and inner.right <= outer.right and outer.y <= inner.y and inner.bottom <= outer.bottom
    )  # fmt: skip


def _number_step(inputs: Inputs, drawn: list[Marks], seal_field: str, place: Place) -> SignStep:
    """The signature that carries number and date; it makes the seal's empty field where none waits.

    So signing the seal changes nothing of this signature.
    """
    box = drawn[0].box
    for other in drawn[1:]:
        box = box.union(other.box)
    box = box.grown(0.4).rounded()
    made = MakeSignatureField(seal_field, SEAL_LABEL, place.page, place.rect, ())
    return SignStep(
        _free_field(inputs, NUMBER_AND_DATE_FIELD),
        existing=False,
        page=0,
        rect=box,
        drawing=Drawing(tuple(item for marks in drawn for item in marks.within(box).items)),
        make=(made,) if place.waiting is None else (),
    )


def _free_field(inputs: Inputs, stem: str) -> str:
    """A name for a new field; Refused "fields_locked" where an earlier signature forbids any."""
    name = inputs.form.free_name(stem)
    if inputs.form.locked(name):
        raise Refused("fields_locked")
    return name


def _warnings(inputs: Inputs, place: Place, twice: bool) -> list[tuple[str, dict[str, str]]]:
    """What a person must look at: two signatures, a certification that will show as changed, where the seal lies."""
    found: list[tuple[str, dict[str, str]]] = []
    if place.rule is PlaceRule.PREPARED_FIELD and inputs.request.place is not None:
        found.append(("place_prepared", {}))
    if twice:
        prepared = inputs.form.names & {NUMBER_FIELD, DATE_FIELD}
        found.append(("two_signatures_fields" if prepared else "two_signatures", {}))
    new_field = twice or place.waiting is None
    if new_field and any(one.docmdp in (2, 3) for one in inputs.report.signatures):
        found.append(("certified_will_change", {}))
    receivers = find_receivers_box(inputs.pages[place.page])
    if receivers is not None and receivers.overlaps(place.rect):
        found.append(("seal_over_receivers", {}))
    return found
