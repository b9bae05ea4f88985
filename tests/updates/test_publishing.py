"""The publisher's tool: keys, the tree, a new root; and that a machine takes what it makes."""

import datetime as dt
import io
import stat
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata, Root

from signer_app.desk.updating import UpdateStage
from signer_publishing.__main__ import main
from signer_publishing.keys import KeyFault, load_key, make_key
from signer_publishing.repository import PublishingFault, Repository
from tests.updates.publisher import NOW, Publisher, clerk

WORDS = "một câu dài để mở khóa"


class Desk:
    """The tool as its user types it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._patch = monkeypatch
        self.tree, self.keys, self.root = folder / "tree", folder / "keys", folder / "root.json"
        self.roots = [folder / f"stick-{n}" / f"root-{n}.pem" for n in (1, 2, 3)]
        self.notes = folder / "notes.txt"
        self.notes.write_text("Sửa lỗi.\n", encoding="utf-8")
        self.package = folder / "made.deb"
        self.package.write_bytes(b"package" * 5000)

    def run(self, *words: object, passphrase: str = WORDS, now: dt.datetime = NOW) -> int:
        self._patch.setattr("sys.stdin", io.StringIO(f"{passphrase}\n" * 12))
        return main(["--passphrase-stdin", *map(str, words)], now)

    def init(self) -> int:
        roots = [word for file in self.roots for word in ("--root-key", file)]
        return self.run("init", self.tree, "--keys", self.keys, *roots, "--root-out", self.root)

    def add(self, version: str) -> int:
        return self.run(
            "add", self.tree, self.package, "--keys", self.keys, "--platform", "linux-amd64", "--version", version,
            "--released", "2026-11-20", "--notes-vi", self.notes, "--notes-en", self.notes,
        )  # fmt: skip


@pytest.fixture(name="desk")
def desk_of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def test_what_the_tool_publishes_a_machine_takes(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.init() == 0
    assert desk.add("1.2.0") == 0
    with clerk(desk.folder / "data", desk.root.read_bytes()) as machine:
        assert machine.updating.download(str(desk.tree)).stage is UpdateStage.READY
        before = desk.root.read_bytes()
        # One root key and the timestamp's are lost: a new root replaces both.
        lost = load_key(desk.roots[2], lambda _name: WORDS).public_key.keyid
        new = ("--add-root", desk.folder / "root-4.pem", "--drop-root", lost, "--role", "timestamp")
        signing = ("--root-key", desk.roots[0], "--root-key", desk.roots[1])
        assert desk.run("rotate", desk.tree, "--keys", desk.keys, *signing, *new, "--root-out", desk.root) == 0
        assert desk.root.read_bytes() != before
        assert desk.run("sign", desk.tree, "--keys", desk.keys) == 0
        assert desk.add("1.3.0") == 0
        assert machine.updating.download(str(desk.tree)).stage is UpdateStage.READY
        assert desk.run("withdraw", desk.tree, "--keys", desk.keys, "--platform", "linux-amd64") == 0
        assert machine.updating.check(str(desk.tree)).stage is UpdateStage.CURRENT
    assert desk.run("show", desk.tree) == 0
    told = capsys.readouterr().out
    assert "timestamp" in told
    assert lost not in told
    assert not list(desk.tree.rglob("*.part"))


def test_keys_are_encrypted_and_never_replaced(desk: Desk, tmp_path: Path) -> None:
    assert desk.init() == 0
    for file in (*desk.roots, *desk.keys.iterdir()):
        assert b"ENCRYPTED" in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert desk.init() == 1
    with pytest.raises(KeyFault):
        load_key(desk.roots[0], lambda _name: "another passphrase")
    with pytest.raises(KeyFault):
        make_key(tmp_path / "short.pem", "short")
    assert desk.add("1.2.0") == 0
    assert desk.run("sign", desk.tree, "--keys", desk.keys, passphrase="another passphrase") == 1


def test_a_root_needs_two_of_its_keys(publisher: Publisher) -> None:
    with pytest.raises(PublishingFault):
        publisher.at().rotate(publisher.roots[:1])
    with pytest.raises(PublishingFault):
        publisher.at().rotate(publisher.roots[:2], drop_roots=[key.public_key.keyid for key in publisher.roots[:2]])
    stranger = type(publisher.roots[0]).generate_ed25519()
    with pytest.raises(PublishingFault):
        publisher.at().rotate((publisher.roots[0], stranger))
    assert publisher.at().standing()["root"][0] == 1
    for threshold in (1, 4):
        with pytest.raises(PublishingFault):
            Repository(publisher.tree / "other", NOW).init(publisher.roots, threshold, publisher.online)


def test_a_key_that_the_root_does_not_name_signs_nothing(publisher: Publisher) -> None:
    wrong = {**publisher.online, "targets": type(publisher.roots[0]).generate_ed25519()}
    with pytest.raises(PublishingFault):
        publisher.at().add(publisher.tree / "metadata/1.root.json", "linux-amd64/signer.deb", {}, wrong)
    assert publisher.at().standing()["targets"][0] == 1


def test_each_role_ends_when_it_should_and_is_renewed(publisher: Publisher) -> None:
    def days() -> dict[str, int]:
        return {role: (end - NOW).days for role, (_version, end) in publisher.at().standing().items()}

    assert {role: round(value, -1) for role, value in days().items()} == {
        "root": 730, "targets": 360, "snapshot": 90, "timestamp": 30,
    }  # fmt: skip
    publisher.at(NOW + dt.timedelta(days=20)).sign(publisher.online)
    assert publisher.at().standing()["targets"][0] == 1
    publisher.at(NOW + dt.timedelta(days=200)).sign(publisher.online)
    assert publisher.at().standing()["targets"][0] == 2
    assert days()["timestamp"] > 220
    root = Metadata[Root].from_bytes(publisher.root).signed
    assert (root.roles["root"].threshold, len(root.roles["root"].keyids)) == (2, 3)


def test_what_can_not_be_a_release_is_refused(desk: Desk) -> None:
    assert desk.init() == 0
    assert desk.add("1.2-beta") == 1
    desk.notes.write_text("", encoding="utf-8")
    assert desk.add("1.2.0") == 1
    desk.notes.write_text("x", encoding="utf-8")
    desk.package.unlink()
    assert desk.add("1.2.0") == 1
