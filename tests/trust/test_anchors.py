"""Certificates that are taken in as anchors, and out again: by pin, or as the body's own on a person's word."""

import datetime as dt
import hashlib
import json
import os
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

import signer_resources
import signer_resources.trust as pins
from signer_app.cli.console import Console
from signer_app.cli.main import command_line
from signer_app.cli.trust import trust
from signer_app.store.model import JournalAction
from signer_app.trust.files import read_certificates
from signer_app.trust.keeper import Outcome, TrustKeeper
from signer_app.trust.kept import Entry, TrustStoreFile, Use
from signer_app.verification.model import AnchorSet, TrustMaterial
from signer_app.workspace import Overrides, Workspace, workspace
from signer_resources.errors import KnownError
from signer_resources.rules import Mark
from signer_resources.trust import Pin, PinKind, PinSet, all_pins, open_places
from tests.verification.small_pki import NOW, Holder, make_certificate

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER


@pytest.fixture(scope="module")
def root() -> Holder:
    return make_certificate("Gốc G9", None, ca=True)


@pytest.fixture(scope="module")
def ca(root: Holder) -> Holder:
    return make_certificate("CA G9", root, ca=True)


@pytest.fixture(scope="module")
def stranger() -> Holder:
    return make_certificate("Gốc riêng", None, ca=True)


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    with workspace(tmp_path / "data", Overrides(), writing=True, now=lambda: NOW) as made:
        yield made


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch, root: Holder, ca: Holder) -> None:
    """`root` and `ca` stand in the table of pins."""
    made = tuple(
        Pin(kind.value, "?", PinSet.VGCA, kind, Mark.STATED, "a test", dt.date(2026, 11, 22), sha(holder))
        for kind, holder in ((PinKind.ROOT, root), (PinKind.CA, ca))
    )
    monkeypatch.setattr(pins, "all_pins", lambda: made)


def sha(holder: Holder) -> str:
    return hashlib.sha256(holder.der).hexdigest()


def written(folder: Path, content: bytes, name: str = "tệp.crt") -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


def p7b(*holders: Holder, encoding: serialization.Encoding = DER) -> bytes:
    return pkcs7.serialize_certificates([holder.certificate for holder in holders], encoding)


def pem(holder: Holder) -> bytes:
    return holder.certificate.public_bytes(PEM)


def journal(space: Workspace) -> list[tuple[JournalAction, str | None]]:
    with space.store.view() as view:
        return [(entry.use.action, entry.use.certificate_sha256) for entry in view.journal.entries()]


# The table


def test_the_table_names_the_authorities_and_leaves_one_place_open() -> None:
    table = all_pins()
    assert [pin.id for pin in table if pin.kind is PinKind.ROOT and pin.set is PinSet.VGCA] == [
        "vgca-g1-root",
        "vgca-g2-root",
    ]
    assert [pin.name for pin in open_places()] == ["Vietnam National Root CA"]
    assert all(pin.source and pin.date for pin in table)
    assert len([pin for pin in table if pin.sha256 is not None]) == 9


def test_no_certificate_is_shipped() -> None:
    folder = Path(pins.__file__).parent
    assert {file.suffix for file in folder.rglob("*") if file.is_file()} <= {".py", ".pyc", ".toml"}


# Files


@pytest.mark.parametrize(
    "content",
    [
        lambda root, ca: p7b(root, ca),
        lambda root, ca: p7b(root, ca, encoding=PEM),
        lambda root, ca: b"Subject: ...\n" + pem(root) + b"\n" + pem(ca),
    ],
    ids=["p7b", "p7b as PEM", "PEM"],
)
def test_certificates_are_read_as_authorities_hand_them_over(
    tmp_path: Path, root: Holder, ca: Holder, content: object
) -> None:
    assert callable(content)
    assert set(read_certificates(written(tmp_path, content(root, ca)))) == {root.der, ca.der}
    assert read_certificates(written(tmp_path, root.der)) == (root.der,)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        b"\x30\x80" * 5000,
        bytes(2 << 20),
    ],
    ids=["nothing", "a page", "an empty PEM", "nested", "too large"],
)
def test_a_file_without_a_certificate_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(KnownError) as caught:
        read_certificates(written(tmp_path, content))
    assert caught.value.code == "trust_file_empty"


# Importing


