"""Skimming finds every mark that the full reading finds, and long documents are read where it matters."""

import io
import random
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signer_app.pdf.letter import find_secrecy_mark, find_signer_blocks
from signer_app.pdf.model import Profile
from signer_app.pdf.names import fold
from signer_app.pdf.pages import Pages, last_first
from signer_app.pdf.pagetext import OpenDocument, PageText, open_document, read_page
from signer_app.pdf.plan import Mark
from signer_app.pdf.screen import screen_bytes
from signer_app.pdf.skim import may_end, skim
from signer_resources import samples
from tests.pdf.paper import (
    BOLD,
    ITALIC,
    REGULAR,
    TURNS,
    Turn,
    Words,
    document_of,
    head,
    letter,
    page_of,
    signer_block,
    turned,
    width_mm,
)
from tests.pdf.signing import LEADER, Desk, one, refusals

_CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
_MARKS = (
    "MẬT", "TỐI MẬT", "TUYỆT MẬT", "M Ậ T", "M   Ậ   T", "T Ố I  M Ậ T", "* MẬT *", "(TỐI  MẬT)", "Độ mật: Mật",
    "Mức độ mật: Tối mật", "ĐỘ MẬT: TUYỆT MẬT.", "Độ  mật : MẬT", "_MẬT_", "Độ mật:: [Mật]",
)  # fmt: skip
_OTHERS = (
    "BẢO MẬT", "MẬT ONG", "Độ mật: Không", "LUẬT MẬT MÃ", "BỘ PHẬN MỘT CỬA", "chi tiết: MẬT", "Nội dung mật:",
    "Căn cứ Luật Tổ chức chính quyền địa phương;", "MẶT TRẬN TỔ QUỐC", "Ghi chú: a, b; M T Ậ",
)  # fmt: skip


