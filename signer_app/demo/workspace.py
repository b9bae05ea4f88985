"""Prepares a demonstration in a data folder: software tokens, test PKI, settings, enrolment, letters signed by leaders.

Main process. Every step looks first whether it is done, so that a second run changes nothing and a run that was cut
is finished by the next. All lies inside the data folder; the secret sample is never copied anywhere.
"""

import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

import msgspec

import signer_resources
from signer_app.demo.pki import DemoPki
from signer_app.demo.pki_names import Holder
from signer_app.demo.softhsm import SoftHsm, SoftToken, set_up_tokens
from signer_app.store import DataFolder, load_settings, save_settings
from signer_app.store.durable import write_atomically
from signer_app.store.settings import Body, CertificateRole, Handwriting, Seal, ServerSettings, Settings
from signer_app.vault.opening import open_vault
from signer_app.workers import own_command
from signer_resources import samples
from signer_token.model import Pin

AGENCY_TOKEN, LEADER_TOKEN = "UBND xã Hòa Sơn", "Nguyễn Thị Phượng"
SEAL_MM = 38.0
DEMO_CLERK = "Trần Thị Hạnh"


class DemoFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`demo.json`: what a script needs to work in the demonstration's workspace."""

    pin: str
    pkcs11_module: str
    agency_cert: str
    leader_cert: str
    server_url: str
    trust_dir: str
    tsa_url: str
    samples_dir: str
    softhsm2_conf: str

    def __repr__(self) -> str:
        return "DemoFile(pin=***)"


@dataclass(frozen=True)
class Demo:
    """The prepared parts: where things lie, the PKI, the tokens, the PIN of both."""

    folder: DataFolder
    pki: DemoPki
    tokens: SoftHsm
    pin: Pin
    port: int

    @property
    def home(self) -> Path:
        """Everything of the demonstration that is not the clerk's own data."""
        return self.folder.path / "demo"

    @property
    def samples(self) -> Path:
        """The letters with the leaders' signatures, without number and date."""
        return self.home / "samples"

    @property
    def trust(self) -> Path:
        """Anchors and CRLs of the test PKI."""
        return self.home / "trust"

    @property
    def signed(self) -> Path:
        """The signed letters of the day's work."""
        return self.folder.path / "Đã ký"

    @property
    def leader_folder(self) -> Path:
        """The data folder of the leader's own machine."""
        return self.home / "leader"

    def letters(self) -> tuple[Path, ...]:
        """Every file of the morning's letters; the secret one where it lies in the program's resources."""
        known = samples.load().samples
        return tuple(
            samples.file(name) if sample.secret else self.samples / name for sample in known for name in sample.files
        )

    @property
    def url(self) -> str:
        """The document server's address."""
        return f"http://127.0.0.1:{self.port}"


def prepare(folder: DataFolder, port: int | None) -> Demo:
    """PIN, PKI, tokens, trust folder and settings; the folder's lock is held by the caller."""
    home = folder.path / "demo"
    home.mkdir(mode=0o700, exist_ok=True)
    known = _known(folder)
    pin = Pin(known.pin if known else f"{secrets.randbelow(10**8):08d}")
    pki = DemoPki.create_or_load(home / "pki")
    tokens = set_up_tokens(
        home / "tokens",
        [SoftToken(AGENCY_TOKEN, pki.leaf(Holder.AGENCY)), SoftToken(LEADER_TOKEN, pki.leaf(Holder.LEADER))],
        pin,
        command=own_command("softhsm-setup"),
        environ=dict(os.environ),
    )
    pki.write_trust_dir(home / "trust")
    chosen = port or (int(known.server_url.rsplit(":", 1)[1]) if known else _free_port())
    demo = Demo(folder, pki, tokens, pin, chosen)
    _write_settings(demo)
    _write_demo_file(demo)
    return demo


def _known(folder: DataFolder) -> DemoFile | None:
    """What an earlier run wrote down; a PIN that is lost would cost nothing but new tokens."""
    try:
        return msgspec.json.decode((folder.path / "demo.json").read_bytes(), type=DemoFile)
    except (OSError, msgspec.MsgspecError):
        return None


def _write_demo_file(demo: Demo) -> None:
    content = DemoFile(
        pin=demo.pin.reveal(),
        pkcs11_module=str(demo.tokens.module),
        agency_cert=demo.pki.leaf(Holder.AGENCY).sha256,
        leader_cert=demo.pki.leaf(Holder.LEADER).sha256,
        server_url=demo.url,
        trust_dir=str(demo.trust),
        tsa_url=demo.pki.tsa_url,
        samples_dir=str(demo.samples),
        softhsm2_conf=str(demo.tokens.conf),
    )
    write_atomically(demo.folder.path / "demo.json", msgspec.json.format(msgspec.json.encode(content)) + b"\n")


def _write_settings(demo: Demo) -> None:
    old, issuer = load_settings(demo.folder), samples.load().issuer
    agency, leader = demo.pki.leaf(Holder.AGENCY).sha256, demo.pki.leaf(Holder.LEADER).sha256
    body = Body(
        code=issuer.code,
        name=issuer.name,
        aliases=(issuer.short_name,),
        parent_name=issuer.parent,
        place_name=issuer.place,
        certificates=(agency,),
        seals=(Seal(diameter_mm=SEAL_MM, picture=_kept(demo.folder, "images/sample-seal.png")),),
    )
    server = old.server or ServerSettings(url=demo.url)
    # What somebody has tried in the window stays: seal, names, looks, roles.
    kept = old.bodies if any(agency in known.certificates for known in old.bodies) else (body,)
    settings = msgspec.structs.replace(
        old,
        clerk=old.clerk or DEMO_CLERK,
        modules=(str(demo.tokens.module),),
        softhsm2_conf=str(demo.tokens.conf),
        trust_dir=str(demo.trust),
        tsa_url=demo.pki.tsa_url,
        bodies=kept,
        server=msgspec.structs.replace(server, url=demo.url),
        roles={agency: CertificateRole.AGENCY, leader: CertificateRole.PERSONAL, **old.roles},
        handwriting=_handwriting(demo.folder, old, leader),
    )
    if settings != old:
        save_settings(demo.folder, settings)
    leaders = DataFolder(demo.leader_folder)
    leaders.create()
    for picture in settings.kept_pictures():
        open_vault(leaders, settings).keep(open_vault(demo.folder, settings).open(picture))
    own = msgspec.structs.replace(settings, server=None)
    if own != load_settings(leaders):
        save_settings(leaders, own)


def _handwriting(folder: DataFolder, old: Settings, leader: str) -> dict[str, tuple[Handwriting, ...]]:
    """The leader's signature, unless somebody has chosen another one."""
    if leader in old.handwriting or leader in old.signatures or leader in old.pictures:
        return old.handwriting
    signature = Handwriting(picture=_kept(folder, "images/sample-signature.png"))
    return {**old.handwriting, leader: (signature,)}


def _kept(folder: DataFolder, sample: str) -> str:
    """A picture of the program's resources in the vault of a demonstration, whose keys are files."""
    vault = open_vault(folder, Settings(softhsm2_conf="demo"))
    return vault.keep(signer_resources.path(sample).read_bytes())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
