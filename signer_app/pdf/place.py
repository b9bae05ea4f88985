"""Where each thing lands, by rule: signature, seal, number, date, the line on an appendix.

Pure functions from what the page says to steps and placements; runs in a worker. Each placement names its rule and
whether the rule is sure of it. Geometry: Decree 30/2020, appendix I, with the measures of the rule profile.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pyhanko.pdf_utils.reader import PdfFileReader

from signer_app.pdf.fields import field_type, fields, is_empty, widget_box, widget_page
from signer_app.pdf.fonts import face
from signer_app.pdf.geometry import Rect, pt_to_mm
from signer_app.pdf.letter import (
    DateLine,
    NumberLine,
    SignerBlock,
    find_receivers_box,
    find_signer_blocks,
)
from signer_app.pdf.marks import Refused, blank_box, date_blanks, date_box, date_marks, number_marks
from signer_app.pdf.measures import Measures
from signer_app.pdf.model import PlaceOption
from signer_app.pdf.pagetext import PageText
from signer_app.pdf.plan import (
    SIGNING_TIME,
    Drawing,
    FillTextField,
    ImageItem,
    MakeSignatureField,
    MakeTextField,
    Mark,
    Placement,
    SignStep,
    Style,
    TextItem,
)
from signer_app.verification.model import FileReport, SignatureReport

NUMBER_FIELD, DATE_FIELD, SEAL_FIELD = "so", "ngay", "dau"
"""Names of the fields that a leader's signature prepares for the clerk."""

_TIME_SAMPLE = "00/00/0000 00:00:00 +07:00"


@dataclass(frozen=True)
class Inputs:
    """All that a rule looks at."""

    path: Path
    pages: Sequence[PageText]
    number_line: NumberLine | None
    date_line: DateLine | None
    number: str | None
    notation: str | None
    date: dt.date | None
    certificate_name: str
    seal: str | None
    seal_mm: float
    picture: str | None
    option: PlaceOption | None
    leader: SignatureReport | None
    report: FileReport
    measures: Measures


@dataclass(frozen=True)
class Placed:
    """Steps to be signed in order, where things land, and warnings by code."""

    steps: tuple[SignStep, ...]
    placements: tuple[Placement, ...]
    warnings: tuple[tuple[str, dict[str, str]], ...] = field(default=())


def plain(inputs: Inputs) -> Placed:
    """Invisible, or a text block with name and time where the person wants it."""
    name = _free_name(inputs, "ky")
    if inputs.option is None:
        return Placed((SignStep(name, existing=False, page=None, rect=None, drawing=None),), ())
    page, rect = _by_hand(inputs, 60.0, 16.0)
    step = SignStep(name, existing=False, page=page, rect=rect, drawing=_name_and_time(inputs, rect))
    return Placed((step,), (_placed(Mark.STAMP_TEXT, page, rect, "by hand"),))


