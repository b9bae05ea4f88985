"""Makes the letters of the training mode: some of the samples, with the year of ô 4 left blank as well.

A tool of the developers, run by hand as `python -m tools.build_training [--out DIR]` in `resources/`. The training mode
is used in years to come, and a typed year is never overprinted.
"""

import argparse
import dataclasses
from pathlib import Path

from reportlab import rl_config

from signer_resources.training import LETTERS as CHOSEN
from tools import letters
from tools.letter_layout import Head, Sheet
from tools.letter_texts import ISSUER

DEFAULT_OUT = Path(__file__).resolve().parent.parent / "signer_resources" / "training"
_BLANK_DATE = f"{ISSUER.place}, ngày       tháng       năm           "


class _YearlessSheet(Sheet):
    """A sheet on which no year is typed in ô 4."""

    def head(self, head: Head) -> None:
        """The head with its date blank."""
        super().head(dataclasses.replace(head, place_and_date=_BLANK_DATE))


def main() -> None:
    """Writes the letters."""
    parser = argparse.ArgumentParser(description="Makes the letters of the training mode.")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    out: Path = parser.parse_args().out
    rl_config.useA85 = 0
    for letter in letters.LETTERS:
        sample = letter.sample
        if sample.id not in CHOSEN:
            continue
        title = f"{sample.type_name} {sample.notation}"
        with _YearlessSheet(out / sample.main, title, ISSUER.short_name, sample.subject) as sheet:
            letter.write(sheet, sample)
        for name in sample.appendices:
            assert letter.write_appendix is not None
            with _YearlessSheet(out / name, title, ISSUER.short_name, sample.subject) as sheet:
                letter.write_appendix(sheet, sample)


if __name__ == "__main__":
    main()
