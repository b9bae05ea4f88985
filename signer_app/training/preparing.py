"""Makes a training folder ready: PIN, certificates, software token, settings, letters with the leader's signature.

Main process; blocks for some seconds the first time. Every step looks first whether it is done, so that a second run
changes nothing and one that was cut is finished by the next. The token's PIN is made for the folder and shown: it is
no secret, and it is other than any that a person has in mind.
"""

import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

import signer_resources
from signer_app.demo.batch import certificate, sign_all
from signer_app.demo.softhsm import SoftHsm, SoftToken, find_module, set_up_tokens
from signer_app.looks import Looks
from signer_app.pdf.model import Profile
from signer_app.signing.jobs import DocumentJob, FileJob
from signer_app.store import DataFolder, load_settings, save_settings
from signer_app.store.durable import disk_errors, write_atomically
from signer_app.store.model import FileRole, FileState
from signer_app.store.settings import Body, CertificateRole, Exchange, Handwriting, Seal, Settings, ThemeChoice
from signer_app.store.training_settings import token_settings, training_home, trust_folder
from signer_app.training.pki import TrainingPki, make_or_load
from signer_app.vault.opening import open_vault
from signer_app.workers import own_command
from signer_app.workspace import Overrides, vietnam_now, workspace
from signer_resources import samples, training
from signer_resources.errors import KnownError
from signer_resources.messages import text
from signer_token.model import Pin

Progress = Callable[[str, int, int], None]

_SEAL_MM = 38.0
_AGENCY_LABEL, _LEADER_LABEL = "UBND xã Hòa Sơn", "Nguyễn Thị Phượng"
_PIN_DIGITS = 6
_SIGNER = "signed-by"
"""Names the leader's certificate with which the letters were signed."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`training.json`, by which a data folder is one of training: the PIN of its software token."""

    pin: str

    def __repr__(self) -> str:
        return "Record(pin=***)"


@dataclass(frozen=True)
class Training:
    """A folder that is ready. `letters` are its sample letters, each with the leader's signature where it needs one."""

    folder: DataFolder
    letters: tuple[Path, ...]
    pin: str = field(repr=False)


def require_token_software() -> Path:
    """SoftHSM's module; KnownError "training_no_softhsm" says how to get it."""
    try:
        return find_module(os.environ)
    except KnownError as error:
        raise KnownError("training_no_softhsm") from error


def training_pin(folder: DataFolder) -> str:
    """The PIN of the folder's software token; KnownError "training_damaged" where nobody can tell."""
    try:
        return msgspec.json.decode(folder.training.read_bytes(), type=Record).pin
    except (OSError, msgspec.MsgspecError) as error:
        raise KnownError("training_damaged", folder=str(folder.path)) from error


def letters_of(folder: DataFolder) -> tuple[Path, ...]:
    """Where the folder's sample letters lie: main letters in their order, each followed by what goes along."""
    known = samples.load()
    return tuple(
        training_home(folder) / "letters" / name for id_ in training.LETTERS for name in known.sample(id_).files
    )


def prepare(path: Path, progress: Progress, looks: Looks | None = None) -> Training:
    """Makes `path` a training folder that is ready; `looks` are those of the real window.

    KnownError "training_no_softhsm", "training_folder_used" where `path` holds a clerk's own data, "busy", and those of
    making tokens, signing and the disk.
    """
    require_token_software()
    folder = DataFolder(path)
    with folder.lock():
        _claim(folder)
        progress("training_progress", 0, 2)
        home = training_home(folder)
        home.mkdir(mode=0o700, exist_ok=True)
        pin = Pin(training_pin(folder))
        pki = make_or_load(home / "pki", trust_folder(folder), samples.load().issuer.name, _LEADER_LABEL, vietnam_now())
        tokens = set_up_tokens(
            token_settings(folder).parent,
            [SoftToken(_AGENCY_LABEL, pki.agency), SoftToken(_LEADER_LABEL, pki.leader)],
            pin,
            command=own_command("softhsm-setup"),
            environ=dict(os.environ),
        )
        _write_settings(folder, pki, tokens, looks)
        progress("training_progress", 1, 2)
        _lay_letters_ready(folder, pki, tokens, pin)
        progress("training_progress", 2, 2)
    return Training(folder, letters_of(folder), pin.reveal())


def _claim(folder: DataFolder) -> None:
    """A folder with a clerk's own data never becomes one of training."""
    if folder.is_training:
        return
    if folder.database.exists() or folder.settings.exists():
        raise KnownError("training_folder_used", folder=str(folder.path))
    record = Record(f"{secrets.randbelow(10**_PIN_DIGITS):0{_PIN_DIGITS}d}")
    with disk_errors(folder.path, "data_folder_unwritable"):
        write_atomically(folder.training, msgspec.json.encode(record) + b"\n")


