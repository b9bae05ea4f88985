"""Recognises the parts of an administrative letter (the ô of Decree 30/2020, appendix I) in the text of its pages.

Pure functions over `PageText`; runs in a worker. What is found comes with its place; what is not found is None, never
a guess. Tolerates capitals, missing diacritics, decomposed letters, dot leaders and the odd forms met in practice.
"""

from signer_app.pdf.letter.bodies import issuing_bodies, issuing_body, issuing_lines, names_body
from signer_app.pdf.letter.dates import DateLine, find_date_line
from signer_app.pdf.letter.notices import find_secrecy_mark, find_urgency_mark
from signer_app.pdf.letter.numbers import NumberLine, find_number_line
from signer_app.pdf.letter.parts import find_receivers_box, find_title, text_end
from signer_app.pdf.letter.receivers import find_addressees, find_receivers
from signer_app.pdf.letter.signers import SignerBlock, Signers, find_all_signer_blocks, find_signer_blocks
from signer_app.pdf.letter.spots import Blank

__all__ = [
    "Blank",
    "DateLine",
    "NumberLine",
    "SignerBlock",
    "Signers",
    "find_addressees",
    "find_all_signer_blocks",
    "find_date_line",
    "find_number_line",
    "find_receivers",
    "find_receivers_box",
    "find_secrecy_mark",
    "find_signer_blocks",
    "find_title",
    "find_urgency_mark",
    "issuing_bodies",
    "issuing_body",
    "issuing_lines",
    "names_body",
    "text_end",
]
