"""A packet is looked into in memory: wherever a mark of secrecy stands, nothing of the packet is kept but its id."""

import errno
import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import signer_resources
from signer_app.exchange import incoming
from signer_app.exchange.incoming import IncomingScreen
from signer_app.exchange.incoming_spool import Spool, as_file
from signer_app.store.inbox import IncomingPacket
from signer_app.store.inbox_stores import SqlInbox
from signer_app.workers import Workers
from signer_resources.errors import KnownError
from signer_sync.contract import Retry
from signer_sync.errors import ExchangeError
from signer_sync.ids import uuid7
from signer_sync.packets import Arrival, BinarySink
from signer_sync.ports import FeedPosition, InboxStore, Taken
from tests.desk.office import ORG
from tests.exchange.arrivals import Post, post, signed_letter

SECRET_NAME = "12-BC (MẬT).pdf"


@pytest.fixture(name="post")
def post_of_this_test(tmp_path: Path) -> Iterator[Post]:
    with post(tmp_path) as made:
        yield made


def kept(post: Post) -> tuple[IncomingPacket, ...]:
    with post.office.store.view() as view:
        return view.inbox.list()


def secret_pdf() -> bytes:
    return signer_resources.path("samples/van-ban-mat.pdf").read_bytes()


def docx(words: str) -> bytes:
    out = io.BytesIO()
    w = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        text = f'<w:document xmlns:w="{w}"><w:body><w:p><w:r><w:t>{words}</w:t></w:r></w:p></w:body></w:document>'
        archive.writestr("word/document.xml", text)
    return out.getvalue()


def zipped(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


def archive(*files: bytes, name: str = "a.pdf") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for at, data in enumerate(files):
            made.writestr(name if at == len(files) - 1 else f"{at}.pdf", data)
    return out.getvalue()


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def marked(post: Post, where: str) -> bytes:
    """A packet with a mark at this place."""
    document, canary = post.document(), b"CANARY-8842"
    if where == "header":
        return post.letter(subject="[TỐI MẬT] V/v phương án CANARY-8842")
    if where == "name":
        return post.packet(document, (SECRET_NAME, signed_letter() + canary))
    if where == "page":
        return post.packet(document, ("thu.pdf", signed_letter()), ("kem.pdf", secret_pdf() + canary))
    if where == "words":
        return post.packet(document, ("thu.pdf", signed_letter()), ("kem.docx", docx("MẬT") + canary))
    if where == "words under another name":
        return post.packet(document, ("thu.pdf", signed_letter()), ("kem.dat", docx("MẬT")))
    if where == "archive":
        return post.packet(document, ("thu.pdf", signed_letter()), ("tai lieu.zip", archive(secret_pdf(), b"x")))
    if where == "archive under a letter's name":
        return post.packet(document, ("thu.pdf", archive(secret_pdf(), canary)))
    if where == "archive that looks like an office file":
        return post.packet(document, ("thu.zip", archive(secret_pdf(), canary, name="mimetype")))
    if where == "archive in an archive":
        return post.packet(document, ("thu.zip", archive(archive(secret_pdf(), canary), canary)))
    if where == "words of a packet that breaks off":
        return post.letter(subject="[TỐI MẬT] V/v phương án CANARY-8842")[:-200]
    if where == "zip":
        return post.packet(document, ("thu.pdf", zipped("a.pdf", secret_pdf() + canary)))
    inner = post.packet(document, ("trong.pdf", secret_pdf() + canary))
    return post.packet(document, ("goi.edxml", zipped("b.edxml", inner)))


@pytest.mark.parametrize(
    "where",
    [
        "header",
        "name",
        "page",
        "words",
        "words under another name",
        "zip",
        "packet in a zip",
        "archive",
        "archive under a letter's name",
        "archive that looks like an office file",
        "archive in an archive",
        "words of a packet that breaks off",
    ],
)
def test_nothing_of_a_secret_packet_is_kept_wherever_its_mark_stands(post: Post, where: str) -> None:
    data = marked(post, where)
    # Writing it has used the store; what is looked at is what taking it leaves there.
    before = set(post.office.space.folder.path.rglob("*"))
    assert post.take(data, subject="V/v") is Taken.SECRET
    (packet,) = kept(post)
    assert (packet.secret, packet.sha256, packet.subject, packet.from_org) == (True, None, None, None)
    left = {path for path in post.office.space.folder.path.rglob("*") if path.is_file()} - before
    assert not [path for path in left if "blobs" in path.parts or "work" in path.parts]
    assert post.filing.run(ask_network=False).packets == 0


def test_a_mark_in_the_words_of_the_feed_is_enough(post: Post) -> None:
    assert post.take(post.letter(), subject="Phương án (TUYỆT MẬT)") is Taken.SECRET
    assert b"TUY\xe1\xbb\x86T" not in everything(post.office.space.folder.path)


def test_a_packet_is_kept_with_its_bytes_and_known_the_second_time(post: Post) -> None:
    data, arrival = post.letter(), Arrival(id=uuid7(), type=None, sender="H77")
    inbox: InboxStore = post.inbox()
    assert not inbox.has(ORG, arrival)
    assert inbox.take(ORG, arrival, lambda sink: _put(sink, data)) is Taken.KEPT
    assert inbox.take(ORG, arrival, lambda sink: _put(sink, data)) is Taken.KNOWN
    assert inbox.has(ORG, arrival)
    (packet,) = kept(post)
    assert packet.sha256 is not None
    assert post.office.store.blobs.path(packet.sha256).read_bytes() == data


def _put(sink: BinarySink, data: bytes) -> None:
    sink.write(data)


def test_a_packet_that_nobody_can_read_is_kept_and_not_called_free_of_marks(post: Post) -> None:
    assert post.take(b"no edXML") is Taken.KEPT
    assert kept(post)[0].unscreened


def test_an_archive_that_can_t_be_looked_through_is_marked(post: Post) -> None:
    locked = bytearray(archive(signed_letter()))
    for sign, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(sign) + flags] |= 1
    many = archive(*[b"x"] * 201)
    open_one = post.packet(post.document("2"), ("thu.pdf", signed_letter()), ("kem.zip", archive(signed_letter())))
    for at, data in enumerate((bytes(locked), many)):
        assert post.take(post.packet(post.document(), ("thu.pdf", signed_letter()), (f"{at}.zip", data))) is Taken.KEPT
        post.office.clock.go_on(1)
    assert post.take(open_one) is Taken.KEPT
    assert sorted(packet.unscreened for packet in kept(post)) == [False, True, True]


