"""The sample letters: what a reader finds on them, and that they keep to Decree 30/2020."""

import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pytest
from fontTools.ttLib import TTFont

import signer_resources
from signer_resources import rules, samples
from signer_resources.samples import Sample, Urgency

MM = 72 / 25.4
SET = samples.load()
FILES = tuple(name for sample in SET.samples for name in sample.files)
RESOURCES = signer_resources.path("samples").parent.parent


def _name(sample: Sample) -> str:
    return sample.id


every_sample = pytest.mark.parametrize("sample", SET.samples, ids=_name)


@contextmanager
def _pages(name: str) -> Iterator[list[pdfium.PdfTextPage]]:
    document = pdfium.PdfDocument(samples.file(name))
    try:
        yield [page.get_textpage() for page in document]
    finally:
        document.close()


def _text(name: str) -> list[str]:
    with _pages(name) as pages:
        return [page.get_text_bounded().replace("\r\n", "\n") for page in pages]


def _flat(text: str) -> str:
    return " ".join(text.split()).casefold()


def _find(page: pdfium.PdfTextPage, words: str, *, last: bool = False) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of the first letter to the last one of `words`."""
    searcher = page.search(words, match_case=True)
    hits = []
    while (hit := searcher.get_next()) is not None:
        hits.append(hit)
    assert hits, words
    start, count = hits[-1 if last else 0]
    boxes = [page.get_charbox(start + i) for i in range(count) if page.get_text_range(start + i, 1).strip()]
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )


@every_sample
def test_the_number_is_blank_and_the_notation_fits_the_type(sample: Sample) -> None:
    first = _text(sample.main)[0]
    line = re.search(r"^Số: +/(\S+)", first, flags=re.MULTILINE)
    assert line is not None
    assert line[1] == sample.notation
    if sample.type:
        assert sample.notation.startswith(sample.type)
        assert sample.type in {kind.abbreviation for kind in rules.load(date(2026, 11, 20)).document_types}


@every_sample
def test_day_is_blank_and_month_only_typed_where_said(sample: Sample) -> None:
    first = _text(sample.main)[0]
    month = r" +" if sample.month is None else rf" {sample.month} "
    assert re.search(rf"{SET.issuer.place}, ngày +tháng{month}năm 2026", first)


@every_sample
def test_number_and_date_stand_on_one_line_with_room_for_what_is_filled_in(sample: Sample) -> None:
    with _pages(sample.main) as pages:
        number = _find(pages[0], "Số:")
        slash = _find(pages[0], f"/{sample.notation}")
        place = _find(pages[0], f"{SET.issuer.place}, ngày")
        month = _find(pages[0], "tháng")
        assert number[1] == pytest.approx(_find(pages[0], "H" + SET.issuer.place[1:])[1], abs=0.6)
        assert slash[0] - number[2] > 4 * 13 / 2  # four digits of half an em, size 13
        assert month[0] - place[2] > 2 * 13 / 2


@every_sample
def test_subject_body_signers_and_receivers_are_found_as_nfc_text(sample: Sample) -> None:
    pages = _text(sample.main)
    assert all(unicodedata.is_normalized("NFC", page) for page in pages)
    assert sample.subject.casefold() in _flat(pages[0])
    assert SET.issuer.name.casefold() in _flat(pages[0])
    for signer in sample.signers:
        assert signer.name in pages[-1]
        assert signer.title in pages[-1]
        assert signer.authority is None or signer.authority in pages[-1]
    assert "Nơi nhận:" in pages[-1]
    assert "./." in pages[-1]
    known = {organisation.code for organisation in SET.organisations}
    assert set(sample.receivers) <= known
    assert SET.issuer.code not in sample.receivers


@every_sample
def test_the_leader_has_room_to_sign_between_title_and_name_in_the_right_half(sample: Sample) -> None:
    leader = sample.signers[0]
    with _pages(sample.main) as pages:
        title = _find(pages[-1], leader.title, last=True)
        name = _find(pages[-1], leader.name, last=True)
    assert 25 * MM <= title[1] - name[3] <= 33 * MM
    assert name[0] > 210 * MM / 2


@pytest.mark.parametrize("name", FILES)
def test_text_keeps_to_the_margins_and_pages_are_numbered_from_the_second(name: str) -> None:
    profile = rules.load(date(2026, 11, 20))
    left, right = profile.number("margin.left.min") * MM, (210 - profile.number("margin.right.min")) * MM
    bottom, top = profile.number("margin.bottom.min") * MM, (297 - profile.number("margin.top.min")) * MM
    with _pages(name) as pages:
        for number, page in enumerate(pages, start=1):
            boxes = [page.get_rect(i) for i in range(page.count_rects())]
            above = [box for box in boxes if box[1] > top]
            within = [box for box in boxes if box[1] <= top]
            assert min(box[0] for box in within) > left - 1
            assert max(box[2] for box in within) < right + 1
            assert min(box[1] for box in within) > bottom - 1
            assert max(box[3] for box in within) < top + 1
            assert len(above) == (number > 1)
            for box in above:
                assert page.get_text_bounded(*box).strip() == str(number)
                assert (box[0] + box[2]) / 2 == pytest.approx(210 * MM / 2, abs=1)


@pytest.mark.parametrize("name", FILES)
def test_fonts_are_embedded_and_no_letter_is_missing(name: str) -> None:
    covered = {chr(code) for code in TTFont(signer_resources.path("fonts/SignerSerif-Bold.ttf")).getBestCmap()}
    letters = {letter for page in _text(name) for letter in page if letter not in "\n\ufffe"}
    assert letters - covered == set()
    with pikepdf.open(samples.file(name)) as pdf:
        for page in pdf.pages:
            fonts = page.resources["/Font"]
            assert fonts.keys()
            for key in fonts.keys():  # noqa: SIM118 (a PDF dictionary)
                descriptor = fonts[key]["/FontDescriptor"]
                assert "SignerSerif" in str(descriptor["/FontName"])
                assert "/FontFile2" in descriptor


@every_sample
def test_page_counts_are_as_said(sample: Sample) -> None:
    assert len(_text(sample.main)) == sample.pages


def test_the_nine_samples_cover_what_a_clerk_meets() -> None:
    assert [sample.id for sample in SET.samples] == [
        "quyet-dinh",
        "cong-van",
        "giay-moi",
        "bao-cao-40-trang",
        "to-trinh",
        "huong-dan-lien-tich",
        "thong-bao",
        "ke-hoach",
        "van-ban-mat",
    ]
    assert SET.sample("bao-cao-40-trang").pages == 40
    assert [sample.id for sample in SET.samples if sample.secret] == ["van-ban-mat"]
    assert [sample.id for sample in SET.samples if len(sample.signers) == 2] == ["huong-dan-lien-tich"]
    assert [sample.id for sample in SET.samples if sample.initials] == ["thong-bao"]
    with pytest.raises(KeyError):
        SET.sample("khong-co")


@every_sample
def test_the_secrecy_mark_stands_alone_on_the_secret_letter_only(sample: Sample) -> None:
    lines = [line.strip() for line in _text(sample.main)[0].splitlines()]
    assert ("MẬT" in lines) == sample.secret
    assert ("KHẨN" in lines) == (sample.urgency is Urgency.URGENT)


def test_the_appendix_refers_to_its_letter_and_leaves_the_top_right_free() -> None:
    sample = SET.sample("to-trinh")
    text = _flat(_text(sample.appendices[0])[0])
    assert "phụ lục" in text
    assert re.search(r"kèm theo tờ trình số /ttr-ubnd ngày tháng năm 2026", text)
    with _pages(sample.appendices[0]) as pages:
        assert pages[0].get_text_bounded(300, 785, 595, 842).strip() == ""


def test_the_joint_letter_has_our_leader_on_the_right_and_both_bodies_on_top() -> None:
    sample = SET.sample("huong-dan-lien-tich")
    ours, theirs = sample.signers
    with _pages(sample.main) as pages:
        right, left = _find(pages[0], ours.name, last=True), _find(pages[0], theirs.name, last=True)
    assert left[2] < 210 * MM / 2 < right[0]
    assert left[1] == pytest.approx(right[1], abs=1)
    assert theirs.body.casefold() in _flat(_text(sample.main)[0])


def test_an_initial_fits_behind_the_end_of_the_notice() -> None:
    sample = SET.sample("thong-bao")
    with _pages(sample.main) as pages:
        _, bottom, right, top = _find(pages[0], "./.", last=True)
        assert 195 * MM - right > 40 * MM
        assert pages[0].get_text_bounded(right + 1, bottom, 195 * MM, top).strip() == ""


def test_all_files_together_stay_small() -> None:
    sizes = {name: samples.file(name).stat().st_size for name in FILES}
    assert sizes["bao-cao-40-trang.pdf"] < 250_000
    assert sum(sizes.values()) < 600_000


def _inflated(file: Path) -> list[bytes]:
    """All objects of a PDF with their streams unpacked: how well they are packed depends on Python's zlib."""
    found = []
    with pikepdf.open(file) as pdf:
        for thing in pdf.objects:
            if isinstance(thing, pikepdf.Stream):
                found.append(thing.read_bytes())
                kept = {key: value for key, value in thing.items() if key not in {"/Length", "/Filter"}}
                found.append(pikepdf.Dictionary(kept).unparse())
            else:
                found.append(thing.unparse())
    return found


def test_the_committed_samples_are_what_the_tool_makes_and_it_makes_the_same_twice(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        subprocess.run([sys.executable, "-m", "tools.build_samples", "--out", str(folder)], cwd=RESOURCES, check=True)
    one, two = folders
    assert sorted(path.name for path in one.iterdir()) == sorted((*FILES, "samples.toml"))
    for name in (*FILES, "samples.toml"):
        assert (one / name).read_bytes() == (two / name).read_bytes()
    for name in FILES:
        assert _inflated(one / name) == _inflated(samples.file(name))
    assert (one / "samples.toml").read_bytes() == samples.file("samples.toml").read_bytes()