@pytest.mark.usefixtures("pinned")
def test_what_is_pinned_is_taken_in_and_everything_else_refused(
    space: Workspace, tmp_path: Path, root: Holder, ca: Holder, stranger: Holder
) -> None:
    keeper = TrustKeeper(space)
    assert space.trust == TrustMaterial()
    found = keeper.import_files([written(tmp_path, p7b(stranger, root, ca))])
    assert {one.sha256: one.outcome for one in found} == {
        sha(stranger): Outcome.REFUSED,
        sha(root): Outcome.ADDED,
        sha(ca): Outcome.ADDED,
    }
    refused = next(one for one in found if one.error is not None)
    assert refused.error is not None
    assert (refused.error.code, refused.error.params["sha256"]) == ("trust_not_pinned", sha(stranger))
    assert (space.trust.anchors, space.trust.intermediates) == ((root.der,), (ca.der,))
    assert {one.use: one.set for one in keeper.kept()} == {Use.ANCHOR: AnchorSet.VGCA, Use.HELPER: AnchorSet.VGCA}
    assert set(journal(space)) == {(JournalAction.TRUST_ADD, sha(one)) for one in (root, ca)}
    (again,) = keeper.import_files([written(tmp_path, root.der)])
    assert again.outcome is Outcome.ALREADY
    assert len(journal(space)) == 2
    assert (space.folder.path / "trust" / "trust.json").stat().st_mode & 0o777 == 0o600


def test_a_root_that_the_administrator_has_pinned_is_taken_in_as_the_nations(
    space: Workspace, tmp_path: Path, stranger: Holder
) -> None:
    file = written(tmp_path, stranger.der)
    assert TrustKeeper(space).import_files([file])[0].outcome is Outcome.REFUSED
    space.change_settings(lambda now: msgspec.structs.replace(now, national_root=sha(stranger)))
    assert TrustKeeper(space).import_files([file])[0].outcome is Outcome.ADDED
    assert TrustKeeper(space).kept()[0].set is AnchorSet.NATIONAL
    assert space.trust.national_roots == (sha(stranger),)
    # Once the pin is taken back, the certificate is good for nothing.
    space.change_settings(lambda now: msgspec.structs.replace(now, national_root=None))
    assert TrustKeeper(space).kept()[0].use is Use.VOID
    assert space.trust.anchors == ()


@pytest.mark.usefixtures("pinned")
def test_what_is_imported_stands_beside_the_settings_folder_and_not_beside_a_folder_of_the_call(
    space: Workspace, tmp_path: Path, root: Holder, stranger: Holder
) -> None:
    TrustKeeper(space).import_files([written(tmp_path, root.der)])
    folder = tmp_path / "anchors"
    folder.mkdir()
    written(folder, stranger.der)
    space.change_settings(
        lambda now: msgspec.structs.replace(now, trust_dir=str(folder), legacy_sha1_before=dt.date(2020, 1, 1))
    )
    assert set(space.trust.anchors) == {stranger.der, root.der}
    assert space.trust.legacy_sha1_before == dt.date(2020, 1, 1)
    with workspace(space.folder.path, Overrides(trust_dir=folder), writing=False) as other:
        assert other.trust.anchors == (stranger.der,)


@pytest.mark.usefixtures("pinned")
def test_one_store_may_serve_all_users_of_a_machine(space: Workspace, tmp_path: Path, root: Holder) -> None:
    shared = tmp_path / "máy"
    space.change_settings(lambda now: msgspec.structs.replace(now, trust_store=str(shared)))
    TrustKeeper(space).import_files([written(tmp_path, root.der)])
    assert space.trust.anchors == (root.der,)
    (shared / "trust.json").chmod(0o666)
    space.reload()
    with pytest.raises(KnownError) as caught:
        _ = space.trust
    assert caught.value.code == "trust_store_exposed"


# The body's own


def test_an_own_root_comes_in_by_its_whole_fingerprint_alone(
    space: Workspace, tmp_path: Path, stranger: Holder
) -> None:
    keeper = TrustKeeper(space)
    candidate = keeper.candidate(written(tmp_path, pem(stranger)))
    for wrong in ("", sha(stranger)[:16], "0" * 64):
        with pytest.raises(KnownError) as caught:
            keeper.add_own(candidate, wrong, "Sở")
        assert caught.value.code == "trust_other_fingerprint"
    assert not space.trust.anchors
    as_printed = ":".join(sha(stranger)[n : n + 2].upper() for n in range(0, 64, 2))
    kept = keeper.add_own(candidate, as_printed, "Gốc của Sở")
    assert (kept.name, kept.use, kept.set) == ("Gốc của Sở", Use.ANCHOR, AnchorSet.OWN)
    assert space.trust.anchors == (stranger.der,)
    assert journal(space) == [(JournalAction.TRUST_ADD, sha(stranger))]


@pytest.mark.usefixtures("pinned")
def test_a_pinned_root_is_never_the_bodys_own(space: Workspace, tmp_path: Path, root: Holder) -> None:
    keeper = TrustKeeper(space)
    kept = keeper.add_own(keeper.candidate(written(tmp_path, root.der)), sha(root), "")
    assert (kept.set, kept.entry.own) == (AnchorSet.VGCA, False)