def test_other_bytes_than_announced_are_not_kept(post: Post) -> None:
    with pytest.raises(ExchangeError) as caught:
        post.take(post.letter(), sha256="ab" * 32)
    assert (caught.value.code, kept(post)) == ("content_wrong", ())


def test_nothing_is_kept_of_what_was_cut(post: Post) -> None:
    def cut(sink: BinarySink) -> None:
        sink.write(b"<edXML")
        raise KnownError("server_unreachable", host="h")

    with pytest.raises(KnownError):
        post.inbox().take(ORG, Arrival(id="x", type=None), cut)
    assert kept(post) == ()


def test_a_file_at_which_a_worker_hangs_stops_no_receiving(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "_FILE_S", 0.3)
    data = post.letter()
    with Workers([sys.executable, "-c", "import time; time.sleep(60)"]) as hanging:
        screen = IncomingScreen(hanging, post.office.space.folder.work)
        taken = post.inbox(screen=screen).take(ORG, Arrival(id="x", type=None), lambda sink: _put(sink, data))
    assert taken is Taken.KEPT
    assert kept(post)[0].unscreened
    post.filing.run(ask_network=False)
    document = post.only()
    assert "unscreened" in document.doubts
    with post.office.store.view() as view:
        assert view.incoming.waiting_valid() == ()
        # Of what may be secret no evidence is written down.
        assert view.evidence.of_document(view.incoming.files(document.id)[0].sha256) == ()


def test_all_files_of_a_packet_together_have_a_time_limit(post: Post) -> None:
    seconds = iter([0.0, 1000.0])
    screen = IncomingScreen(post.office.space.workers, post.office.space.folder.work, lambda: next(seconds))
    data = post.letter()
    assert post.inbox(screen=screen).take(ORG, Arrival(id="x", type=None), lambda sink: _put(sink, data)) is Taken.KEPT
    assert kept(post)[0].unscreened


