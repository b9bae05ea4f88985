"""BẢN THỬ on every page: where it lands, what it leaves readable, how it is known again, and what it is kept off."""

import datetime as dt
import io
from pathlib import Path

import pikepdf
import pytest
from PIL import Image, ImageChops

from signer_app.pdf.model import PreflightRequest, Profile, Severity
from signer_app.pdf.preflight import preflight
from signer_app.pdf.training_mark import BELOW, MARK, mark, marked, shows_mark
from signer_app.verification.model import TrustMaterial
from signer_app.verification.verify import verify_file
from signer_resources import rules, samples
from signer_resources.errors import KnownError
from tests.pdf import odd
from tests.pdf.paper import Turn, Words, letter, picture, read_all, turned

NOW = dt.datetime(2026, 11, 20, 8, 0, tzinfo=dt.UTC)
LETTER = letter()


def put_on(folder: Path, data: bytes) -> Path:
    source, output = folder / "vào.pdf", folder / "ra.pdf"
    source.write_bytes(data)
    output.unlink(missing_ok=True)
    mark(source, output)
    assert output.read_bytes().startswith(data)
    return output


def codes(path: Path, *, training: bool) -> set[str]:
    request = PreflightRequest(
        profile=Profile.PLAIN, blob="0" * 64, certificate="", certificate_name="", rules=rules.load(NOW.date()).version,
        number=None, notation=None, date=None, today=NOW.date(), body=None, picture=None, place=None, training=training,
    )  # fmt: skip
    result = preflight(path, request, verify_file(path, TrustMaterial(), NOW))
    refused = {finding.code for finding in result.findings if finding.severity is Severity.REFUSED}
    assert (result.plan is None) is bool(refused)
    return refused


def grey(image: Image.Image) -> Image.Image:
    return image.convert("L")


def over(image: Image.Image, value: int) -> int:
    """How many pixels are lighter than `value`."""
    return sum(image.histogram()[value + 1 :])


def test_every_page_of_a_long_letter_says_that_it_is_a_trial(tmp_path: Path) -> None:
    output = put_on(tmp_path, samples.file("bao-cao-40-trang.pdf").read_bytes())
    pages = read_all(output)
    assert len(pages) == 40
    assert all(page.slanted == (MARK, BELOW) for page in pages)
    assert marked(output).everywhere


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_the_mark_stands_upright_in_what_is_seen_of_a_turned_and_cut_page(tmp_path: Path, rotate: int) -> None:
    plain = grey(picture(put_on(tmp_path, LETTER)))
    other = grey(picture(put_on(tmp_path, turned(LETTER, Turn(rotate=rotate, left=40, bottom=-30, unit=2.0)))))
    assert over(ImageChops.difference(plain, other.resize(plain.size)), 90) < 0.002 * plain.width * plain.height


def test_the_mark_is_large_and_hides_nothing(tmp_path: Path) -> None:
    before, after = grey(picture(LETTER)), grey(picture(put_on(tmp_path, LETTER)))
    assert over(ImageChops.subtract(after, before), 8) <= 3, "ink got lighter"
    darkened = ImageChops.subtract(before, after).histogram()
    assert sum(darkened[20:]) > 0.05 * before.width * before.height, "too small to be seen"
    assert sum(darkened[64:]) == 0, "too dark to read what is written over it"
    box = after.point(lambda value: 255 if 190 < value < 230 else 0).getbbox()
    assert box is not None
    assert box[2] - box[0] > 0.6 * after.width
    assert box[3] - box[1] > 0.5 * after.height


@pytest.mark.parametrize("loose", [b"q 0.2 0 0 0.2 0 0 cm", b"Q Q 0.2 0 0 0.2 0 0 cm"])
def test_content_that_leaves_its_state_behind_does_not_move_the_mark(tmp_path: Path, loose: bytes) -> None:
    with pikepdf.open(io.BytesIO(LETTER)) as pdf:
        pdf.pages[0].contents_add(loose, prepend=False)
        out = io.BytesIO()
        pdf.save(out)
    wanted, found = grey(picture(put_on(tmp_path, LETTER))), grey(picture(put_on(tmp_path, out.getvalue())))
    assert ImageChops.difference(wanted, found).getbbox() is None


