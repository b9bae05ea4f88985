"""Makes the sample letters and `samples.toml` from the texts in `letters` and `report`.

A tool of the developers, run by hand as `python -m tools.build_samples [--out DIR]` in `resources/`. The
same texts give the same bytes at every run: no clock, no chance. It stops with ValueError when a letter
doesn't have the number of pages that its facts claim.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
from reportlab import rl_config

from signer_resources.samples import Sample, SampleSet
from tools.letter_layout import Sheet
from tools.letter_texts import ISSUER, ORGANISATIONS
from tools.letters import LETTERS, Letter

DEFAULT_OUT = Path(__file__).resolve().parent.parent / "signer_resources" / "samples"


def write_letter(letter: Letter, out: Path) -> None:
    """Writes all files of `letter` into the folder `out`."""
    sample = letter.sample
    pages = _write_file(out / sample.main, sample, letter.write)
    if pages != sample.pages:
        raise ValueError(f"{sample.main} has {pages} pages instead of {sample.pages}")
    if letter.write_appendix is not None:
        _write_file(out / sample.appendices[0], sample, letter.write_appendix)


def _write_file(target: Path, sample: Sample, write: Callable[[Sheet, Sample], None]) -> int:
    with Sheet(target, f"{sample.type_name} {sample.notation}", ISSUER.short_name, sample.subject) as sheet:
        write(sheet, sample)
    return sheet.pages


def as_toml(samples: SampleSet) -> str:
    """The facts as TOML: `[issuer]`, then arrays of tables; `samples.load` reads it back."""
    lines = [
        "# Facts about the sample letters; made by tools/build_samples.py with the PDF files.",
    ]
    _table(lines, "[issuer]", samples.issuer)
    for organisation in samples.organisations:
        _table(lines, "[[organisations]]", organisation)
    for sample in samples.samples:
        _table(lines, "[[samples]]", sample)
        for signer in sample.signers:
            _table(lines, "[[samples.signers]]", signer)
    return "\n".join(lines) + "\n"


def _table(lines: list[str], heading: str, value: msgspec.Struct) -> None:
    lines += ["", heading]
    for key, item in msgspec.structs.asdict(value).items():
        if item is None or key == "signers":
            continue
        # A JSON string, number, boolean or list of strings is the same in TOML.
        lines.append(f"{key} = {json.dumps(item, ensure_ascii=False)}")


def main() -> None:
    """Writes all letters and their facts."""
    parser = argparse.ArgumentParser(description="Makes the sample letters.")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    out: Path = parser.parse_args().out
    rl_config.useA85 = 0  # binary streams are a fifth smaller
    for letter in LETTERS:
        write_letter(letter, out)
    samples = SampleSet(ISSUER, ORGANISATIONS, tuple(letter.sample for letter in LETTERS))
    (out / "samples.toml").write_text(as_toml(samples), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