def _write_settings(folder: DataFolder, pki: TrainingPki, tokens: SoftHsm, looks: Looks | None) -> None:
    old = load_settings(folder)
    if pki.agency.sha256 in {known for body in old.bodies for known in body.certificates}:
        fitting = msgspec.structs.replace(old, modules=(str(tokens.module),))
    else:
        fitting = _settings(folder, pki, tokens, looks)
    if fitting != old:
        save_settings(folder, fitting)


def _settings(folder: DataFolder, pki: TrainingPki, tokens: SoftHsm, looks: Looks | None) -> Settings:
    issuer, looks = samples.load().issuer, looks or Looks()
    body = Body(
        code=issuer.code,
        name=issuer.name,
        aliases=(issuer.short_name,),
        parent_name=issuer.parent,
        place_name=issuer.place,
        certificates=(pki.agency.sha256,),
        seals=(Seal(diameter_mm=_SEAL_MM, picture=_kept(folder, "images/sample-seal.png")),),
        exchange=Exchange.EXTERNAL,
    )
    return Settings(
        language=looks.language,
        theme=ThemeChoice.DARK if looks.dark else ThemeChoice.LIGHT,
        clerk=text("training_clerk", looks.language),
        modules=(str(tokens.module),),
        bodies=(body,),
        roles={
            pki.agency.sha256: CertificateRole.AGENCY,
            pki.leader.sha256: CertificateRole.PERSONAL,
        },
    )


def _kept(folder: DataFolder, picture: str) -> str:
    """A picture of the program's resources in the folder's vault, whose keys are files of the folder."""
    vault = open_vault(folder, Settings(softhsm2_conf=str(token_settings(folder))))
    return vault.keep(signer_resources.path(picture).read_bytes())


# --- letters ---------------------------------------------------------------------------------------------------------


def _lay_letters_ready(folder: DataFolder, pki: TrainingPki, tokens: SoftHsm, pin: Pin) -> None:
    """The leader signs them first, in a data folder of her own that goes again: the clerk's shows her own work.

    They get the mark before her signature, for afterwards it would be a change of what she has signed.
    """
    letters = training_home(folder) / "letters"
    letters.mkdir(mode=0o700, exist_ok=True)
    stale = _signed_by_others(letters, pki)
    known = samples.load()
    mains = [known.sample(id_).main for id_ in training.LETTERS]
    for place in letters_of(folder):
        if place.name not in mains and not place.exists():
            write_atomically(place, training.file(place.name).read_bytes())
    missing = [name for name in mains if stale or not (letters / name).exists()]
    if not missing:
        return
    leader = DataFolder(training_home(folder) / "leader")
    shutil.rmtree(leader.path, ignore_errors=True)
    leader.create()
    _furnish_leader(folder, leader, pki, tokens)
    with workspace(leader.path, Overrides(), writing=True) as space:
        chosen = certificate(space, pki.leader.sha256, Profile.LEADER)
        jobs = [
            DocumentJob((FileJob(str(training.file(name)), str(leader.path / name), FileRole.MAIN, Profile.LEADER),))
            for name in missing
        ]
        for outcome in sign_all(space, chosen, jobs, pin, _quiet).files:
            if outcome.state is not FileState.SIGNED:
                raise KnownError(outcome.code or "training_incomplete", **outcome.params)
    for name in missing:
        (leader.path / name).replace(letters / name)
    write_atomically(letters / _SIGNER, pki.leader.sha256.encode())
    shutil.rmtree(leader.path)


def _signed_by_others(letters: Path, pki: TrainingPki) -> bool:
    """Whether the letters were signed with certificates that have been replaced since."""
    try:
        return (letters / _SIGNER).read_text() != pki.leader.sha256
    except OSError:
        return True


def _furnish_leader(folder: DataFolder, leader: DataFolder, pki: TrainingPki, tokens: SoftHsm) -> None:
    """A training folder too, with the same token and anchors."""
    write_atomically(leader.training, folder.training.read_bytes())
    conf = token_settings(leader)
    conf.parent.mkdir(mode=0o700, parents=True)
    write_atomically(conf, tokens.conf.read_bytes())
    shutil.copytree(trust_folder(folder), trust_folder(leader))
    hand = Handwriting(picture=_kept(leader, "images/sample-signature.png"))
    save_settings(
        leader,
        Settings(
            modules=(str(tokens.module),),
            roles={pki.leader.sha256: CertificateRole.PERSONAL},
            handwriting={pki.leader.sha256: (hand,)},
        ),
    )


def _quiet(_key: str, _done: int, _total: int) -> None:
    pass
