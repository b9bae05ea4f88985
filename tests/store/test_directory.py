"""The directory as rows: what a server told, found quickly and without diacritics, kept for history."""

import datetime as dt

import pytest

from signer_app.store.directory import Organisation
from signer_app.store.receivers import KnownLine, PaperReason, PaperReceiver, ReceiverGroup
from signer_app.store.store import Store, Transaction
from tests.store.letters import MORNING, Letters, not_secret

NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
PROVINCE = Organisation(code="H77", name="Ủy ban nhân dân tỉnh An Sơn")
OFFICE = Organisation(code="H77.02", name="Sở Nội vụ tỉnh An Sơn", parent="H77", channels=("axis",))
DONG_TAM = Organisation(code="H77.15", name="UBND xã Đồng Tâm", parent="H77")
DONG_TAM_TOO = Organisation(code="H77.16", name="Ủy ban nhân dân xã Đông Tâm", parent="H77")
ALL = (PROVINCE, OFFICE, DONG_TAM, DONG_TAM_TOO)


def fill(store: Store, *bodies: Organisation, source: str = "s") -> int:
    def work(tx: Transaction) -> int:
        number = tx.directory.begin_fill(source)
        tx.directory.put(source, number, bodies)
        return tx.directory.end_fill(source, number)

    return store.write(work)


def codes(found: tuple[Organisation, ...]) -> list[str]:
    return [one.code for one in found]


def test_what_was_told_is_there_as_it_was_told(store: Store) -> None:
    with store.view() as view:
        assert not view.directory.is_known()
        assert view.directory.fetched_at() is None
        before = view.directory.version()
    fill(store, *ALL)
    store.write(lambda tx: tx.directory.read_to("s", "c1", NOON))
    with store.view() as view:
        assert tuple(view.directory.all()) == ALL
        assert view.directory.get("H77.02") == OFFICE
        assert view.directory.get("H7") is None
        assert view.directory.fetched_at() == NOON
        assert view.directory.state("s").cursor == "c1"
        assert view.directory.version() > before
        assert view.directory.names()["H77.15"] == "UBND xã Đồng Tâm"
        assert codes(view.directory.below("H77")) == ["H77.02", "H77.15", "H77.16"]


def test_words_are_found_by_their_beginnings_without_diacritics(store: Store) -> None:
    fill(store, *ALL, Organisation(code="H77.17", name="Xã Đồng Tâm cũ", active=False))
    with store.view() as view:
        search = view.directory.search
        assert codes(search("noi vu")) == ["H77.02"]
        assert codes(search("NỘI  vụ so")) == ["H77.02"]
        assert codes(search("ubnd dong tam")) == ["H77.15", "H77.16"]
        assert codes(search("đồng t")) == ["H77.15", "H77.16", "H77.17"]
        assert codes(search("đồng t", active_only=True)) == ["H77.15", "H77.16"]
        assert codes(search("h77.02")) == ["H77.02"]
        assert codes(search("H77"))[0] == "H77"
        assert codes(search("uy ban", limit=1)) == ["H77"]
        for nothing in ("", "  ", '"*(', "khong co", "oi vu"):
            assert search(nothing) == ()


def test_a_name_is_found_in_any_spelling(store: Store) -> None:
    fill(store, *ALL)
    with store.view() as view:
        assert codes(view.directory.named("SỞ NỘI VỤ TỈNH AN SƠN")) == ["H77.02"]
        assert codes(view.directory.named("ủy ban nhân dân xã đồng tâm")) == ["H77.15", "H77.16"]
        assert view.directory.named("...") == ()


def test_a_renamed_body_is_found_by_its_new_name_alone(store: Store) -> None:
    fill(store, *ALL)
    fill(store, PROVINCE, Organisation(code="H77.02", name="Sở Tư pháp"), DONG_TAM, DONG_TAM_TOO)
    with store.view() as view:
        assert codes(view.directory.search("tu phap")) == ["H77.02"]
        assert view.directory.search("noi vu") == ()


def test_what_is_told_no_more_is_kept_and_receives_no_more(store: Store) -> None:
    fill(store, *ALL)
    assert fill(store, PROVINCE, DONG_TAM, DONG_TAM_TOO) == 1
    with store.view() as view:
        gone = view.directory.get("H77.02")
        assert gone is not None
        assert (gone.active, gone.told, gone.name) == (False, False, OFFICE.name)
    fill(store, *ALL)
    with store.view() as view:
        assert view.directory.get("H77.02") == OFFICE


def test_one_server_takes_nothing_from_what_another_tells(store: Store) -> None:
    fill(store, PROVINCE, OFFICE, source="a")
    fill(store, DONG_TAM, source="b")
    fill(store, PROVINCE, source="a")
    with store.view() as view:
        assert [one.code for one in view.directory.all() if one.active] == ["H77", "H77.15"]


