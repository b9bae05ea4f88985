"""Updates as a clerk's machine takes them: from a stick or an address, and what it refuses, each with its own words."""

import datetime as dt
import http.server
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tuf.api.exceptions import DownloadHTTPError

from signer_app.desk.updating import UpdateStage
from signer_app.updates.sources import FOLDER, FolderSource, WebSource
from signer_resources.errors import KnownError
from signer_sync.http import HttpSettings
from tests.updates.publisher import NOW, TARGET, Clerk, Publisher, clerk


def refused(code: str, call: Callable[..., object], *args: object, **kwargs: object) -> KnownError:
    with pytest.raises(KnownError) as raised:
        call(*args, **kwargs)
    assert raised.value.code == code
    assert raised.value.explain("vi").what != raised.value.explain("en").what
    return raised.value


def test_a_newer_release_is_found_brought_and_checked(machine: Clerk, publisher: Publisher) -> None:
    held, stick = publisher.release("1.2.0"), str(publisher.tree)
    assert machine.updating.state().stage is UpdateStage.UNKNOWN
    state = machine.updating.check(stick)
    assert (state.stage, state.release and state.release.version) == (UpdateStage.OFFERED, "1.2.0")
    assert state.release is not None
    assert (state.release.notes("vi"), state.release.notes("en")) == ("Có gì mới trong 1.2.0", "New in 1.2.0")
    assert not machine.files()
    heard: list[tuple[int, int]] = []
    assert machine.updating.download(stick, lambda done, size: heard.append((done, size))).stage is UpdateStage.READY
    assert heard[-1] == (len(held), len(held))
    assert machine.files() == {"signer-1.2.0.deb": held}
    for file in (machine.space.folder.path / "updates").rglob("*"):
        assert file.is_symlink() or not file.is_file() or file.stat().st_mode & 0o077 == 0, file
    # What is here and right isn't brought again.
    publisher.packages[0].unlink()
    assert machine.updating.download(stick).stage is UpdateStage.READY


def test_a_stick_is_named_itself_or_by_its_folder(machine: Clerk, publisher: Publisher, tmp_path: Path) -> None:
    publisher.release("1.2.0")
    stick = tmp_path / "usb"
    publisher.copy(stick / FOLDER)
    assert machine.updating.check(str(stick)).stage is UpdateStage.OFFERED
    machine.set(source=str(stick / FOLDER))
    assert machine.updating.check().stage is UpdateStage.OFFERED


def test_what_is_installed_or_older_is_never_offered(machine: Clerk, publisher: Publisher) -> None:
    for version in ("1.0.0", "1.0", "0.9.9"):
        publisher.release(version)
        assert machine.updating.download(str(publisher.tree)).stage is UpdateStage.CURRENT
    assert not machine.files()
    assert machine.updating.check(str(publisher.tree)).checked_at is not None


def test_versions_are_compared_as_numbers(machine: Clerk, publisher: Publisher) -> None:
    machine.is_now(installed="1.9.0")
    publisher.release("1.10.0")
    assert machine.updating.check(str(publisher.tree)).stage is UpdateStage.OFFERED


def test_an_empty_tree_has_nothing_for_us(machine: Clerk, publisher: Publisher) -> None:
    assert machine.updating.check(str(publisher.tree)).stage is UpdateStage.CURRENT


def test_a_source_that_was_set_back_is_refused(machine: Clerk, publisher: Publisher, tmp_path: Path) -> None:
    publisher.release("1.2.0")
    old = publisher.copy(tmp_path / "cũ")
    publisher.release("1.3.0")
    machine.updating.check(str(publisher.tree))
    refused("update_rolled_back", machine.updating.check, str(old))
    state = machine.updating.state()
    assert (state.stage, state.error and state.error.code) == (UpdateStage.UNKNOWN, "update_rolled_back")


def test_an_expired_source_is_refused(tmp_path: Path) -> None:
    long_ago = NOW - dt.timedelta(days=31)
    publisher = Publisher.begin(tmp_path / "tree", long_ago)
    publisher.release("1.2.0", at=long_ago)
    with clerk(tmp_path / "data", publisher.root) as machine:
        refused("update_expired", machine.updating.check, str(publisher.tree))
        publisher.at().sign(publisher.online)
        assert machine.updating.check(str(publisher.tree)).stage is UpdateStage.OFFERED


def test_metadata_of_two_times_are_not_mixed(machine: Clerk, publisher: Publisher, tmp_path: Path) -> None:
    publisher.release("1.2.0")
    old = publisher.copy(tmp_path / "cũ")
    publisher.release("1.3.0")
    # The newest snapshot under its name, the targets of before under the name of the newest.
    names = sorted((publisher.tree / "metadata").glob("*.targets.json"))
    names[-1].write_bytes((old / "metadata" / names[-2].name).read_bytes())
    refused("update_rolled_back", machine.updating.check, str(publisher.tree))


