"""What holds for every file: for each byte of it, each cut, and each thing that is done to it after it was signed.

Hypothesis prints what it found and the seed to repeat it; the short run draws the same examples every time.
"""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signer_app.verification.model import FileReport, Integrity, TrustMaterial, Verdict
from tests.verification.attacks.base import Scene
from tests.verification.conftest import Checker
from tests.verification.generated import (
    Deeds,
    Signed,
    done,
    increments,
    is_covered,
    signed_in_steps,
)
from tests.verification.small_pki import make_certificate

Check = Callable[[bytes], FileReport]
GOOD = {Integrity.INTACT, Integrity.CHANGED}

_common = settings(
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
short = settings(_common, max_examples=8, derandomize=True)
long = settings(_common, max_examples=1500)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(make_certificate("Lãnh đạo", None), make_certificate("Cơ quan", None))


@pytest.fixture(scope="module")
def signed(scene: Scene) -> Signed:
    return signed_in_steps(scene.leader, scene.body)


@pytest.fixture
def checked(check: Checker) -> Check:
    return lambda document: check(document, TrustMaterial())


def test_each_state_is_intact_as_it_was_left(signed: Signed, checked: Check) -> None:
    for count, state in enumerate(signed.states, start=1):
        report = checked(state.data)
        assert report.integrity is Integrity.INTACT
        assert len(report.signatures) == min(count, 2)


# Bytes


def _flip(signed: Signed, checked: Check, position: int, mask: int) -> None:
    state = signed.states[1]
    assert state.hole is not None
    first, second = state.hole
    # Positions are counted without the hole of the last signature, which nobody signed.
    at = position % (len(state.data) - (second - first))
    at = at if at < first else at + second - first
    damaged = bytearray(state.data)
    damaged[at] ^= mask
    report = checked(bytes(damaged))
    assert report.integrity not in GOOD, (at, bytes(damaged[at - 10 : at + 10]))
    assert report.verdict in {Verdict.INVALID, Verdict.INDETERMINATE}


positions = st.integers(min_value=0, max_value=1 << 20)
masks = st.integers(min_value=1, max_value=255)


@short
@given(position=positions, mask=masks)
def test_no_flipped_byte_of_a_signed_range_goes_unnoticed(
    signed: Signed, checked: Check, position: int, mask: int
) -> None:
    _flip(signed, checked, position, mask)


@pytest.mark.long
@pytest.mark.timeout(900)
@long
@given(position=positions, mask=masks)
def test_no_flipped_byte_goes_unnoticed_in_thousands(signed: Signed, checked: Check, position: int, mask: int) -> None:
    _flip(signed, checked, position, mask)


# Cuts


def _cut(signed: Signed, checked: Check, position: int, *, near_an_end: bool) -> None:
    length = position % len(signed.data)
    if near_an_end:
        # Most cuts fall somewhere into the digits of a signature; the ends are where it is decided.
        ends = [len(state.data) for state in signed.states]
        length = min(len(signed.data), max(1, ends[position % len(ends)] - 6 + position // len(ends) % 9))
    remains = signed.data[:length]
    report = checked(remains)
    if signed.honest(remains):
        assert report.integrity is Integrity.INTACT, length
    elif signed.only_filled(remains):
        assert report.integrity is Integrity.CHANGED, length
    else:
        assert report.integrity not in GOOD, length


@short
@given(position=positions, near_an_end=st.booleans())
def test_a_cut_file_is_intact_only_where_a_revision_ended(
    signed: Signed, checked: Check, position: int, near_an_end: bool
) -> None:
    _cut(signed, checked, position, near_an_end=near_an_end)


@pytest.mark.long
@pytest.mark.timeout(900)
@long
@given(position=positions, near_an_end=st.booleans())
def test_a_cut_file_is_intact_only_where_a_revision_ended_in_thousands(
    signed: Signed, checked: Check, position: int, near_an_end: bool
) -> None:
    _cut(signed, checked, position, near_an_end=near_an_end)


def test_white_space_behind_a_cut_changes_nothing(signed: Signed, checked: Check) -> None:
    for state in signed.states:
        assert checked(state.data + b" \r\n").integrity is Integrity.INTACT


# Increments


def _harmless(scene: Scene, checked: Check, deeds: Deeds) -> None:
    report = checked(done(scene, scene.signed(), deeds))
    expected = Integrity.INTACT if is_covered(deeds) else Integrity.CHANGED
    assert report.signatures[0].integrity is expected, [deed.name for deed in deeds]


def _harmful(scene: Scene, checked: Check, deeds: Deeds) -> None:
    document = done(scene, scene.signed(), deeds)
    report = checked(document)
    first = report.signatures[0].integrity if report.signatures else report.integrity
    assert first not in {Integrity.INTACT, Integrity.UNSIGNED}, [deed.name for deed in deeds]
    assert report.integrity not in {Integrity.INTACT, Integrity.UNSIGNED}, [deed.name for deed in deeds]


@short
@given(deeds=increments(harmful=False))
def test_what_is_of_a_harmless_kind_leaves_the_first_signature_intact(
    scene: Scene, checked: Check, deeds: Deeds
) -> None:
    _harmless(scene, checked, deeds)


@short
@given(deeds=increments(harmful=True))
def test_whatever_else_was_done_leaves_no_signature_intact(scene: Scene, checked: Check, deeds: Deeds) -> None:
    _harmful(scene, checked, deeds)


@pytest.mark.long
@pytest.mark.timeout(900)
@settings(long, max_examples=300)
@given(deeds=increments(harmful=False))
def test_what_is_of_a_harmless_kind_leaves_it_intact_in_hundreds(scene: Scene, checked: Check, deeds: Deeds) -> None:
    _harmless(scene, checked, deeds)


@pytest.mark.long
@pytest.mark.timeout(900)
@long
@given(deeds=increments(harmful=True))
def test_whatever_else_was_done_leaves_no_signature_intact_in_thousands(
    scene: Scene, checked: Check, deeds: Deeds
) -> None:
    _harmful(scene, checked, deeds)