def leader(inputs: Inputs) -> Placed:
    """The leader's signature between title and name, with empty fields for number, date and seal (way 1)."""
    blocks = find_signer_blocks(inputs.pages, (inputs.certificate_name,))
    if inputs.option is not None:
        page, rect = _by_hand(inputs, *inputs.measures.signature_mm)
        rule, sure = "by hand", True
    elif blocks:
        page, rect, rule, sure = (
            blocks[0].page,
            signature_box(blocks[0], inputs.measures),
            "signer's name",
            blocks[0].sure,
        )
    else:
        raise Refused("signer_name_not_found", name=inputs.certificate_name)
    if inputs.picture is not None:
        drawing = Drawing((ImageItem(inputs.picture, Rect(0, 0, rect.w, rect.h)),), multiply=True)
    else:
        drawing = _name_and_time(inputs, rect)
    placements = [_placed(Mark.SIGNATURE, page, rect, rule, sure)]
    make: list[MakeTextField | MakeSignatureField] = []
    warnings: list[tuple[str, dict[str, str]]] = []
    if inputs.report.signatures:
        # New text fields would spoil the signatures that are there (an initial, another leader's).
        if not _field_names(inputs.path) & {NUMBER_FIELD, DATE_FIELD}:
            warnings.append(("fields_not_prepared", {}))
    elif not _field_names(inputs.path) & {NUMBER_FIELD, DATE_FIELD, SEAL_FIELD}:
        locks = []
        if inputs.number_line is not None and inputs.number_line.blank is not None:
            number = blank_box(inputs.number_line.blank)
            make.append(
                MakeTextField(NUMBER_FIELD, "Số văn bản", 0, number, inputs.number_line.blank.size, Style.REGULAR)
            )
            locks.append(NUMBER_FIELD)
        date = date_box(inputs.date_line)
        if date is not None and inputs.date_line is not None:
            size = date_blanks(inputs.date_line)[0].size
            make.append(MakeTextField(DATE_FIELD, "Ngày, tháng, năm ban hành", 0, date, size, Style.ITALIC))
            locks.append(DATE_FIELD)
        seal = _seal_box(rect, inputs.seal_mm, inputs.measures)
        make.append(MakeSignatureField(SEAL_FIELD, "Chữ ký số của cơ quan", page, seal, tuple(locks)))
    step = SignStep(
        _free_name(inputs, "lanh_dao"), existing=False, page=page, rect=rect, drawing=drawing, make=tuple(make)
    )
    if inputs.number_line is None and inputs.date_line is None:
        warnings.append(("number_line_missing_for_leader", {}))
    return Placed((step,), tuple(placements), tuple(warnings))


def agency(inputs: Inputs) -> Placed:
    """Number, date and seal: into prepared fields with one signature, else with one more that carries both."""
    if inputs.leader is None:
        raise Refused("leader_missing")
    if inputs.seal is None:
        raise Refused("seal_missing")
    number_items = number_marks(inputs.number_line, inputs.number, inputs.notation)
    date_items = date_marks(inputs.date_line, inputs.date)
    prepared = _prepared_fields(inputs)
    warnings: list[tuple[str, dict[str, str]]] = []
    placements: list[Placement] = []
    if number_items is not None:
        placements.append(_placed(Mark.NUMBER, 0, number_items.box, "number line"))
    if date_items is not None:
        placements.append(_placed(Mark.DATE, 0, date_items.box, "date line"))
    if prepared is not None:
        if inputs.option is not None:
            warnings.append(("place_prepared", {}))
        if prepared.seal.w + 0.5 < inputs.seal_mm or prepared.seal.h + 0.5 < inputs.seal_mm:
            raise Refused("seal_field_too_small", mm=f"{inputs.seal_mm:g}")
        fills = []
        for name, marks, value in (
            (NUMBER_FIELD, number_items, inputs.number or ""),
            (DATE_FIELD, date_items, inputs.date.strftime("%d/%m/%Y") if inputs.date else ""),
        ):
            if marks is None:
                continue
            box = prepared.texts.get(name)
            if box is None or not box.grown(1.0).overlaps(marks.box):
                raise Refused("field_missing", field=name)
            fills.append(FillTextField(name, value, box.rounded(), marks.within(box)))
        box = prepared.seal
        inset = Rect((box.w - inputs.seal_mm) / 2, (box.h - inputs.seal_mm) / 2, inputs.seal_mm, inputs.seal_mm)
        step = SignStep(
            SEAL_FIELD, existing=True, page=prepared.page, rect=box,
            drawing=Drawing((ImageItem(inputs.seal, inset.rounded()),), multiply=True), fill=tuple(fills),
        )  # fmt: skip
        placements.append(_placed(Mark.SEAL, prepared.page, box, "prepared field"))
        return Placed((step,), tuple(placements), tuple(warnings))

    page, seal, rule, sure = _seal_place(inputs)
    field = _free_name(inputs, SEAL_FIELD)
    steps: list[SignStep] = []
    drawn = [m for m in (number_items, date_items) if m is not None]
    if drawn:
        box = drawn[0].box
        for other in drawn[1:]:
            box = box.union(other.box)
        box = box.grown(0.4).rounded()
        items = tuple(item for m in drawn for item in m.within(box).items)
        steps.append(
            SignStep(
                _free_name(inputs, "so_ngay"),
                existing=False,
                page=0,
                rect=box,
                drawing=Drawing(items),
                # The seal's empty field comes with the first signature, so that filling it changes nothing of that one.
                make=(MakeSignatureField(field, "Chữ ký số của cơ quan", page, seal, ()),),
            )
        )
        warnings.append(("two_signatures", {}))
    if any(s.docmdp in (2, 3) for s in inputs.report.signatures):
        warnings.append(("certified_will_change", {}))
    drawing = Drawing((ImageItem(inputs.seal, Rect(0, 0, seal.w, seal.h)),), multiply=True)
    steps.append(SignStep(field, existing=bool(drawn), page=page, rect=seal, drawing=drawing))
    placements.append(_placed(Mark.SEAL, page, seal, rule, sure))
    receivers = find_receivers_box(inputs.pages[page])
    if receivers is not None and receivers.overlaps(seal):
        warnings.append(("seal_over_receivers", {}))
    return Placed(tuple(steps), tuple(placements), tuple(warnings))


