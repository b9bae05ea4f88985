"""Sending and receiving by `sync`: once, with a receipt, from the server that was pinned, and nothing secret."""

import sqlite3
import subprocess
from pathlib import Path

import pytest

from signer_app.demo.pki_names import Holder
from tests.app.letters import Wording, write_letter
from tests.app.office import office, office_server
from tests.support.pkcs11_shim import build_counting_module
from tests.support.softhsm import softhsm_module
from tests.support.workspace import CANARY_PIN, Desk, Program, clean_environment
from tests.sync.faults import fault_proxy

SENTENCE = "Danh sách cơ sở cần bảo vệ đặc biệt số 4471."


def test_what_waits_is_sent_once_and_the_receipt_is_kept_and_shown(waiting: Desk) -> None:
    with waiting.server():
        answer = waiting.run("sync", "--once")
        assert (answer.code, answer.json["sent"], answer.json["waiting"]) == (0, 3, 0)
        assert {packet["outcome"] for packet in answer.json["packets"]} == {"accepted"}
        again = waiting.call("sync", "--once")
        assert (again.code, again.json["sent"], again.json["packets"]) == (0, 0, [])
    shown = {packet["document"]: packet for packet in waiting.run("outbox").json}
    assert set(shown) == {"01/UBND-VP", "02/GM-UBND", "03/KH-UBND"}
    for packet in waiting.packets():
        receipt = shown[packet.document or ""]["receipt"]
        assert (receipt["packetId"], receipt["sha256"]) == (packet.packet_id, packet.sha256)
    assert waiting.server_packets() == sorted(packet.sha256 for packet in waiting.packets())
    words = waiting.call("outbox", text=True)
    assert words.code == 0
    assert words.out.count("Máy chủ đã nhận lúc") == 3

    checked = waiting.run("journal", "--verify")
    entries = checked.json["entries"]
    assert checked.code == 0
    verified = checked.json["verified"]
    assert (verified["sound_to"], verified["newer"], verified["broken_at"]) == (len(entries), 0, None)
    assert verified["anchor"]["by"] == "receipt"
    assert [entry["action"] for entry in entries] == ["login", "enrol", "login", "sign", "sign", "sign"]
    tampered_with(waiting)
    broken = waiting.call("journal", "--verify")
    assert (broken.code, broken.json["verified"]["broken_at"]) == (1, 4)
    assert waiting.call("journal").code == 0


def tampered_with(desk: Desk) -> None:
    """Someone gives the first signature another number, by the database file."""
    connection = sqlite3.connect(desk.data / "signer.sqlite")
    with connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            if name.startswith("journal"):
                connection.execute(f'DROP TRIGGER "{name}"')
        changed = connection.execute("UPDATE journal SET entry = replace(entry, '01', '77') WHERE seq = 4")
        assert changed.rowcount == 1
    connection.close()


def test_an_answer_that_gets_lost_leads_to_one_copy_and_one_receipt(waiting: Desk) -> None:
    with waiting.server() as server, fault_proxy(server.url) as proxy:
        proxy.lose_answers(b"^PUT ")
        env = {"SIGNER_SERVER_URL": proxy.url}
        first = waiting.call("sync", "--once", env=env)
        assert proxy.lost == 1
        # on a kept connection the packet goes out again at once, on a fresh one by the next pass
        assert (first.json["sent"], first.json["waiting"], first.code) in [(3, 0, 0), (2, 1, 1)]
        assert len(waiting.server_packets()) == 3
        again = waiting.call("sync", "--once", env=env)
        assert (again.code, again.json["sent"], again.json["waiting"]) == (0, first.json["waiting"], 0)
    assert waiting.server_packets() == sorted(packet.sha256 for packet in waiting.packets())
    assert all(packet.receipt for packet in waiting.packets())


def test_another_server_at_the_address_gets_nothing(waiting: Desk, tmp_path: Path) -> None:
    pki = waiting.site.pki
    with office_server(pki, tmp_path / "other-server", identity=pki.leaf(Holder.TSA)) as server:
        answer = waiting.call("sync", "--once", env={"SIGNER_SERVER_URL": server.url})
    assert (answer.code, answer.json["stopped"]["code"]) == (1, "server_not_ours")
    assert (answer.json["sent"], answer.json["waiting"]) == (0, 3)
    assert list((tmp_path / "other-server" / "packets").glob("*/*")) == []


