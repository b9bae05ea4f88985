"""Kill -9 at named points of signing, sending and receiving: after the next run nothing is lost and nothing doubled."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

import tests.support.kill_driver as kill_driver
from signer_app.custody.anchors import prove_journal
from signer_app.verification.model import TrustMaterial
from tests.app.letters import Wording, write_letter
from tests.app.office import Office, office
from tests.support.kills import Campaign, Findings, Place, findings
from tests.support.many_letters import ManyLetters, write_list
from tests.support.workspace import CANARY_PIN, DAY, DEADLINE_S, Desk, clean_environment

DRIVER = Path(kill_driver.__file__)
NUMBERS = {"cong-van.pdf": "1/UBND-VP", "giay-moi.pdf": "2/GM-UBND"}


def signing(desk: Desk) -> tuple[object, ...]:
    """The command for two letters; always the same one."""
    for name in NUMBERS:
        if not (desk.letters / name).exists():
            desk.letter(name)
    rows = (f"{name},{number},{DAY},H77" for name, number in NUMBERS.items())
    listing = desk.listing("input,number,date,to", *rows)
    return ("sign", "--list", listing, "--profile", "agency", "--level", "b-b")


def killed_at(desk: Desk, point: str, count: int, *words: object, pin: str | None = None) -> None:
    """Runs a command that is killed; its children must end by themselves."""
    given = ["--json", *map(str, words), *(["--pin-stdin"] if pin is not None else [])]
    line = [sys.executable, str(DRIVER), point, str(count), *desk.line()[3:], *given]
    done = subprocess.run(
        line,
        input=b"" if pin is None else pin.encode() + b"\n",
        # Held open by the children too: this returns when the last of them is gone.
        capture_output=True,
        timeout=DEADLINE_S,
        env=clean_environment(desk.home),
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def all_is_well(desk: Desk) -> None:
    """Every letter signed once, kept once, put out once, sent once, with its receipt; nothing left behind."""
    files, packets = desk.files(), desk.packets()
    assert sorted(file.name for file in files) == sorted(NUMBERS)
    assert sorted(packet.document or "" for packet in packets) == ["01/UBND-VP", "02/GM-UBND"]
    outputs = sorted(path.name for path in desk.letters.glob("*.signed.pdf"))
    assert outputs == sorted(name.replace(".pdf", ".signed.pdf") for name in NUMBERS)
    with desk.store() as store:
        for file in files:
            assert file.blob_out is not None
            output = (desk.letters / file.name).with_suffix(".signed.pdf").read_bytes()
            assert output == store.blobs.path(file.blob_out).read_bytes()
            assert output.startswith((desk.letters / file.name).read_bytes())
    assert all(packet.receipt for packet in packets)
    assert desk.server_packets() == sorted(packet.sha256 for packet in packets)
    assert list((desk.data / "work").iterdir()) == []
    assert list((desk.data / "blobs").glob("incoming/*")) == []
    assert [path.name for path in desk.letters.iterdir() if path.name.startswith(".")] == []
    journal_is_sound(desk)


def journal_is_sound(desk: Desk) -> None:
    with desk.store() as store, store.view() as view:
        checked = prove_journal(view, desk.settings(), TrustMaterial()).verified.check
        signed = [e.use.sha256 for e in view.journal.entries(limit=1000) if e.use.action == "sign"]
    assert checked.broken_at is None
    assert checked.sound_to > 0
    assert sorted(filter(None, signed)) == sorted(file.blob_out or "" for file in desk.files())


SIGNING = [
    ("after-signature", 2),
    ("after-commit", 1),
    ("before-told", 1),
]
MORE_SIGNING = [
    ("copy-half-made", 1),
    ("input-kept", 2),
    ("before-commit", 2),
    ("input-kept", 1),
    ("batch-begun", 1),
    ("before-signature", 1),
    ("before-signature", 2),
    ("after-signature", 1),
    ("output-kept", 1),
    ("output-kept", 2),
    ("output-kept", 4),
    ("before-commit", 1),
    ("after-commit", 2),
    ("copy-half-made", 2),
    ("copy-made", 1),
    ("copy-made", 2),
    ("copy-recorded", 1),
    ("copy-recorded", 2),
    ("batch-ending", 1),
]


def sign_through_a_kill(desk: Desk, point: str, count: int) -> None:
    words = signing(desk)
    killed_at(desk, point, count, *words, pin=CANARY_PIN)
    again = desk.call(*words, pin=CANARY_PIN)
    assert (again.code, again.states) == (0, ["signed", "signed"]), again.out
    assert {packet.receipt for packet in desk.packets()} == {None}
    with desk.server():
        sent = desk.call("sync", "--once")
    assert (sent.code, sent.json["sent"]) == (0, 2)
    all_is_well(desk)
    with desk.store() as store, store.view() as view:
        assert [row for batch in view.batches.unfinished() for row in view.batches.files(batch.id)] == []


@pytest.mark.parametrize(("point", "count"), SIGNING)
def test_signing_that_is_killed_is_finished_by_the_same_command(desk: Desk, point: str, count: int) -> None:
    sign_through_a_kill(desk, point, count)


@pytest.mark.long
@pytest.mark.parametrize(("point", "count"), MORE_SIGNING)
def test_signing_that_is_killed_elsewhere_is_finished_too(desk: Desk, point: str, count: int) -> None:
    sign_through_a_kill(desk, point, count)


def three_are_sent_once(desk: Desk) -> None:
    packets = desk.packets()
    assert sorted(packet.document or "" for packet in packets) == ["01/UBND-VP", "02/GM-UBND", "03/KH-UBND"]
    assert all(packet.receipt for packet in packets)
    assert desk.server_packets() == sorted(packet.sha256 for packet in packets)
    journal_is_sound(desk)


@pytest.mark.long
def test_what_is_told_after_a_kill_is_there_even_if_its_copy_was_thrown_away(desk: Desk) -> None:
    words = signing(desk)
    killed_at(desk, "before-told", 1, *words, pin=CANARY_PIN)
    (desk.letters / "cong-van.signed.pdf").unlink()
    (desk.letters / "giay-moi.signed.pdf").write_bytes(b"mine")
    again = desk.call(*words, pin=CANARY_PIN)
    assert (again.code, again.states, again.codes) == (1, ["signed", "signed"], [None, "output_exists"])
    assert (desk.letters / "giay-moi.signed.pdf").read_bytes() == b"mine"
    (desk.letters / "giay-moi.signed.pdf").unlink()
    with desk.server():
        assert desk.call("sync", "--once").json["sent"] == 2
    assert (desk.letters / "cong-van.signed.pdf").exists()
    assert len(desk.files()) == 2


def long(*values: object) -> ParameterSet:
    return pytest.param(*values, marks=pytest.mark.long)


@pytest.mark.parametrize(
    ("point", "count"),
    [long("marked-sending", 1), long("before-put", 2), ("after-put", 1), long("after-put", 3), ("receipt-kept", 2)],
)
def test_sending_that_is_killed_is_finished_by_the_next_pass(waiting: Desk, point: str, count: int) -> None:
    with waiting.server():
        killed_at(waiting, point, count, "sync", "--once")
        kept = {packet.packet_id: packet.receipt for packet in waiting.packets() if packet.receipt}
        answer = waiting.call("sync", "--once")
        assert (answer.code, answer.json["waiting"]) == (0, 0)
        assert answer.json["sent"] == 3 - len(kept)
        assert kept.items() <= {packet.packet_id: packet.receipt for packet in waiting.packets()}.items()
        idle = waiting.call("sync", "--once")
        assert (idle.json["sent"], idle.json["waiting"]) == (0, 0)
    three_are_sent_once(waiting)


@pytest.mark.parametrize("point", [long("before-receive"), "incoming-kept", long("before-ack"), long("after-ack")])
def test_receiving_that_is_killed_is_finished_by_the_next_pass(desk: Desk, point: str) -> None:
    with office(desk) as other:
        expected = [send_a_letter(other) for _ in range(2)]
        killed_at(desk, point, 1, "sync", "--once")
        answer = desk.call("sync", "--once")
        assert answer.code == 0
        with desk.store() as store, store.view() as view:
            kept = view.inbox.list()
            assert sorted(packet.packet_id for packet in kept) == sorted(expected)
            for packet in kept:
                assert packet.sha256 is not None
                store.blobs.verify(packet.sha256)
        again = desk.call("sync", "--once")
        assert (again.code, again.json["received"]) == (0, 0)


def send_a_letter(other: Office) -> str:
    return other.send(write_letter(other.folder / "letter.pdf", Wording(body=("SỞ NỘI VỤ",))))


def a_batch(desk: Desk, documents: int) -> Place:
    many, listing = ManyLetters(desk.site.pki, desk.folder, ("cong-van.pdf", "giay-moi.pdf")), desk.letters / "list.csv"
    letters = (many.write(number, desk.letters / f"{number}.pdf") for number in range(1, documents + 1))
    write_list(letters, listing, to="H77")
    return Place(desk.line(), clean_environment(desk.home), desk.data, listing, documents, CANARY_PIN)


def nothing_is_wrong(desk: Desk, place: Place, campaign: Campaign) -> None:
    assert campaign.tally.tracebacks == 0
    assert findings(place, to=True) == Findings(
        place.documents, lost=[], doubled=[], broken=[], left_behind=[], journal=[], by_pdfsig=[], by_qpdf=[]
    )


def test_a_batch_that_is_killed_at_random_instants_is_whole_after_resume(desk: Desk) -> None:
    place = a_batch(desk, 12)
    campaign = Campaign(place, random.Random(7), kills=3, looking=0)
    campaign.kill()
    # A child that was killed alone has cost a document its signature, for the time being.
    assert desk.call("resume", "--retry-failed", pin=CANARY_PIN).code == 0
    assert desk.call("resume").documents == []
    nothing_is_wrong(desk, place, campaign)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(2))
def test_a_longer_batch_that_is_killed_more_often_is_whole_too(desk: Desk, seed: int) -> None:
    place = a_batch(desk, 40)
    campaign = Campaign(place, random.Random(seed), kills=12)
    campaign.kill()
    campaign.finish()
    nothing_is_wrong(desk, place, campaign)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(4))
def test_a_power_cut_at_any_moment_loses_and_doubles_nothing(desk: Desk, seed: int) -> None:
    """Signing is cut again and again at random moments, then sending, until both get through."""
    chance = random.Random(seed)
    words = signing(desk)
    with desk.server():
        for command, pin in ((words, CANARY_PIN), (("sync", "--once"), None)):
            cuts = (chance.uniform(0.8, 5.0 if pin else 2.5) for _ in range(6))
            # A run that gets through before its cut has told its result: the same wish again would be a new one.
            if not any(got_through(desk, seconds, command, pin) for seconds in cuts):
                last = desk.call(*command, pin=pin)
                assert last.code == 0, last.out
        assert desk.call("sync", "--once").json["waiting"] == 0
    all_is_well(desk)
    with desk.store() as store, store.view() as view:
        assert view.batches.unfinished() == ()


def got_through(desk: Desk, seconds: float, command: tuple[object, ...], pin: str | None) -> bool:
    """Whether the command told its result, and a good one, before it was cut after `seconds`."""
    given = ["--json", *map(str, command), *(["--pin-stdin"] if pin else [])]
    told = desk.folder / "told.json"
    with (
        told.open("wb") as out,
        subprocess.Popen(
            [*desk.line(), *given],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.DEVNULL,
            env=clean_environment(desk.home),
            start_new_session=True,
        ) as process,
    ):
        assert process.stdin is not None
        process.stdin.write((pin or "").encode() + b"\n")
        process.stdin.close()
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            # A power cut ends the children as well.
            os.killpg(process.pid, signal.SIGKILL)
            return told.stat().st_size > 0
    assert code == 0, told.read_text(encoding="utf-8")
    return True
