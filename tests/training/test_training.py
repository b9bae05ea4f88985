"""The training mode end to end: its folder, its certificates, what it signs, what it can't reach, and its end."""

import datetime as dt
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import msgspec
import pytest

import signer_resources
from signer_app.administration.machine import Machine, MachineServer, MachineValues
from signer_app.cli.main import command_line
from signer_app.demo.batch import certificate, sign_all
from signer_app.looks import Looks, is_training, training_folder
from signer_app.pdf.letter import find_date_line
from signer_app.pdf.model import Profile
from signer_app.pdf.training_mark import marked
from signer_app.signing.batch import BatchResult
from signer_app.signing.jobs import DocumentJob, FileJob
from signer_app.signing.opening import keep_to_sign, screened
from signer_app.store import DataFolder, Settings, load_settings, save_settings
from signer_app.store.model import FileRole, FileState
from signer_app.store.settings import Exchange, ServerSettings, ThemeChoice
from signer_app.store.training_settings import training_home
from signer_app.tasks import Verify
from signer_app.training.pki import make_or_load
from signer_app.training.preparing import letters_of, prepare, training_pin
from signer_app.training.removing import remove_training
from signer_app.verification.model import FileReport, Trust, TrustMaterial, Verdict
from signer_app.workspace import Overrides, Workspace, workspace
from signer_resources import samples, training
from signer_resources.errors import KnownError
from signer_token.model import Pin
from tests.pdf.paper import read_all
from tests.support.shared import made_once

LEADING_OUT = Machine(MachineValues(server=MachineServer(url="https://tinh.example"), tsa_url="https://tsa.example"))
"""What an administrator may have set on this machine."""