@pytest.mark.usefixtures("pinned")
def test_a_pinned_ca_is_no_root_of_the_bodys_own(space: Workspace, tmp_path: Path, ca: Holder) -> None:
    keeper = TrustKeeper(space)
    with pytest.raises(KnownError) as caught:
        keeper.add_own(keeper.candidate(written(tmp_path, ca.der)), sha(ca), "")
    assert caught.value.code == "trust_helper_only"
    assert keeper.kept() == ()


def test_only_one_authoritys_certificate_can_be_an_own_root(
    space: Workspace, tmp_path: Path, root: Holder, ca: Holder
) -> None:
    keeper = TrustKeeper(space)
    for content, code in ((p7b(root, ca), "trust_one_certificate"), (make_certificate("Ai", ca).der, "trust_not_ca")):
        with pytest.raises(KnownError) as caught:
            keeper.candidate(written(tmp_path, content))
        assert caught.value.code == code


@pytest.mark.usefixtures("pinned")
def test_a_certificate_goes_out_again_with_a_line_in_the_journal(
    space: Workspace, tmp_path: Path, root: Holder, ca: Holder
) -> None:
    keeper = TrustKeeper(space)
    keeper.import_files([written(tmp_path, p7b(root, ca))])
    for unknown in ("", sha(root)[:7], "0" * 8):
        with pytest.raises(KnownError) as caught:
            keeper.remove(unknown)
        assert caught.value.code == "trust_unknown"
    assert keeper.remove(sha(root)[:8]).sha256 == sha(root)
    assert (space.trust.anchors, space.trust.intermediates) == ((), (ca.der,))
    assert journal(space)[0] == (JournalAction.TRUST_REMOVE, sha(root))


