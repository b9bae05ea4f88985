"""Signatures that a person makes: the leader's, an initial, and the plain one with name and time.

Runs in a worker. The leader's signature makes empty fields for number, date and seal where nothing is signed yet (way 1
of docs/decisions/0004); an initial makes, locks and certifies nothing.
"""

from signer_app.pdf.fonts import face
from signer_app.pdf.geometry import Rect, pt_to_mm
from signer_app.pdf.letter import find_receivers_box
from signer_app.pdf.marks import Refused, blank_box, date_blanks, date_box, written_band
from signer_app.pdf.placing.agency import SEAL_LABEL
from signer_app.pdf.placing.boxes import seal_box
from signer_app.pdf.placing.corner import fill_template, sample_of
from signer_app.pdf.placing.finding import Finder
from signer_app.pdf.placing.inputs import Inputs, Place, Placed
from signer_app.pdf.plan import (
    DATE_FIELD,
    NUMBER_FIELD,
    SEAL_FIELD,
    SIGNING_TIME,
    Drawing,
    ImageItem,
    MakeSignatureField,
    MakeTextField,
    Mark,
    SignStep,
    Style,
    TextItem,
)
from signer_resources.rules.profiles import CountsAs, Picture, PlaceRule, Prepared, SignatureProfile

_STAMP_SIZE = 10.0
_SMALLEST_STAMP = 4.0


def signed_by_person(inputs: Inputs, profile: SignatureProfile) -> Placed:
    """One signature of a person, with a picture or with name and time; invisible where the profile knows no place."""
    if PlaceRule.INVISIBLE in profile.places and inputs.request.place is None:
        return Placed((_step(inputs, profile, None),), ())
    measures = inputs.measures
    sizes = {
        kind: _as_wide(size, inputs.request.picture_mm)
        for kind, size in ((Picture.SIGNATURE, measures.signature_mm), (Picture.INITIAL, measures.initial_mm))
    }
    marks = {Picture.SIGNATURE: Mark.SIGNATURE, Picture.INITIAL: Mark.INITIAL}
    finder = Finder(inputs, profile, sizes.get(profile.picture, measures.plain_mm))
    place = finder.find()
    if place is None:
        raise Refused("place_not_found")
    warnings: list[tuple[str, dict[str, str]]] = []
    if profile.counts_as is CountsAs.LEADER and place.rule is not PlaceRule.BY_HAND and not finder.names_signer:
        warnings.append(("signer_name_not_found", {"name": inputs.request.certificate_name}))
    make: tuple[MakeTextField | MakeSignatureField, ...] = ()
    if profile.prepares:
        make, more = _prepared(inputs, profile, place, finder)
        warnings += more
    step = _step(inputs, profile, place, make)
    return Placed((step,), (place.of(marks.get(profile.picture, Mark.STAMP_TEXT)),), tuple(warnings))


def _as_wide(size: tuple[float, float], width: float | None) -> tuple[float, float]:
    """The room of the rule profile, as wide as the picture's holder wants it (mm)."""
    return size if width is None else (width, size[1] * width / size[0])


def _step(
    inputs: Inputs,
    profile: SignatureProfile,
    place: Place | None,
    make: tuple[MakeTextField | MakeSignatureField, ...] = (),
) -> SignStep:
    waiting = place.waiting if place is not None else None
    name = waiting.name if waiting is not None else inputs.form.free_name(profile.field)
    if inputs.form.locked(name):
        raise Refused("fields_locked")
    return SignStep(
        name,
        existing=waiting is not None,
        page=place.page if place is not None else None,
        rect=place.rect.rounded() if place is not None else None,
        drawing=_drawing(inputs, profile, place.rect) if place is not None else None,
        make=make,
        reason=fill_template(profile.reason, inputs, profile) or None,
    )


def _drawing(inputs: Inputs, profile: SignatureProfile, rect: Rect) -> Drawing:
    """The person's picture; without one, who signs, and when, where the signature issues or shows something."""
    if profile.picture is not Picture.NONE and inputs.request.picture is not None:
        return Drawing((ImageItem(inputs.request.picture, Rect(0, 0, rect.w, rect.h)),), multiply=True)
    name = inputs.request.certificate_name
    return _lines((name,) if profile.picture is Picture.INITIAL else (name, SIGNING_TIME), rect)