def test_successors_are_followed_and_circles_seen(store: Store) -> None:
    chain = [Organisation(code=f"C{n}", name=f"C{n}", active=n == 3, replaced_by=f"C{n + 1}") for n in range(3)]
    last = Organisation(code="C3", name="C3")
    circle = [
        Organisation(code="X1", name="X1", active=False, replaced_by="X2"),
        Organisation(code="X2", name="X2", active=False, replaced_by="X1"),
        Organisation(code="Y", name="Y", active=False, replaced_by="nobody"),
        Organisation(code="Z", name="Z", replaced_by="Z", parent="Z"),
    ]
    fill(store, *chain, last, *circle)
    with store.view() as view:
        assert view.directory.successor("C0") == last
        assert view.directory.successor("C3") == last
        assert [view.directory.successor(code) for code in ("X1", "Y", "nobody")] == [None, None, None]
        own = view.directory.get("Z")
        assert own is not None
        assert (own.replaced_by, own.parent) == (None, None)


def test_a_fill_that_was_cut_is_forgotten_by_the_next(store: Store) -> None:
    fill(store, *ALL)
    store.write(lambda tx: tx.directory.read_to("s", "c1", NOON))
    cut = store.write(lambda tx: tx.directory.begin_fill("s"))
    store.write(lambda tx: tx.directory.put("s", cut, [PROVINCE]))
    with store.view() as view:
        assert view.directory.state("s").cursor is None
        assert view.directory.fetched_at() == NOON
        assert all(one.active for one in view.directory.all())
    assert fill(store, PROVINCE, OFFICE) == 2


@pytest.mark.long
def test_a_directory_of_the_whole_country_is_searched_within_a_moment(store: Store) -> None:
    bodies = [
        Organisation(code=f"H{n % 63}.{n}", name=f"Ủy ban nhân dân xã Số {n} huyện {n % 700}") for n in range(120_000)
    ]
    fill(store, *bodies)
    with store.view() as view:
        assert view.directory.search("xa so 119999")[0].code == f"H{119_999 % 63}.119999"
        assert len(view.directory.search("u", 50)) == 50


# -- what the clerk says ---------------------------------------------------------------------------------------


def test_a_line_is_remembered_for_its_body_whatever_its_dashes(store: Store) -> None:
    said = KnownLine(line="Sở Nội vụ", codes=("H77.02",))
    store.write(lambda tx: tx.receivers.remember("A", said, MORNING, "hanh"))
    with store.view() as view:
        assert list(view.receivers.lines("A", ["- SỞ  nội vụ;"]).values()) == [said]
        assert view.receivers.lines("B", ["Sở Nội vụ"]) == {}
        assert view.receivers.lines("A", ["Sở Nội vũ"]) == {}
    changed = KnownLine(line="Sở Nội vụ", paper=True)
    store.write(lambda tx: tx.receivers.remember("A", changed, MORNING, "hanh"))
    with store.view() as view:
        assert list(view.receivers.lines("A", ["Sở Nội vụ"]).values()) == [changed]
    store.write(lambda tx: tx.receivers.forget("A", "Sở Nội vụ"))
    with store.view() as view:
        assert view.receivers.lines("A", ["Sở Nội vụ"]) == {}


def test_a_group_is_kept_by_its_name(store: Store) -> None:
    for members in (("H1",), ("H1", "H2")):
        group = ReceiverGroup(name="Các sở", codes=members)
        store.write(lambda tx, group=group: tx.receivers.put_group("A", group, MORNING))  # type: ignore[misc]
    with store.view() as view:
        assert view.receivers.groups("A") == (ReceiverGroup(name="Các sở", codes=("H1", "H2")),)
        assert view.receivers.groups("B") == ()
    store.write(lambda tx: tx.receivers.remove_group("A", "CÁC SỞ"))
    with store.view() as view:
        assert view.receivers.groups("A") == ()


def test_a_copy_on_paper_waits_until_somebody_says_that_it_was_sent(store: Store, letters: Letters) -> None:
    signing = letters.signing("125")
    store.commit_signed(signing, not_secret)
    document = signing.document.id
    one = PaperReceiver(name="Ông A", reason=PaperReason.CHOSEN)
    two = PaperReceiver(name="Xã B", code="H9", reason=PaperReason.INACTIVE)
    store.write(lambda tx: tx.receivers.put_paper("draft", [one, two], MORNING))
    with store.view() as view:
        assert view.receivers.paper_open() == ()
    store.write(lambda tx: tx.receivers.move_paper("draft", document))
    with store.view() as view:
        assert view.receivers.paper(document) == (one, two)
        assert view.receivers.paper_open() == (document,)
    store.write(lambda tx: tx.receivers.paper_done(document, 0, NOON, "hanh"))
    with pytest.raises(ValueError, match="nobody waits"):
        store.write(lambda tx: tx.receivers.paper_done(document, 0, NOON, "hanh"))
    store.write(lambda tx: tx.receivers.put_paper(document, [two], MORNING))
    with store.view() as view:
        kept = {item.name: item.done_at for item in view.receivers.paper(document)}
        assert kept == {"Xã B": None, "Ông A": NOON}
    store.write(lambda tx: tx.receivers.paper_done(document, 0, NOON, "hanh"))
    with store.view() as view:
        assert view.receivers.paper_open() == ()