def appendix(inputs: Inputs) -> Placed:
    """Number, notation and time at the top right of page 1, size 10, no picture (NĐ 30 PL I, appearance C)."""
    if inputs.number is None or inputs.notation is None:
        raise Refused("number_missing")
    frame = inputs.pages[0].frame
    measures = inputs.measures
    size, leading, margin = measures.corner_size, measures.corner_leading_mm, measures.corner_edge_mm
    letters = face(Style.REGULAR)
    whole = f"{inputs.number}/{inputs.notation}; {_TIME_SAMPLE}"
    lines = [whole.replace(_TIME_SAMPLE, SIGNING_TIME)]
    widths = [letters.width_mm(whole, size)]
    if widths[0] > frame.width_mm / 2:
        first = f"{inputs.number}/{inputs.notation};"
        lines = [first, SIGNING_TIME]
        widths = [letters.width_mm(first, size), letters.width_mm(_TIME_SAMPLE, size)]
    width, height = max(widths) + 1.0, leading * len(lines) + 1.0
    rect = Rect(frame.width_mm - margin - width, margin, width, height).rounded()
    items = tuple(
        TextItem(round(width - 0.5 - w, 2), round(0.5 + leading * (i + 0.75), 2), size, Style.REGULAR, text)
        for i, (text, w) in enumerate(zip(lines, widths, strict=True))
    )
    step = SignStep(_free_name(inputs, "phu_luc"), existing=False, page=0, rect=rect, drawing=Drawing(items))
    return Placed((step,), (_placed(Mark.STAMP_TEXT, 0, rect, "top right of page 1"),))


# --- signature and seal --------------------------------------------------------------------------------------------


def signature_box(block: SignerBlock, measures: Measures) -> Rect:
    """Between title and name, centred on the name, in the room there is (ô 7c)."""
    width, height = measures.signature_mm
    scale = min(1.0, (block.room.h - 1.0) / height)
    width, height = width * scale, height * scale
    centre = block.name_box.x + block.name_box.w / 2
    return Rect(centre - width / 2, block.room.y + (block.room.h - height) / 2, width, height).rounded()


def _seal_box(signature: Rect, diameter: float, measures: Measures) -> Rect:
    """Over about a third of the signature, on its left, centred on its height (NĐ 30 Đ33.1b)."""
    right = signature.x + signature.w * measures.seal_overlap
    middle = signature.y + signature.h / 2
    return Rect(max(0.0, right - diameter), middle - diameter / 2, diameter, diameter).rounded()