def _lines(texts: tuple[str, ...], rect: Rect) -> Drawing:
    """Lines from the left, as large as the box allows."""
    letters = face(Style.REGULAR)
    widest = max(letters.width_mm(sample_of(text), _STAMP_SIZE) for text in texts)
    high = _STAMP_SIZE * rect.h / (len(texts) * pt_to_mm(_STAMP_SIZE * 1.25))
    size = max(_SMALLEST_STAMP, round(min(_STAMP_SIZE, high, _STAMP_SIZE * (rect.w - 2) / widest) - 0.05, 1))
    leading = pt_to_mm(size * 1.25)
    top = (rect.h - len(texts) * leading) / 2
    return Drawing(
        tuple(
            TextItem(1.0, round(top + leading * (i + 0.8), 2), size, Style.REGULAR, text)
            for i, text in enumerate(texts)
        )
    )


def _prepared(
    inputs: Inputs, profile: SignatureProfile, place: Place, finder: Finder
) -> tuple[tuple[MakeTextField | MakeSignatureField, ...], list[tuple[str, dict[str, str]]]]:
    """The empty fields for the clerk, and what is to be said of them."""
    warnings: list[tuple[str, dict[str, str]]] = []
    if inputs.number_line is None and inputs.date_line is None:
        warnings.append(("number_line_missing_for_leader", {}))
    known = inputs.form.names & {NUMBER_FIELD, DATE_FIELD, SEAL_FIELD}
    if inputs.report.signatures:
        # New text fields would spoil the signatures that are there (an initial, another leader's).
        if not known:
            warnings.insert(0, ("fields_not_prepared", {}))
        return (), warnings
    if known:
        return (), warnings
    wanted = _text_fields(inputs, profile)
    # A number that stands there as a picture is no blank; it is never printed over.
    make = [one for one in wanted if _is_blank(finder, inputs, one.name)]
    if len(make) < len(wanted):
        warnings.append(("blank_not_empty", {}))
    if Prepared.SEAL in profile.prepares:
        receivers = find_receivers_box(inputs.pages[place.page])
        box = seal_box(place.rect, inputs.body.seal_mm, inputs.measures, inputs.frame(place.page), receivers)
        if receivers is not None and receivers.overlaps(box):
            warnings.append(("seal_over_receivers", {}))
        locks = tuple(one.name for one in make)
        return (*make, MakeSignatureField(SEAL_FIELD, SEAL_LABEL, place.page, box, locks)), warnings
    return tuple(make), warnings


def _is_blank(finder: Finder, inputs: Inputs, field: str) -> bool:
    """Whether nothing is drawn in the blanks for which a field is made."""
    blanks = date_blanks(inputs.date_line) if field == DATE_FIELD and inputs.date_line is not None else []
    if field == NUMBER_FIELD and inputs.number_line is not None and inputs.number_line.blank is not None:
        blanks = [inputs.number_line.blank]
    ink = finder.ink(0)
    for blank in blanks:
        width = blank.right - blank.left
        if width > 0 and not ink.free(written_band(blank.left, blank.baseline, width, blank.size)):
            return False
    return True


def _text_fields(inputs: Inputs, profile: SignatureProfile) -> list[MakeTextField]:
    """Fields in the blanks of ô 3 and ô 4."""
    made = []
    line = inputs.number_line
    if Prepared.NUMBER in profile.prepares and line is not None and line.blank is not None:
        blank = line.blank
        style = blank.style or Style.REGULAR
        made.append(MakeTextField(NUMBER_FIELD, "Số văn bản", 0, blank_box(blank), blank.size, style))
    date = date_box(inputs.date_line)
    if Prepared.DATE in profile.prepares and date is not None and inputs.date_line is not None:
        first = date_blanks(inputs.date_line)[0]
        style = first.style or Style.ITALIC
        made.append(MakeTextField(DATE_FIELD, "Ngày, tháng, năm ban hành", 0, date, first.size, style))
    return made