def test_what_is_too_large_for_one_message_is_looked_into_all_the_same(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "_IN_ONE_MESSAGE", 100)
    assert post.take(post.packet(post.document(), ("thu.pdf", secret_pdf()))) is Taken.SECRET
    assert post.take(post.packet(post.document(), ("thu.docx", docx("MẬT " * 1)))) is Taken.SECRET
    assert post.take(post.letter()) is Taken.KEPT
    assert not list(post.office.space.folder.work.iterdir())


def test_a_file_for_a_look_is_ours_alone_and_gone_afterwards(tmp_path: Path) -> None:
    with as_file(io.BytesIO(b"x"), tmp_path) as path:
        assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"x", 0o600)
    assert not path.exists()


class Filling(io.BytesIO):
    """Bytes for which there is no room at the first try."""

    tries = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.tries += 1
        if self.tries == 1:
            raise OSError(errno.ENOSPC, "no room")
        return super().read(size)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no file system in memory")
def test_where_memory_has_no_room_the_look_is_made_in_the_folder_for_unfinished_files(tmp_path: Path) -> None:
    with as_file(Filling(b"x"), tmp_path) as path:
        assert (path.parent, path.read_bytes()) == (tmp_path, b"x")
    assert not list(tmp_path.iterdir())


def test_a_spool_takes_no_more_than_its_limit_and_is_no_file_of_any_folder() -> None:
    with Spool(limit=4) as spool:
        spool.write(b"abcd")
        with pytest.raises(ExchangeError) as caught:
            spool.write(b"e")
        assert (caught.value.code, spool.size, spool.reader().read()) == ("packet_too_large", 4, b"abcd")


def test_channels_have_places_in_their_feeds_of_their_own(post: Post) -> None:
    sync, folder = post.inbox(), post.inbox("folder")
    sync.advance(ORG, FeedPosition("e1", "c1"))
    sync.advance(ORG, FeedPosition("e1", "c2"))
    assert (sync.position(ORG), folder.position(ORG)) == (FeedPosition("e1", "c2"), None)
    assert sync.position("H99") is None


def test_what_can_never_be_had_is_recorded_and_may_still_come(post: Post) -> None:
    inbox, arrival = post.inbox(), Arrival(id="p1", type=None, sender="H77", subject="V/v")
    error = ExchangeError("packet_too_large", retry=Retry.FIX, limit=5)
    assert [inbox.missed(ORG, arrival, error) for _ in range(2)] == [1, 2]
    inbox.give_up(ORG, arrival, error)
    inbox.give_up(ORG, arrival, error)
    (packet,) = kept(post)
    assert (packet.given_up, packet.error_code, packet.error_params, packet.subject) == (
        True,
        "packet_too_large",
        {"limit": 5},
        None,
    )
    assert not inbox.has(ORG, arrival)
    data = post.letter()
    assert inbox.take(ORG, arrival, lambda sink: _put(sink, data)) is Taken.KEPT
    assert [one.given_up for one in kept(post)] == [False]
    assert inbox.missed(ORG, arrival, error) == 1


def test_what_a_server_says_to_the_clerk_is_kept_once(post: Post) -> None:
    inbox, notice = post.inbox(), Arrival(id="n1", type=None, subject="Bảo trì tối nay")
    inbox.told(ORG, notice)
    inbox.told(ORG, notice)
    inbox.told(ORG, Arrival(id="n2", type=None, subject="Phương án (TỐI MẬT)"))
    with post.office.store.view() as view:
        (said,) = view.notices.unseen()
    assert (said.code, said.params) == ("server_notice", {"subject": "Bảo trì tối nay"})


def test_a_pass_that_is_no_longer_wanted_ends_before_the_next_packet(post: Post) -> None:
    space = post.office.space
    inbox = SqlInbox(space.store, space.now, IncomingScreen(space.workers, space.folder.work), Spool, lambda: True)
    with pytest.raises(KnownError) as caught:
        inbox.has(ORG, Arrival(id="x", type=None))
    assert caught.value.code == "interrupted"