@pytest.fixture
def read_in_full(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the pages that are read glyph by glyph."""
    numbers: list[int] = []

    def counted(document: OpenDocument, number: int, *, pictures: bool = True) -> PageText:
        numbers.append(number)
        return read_page(document, number, pictures=pictures)

    monkeypatch.setattr("signer_app.pdf.skim.read_page", counted)
    monkeypatch.setattr("signer_app.pdf.pages.read_page", counted)
    return numbers


def _answers(data: bytes | Path) -> Iterator[tuple[bool, bool]]:
    """By page, whether skimming and the full reading find a mark."""
    with closing(open_document(data)) as document:
        for number in range(len(document)):
            mark = find_secrecy_mark(read_page(document, number))
            yield skim(document, number) is None, mark is not None


@st.composite
def _pages(draw: st.DrawFn) -> bytes:
    """A page with text and perhaps a mark: sloping, letter by letter in any order, decomposed, turned."""
    words = [
        Words(draw(st.sampled_from((20, 30, 60))), 30 + 8.0 * i, draw(st.sampled_from(_OTHERS)), size=12)
        for i in range(draw(st.integers(0, 8)))
    ]
    if draw(st.booleans()):
        angle = draw(st.sampled_from((0, 0, 0, 2, -4, 12, 45, 90, -60, 180)))
        mark = Words(
            draw(st.sampled_from((25, 90, 140))),
            draw(st.sampled_from((25.0, 38.0, 46.3, 150.0))),
            draw(st.sampled_from(_MARKS)),
            draw(st.sampled_from((REGULAR, BOLD, ITALIC))),
            draw(st.sampled_from((8, 13, 40))),
            turn=angle,
        )
        words += [mark] if angle or draw(st.booleans()) else _one_by_one(mark)
    random.Random(draw(st.integers(0, 99))).shuffle(words)
    data = page_of(words)
    if draw(st.booleans()):
        data = turned(data, draw(st.sampled_from(TURNS)))
    return _decomposed(data) if draw(st.booleans()) else data


def _one_by_one(words: Words) -> list[Words]:
    """The letters as pieces of their own."""
    letters, x = [], words.x
    for letter_ in words.text:
        letters.append(Words(x, words.baseline, letter_, words.face, words.size))
        x += width_mm(letter_, words.face, words.size)
    return letters


def _decomposed(data: bytes) -> bytes:
    """The same page, whose letters mean a base letter and its marks."""

    def spread(found: re.Match[bytes]) -> bytes:
        parts = unicodedata.normalize("NFD", chr(int(found[2], 16)))
        return found[1] + b"<" + parts.encode("utf-16-be").hex().encode() + b">"

    with pikepdf.open(io.BytesIO(data)) as pdf:
        for item in pdf.objects:
            if isinstance(item, pikepdf.Stream) and b"beginbfchar" in (table := item.read_bytes()):
                item.write(re.sub(rb"(<[0-9A-Fa-f]+>\s+)<([0-9A-Fa-f]{4})>(?=\s*\n)", spread, table))
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(_pages())
def test_skimming_answers_as_the_full_reading(data: bytes) -> None:
    assert all(skimmed == read for skimmed, read in _answers(data))


@pytest.mark.long
@settings(max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(_pages())
def test_skimming_answers_as_the_full_reading_on_many_pages(data: bytes) -> None:
    assert all(skimmed == read for skimmed, read in _answers(data))


@pytest.mark.parametrize("text", _MARKS)
@pytest.mark.parametrize("turn", [Turn(), Turn(270, -30, 70, 40)], ids=str)
def test_no_mark_is_passed_over(text: str, turn: Turn) -> None:
    data = turned(letter(Words(75, 50, text, BOLD)), turn)
    assert list(_answers(data)) == [(True, True)]
    assert list(_answers(_decomposed(data))) == [(True, True)]


def test_letters_that_are_drawn_later_between_others_count() -> None:
    """What stands right beside a letter in the file need not do so on the page."""
    letters = _one_by_one(Words(40, 50, "Độ mật: Mật", size=40))
    data = page_of([*letters[:4], *letters[5:], Words(30, 100, "Kính gửi:"), letters[4]])
    assert list(_answers(data)) == [(True, True)]
    assert list(_answers(_decomposed(data))) == [(True, True)]


def test_samples_are_told_alike() -> None:
    names = [name for sample in samples.load().samples if sample.id != "bao-cao-40-trang" for name in sample.files]
    answers = [answer for name in names for answer in _answers(samples.file(name))]
    assert all(skimmed == read for skimmed, read in answers)
    assert (True, True) in answers


@pytest.mark.long
@pytest.mark.skipif(not _CORPUS.is_dir(), reason="the corpus lies beside the repository")
def test_files_of_others_are_told_alike() -> None:
    for file in sorted(_CORPUS.rglob("*.pdf")):
        try:
            document = open_document(file)
        except (ValueError, RuntimeError):
            continue
        with closing(document):
            for number in range(min(len(document), 50)):
                try:
                    page = read_page(document, number)
                except (ValueError, RuntimeError):
                    continue
                assert (skim(document, number) is None) == (find_secrecy_mark(page) is not None), file.name


def test_ordinary_text_is_dismissed_without_reading_it_in_full(read_in_full: list[int]) -> None:
    # The letters of "ONG" could be those of a mark of urgency behind the other.
    texts = [text for text in _OTHERS if text not in ("Ghi chú: a, b; M T Ậ", "Độ mật: Không", "MẬT ONG")]
    data = page_of([Words(30, 40 + 8 * i, text) for i, text in enumerate(texts)])
    assert not screen_bytes(_decomposed(data), "a.pdf").secret
    assert not screen_bytes(data, "a.pdf").secret
    assert read_in_full == []


def test_the_files_own_data_make_it_secret() -> None:
    with pikepdf.open(io.BytesIO(letter())) as pdf:
        pdf.docinfo["/Keywords"] = "Tối mật"
        out = io.BytesIO()
        pdf.save(out)
    assert screen_bytes(out.getvalue(), "a.pdf").secret


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("KT. CHỦ TỊCH", True),
        ("P H Ó  G I Á M  Đ Ố C", True),
        ("Nơi nhận:\r\n- Như trên;", True),
        ("… tổ chức thực hiện./.", True),
        ("NGUYỄN THỊ PHƯỢNG", True),
        ("Nguye\u0302\u0303n Thi\u0323 Phu\u031bo\u031b\u0323ng", True),
        ("Chủ tịch Ủy ban nhân dân xã quyết định", False),
        ("Điều 2. Phòng, ban có liên quan", False),
    ],
)
def test_pages_where_a_letter_may_end_are_known_by_their_letters(text: str, *, ends: bool) -> None:
    assert may_end(text, ("Ông Nguyễn Thị Phượng",)) is ends


def _long(count: int, *, at: int, page: Sequence[Words]) -> bytes:
    """So many pages, the first with a head, and one that is given."""
    text = [Words(30, 60, "Chủ tịch Ủy ban nhân dân xã giao phòng Nội vụ thực hiện.")]
    return document_of([head() if i == 0 else page if i == at else text for i in range(count)])


def test_a_long_document_is_read_where_rules_look(desk: Desk, read_in_full: list[int]) -> None:
    path = desk.keep(_long(90, at=45, page=signer_block(name=LEADER)))
    result = desk.preflight(path, Profile.LEADER)
    assert result.facts.signer == LEADER
    assert result.facts.pages == 90
    assert one(result, Mark.SIGNATURE).page == 46
    assert sorted(read_in_full) == [0, 1, 45, *range(70, 90)]


def test_a_mark_in_the_middle_of_a_long_document_refuses_it(desk: Desk) -> None:
    result = desk.preflight(desk.keep(_long(60, at=30, page=[Words(90, 25, "TỐI MẬT", BOLD)])), Profile.LEADER)
    assert refusals(result) == ["secret"]
    assert result.facts.pages == 0


def test_pages_are_read_once_and_in_the_order_in_which_they_are_asked_for(read_in_full: list[int]) -> None:
    with closing(open_document(_long(12, at=11, page=signer_block()))) as document:
        pages = Pages(document, (0, 1, 11))
        assert [page.number for page in last_first(pages)] == [11, 1, 0]
        assert [page.number for page in last_first([pages[0], pages[1]])] == [1, 0]
        assert len(find_signer_blocks(pages, ["Nguyễn Thị Phượng"])) == 1
        assert pages[-1] is pages[11]
        assert [page.number for page in pages[3:5]] == [3, 4]
        assert read_in_full == [11, 1, 0, 3, 4]
        assert len(list(pages)) == 12
        with pytest.raises(IndexError):
            pages[12]


@given(st.text(max_size=30))
@settings(max_examples=200)
def test_folding_is_what_it_says(text: str) -> None:
    parts = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    plain = "".join(c for c in parts if not unicodedata.combining(c))
    assert fold(text) == re.sub(r"[^a-z0-9]+", " ", plain.casefold()).strip()
    assert fold(text * 20) == fold(" ".join([text * 20]))