def test_what_another_body_sends_is_kept_and_of_a_secret_packet_only_that_it_came(desk: Desk) -> None:
    with office(desk) as other:
        open_letter = write_letter(other.folder / "thu-moi.pdf", Wording(body=("SỞ NỘI VỤ",)))
        marked = write_letter(other.folder / "ke-hoach-kin.pdf", Wording(mark="TUYỆT MẬT", text=SENTENCE))
        came, secret = other.send(open_letter), other.send(marked)
        answer = desk.call("sync", "--once")
        assert (answer.code, answer.json["received"]) == (0, 1)
        again = desk.call("sync", "--once")
        assert (again.code, again.json["received"]) == (0, 0)
    with desk.store() as store, store.view() as view:
        rows = {row.packet_id: row for row in view.inbox.list()}
        assert set(rows) == {came, secret}
        assert rows[secret].sha256 is None
        assert rows[secret].subject is None
        assert open_letter.name in store.blobs.path(rows[came].sha256 or "").read_text(encoding="utf-8")
    own = desk.data / "demo" / "server"
    traces = [b"ke-hoach-kin", SENTENCE.encode()]
    assert [
        path for path, data in desk.everything()
        if not path.is_relative_to(own) and any(trace in data for trace in traces)
    ] == []  # fmt: skip


def test_what_the_server_refuses_waits_for_a_person_and_the_rest_is_sent(waiting: Desk) -> None:
    letter = waiting.letter("quyet-dinh.pdf")
    assert waiting.seal(letter, "9/QĐ-UBND", "--to", "H99.99", "--level", "b-b").code == 0
    with waiting.server():
        words = waiting.call("sync", "--once", text=True)
        assert (words.code, len(waiting.server_packets())) == (1, 3)
        assert words.err.strip()
        answer = waiting.call("sync", "--once")
    assert (answer.code, answer.json["sent"], answer.json["waiting"]) == (1, 0, 1)
    told = {packet["document"]: packet for packet in waiting.call("outbox").json}
    assert (told["09/QĐ-UBND"]["state"], told["09/QĐ-UBND"]["receipt"]) == ("needs_person", None)
    assert told["09/QĐ-UBND"]["message"]


def test_enrolment_takes_the_bodys_certificate_and_one_login(desk: Desk, tmp_path: Path) -> None:
    counting = build_counting_module(tmp_path, softhsm_module())
    front = ("--module", counting.path)
    server = desk.settings().server
    assert server is not None
    with desk.server():
        now = desk.settings().server
        assert now is not None
        desk.change_settings(server=type(now)(url=now.url))
        before = desk.call("sync", "--once")
        assert (before.code, before.json["error"]["code"]) == (1, "not_enrolled")
        silent = desk.call("sync", "--enrol", options=front)
        assert (silent.code, silent.json["error"]["code"]) == (2, "usage_no_terminal")
        person = desk.call("sync", "--enrol", "--cert", desk.leader, pin=CANARY_PIN, options=front)
        assert (person.code, person.json["error"]["code"]) == (1, "certificate_not_of_body")
        wrong = desk.call("sync", "--enrol", pin="000000", options=front)
        assert (wrong.code, wrong.json["error"]["code"]) == (3, "pin_incorrect")
        logins = counting.user_logins()
        answer = desk.run("sync", "--enrol", pin=CANARY_PIN, options=front)
        assert (answer.code, answer.json["enrolled"]["org"]) == (0, "H77.15")
        assert counting.user_logins() == logins + 1
        assert desk.call("sync", "--once").code == 0
    pinned = desk.settings().server
    assert pinned is not None
    assert (pinned.server_id, pinned.signer_certificate_der) == (server.server_id, server.signer_certificate_der)


def test_a_folder_without_a_server_says_so(tmp_path: Path) -> None:
    answer = Program(tmp_path, tmp_path, tmp_path / "data").call("sync", "--once")
    assert (answer.code, answer.json["error"]["code"]) == (1, "server_not_set")


@pytest.mark.parametrize("stop", [pytest.param(2, marks=pytest.mark.long), 15])
def test_sync_without_once_goes_on_until_a_signal_and_ends_with_0(waiting: Desk, stop: int) -> None:
    with waiting.server(), subprocess.Popen(
        waiting.line("sync"), stdout=subprocess.PIPE, env=clean_environment(waiting.home), text=True
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline().strip()
        process.send_signal(stop)
        assert process.wait(60) == 0
    assert all(packet.receipt for packet in waiting.packets())
