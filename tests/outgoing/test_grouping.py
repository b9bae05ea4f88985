"""Which files make one document, by their names and folders."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_app.outgoing.grouping import group, is_appendix

DESK = Path("/bàn")


def documents(*names: str) -> set[tuple[str, ...]]:
    return {
        tuple(path.relative_to(DESK).as_posix() for path in found.files)
        for found in group(DESK / name for name in names)
    }


@pytest.mark.parametrize(
    "appendix",
    [
        "12-QĐ-UBND phu luc 1.pdf",
        "PL1 12-QĐ-UBND.pdf",
        "12-QĐ-UBND_phụ lục 01.pdf",
        "12_qd_ubnd_PL-I.PDF",
        "Phụ lục kèm theo 12-QĐ-UBND.pdf",
        "PhuLuc2 - 12 QĐ UBND.pdf",
        "012-QĐ-UBND Phụ lục số 3.pdf",
        unicodedata.normalize("NFD", "12-QĐ-UBND Phụ lục.pdf"),
        "12-QĐ-UBND-PL.pdf",
        "12-QĐ phụ lục.pdf",
        "phụ lục 1.pdf",
        "phu luc danh sach can bo.pdf",
    ],
)
def test_an_appendix_goes_with_its_letter(appendix: str) -> None:
    assert documents("12-QĐ-UBND.pdf", appendix) == {("12-QĐ-UBND.pdf", appendix)}


def test_a_folder_with_one_letter_and_its_appendices_is_one_document() -> None:
    names = ("QD 12/quyet dinh.pdf", "QD 12/phu luc 10.pdf", "QD 12/phu luc 2.pdf", "QD 12/phụ lục I.pdf")
    ordered = ("QD 12/quyet dinh.pdf", "QD 12/phụ lục I.pdf", "QD 12/phu luc 2.pdf", "QD 12/phu luc 10.pdf")
    assert documents(*names) == {ordered}


def test_appendices_of_several_letters_go_to_their_own() -> None:
    assert documents("12-QĐ.pdf", "13-QĐ.pdf", "13-QĐ-PL1.pdf", "12-QĐ phụ lục.pdf") == {
        ("12-QĐ.pdf", "12-QĐ phụ lục.pdf"),
        ("13-QĐ.pdf", "13-QĐ-PL1.pdf"),
    }


@pytest.mark.parametrize(
    "names",
    [
        ("12-QĐ.pdf", "13-QĐ.pdf", "phụ lục 1.pdf"),
        ("12-QĐ-UBND.pdf", "13-QĐ-UBND phụ lục 1.pdf"),
        ("12-QĐ.pdf", "12-TB.pdf", "12 phụ lục.pdf"),
        ("a/12-QĐ.pdf", "b/12-QĐ phụ lục.pdf"),
        ("thông báo.pdf", "kế hoạch.pdf", "báo cáo.pdf"),
        ("5-KH-STP-PL.pdf", "6-BC.pdf"),
        ("phụ lục 1.pdf", "phụ lục 2.pdf"),
    ],
)
def test_what_is_not_plainly_one_document_stays_apart(names: tuple[str, ...]) -> None:
    assert documents(*names) == {(name,) for name in names}


@pytest.mark.parametrize(
    ("name", "told"),
    [("Phụ lục II.pdf", True), ("PL3.pdf", True), ("12-QĐ-PL.pdf", False), ("phu cap luc luong.pdf", False)],
)
def test_a_name_says_whether_it_is_an_appendix(name: str, told: bool) -> None:
    assert is_appendix(name) is told


NAMES = st.lists(
    st.sampled_from(["12", "05", "QĐ", "UBND", "phụ lục", "phu luc", "PL", "PL1", "kèm theo", "1", "II", "báo cáo"]),
    min_size=1,
    max_size=5,
).map(lambda words: " ".join(words) + ".pdf")
PATHS = st.lists(
    st.builds(lambda folder, name: DESK / folder / name, st.sampled_from(["", "a", "a/b"]), NAMES), max_size=9
)


@given(PATHS, st.randoms(use_true_random=False))
def test_no_file_is_lost_or_doubled_and_the_order_in_which_they_come_does_not_matter(paths, random) -> None:  # type: ignore[no-untyped-def]
    found = group(paths)
    assert sorted(path for one in found for path in one.files) == sorted(set(paths))
    shuffled = list(paths)
    random.shuffle(shuffled)
    assert group(shuffled) == found
