"""Signed files spoiled at random: nothing that comes of them makes the checker fail, and none of them passes.

The seed of each lot is in the test's name; a mutant is told by its lot and its number.
"""

import random

import pytest

from signer_app.verification.model import Integrity, TrustMaterial
from tests.verification.conftest import Checker
from tests.verification.generated import Signed, signed_in_steps
from tests.verification.small_pki import make_certificate

_WORDS = tuple(
    b"obj endobj stream endstream xref trailer startxref %%EOF << >> [ ] null "
    b"/Root /Prev /Kids /Annots /V /ByteRange /Contents /Length /Size /Type".split()
)


@pytest.fixture(scope="module")
def signed() -> Signed:
    return signed_in_steps(make_certificate("Lãnh đạo", None), make_certificate("Cơ quan", None))


def mutant(document: bytes, chance: random.Random) -> bytes:
    """The document after one to four accidents."""
    data = bytearray(document)
    for _ in range(chance.randint(1, 4)):
        _accident(data, chance)
    return bytes(data)


def _accident(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(max(1, len(data)))
    length = chance.choice((1, 2, 8, 64, 700))
    piece = bytes(data[at : at + length])
    match chance.randrange(8):
        case 0:
            data[at : at + 1] = bytes([chance.randrange(256)])
        case 1:
            del data[at : at + length]
        case 2:
            data[at:at] = piece
        case 3:
            where = chance.randrange(max(1, len(data)))
            data[where : where + len(piece)] = piece
        case 4:
            data[at:at] = chance.randbytes(min(length, 64))
        case 5:
            _replace_word(data, chance, chance.choice(_WORDS))
        case 6:
            _replace_number(data, chance)
        case _:
            data += chance.choice((b"\n", b" ", b"%%EOF\n", piece, b"1 0 obj\n<< >>\nendobj\n"))


def _replace_word(data: bytearray, chance: random.Random, word: bytes) -> None:
    places = [n for n in range(len(data)) if data.startswith(word, n)]
    if places:
        at = chance.choice(places)
        data[at : at + len(word)] = chance.choice((chance.choice(_WORDS), b"", b" " * len(word), word + word))


def _replace_number(data: bytearray, chance: random.Random) -> None:
    digits = [n for n in range(len(data)) if 48 <= data[n] <= 57]
    if digits:
        data[chance.choice(digits)] = 48 + chance.randrange(10)


def _survive(signed: Signed, check: Checker, seed: int, count: int) -> None:
    chance = random.Random(seed)
    for number in range(count):
        state = chance.choice(signed.states)
        document = mutant(state.data, chance)
        integrity = check(document, TrustMaterial()).integrity
        # Nobody signed the validation data at the end: others may stand there.
        untouched = signed.begins(document) if state.hole is None else signed.honest(document)
        if not untouched:
            assert integrity not in {Integrity.INTACT, Integrity.CHANGED}, (seed, number)


@pytest.mark.parametrize("seed", [20261122])
def test_no_mutant_passes_and_none_makes_the_checker_fail(signed: Signed, check: Checker, seed: int) -> None:
    _survive(signed, check, seed, 20)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(20))
def test_no_mutant_of_ten_thousand_passes(signed: Signed, check: Checker, seed: int) -> None:
    _survive(signed, check, seed, 500)