def quiet(_key: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture(scope="session", name="made")
def made_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training folder of this run, to be read alone."""
    return made_once(
        tmp_path_factory, "training-tap-duot", lambda folder: prepare(folder, quiet, Looks("vi", dark=True))
    )


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A training folder of this test alone; finishing it points its token to its own place."""
    place = tmp_path / "Signer-tap-duot"
    shutil.copytree(made, place)
    prepare(place, quiet)
    return place


@contextmanager
def at_work(home: Path, machine: Machine | None = None) -> Iterator[Workspace]:
    overrides = Overrides() if machine is None else Overrides(machine=lambda: machine)
    with workspace(home, overrides, writing=True) as space:
        space.store.finish_exports()
        yield space


def sealed(
    space: Workspace, files: list[Path], out: Path, pin: str | None = None, notation: str = "TTr-UBND"
) -> BatchResult:
    """The first file under the body's seal, the others as its appendices."""
    agency = load_settings(space.folder).bodies[0].certificates[0]
    roles = [(FileRole.MAIN, Profile.AGENCY), *[(FileRole.APPENDIX, Profile.APPENDIX)] * (len(files) - 1)]
    jobs = tuple(
        FileJob(str(file), str(out / file.name), role, profile)
        for file, (role, profile) in zip(files, roles, strict=True)
    )
    document = DocumentJob(jobs, "7", notation, dt.date(2031, 3, 5))
    chosen = certificate(space, agency, Profile.AGENCY)
    return sign_all(space, chosen, [document], Pin(pin or training_pin(space.folder)), quiet)


def report_of(space: Workspace, file: Path, trust: TrustMaterial) -> FileReport:
    return space.workers.verify(Verify(str(file), trust, space.now())).report


def test_the_folder_lies_beside_the_real_one() -> None:
    assert training_folder(Path("/srv/han/Signer")) == Path("/srv/han/Signer-tap-duot")
    assert training_folder(Path("/srv/han/Signer-tap-duot")) == Path("/srv/han/Signer-tap-duot")


def test_what_is_sealed_in_training_is_marked_on_each_page_good_there_and_trusted_nowhere_else(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    letters = training_home(DataFolder(home)) / "letters"
    files = [letters / "to-trinh.pdf", letters / "to-trinh-phu-luc.pdf"]
    make_or_load(tmp_path / "pki", tmp_path / "trust", "A", "B", dt.datetime.now(dt.UTC))
    foreign = TrustMaterial(anchors=((tmp_path / "trust" / "root.cer").read_bytes(),))
    with at_work(home, LEADING_OUT) as space:
        result = sealed(space, files, tmp_path)
        assert [outcome.state for outcome in result.files] == [FileState.SIGNED, FileState.SIGNED]
        for file in files:
            signed = tmp_path / file.name
            assert marked(signed).everywhere
            assert report_of(space, signed, space.trust).verdict is Verdict.VALID
            elsewhere = report_of(space, signed, foreign)
            assert elsewhere.verdict is Verdict.INDETERMINATE
            assert {signature.trust for signature in elsewhere.signatures} == {Trust.UNTRUSTED}
        main = report_of(space, tmp_path / files[0].name, space.trust)
        assert [signature.signer for signature in main.signatures] == ["Nguyễn Thị Phượng", samples.load().issuer.name]
        with space.store.view() as view:
            assert not view.outbox.list()
    real = ("--data-dir", str(tmp_path / "Signer"), "--json")
    assert command_line([*real, "check", str(tmp_path / files[0].name)]) == 1
    assert "training_document" in {finding["code"] for finding in json.loads(capsys.readouterr().out)[0]["findings"]}


def test_a_wrong_pin_is_told_and_harms_nothing(home: Path, tmp_path: Path) -> None:
    letter = training_home(DataFolder(home)) / "letters" / "cong-van.pdf"
    with at_work(home) as space:
        with pytest.raises(KnownError) as wrong:
            sealed(space, [letter], tmp_path, "not-it", "UBND-VP")
        assert wrong.value.code == "pin_incorrect"
        assert not (tmp_path / letter.name).exists()
        assert sealed(space, [letter], tmp_path, None, "UBND-VP").files[0].state is FileState.SIGNED


def test_a_draft_of_ones_own_gets_the_mark_when_it_is_opened(home: Path, tmp_path: Path) -> None:
    draft = tmp_path / "dự thảo.pdf"
    shutil.copyfile(samples.file("giay-moi.pdf"), draft)
    with at_work(home) as space:
        blob = keep_to_sign(space, draft, draft.name, screened(space, draft, draft.name).sha256 or "")
        kept = space.store.blobs.path(blob)
        assert marked(kept).everywhere
        assert kept.read_bytes().startswith(draft.read_bytes())
        # The copy without the mark is gone, so nothing can sign it.
        with pytest.raises(KnownError):
            space.store.blobs.size(hashlib.sha256(draft.read_bytes()).hexdigest())
        assert keep_to_sign(space, kept, draft.name, blob) == blob


def test_nothing_written_into_the_settings_leads_out_of_training(home: Path) -> None:
    folder = DataFolder(home)
    settings = load_settings(folder)
    opened = msgspec.structs.replace(
        settings,
        server=ServerSettings(url="https://may-chu.example"),
        tsa_url="https://tsa.example",
        modules=(*settings.modules, "/usr/lib/vendor/libtoken.so"),
        trust_dir="/etc/ssl/certs",
        inbox_folder=str(home.parent),
        bodies=tuple(msgspec.structs.replace(body, exchange=Exchange.SERVER) for body in settings.bodies),
    )
    save_settings(folder, opened)
    assert load_settings(folder) == settings
    with at_work(home, LEADING_OUT) as space:
        assert space.settings == settings
        assert space.timestamps is None
        assert space.change_settings(lambda _old: opened) == settings
        assert [str(host) for host in space.hosts.modules] == list(settings.modules)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("sync", "--once"), "training_no_exchange"),
        (("backup", "/tmp"), "training_no_exchange"),
        (("--module", "/usr/lib/vendor.so", "tokens"), "training_own_token"),
    ],
)
def test_commands_that_lead_out_of_training_are_refused(
    home: Path, words: tuple[str, ...], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line(["--data-dir", str(home), "--json", *words]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == code


def test_the_command_makes_ready_once_shows_the_pin_and_removes_everything(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {file: file.read_bytes() for file in letters_of(DataFolder(home))}
    assert command_line(["--data-dir", str(home), "--json", "training", "--prepare"]) == 0
    told = json.loads(capsys.readouterr().out)
    jsonschema.validate(told, json.loads(signer_resources.path("schemas/training.json").read_text()))
    assert (told["pin"], told["data_dir"]) == (training_pin(DataFolder(home)), str(home))
    assert {file: file.read_bytes() for file in letters_of(DataFolder(home))} == before
    assert [Path(letter).name for letter in told["letters"]] == [file.name for file in before]
    assert command_line(["--data-dir", str(home), "--json", "training", "--remove"]) == 0
    assert list(home.parent.iterdir()) == []


def test_what_was_cut_is_finished_by_the_next_start(home: Path) -> None:
    folder = DataFolder(home)
    lost = letters_of(folder)[1]
    lost.unlink()
    shutil.rmtree(training_home(folder) / "tokens")
    prepare(home, quiet)
    assert lost.exists()
    assert marked(lost).everywhere


def test_it_takes_the_looks_of_the_real_window(made: Path) -> None:
    assert load_settings(DataFolder(made)).theme is ThemeChoice.DARK
    assert is_training(made)


def test_a_clerks_own_folder_is_never_trained_in_and_never_removed(tmp_path: Path) -> None:
    real = DataFolder(tmp_path / "Signer")
    real.create()
    save_settings(real, Settings(clerk="Hạnh"))
    for act in (lambda: prepare(real.path, quiet), lambda: remove_training(real.path)):
        with pytest.raises(KnownError) as refused:
            act()
        assert refused.value.code in ("training_folder_used", "training_not_there")
    assert load_settings(real).clerk == "Hạnh"


def test_a_link_to_training_is_not_followed_when_it_is_removed(tmp_path: Path) -> None:
    place = tmp_path / "a"
    place.mkdir()
    (place / "training.json").write_text('{"pin":"123456"}')
    (tmp_path / "link").symlink_to(place)
    with pytest.raises(KnownError) as refused:
        remove_training(tmp_path / "link")
    assert refused.value.code == "training_not_there"
    assert place.exists()


def test_it_is_not_removed_while_somebody_works_in_it(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "a")
    folder.create()
    folder.training.write_text('{"pin":"123456"}')
    with folder.lock(), pytest.raises(KnownError) as refused:
        remove_training(folder.path)
    assert refused.value.code == "busy"
    assert folder.training.exists()


def test_without_softhsm_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTHSM2_MODULE", str(tmp_path / "nowhere.so"))
    with pytest.raises(KnownError) as missing:
        prepare(tmp_path / "a", quiet)
    assert missing.value.code == "training_no_softhsm"
    assert "apt install softhsm2" in missing.value.explain("vi").do
    assert not (tmp_path / "a").exists()


def test_the_pin_is_in_no_repr(home: Path) -> None:
    pin = training_pin(DataFolder(home))
    assert pin not in repr(prepare(home, quiet))


def test_the_letters_are_those_that_the_tool_makes(tmp_path: Path) -> None:
    resources = signer_resources.path("training").parent.parent
    command = [sys.executable, "-m", "tools.build_training", "--out", str(tmp_path)]
    subprocess.run(command, cwd=resources, check=True)
    known = samples.load()
    names = [name for id_ in training.LETTERS for name in known.sample(id_).files]
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(names)
    for name in names:
        ours, again = read_all(training.file(name)), read_all(tmp_path / name)
        assert ours == again
    for id_ in training.LETTERS:
        line = find_date_line(read_all(training.file(known.sample(id_).main))[0])
        assert line is not None
        assert (line.day, line.month, line.year) == (None, None, None)