def _seal_place(inputs: Inputs) -> tuple[int, Rect, str, bool]:
    if inputs.option is not None:
        page, rect = _by_hand(inputs, inputs.seal_mm, inputs.seal_mm, real_size=True)
        return page, rect, "by hand", True
    signed = inputs.leader
    if signed is not None and signed.page is not None and signed.rect is not None and signed.rect.w > 5:
        box = Rect(signed.rect.x, signed.rect.y, signed.rect.w, signed.rect.h)
        # An appearance much larger than a signature is laid out in its own way; keep the seal by its middle.
        width = min(box.w, inputs.measures.signature_mm[0])
        box = Rect(box.x + (box.w - width) / 2, box.y, width, box.h)
        return signed.page - 1, _seal_box(box, inputs.seal_mm, inputs.measures), "leader's signature", True
    blocks = find_signer_blocks(inputs.pages, (signed.signer or "",)) if signed is not None else ()
    if not blocks:
        raise Refused("seal_place_not_found")
    return (
        blocks[0].page,
        _seal_box(signature_box(blocks[0], inputs.measures), inputs.seal_mm, inputs.measures),
        "signer's name",
        blocks[0].sure,
    )


@dataclass(frozen=True)
class _PreparedFields:
    page: int
    seal: Rect
    texts: dict[str, Rect]


def _prepared_fields(inputs: Inputs) -> _PreparedFields | None:
    """The empty fields of way 1, where each is what it should be; None sends the letter on way 2."""
    with inputs.path.open("rb") as handle:
        reader = PdfFileReader(handle, strict=False)
        known = dict(fields(reader.root))
        seal = known.get(SEAL_FIELD)
        if seal is None or field_type(seal) != "/Sig" or not is_empty(seal):
            return None
        page, box = widget_page(reader, seal), widget_box(seal)
        if page is None or box is None or page >= len(inputs.pages):
            return None
        texts = {}
        for name in (NUMBER_FIELD, DATE_FIELD):
            text = known.get(name)
            if text is None or field_type(text) != "/Tx" or not is_empty(text):
                continue
            where, shape = widget_page(reader, text), widget_box(text)
            if where == 0 and shape is not None:
                texts[name] = inputs.pages[0].frame.from_user(shape)
    return _PreparedFields(page, inputs.pages[page].frame.from_user(box), texts)


# --- small things --------------------------------------------------------------------------------------------------


def _name_and_time(inputs: Inputs, rect: Rect) -> Drawing:
    """Two lines, who and when, as large as the box allows."""
    size = 10.0
    letters = face(Style.REGULAR)
    texts = (inputs.certificate_name, SIGNING_TIME)
    widest = max(letters.width_mm(text, size) for text in (inputs.certificate_name, _TIME_SAMPLE))
    size = round(min(size, size * (rect.w - 2) / widest), 1)
    leading = pt_to_mm(size * 1.25)
    top = (rect.h - 2 * leading) / 2
    return Drawing(
        tuple(
            TextItem(1.0, round(top + leading * (i + 0.8), 2), size, Style.REGULAR, text)
            for i, text in enumerate(texts)
        )
    )


def _by_hand(inputs: Inputs, width: float, height: float, *, real_size: bool = False) -> tuple[int, Rect]:
    """Page and box that the person gave; a seal has its real size whatever was asked."""
    option = inputs.option
    assert option is not None
    count = len(inputs.pages)
    page = option.page - 1 if option.page > 0 else count + option.page
    if option.page == 0 or not 0 <= page < count:
        raise Refused("place_outside", page=str(option.page), pages=str(count))
    rect = Rect(option.x, option.y, width, height)
    if not real_size:
        rect = Rect(option.x, option.y, option.w or width, option.h or height)
    frame = inputs.pages[page].frame
    across = 0 <= rect.x < rect.right <= frame.width_mm + 0.1
    down = 0 <= rect.y < rect.bottom <= frame.height_mm + 0.1
    if not (across and down):
        raise Refused("place_outside", page=str(option.page), pages=str(count))
    return page, rect.rounded()


def _placed(what: Mark, page: int, rect: Rect, rule: str, sure: bool = True) -> Placement:
    return Placement(what, page + 1, rect.rounded(), rule, sure)


def _field_names(path: Path) -> set[str]:
    with path.open("rb") as handle:
        return {name for name, _field in fields(PdfFileReader(handle, strict=False).root)}


def _free_name(inputs: Inputs, wanted: str) -> str:
    """`wanted`, or with the first number that makes it new; the same for the same file."""
    taken = _field_names(inputs.path)
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted}_{count}"
    return name
