"""The registers in words: heads, and the ten columns of each line, for the screen and for every form of file alike.

Pure. The order and the names of the columns are those of Decree 30/2020, annex IV.
"""

import datetime as dt

from signer_app.paper.cells import Cell, plain
from signer_app.registers.model import IncomingLine, OutgoingLine
from signer_app.store.times import vietnamese_date
from signer_resources.messages import Lang, text

OUTGOING_SHARES = (0.10, 0.075, 0.19, 0.10, 0.14, 0.09, 0.055, 0.075, 0.065, 0.11)
"""Of the columns on paper."""
INCOMING_SHARES = (0.075, 0.05, 0.14, 0.10, 0.075, 0.21, 0.12, 0.075, 0.065, 0.09)
OUTGOING_WIDTHS = (16, 12, 50, 24, 40, 22, 9, 12, 16, 40)
"""In letters."""
INCOMING_WIDTHS = (12, 9, 36, 16, 12, 50, 30, 12, 16, 40)


def outgoing_heads(lang: Lang) -> tuple[str, ...]:
    """The ten columns of the outgoing register."""
    return tuple(
        text(key, lang)
        for key in (
            "register_out_label",
            "register_out_date",
            "register_out_title",
            "register_out_signer",
            "register_out_receivers",
            "register_out_keeper",
            "register_out_copies",
            "register_passed_on",
            "register_signed_for",
            "register_note",
        )
    )


INCOMING_HEADS = (
    "register_in_arrived",
    "register_in_number",
    "register_in_author",
    "register_in_label",
    "register_in_date",
    "register_in_title",
    "register_in_passed_to",
    "register_passed_on",
    "register_signed_for",
    "register_note",
)
"""The ten columns of the incoming register, as entries of the catalogue."""


def incoming_heads(lang: Lang) -> tuple[str, ...]:
    """The ten columns of the incoming register."""
    return tuple(text(key, lang) for key in INCOMING_HEADS)


def outgoing_cells(line: OutgoingLine, lang: Lang) -> tuple[Cell, ...]:
    """The ten columns of a line; dates are dates."""
    return (
        plain(line.label),
        line.date,
        plain(line.title),
        plain(line.signer),
        plain("; ".join(line.receivers)),
        plain(line.keeper),
        int(line.copies) if line.copies.isdigit() else plain(line.copies),
        line.passed_on,
        plain(line.signed_for),
        plain(line.remarks_told(lang)),
    )


def incoming_cells(line: IncomingLine, lang: Lang) -> tuple[Cell, ...]:
    """The ten columns of a line; dates are dates, a date that is none stands as it came."""
    return (
        line.arrived_on,
        (line.label if line.last else line.number),
        plain(line.author),
        "" if line.last else plain(line.label),
        line.date or plain(line.date_text),
        plain(line.title),
        plain(line.passed_to),
        line.passed_on,
        plain(line.signed_for),
        plain(line.remarks_told(lang)),
    )


def shown(cell: Cell) -> str:
    """A cell as it is read on a screen or on paper."""
    if isinstance(cell, dt.date):
        return vietnamese_date(cell)
    return "" if cell is None else str(cell)
