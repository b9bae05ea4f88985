"""The sample images: trimmed, transparent, of one ink, and what the tool draws."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import signer_resources

NAMES = ("sample-seal", "sample-signature", "sample-signature-2", "sample-initial")
RESOURCES = Path(signer_resources.path("images")).parent.parent


def _image(name: str) -> Image.Image:
    return Image.open(signer_resources.path(f"images/{name}.png"))


@pytest.mark.parametrize("name", NAMES)
def test_images_are_trimmed_to_the_ink_on_a_transparent_ground(name: str) -> None:
    image = _image(name)
    assert image.mode == "RGBA"
    alpha = image.getchannel("A")
    assert alpha.getbbox() == (0, 0, *image.size)
    assert alpha.getextrema() == (0, 255)
    assert "Sample image" in str(image.info["Comment"])


def test_the_seal_is_red_round_and_38_mm_wide() -> None:
    image = _image("sample-seal")
    assert image.width == image.height >= 600
    assert image.getpixel((0, 0)) == (0xD8, 0x1E, 0x1E, 0)
    assert image.width / image.info["dpi"][0] * 25.4 == pytest.approx(38, abs=0.05)
    assert image.getchannel("A").getpixel((image.width // 2, 3)) == 255


@pytest.mark.parametrize("name", ["sample-signature", "sample-signature-2"])
def test_leaders_signatures_are_blue_and_fit_their_box(name: str) -> None:
    image = _image(name)
    pixel = image.getpixel((0, 0))
    assert isinstance(pixel, tuple)
    red, green, blue = pixel[:3]
    assert blue > 2 * red
    assert blue > 2 * green
    width_mm = image.width / image.info["dpi"][0] * 25.4
    assert 40 < width_mm <= 60
    assert 2 < image.width / image.height < 4


def test_the_committed_images_are_what_the_tool_draws(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "tools.build_images", "--out", str(tmp_path)], cwd=RESOURCES, check=True)
    for name in NAMES:
        made = Image.open(tmp_path / f"{name}.png")
        # Pixels, not bytes: how well PNG data is packed differs between builds of the same library.
        assert (made.size, made.tobytes(), made.info) == (
            (kept := _image(name)).size,
            kept.tobytes(),
            kept.info,
        )
