"""The ink of a stamp's picture: what of it is drawn, on the screen as on the page.

Runs in workers; loads no PDF library. A seal's millimetres are those of its ink, so clear borders are cut off.
"""

import hashlib
import io

from PIL import Image

from signer_resources.errors import KnownError

_MAX_PIXELS = 40_000_000


def ink_of(content: bytes, sha256: str) -> Image.Image:
    """The picture (PNG) in RGBA without its clear borders.

    It must be the one that the plan names by its hash; KnownError "image_unusable" for another one, for what is no
    picture or too large, and for one without ink.
    """
    unusable = KnownError("image_unusable", name=sha256[:12])
    if hashlib.sha256(content).hexdigest() != sha256:
        raise unusable
    try:
        with Image.open(io.BytesIO(content)) as opened:
            if opened.width * opened.height > _MAX_PIXELS:
                raise unusable
            image = opened.convert("RGBA")
    except (OSError, Image.DecompressionBombError) as error:
        raise unusable from error
    box = image.getchannel("A").getbbox()
    if box is None:
        raise unusable
    return image.crop(box)
