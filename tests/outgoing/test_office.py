"""LibreOffice, which may be missing, hang, crash or lie; and the real one where it is installed."""

import os
import stat
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from signer_app.attachments.office import Office, find_office
from signer_resources.errors import KnownError
from tests.outgoing.office_files import spreadsheet

NAME = "Phụ lục 1.xlsx"
needs_shell = pytest.mark.skipif(os.name != "posix", reason="the scripted one is a shell script")


def scripted(folder: Path, body: str, deadline_s: float = 30.0) -> Office:
    """A program in LibreOffice's place; `$out` is where it shall put what it makes, `$work` its own folder."""
    program = folder / "soffice"
    program.write_text(
        '#!/bin/sh\nwork=$PWD\nwhile [ "$1" != --outdir ]; do shift; done\nout=$2\nsource=$3\n' + body, encoding="utf-8"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Office(program, deadline_s)


def work(folder: Path) -> Path:
    made = folder / "work"
    made.mkdir()
    return made


def refusal(office: Office, folder: Path) -> str:
    source = spreadsheet(folder / NAME, [("1", "2")])
    with pytest.raises(KnownError) as caught:
        office.to_pdf(source, NAME, work(folder))
    assert NAME in str(caught.value)
    return caught.value.code


@needs_shell
def test_it_runs_apart_with_a_profile_of_its_own_and_a_name_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNER_SECRET", "x")
    office = scripted(
        tmp_path,
        'env > "$out/env"; cp "$source" "$out/copy"; ls "$work" > "$out/names"; ulimit -v > "$out/limit"\n'
        'cat "$work/profile/user/registrymodifications.xcu" > "$out/profile"; echo %PDF > "$out/source.pdf"\n',
    )
    source = spreadsheet(tmp_path / NAME, [("1", "2")])
    made = office.to_pdf(source, NAME, work(tmp_path))
    out = made.parent
    assert made.read_bytes() == b"%PDF\n"
    assert (out / "copy").read_bytes() == source.read_bytes()
    assert (out / "names").read_text().split() == ["made", "profile", "source.xlsx"]
    environment = (out / "env").read_text()
    assert f"HOME={tmp_path / 'work'}" in environment
    assert "SIGNER_SECRET" not in environment
    assert "DisableMacrosExecution" in (out / "profile").read_text()
    assert (out / "limit").read_text().strip() != "unlimited"


@needs_shell
def test_one_that_hangs_is_ended_with_all_that_it_has_started(tmp_path: Path) -> None:
    held = tmp_path / "held"
    os.mkfifo(held)
    reader = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    office = scripted(tmp_path, f'exec 3> "{held}"; sleep 60 & wait\n', deadline_s=0.5)
    assert refusal(office, tmp_path) == "office_timeout"
    os.set_blocking(reader, True)
    # The end comes when nobody is left who could write.
    assert os.read(reader, 1) == b""
    os.close(reader)


@needs_shell
@pytest.mark.parametrize(
    "body", ["kill -9 $$", "exit 0", 'ln -s /etc/hostname "$out/source.pdf"', ': > "$out/source.pdf"']
)
def test_one_that_makes_no_pdf_has_failed(body: str, tmp_path: Path) -> None:
    assert refusal(scripted(tmp_path, body + "\n"), tmp_path) == "office_failed"


def test_what_has_no_pages_is_not_given_to_it(tmp_path: Path) -> None:
    with pytest.raises(KnownError) as caught:
        Office(tmp_path / "soffice").to_pdf(tmp_path, "bản vẽ.dwg", work(tmp_path))
    assert caught.value.code == "office_kind"


def test_it_is_found_on_the_path_or_where_it_usually_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_office(()) is None
    usual = tmp_path / "usual" / "soffice"
    usual.parent.mkdir()
    usual.touch()
    found = find_office((str(tmp_path / "none"), str(usual)))
    assert found is not None
    assert found.program == usual


@pytest.mark.long
@pytest.mark.skipif(find_office() is None, reason="LibreOffice is not installed")
def test_the_real_one_makes_pages_of_a_spreadsheet(tmp_path: Path) -> None:
    office = find_office()
    assert office is not None
    source = spreadsheet(tmp_path / NAME, [("STT", "Họ và tên"), ("1", "Nguyễn Văn Ánh")])
    document = pdfium.PdfDocument(office.to_pdf(source, NAME, work(tmp_path)))
    assert "Nguyễn Văn Ánh" in document[0].get_textpage().get_text_range()
    document.close()
