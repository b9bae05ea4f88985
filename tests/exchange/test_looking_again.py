"""Checks of signatures hold up nothing: what takes too long is filed, looked at again beside the passes, and ends."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from signer_app.exchange import filing, rechecking
from signer_app.exchange.filing import Filing
from signer_app.exchange.rechecking import LookingAgain
from signer_app.store.incoming_model import CHECK_WAITS, ArrivalVerdict
from signer_app.tasks import Verify, VerifyAnswer
from signer_app.workers import Workers
from tests.exchange.arrivals import Post, post, warm_workers


@pytest.fixture(name="post")
def post_of_this_test(tmp_path: Path) -> Iterator[Post]:
    with post(tmp_path) as made:
        yield made


@contextmanager
def hanging(here: Post) -> Iterator[None]:
    """Meanwhile every look at a file hangs."""
    space = here.office.space
    with Workers([sys.executable, "-S", "-c", "import time; time.sleep(60)"]) as workers:
        space.__dict__["workers"] = workers
        yield
    space.__dict__["workers"] = warm_workers()


def test_a_pdf_at_which_the_check_hangs_is_filed_and_no_other_waits_for_it(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing, "_FIRST_LOOK_S", 0.6)
    for number in ("1", "2", "3"):
        post.take(post.letter(number))
    looks: list[int] = []
    with hanging(post):
        workers = post.office.space.workers
        true = workers.verify

        def counted(task: Verify, deadline_s: float | None = None) -> VerifyAnswer:
            looks.append(1)
            return true(task, deadline_s)

        monkeypatch.setattr(workers, "verify", counted)
        assert Filing(post.office.space).run(ask_network=False).documents == 3
    # After one that took all the patience, the others are only filed.
    assert len(looks) == 1
    for document in post.documents():
        assert (document.verdict, document.verdict_code) == (ArrivalVerdict.INDETERMINATE, CHECK_WAITS)
        assert (document.recheck_at, post.answers(document.id)) == (post.office.now, ["01"])
    with post.office.store.view() as view:
        assert view.incoming.waiting_valid() == ()
    assert post.rechecking.run() == 3
    assert {document.verdict for document in post.documents()} == {ArrivalVerdict.VALID}


def test_a_file_that_is_never_checked_to_its_end_is_left_alone_after_some_looks(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing, "_FIRST_LOOK_S", 0.0)
    monkeypatch.setattr(rechecking, "_DOCUMENT_S", 0.6)
    post.came(post.letter())
    codes = []
    with hanging(post):
        while post.only().recheck_at is not None:
            post.rechecking.run()
            codes.append(post.only().verdict_code)
            post.office.clock.go_on(86_401)
    assert codes == ["verify_limit"] * 4
    assert post.only().verdict is ArrivalVerdict.INDETERMINATE
    monkeypatch.undo()
    # A person may still ask.
    assert post.rechecking.one(post.only().id) is ArrivalVerdict.VALID


def test_a_shaky_network_uses_up_no_look(tmp_path: Path) -> None:
    with post(tmp_path, crls=False) as here:
        here.came(here.letter())
        before = here.only()
        for _ in range(3):
            here.rechecking.at_once()
        after = here.only()
        assert (after.rechecks, after.recheck_at) == (before.rechecks, before.recheck_at)
        assert after.recheck_at is not None


def test_looks_are_made_on_a_thread_of_their_own(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "_FIRST_LOOK_S", 0.0)
    post.came(post.letter())
    done, true = threading.Event(), rechecking.Rechecking.run

    def run(self: rechecking.Rechecking, cancelled: object) -> int:
        try:
            return true(self, cancelled)  # type: ignore[arg-type]
        finally:
            done.set()

    monkeypatch.setattr(rechecking.Rechecking, "run", run)
    looking = LookingAgain(post.office.space)
    looking.call()
    assert done.wait(60)
    looking.stop()
    looking.call()
    assert post.only().verdict is ArrivalVerdict.VALID