@pytest.mark.usefixtures("pinned")
def test_without_its_line_in_the_journal_nothing_changes(
    space: Workspace, tmp_path: Path, root: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with space.store.transaction() as transaction:
        kind = type(transaction.journal)

    def full(*_words: object) -> None:
        raise KnownError("disk_full", folder="?")

    monkeypatch.setattr(kind, "append", full)
    with pytest.raises(KnownError):
        TrustKeeper(space).import_files([written(tmp_path, root.der)])
    assert space.trust.anchors == ()


@pytest.mark.usefixtures("pinned")
@pytest.mark.parametrize(
    ("fault", "results"), [(KnownError("disk_full", folder="?"), ["ok", "disk_full"]), (SystemExit(), ["ok"])]
)
def test_an_anchor_never_comes_in_before_its_line(
    space: Workspace,
    tmp_path: Path,
    root: Holder,
    monkeypatch: pytest.MonkeyPatch,
    fault: BaseException,
    results: list[str],
) -> None:
    """A disk that is full tells itself with a second line; an end of the program leaves the first."""

    def ends(*_words: object) -> None:
        raise fault

    monkeypatch.setattr(TrustStoreFile, "save", ends)
    with pytest.raises(type(fault)):
        TrustKeeper(space).import_files([written(tmp_path, root.der)])
    with space.store.view() as view:
        assert [entry.use.result for entry in reversed(view.journal.entries())] == results
    assert space.trust.anchors == ()


def test_a_store_that_was_tampered_with_is_told_and_a_swapped_certificate_counts_for_nothing(
    space: Workspace, stranger: Holder
) -> None:
    file = space.folder.path / "trust" / "trust.json"
    file.parent.mkdir()
    garbage = msgspec.json.encode({"certificates": [{"der": b"no certificate", "added_at": NOW}]})
    for content in (b"{", garbage, b'{"more":1}'):
        file.write_bytes(content)
        file.chmod(0o600)
        with pytest.raises(KnownError) as caught:
            TrustKeeper(space).kept()
        assert caught.value.code == "trust_store_damaged"
    file.write_bytes(msgspec.json.encode({"certificates": [{"der": stranger.der, "added_at": NOW}]}))
    assert TrustKeeper(space).kept()[0].use is Use.VOID


@pytest.mark.skipif(os.name == "nt", reason="rights are of another kind on Windows")
def test_a_store_in_whose_folder_others_may_write_is_not_believed(tmp_path: Path, stranger: Holder) -> None:
    folder = tmp_path / "trust"
    store = TrustStoreFile(folder)
    store.save([Entry(der=stranger.der, added_at=NOW, own=True)])
    for mode, trusted in ((0o777, False), (0o775, False), (0o1777, True), (0o755, True)):
        folder.chmod(mode)
        if trusted:
            assert len(store.kept()) == 1
            continue
        with pytest.raises(KnownError) as caught:
            store.kept()
        assert caught.value.code == "trust_store_exposed"


@pytest.mark.skipif(os.name == "nt", reason="owners are of another kind on Windows")
def test_a_store_that_is_somebody_elses_is_not_believed(
    tmp_path: Path, stranger: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TrustStoreFile(tmp_path / "trust")
    store.save([Entry(der=stranger.der, added_at=NOW, own=True)])
    owner = (tmp_path / "trust").stat().st_uid
    if owner == 0:
        # Only the administrator may give files away.
        os.chown(tmp_path / "trust", 65534, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(KnownError) as caught:
        store.kept()
    assert caught.value.code == "trust_store_exposed"


# The command


def told(
    space: Workspace, capsys: pytest.CaptureFixture[str], action: str, **words: object
) -> tuple[int, dict[str, object]]:
    given = {"files": [], "file": None, "sha256": None, "label": None, "id": None, **words}
    code = trust(space, Namespace(action=action, **given), Console("vi", as_json=True))
    answer = json.loads(capsys.readouterr().out)
    jsonschema.validate(answer, json.loads(signer_resources.path("schemas/trust.json").read_text(encoding="utf-8")))
    return code, answer


@pytest.mark.usefixtures("pinned")
def test_the_command_says_what_became_of_each_certificate(
    space: Workspace, tmp_path: Path, root: Holder, stranger: Holder, capsys: pytest.CaptureFixture[str]
) -> None:
    code, answer = told(space, capsys, "import", files=[written(tmp_path, p7b(root, stranger))])
    imported = answer["imported"]
    assert isinstance(imported, list)
    assert (code, {one["name"]: one["outcome"] for one in imported}) == (1, {"Gốc G9": "added", "Gốc riêng": "refused"})
    code, answer = told(space, capsys, "add", file=written(tmp_path, stranger.der), sha256=sha(stranger), label="Sở")
    assert (code, answer["added"]) == (0, {**_one(stranger, "Sở", "own"), "own": True})
    code, answer = told(space, capsys, "list")
    assert (code, answer["legacy_sha1_before"]) == (0, None)
    assert answer["certificates"] == [_one(root, "Gốc G9", "vgca"), {**_one(stranger, "Sở", "own"), "own": True}]
    code, answer = told(space, capsys, "remove", id=sha(root)[:12])
    assert (code, answer["removed"]) == (0, _one(root, "Gốc G9", "vgca"))


def _one(holder: Holder, name: str, place: str) -> dict[str, object]:
    shown = {"sha256": sha(holder), "name": name, "set": place, "use": "anchor", "own": False}
    return {**shown, "added_at": NOW.isoformat()}


def test_a_person_types_the_fingerprint_that_the_screen_does_not_show(
    space: Workspace, tmp_path: Path, stranger: Holder, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return sha(stranger).upper()

    words = Namespace(action="add", file=written(tmp_path, stranger.der), sha256=None, label=None)
    assert trust(space, words, Console("vi", as_json=False), ask) == 0
    assert "Gốc riêng" in asked[0]
    assert sha(stranger) not in asked[0].lower()
    assert sha(stranger) in capsys.readouterr().out


def test_without_a_terminal_the_fingerprint_must_be_given(space: Workspace, tmp_path: Path, stranger: Holder) -> None:
    words = Namespace(action="add", file=written(tmp_path, stranger.der), sha256=None, label=None)
    with pytest.raises(KnownError) as caught:
        trust(space, words, Console("vi", as_json=False))
    assert caught.value.code == "usage_trust_sha256"


@pytest.mark.usefixtures("pinned")
def test_the_list_shows_in_words_what_decides_about_trust(
    space: Workspace, tmp_path: Path, root: Holder, capsys: pytest.CaptureFixture[str]
) -> None:
    def listed() -> str:
        assert trust(space, Namespace(action="list"), Console("vi", as_json=False)) == 0
        return capsys.readouterr().out

    assert "signer trust import" in listed()
    TrustKeeper(space).import_files([written(tmp_path, root.der)])
    space.change_settings(lambda now: msgspec.structs.replace(now, legacy_sha1_before=dt.date(2020, 1, 1)))
    shown = listed()
    assert sha(root) in shown
    assert "Ban Cơ yếu Chính phủ" in shown
    assert "01/01/2020" in shown


def test_the_list_needs_no_data_folder_and_makes_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line(["--json", "--data-dir", str(tmp_path / "none"), "trust", "list"]) == 0
    assert json.loads(capsys.readouterr().out)["open_places"] == ["Vietnam National Root CA"]
    assert not (tmp_path / "none").exists()


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--json", "--data-dir", str(tmp_path / "data"), "trust", "import", str(tmp_path / "none.crt")]
    assert command_line(words) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage_missing_input"