def test_another_publisher_is_refused(machine: Clerk, tmp_path: Path) -> None:
    stranger = Publisher.begin(tmp_path / "lạ")
    stranger.release("9.0.0")
    refused("update_unsigned", machine.updating.check, str(stranger.tree))


def test_a_changed_word_is_refused(machine: Clerk, publisher: Publisher) -> None:
    publisher.release("1.2.0")
    newest = max((publisher.tree / "metadata").glob("*.targets.json"))
    newest.write_text(newest.read_text(encoding="utf-8").replace("1.2.0", "9.2.0"), encoding="utf-8")
    refused("update_unsigned", machine.updating.check, str(publisher.tree))


@pytest.mark.parametrize("change", ["longer", "shorter", "other"])
def test_a_package_that_is_not_what_was_signed_is_refused(machine: Clerk, publisher: Publisher, change: str) -> None:
    held = publisher.release("1.2.0")
    changed = {"longer": held + b"x", "shorter": held[:-1], "other": b"x" + held[1:]}[change]
    publisher.packages[0].write_bytes(changed)
    refused("update_altered", machine.updating.download, str(publisher.tree))
    assert not machine.files()


def test_a_package_that_was_damaged_here_is_thrown_away_before_it_is_started(
    machine: Clerk, publisher: Publisher
) -> None:
    publisher.release("1.2.0")
    machine.updating.download(str(publisher.tree))
    file = machine.space.folder.path / "updates/packages/signer-1.2.0.deb"
    content = file.read_bytes()
    file.write_bytes(b"x" + content[1:])
    refused("update_altered", machine.updating.start)
    assert not machine.files()
    assert not machine.launched


def test_files_that_are_missing_are_told(machine: Clerk, publisher: Publisher, tmp_path: Path) -> None:
    publisher.release("1.2.0")
    publisher.packages[0].unlink()
    refused("update_incomplete", machine.updating.download, str(publisher.tree))
    refused("update_source_away", machine.updating.check, str(tmp_path / "đã rút"))
    (tmp_path / "trống").mkdir()
    refused("update_source_empty", machine.updating.check, str(tmp_path / "trống"))
    refused("update_no_source", machine.updating.check)


def test_a_person_stops_it_and_nothing_is_left(machine: Clerk, publisher: Publisher) -> None:
    publisher.release("1.2.0")
    refused("interrupted", machine.updating.download, str(publisher.tree), cancelled=lambda: True)
    assert not machine.files()
    assert machine.updating.state().error is None


def test_custom_data_of_another_platform_or_form_is_refused(machine: Clerk, publisher: Publisher) -> None:
    for more in ({"platform": "windows-x64"}, {"version": "../../x"}, {"notes_vi": "x" * 9000}, {"released": 5}):
        publisher.release(**{"version": "1.2.0", **more})  # type: ignore[arg-type]
        refused("update_altered", machine.updating.check, str(publisher.tree))


def test_a_system_that_is_too_old_is_told_and_brings_nothing(machine: Clerk, publisher: Publisher) -> None:
    publisher.release("1.2.0", minimum_os="2.41")
    assert machine.updating.check(str(publisher.tree)).stage is UpdateStage.UNFIT
    refused("update_system_too_old", machine.updating.download, str(publisher.tree))
    assert not machine.files()


def test_nothing_below_the_administrators_minimum_is_brought(machine: Clerk, publisher: Publisher) -> None:
    publisher.release("1.2.0")
    machine.set(source=str(publisher.tree), minimum_version="1.5")
    assert machine.updating.check().below_minimum
    refused("update_below_minimum", machine.updating.download)
    publisher.release("1.5.0")
    assert machine.updating.download().stage is UpdateStage.READY


def test_a_release_that_was_withdrawn_is_no_longer_started(
    machine: Clerk, publisher: Publisher, tmp_path: Path
) -> None:
    publisher.release("1.2.0")
    machine.updating.download(str(publisher.tree))
    publisher.at().withdraw(TARGET, publisher.online)
    assert machine.updating.check(str(publisher.tree)).stage is UpdateStage.CURRENT
    refused("update_not_ready", machine.updating.start)
    # Nor does it come up again when the source is away.
    refused("update_source_away", machine.updating.check, str(tmp_path / "đã rút"))
    refused("update_not_ready", machine.updating.start)
    assert not machine.files()


def test_what_is_ready_stays_so_while_the_source_is_away(machine: Clerk, publisher: Publisher, tmp_path: Path) -> None:
    publisher.release("1.2.0")
    machine.updating.download(str(publisher.tree))
    refused("update_source_away", machine.updating.check, str(tmp_path / "đã rút"))
    state = machine.updating.state()
    assert (state.stage, state.error and state.error.code) == (UpdateStage.READY, "update_source_away")


