"""Draws the program's icon in the sizes that desktops and Windows ask for, from `icons/signer.svg`.

Run by hand when the drawing changes; needs PySide6. Writes only into the folder it is given.
"""

import argparse
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

DEFAULT_OUT = Path(__file__).resolve().parent.parent / "signer_resources" / "icons"
SIZES = (16, 24, 32, 48, 64, 128, 256)
"""Pixels a side: those of the hicolor theme and of a Windows icon."""


def build(drawing: Path, out: Path) -> None:
    """Writes `signer-N.png` for each size into `out`."""
    renderer = QSvgRenderer(str(drawing))
    if not renderer.isValid():
        raise ValueError(f"no drawing in {drawing}")
    for size in SIZES:
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        image.save(str(out / f"signer-{size}.png"), quality=0)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    out = parser.parse_args().out
    build(DEFAULT_OUT / "signer.svg", out)


if __name__ == "__main__":
    main()