def test_resources_that_all_pages_share_stay_as_they_are(tmp_path: Path) -> None:
    with pikepdf.open(samples.file("quyet-dinh.pdf")) as pdf:
        shared = pdf.make_indirect(pdf.pages[0].obj.Resources)
        for page in pdf.pages:
            del page.obj["/Resources"]
        pdf.Root.Pages.Resources = shared
        out = io.BytesIO()
        pdf.save(out)
    output = put_on(tmp_path, out.getvalue())
    assert marked(output).everywhere
    with pikepdf.open(output, inherit_page_attributes=False) as pdf:
        assert "/SignerTraining" not in pdf.Root.Pages.Resources.get("/XObject", {})
    assert all(page.has_text and shows_mark([page]) for page in read_all(output))


def test_marking_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    assert put_on(tmp_path, LETTER).read_bytes() == put_on(tmp_path, LETTER).read_bytes()


def test_a_file_that_somebody_has_signed_is_left_alone(tmp_path: Path) -> None:
    with pikepdf.open(io.BytesIO(LETTER)) as pdf:
        field = pikepdf.Dictionary(FT=pikepdf.Name.Sig, T="leader")
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[pdf.make_indirect(field)])
        out = io.BytesIO()
        pdf.save(out)
    with pytest.raises(KnownError) as refused:
        put_on(tmp_path, out.getvalue())
    assert refused.value.code == "training_signed_elsewhere"
    assert not (tmp_path / "ra.pdf").exists()


@pytest.mark.parametrize("data", [b"%PDF-1.7 nothing", odd.without_references(LETTER), b""])
def test_what_cannot_be_extended_is_refused_and_leaves_nothing(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(KnownError) as refused:
        put_on(tmp_path, data)
    assert refused.value.code == "training_not_markable"
    assert not (tmp_path / "ra.pdf").exists()


def test_a_trial_is_refused_in_earnest_and_an_ordinary_letter_in_training(tmp_path: Path) -> None:
    output = put_on(tmp_path, LETTER)
    plain = tmp_path / "vào.pdf"
    assert codes(output, training=False) == {"training_document"}
    assert codes(output, training=True) == set()
    assert codes(plain, training=True) == {"training_unmarked"}
    assert codes(plain, training=False) == set()


def test_one_trial_page_among_others_is_enough_to_be_refused_in_earnest_and_too_few_in_training(tmp_path: Path) -> None:
    output = put_on(tmp_path, LETTER)
    mixed = tmp_path / "ghép.pdf"
    with pikepdf.open(tmp_path / "vào.pdf") as pdf, pikepdf.open(output) as trial:
        pdf.pages.append(trial.pages[0])
        pdf.save(mixed)
    assert (marked(mixed).anywhere, marked(mixed).everywhere) == (True, False)
    assert codes(mixed, training=False) == {"training_document"}
    assert codes(mixed, training=True) == {"training_unmarked"}


def test_a_trial_is_known_by_its_letters_when_another_program_has_written_it_anew(tmp_path: Path) -> None:
    output, anew = put_on(tmp_path, LETTER), tmp_path / "in lại.pdf"
    with pikepdf.open(output) as pdf:
        resources = pdf.pages[0].resources.XObject
        form = resources["/SignerTraining"]
        del form["/SignerTraining"]
        del resources["/SignerTraining"]
        resources["/X1"] = form
        content = b"".join(part.read_bytes() for part in pdf.pages[0].obj.Contents)
        pdf.pages[0].obj.Contents = pdf.make_stream(content.replace(b"/SignerTraining Do", b"/X1 Do"))
        pdf.save(anew)
    assert not marked(anew).anywhere
    assert codes(anew, training=False) == {"training_document"}


def test_a_letter_that_speaks_of_training_is_no_trial(tmp_path: Path) -> None:
    spoken = tmp_path / "công văn.pdf"
    spoken.write_bytes(letter(Words(30, 150, f"{MARK} {BELOW}")))
    assert codes(spoken, training=False) == set()