def test_names_never_leave_the_folder(publisher: Publisher, tmp_path: Path) -> None:
    publisher.release("1.2.0")
    (tmp_path / "secret.json").write_text("{}", encoding="utf-8")
    source = FolderSource(publisher.tree)
    for name in ("../secret.json", "metadata/../../secret.json", "/etc/hostname", "metadata//x", "metadata/.x", "a\\b"):
        refused("update_altered", lambda name=name: list(source.fetch(name)))
    (publisher.tree / "metadata" / "link.json").symlink_to(tmp_path / "secret.json")
    refused("update_altered", lambda: list(source.fetch("metadata/link.json")))
    os.mkfifo(publisher.tree / "metadata" / "pipe.json")
    with pytest.raises(DownloadHTTPError):
        list(source.fetch("metadata/pipe.json"))


# ---- an address ----------------------------------------------------------------------------------------------------


@contextmanager
def served(folder: Path, reply: Callable[[Any], bool] = lambda _handler: False) -> Iterator[str]:
    """The tree on a web server; `reply` may answer in its place."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if not reply(self):
                super().do_GET()

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that has read enough hangs up."""

    with Quiet(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_plain_web_server_is_a_source(machine: Clerk, publisher: Publisher) -> None:
    held = publisher.release("1.2.0")
    with served(publisher.tree) as address:
        assert machine.updating.download(address).stage is UpdateStage.READY
    assert machine.files() == {"signer-1.2.0.deb": held}
    refused("update_source_away", machine.updating.check, address)


def test_endless_metadata_end_at_their_limit(machine: Clerk, publisher: Publisher) -> None:
    publisher.release("1.2.0")
    sent = 0

    def endless(handler: Any) -> bool:
        nonlocal sent
        if not handler.path.endswith("timestamp.json"):
            return False
        handler.send_response(200)
        handler.end_headers()
        while sent < 64 << 20:
            handler.wfile.write(b" " * (1 << 16))
            sent += 1 << 16
        return True

    with served(publisher.tree, endless) as address:
        refused("update_altered", machine.updating.check, address)
    assert sent < 64 << 20


def test_the_networks_login_page_is_not_taken_for_updates(machine: Clerk, publisher: Publisher) -> None:
    publisher.release("1.2.0")

    def redirects(handler: Any) -> bool:
        handler.send_response(302)
        handler.send_header("Location", "/metadata/timestamp.json")
        handler.end_headers()
        return True

    def page(handler: Any) -> bool:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"<html>login</html>")
        return True

    for reply, code in ((redirects, "update_source_answer"), (page, "update_altered")):
        with served(publisher.tree, reply) as address:
            refused(code, machine.updating.check, address)


def test_http_without_tls_is_for_this_machine_alone(machine: Clerk) -> None:
    refused("server_insecure", machine.updating.check, "http://updates.example.vn/signer")
    with pytest.raises(KnownError):
        WebSource("https://user:pw@updates.example.vn", HttpSettings())


# ---- the root ------------------------------------------------------------------------------------------------------


def test_a_new_root_is_followed_and_old_keys_count_no_more(
    machine: Clerk, publisher: Publisher, tmp_path: Path
) -> None:
    publisher.release("1.2.0")
    machine.updating.check(str(publisher.tree))
    old = publisher.copy(tmp_path / "cũ")
    new = {role: type(signer).generate_ed25519() for role, signer in publisher.online.items()}
    publisher.at().rotate(publisher.roots[:2], roles=new)
    lost, publisher.online = publisher.online, new
    publisher.release("1.3.0")
    state = machine.updating.check(str(publisher.tree))
    assert state.release is not None
    assert state.release.version == "1.3.0"
    # Whoever has the lost keys can sign what he likes under the old root: this machine knows the new one.
    thief = Publisher(old, publisher.roots, lost, publisher.root, made=50)
    thief.release("9.9.9")
    thief.release("9.9.10")
    refused("update_unsigned", machine.updating.check, str(old))


def test_a_program_without_a_root_says_so(machine: Clerk, publisher: Publisher) -> None:
    def none() -> bytes:
        raise KnownError("update_no_root")

    machine.around = type(machine.around)(**{**machine.around.__dict__, "root": none})
    refused("update_no_root", machine.updating.check, str(publisher.tree))


def test_records_that_were_spoilt_are_as_none(machine: Clerk, publisher: Publisher) -> None:
    publisher.release("1.2.0")
    machine.updating.download(str(publisher.tree))
    folder = machine.space.folder.path / "updates"
    record = folder / "packages/1.2.0.json"
    told = json.loads(record.read_text(encoding="utf-8"))
    for spoilt in ("", "{", json.dumps({**told, "release": {**told["release"], "platform": "../x"}})):
        record.write_text(spoilt, encoding="utf-8")
        assert machine.updating.state().stage is UpdateStage.OFFERED
    (folder / "found.json").write_text("[]", encoding="utf-8")
    assert machine.updating.state().stage is UpdateStage.UNKNOWN
