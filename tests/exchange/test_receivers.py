"""The directory brought up to date, and what the lines of Nơi nhận mean by it."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from signer_app.exchange.directory import (
    Directory,
    KnownOrganisation,
    load_directory,
    names_of,
    refresh,
    save_directory,
    take_over_json,
)
from signer_app.exchange.receivers import LineState, Resolution, clean, lines_of, part, reach, resolve
from signer_app.store.directory import Organisation
from signer_app.store.receivers import KnownLine, PaperReason, PaperReceiver, ReceiverGroup
from signer_app.store.times import VIETNAM
from signer_app.workspace import Overrides, Workspace, workspace
from signer_sync.contract import Org, OrgPage, Retry
from signer_sync.errors import ExchangeError

NOW = dt.datetime(2026, 11, 23, 8, 42, tzinfo=VIETNAM)
OWN = "H77.15"


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    with workspace(tmp_path / "data", Overrides(), writing=True, now=lambda: NOW) as opened:
        yield opened


@dataclass
class Teller:
    """A server's directory in pages of two; `asked` are the cursors it got."""

    orgs: list[Org]
    epoch: str = "1"
    asked: list[str | None] = field(default_factory=list)
    fail_at: int | None = None

    def __call__(self, since: str | None) -> OrgPage:
        self.asked.append(since)
        if self.fail_at is not None and len(self.asked) == self.fail_at:
            raise ExchangeError("server_unreachable", retry=Retry.AFTER, host="h")
        epoch, _, place = (since or f"{self.epoch}:0").partition(":")
        if epoch != self.epoch:
            raise ExchangeError("epoch_changed", retry=Retry.NOW, host="h")
        end = int(place) + 2
        return OrgPage(
            items=tuple(self.orgs[int(place) : end]),
            cursor=f"{epoch}:{min(end, len(self.orgs))}",
            more=end < len(self.orgs),
        )


def orgs(*names: str) -> list[Org]:
    return [Org(code=f"H{number}", name=name) for number, name in enumerate(names)]


def known_codes(space: Workspace, *, active: bool = True) -> list[str]:
    with space.store.view() as view:
        return [one.code for one in view.directory.all() if one.active is active]


# -- the directory ---------------------------------------------------------------------------------------------


def test_a_directory_comes_page_by_page_and_then_only_what_changed(space: Workspace) -> None:
    teller = Teller(orgs("A", "B", "C", "D", "E"))
    assert refresh(space, teller)
    assert known_codes(space) == ["H0", "H1", "H2", "H3", "H4"]
    assert teller.asked == [None, "1:2", "1:4"]
    assert not refresh(space, teller)
    teller.orgs.append(Org(code="H1", name="B mới", active=False))
    assert refresh(space, teller)
    assert teller.asked[3:] == ["1:5", "1:5"]
    with space.store.view() as view:
        assert view.directory.get("H1") == Organisation(code="H1", name="B mới", active=False)
        assert view.directory.fetched_at() == NOW


def test_a_directory_that_began_anew_is_taken_from_the_start_and_nothing_is_lost(space: Workspace) -> None:
    refresh(space, Teller(orgs("A", "B", "C", "D")))
    assert refresh(space, Teller(orgs("A", "B", "C"), epoch="2"))
    assert known_codes(space) == ["H0", "H1", "H2"]
    assert known_codes(space, active=False) == ["H3"]


@pytest.mark.parametrize("left", [[], ["A"]])
def test_an_emptied_server_cuts_us_off_from_nobody(space: Workspace, left: list[str]) -> None:
    refresh(space, Teller(orgs("A", "B", "C", "D")))
    refresh(space, Teller(orgs(*left), epoch="2"))
    assert known_codes(space) == ["H0", "H1", "H2", "H3"]


def test_a_fill_that_is_cut_takes_nobody_away_and_begins_anew(space: Workspace) -> None:
    refresh(space, Teller(orgs("A", "B", "C", "D")))
    cut = Teller(orgs("A", "B", "C"), epoch="2", fail_at=3)
    with pytest.raises(ExchangeError):
        refresh(space, cut)
    assert known_codes(space) == ["H0", "H1", "H2", "H3"]
    cut.fail_at = None
    refresh(space, cut)
    assert cut.asked[3] is None
    assert known_codes(space) == ["H0", "H1", "H2"]


def test_a_server_that_never_ends_is_left_in_the_end(space: Workspace) -> None:
    asked: list[str | None] = []

    def endless(since: str | None) -> OrgPage:
        asked.append(since)
        return OrgPage(items=(), cursor="same", more=True)

    refresh(space, endless)
    assert len(asked) == 2


def test_two_servers_keep_their_own_cursors(space: Workspace) -> None:
    refresh(space, Teller(orgs("A", "B")), source="sync:A")
    other = Teller([Org(code="X", name="X\u0000 của  bên kia\n")])
    refresh(space, other, source="lgsp:B")
    assert other.asked == [None]
    with space.store.view() as view:
        assert names_of(view, ["X", "H0", "?"]) == {"X": "X của bên kia", "H0": "A", "?": "?"}


def test_the_directory_in_memory_is_the_same_one_until_it_changes(space: Workspace) -> None:
    cache = space.folder.cache
    assert load_directory(cache) == Directory()
    told = Directory(NOW, (KnownOrganisation("H1", "Một"), KnownOrganisation("H2", "Hai", active=False)))
    save_directory(space.store, told)
    first = load_directory(cache)
    assert first == told
    assert load_directory(cache) is first
    assert (first.name("H1"), first.name("H9")) == ("Một", "H9")
    save_directory(space.store, Directory(NOW, (KnownOrganisation("H1", "Mốt"), KnownOrganisation("H2", "Hai"))))
    assert load_directory(cache).name("H1") == "Mốt"


def test_the_file_of_an_earlier_version_is_taken_over_once(space: Workspace) -> None:
    file = space.folder.cache / "organisations.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    told = [{"code": "H1", "name": "Một"}, {"code": "H2", "name": "Hai", "active": False}]
    file.write_text(json.dumps({"fetched_at": "2026-11-20T08:00:00+07:00", "organisations": told}))
    take_over_json(space.store)
    assert not file.exists()
    assert known_codes(space) == ["H1"]
    with space.store.view() as view:
        assert view.directory.state("sync:H77").cursor is None
    file.write_text("{broken")
    take_over_json(space.store)
    assert not file.exists()
    assert known_codes(space) == ["H1"]


# -- receivers -------------------------------------------------------------------------------------------------

BODIES = [
    Org(code="H77", name="Ủy ban nhân dân tỉnh An Sơn"),
    Org(code="H77.02", name="Sở Nội vụ tỉnh An Sơn", parent="H77"),
    Org(code="H77.03", name="Sở Tài chính", parent="H77"),
    Org(code=OWN, name="UBND xã Hòa Sơn", parent="H77"),
    Org(code="H77.20", name="UBND xã Đồng Tâm", parent="H77"),
    Org(code="H77.21", name="UBND xã Đông Tâm", parent="H77"),
    Org(code="H77.30", name="UBND huyện Cũ", parent="H77", active=False, replaced_by="H77.20"),
    Org(code="H77.31", name="Trạm Thú y huyện Cũ", parent="H77", active=False),
    Org(code="H77.40", name="Trường Mầm non", parent="H77", channels=("paper",)),
    Org(code="H1.1", name="Văn phòng"),
    Org(code="H1.2", name="Văn phòng"),
]


@pytest.fixture
def told(space: Workspace) -> Callable[..., Resolution]:
    refresh(space, lambda _since: OrgPage(items=tuple(BODIES), cursor="c"))

    def work(*lines: str) -> Resolution:
        with space.store.view() as view:
            return resolve(view, OWN, lines)

    return work


def test_lines_are_read_as_they_stand_in_letters(told: Callable[..., Resolution]) -> None:
    found = told(
        "Nơi nhận:",
        "- Như Điều 3;",
        "- UBND tỉnh An Sơn (b/c);",
        "– SỞ NỘI VỤ TỈNH AN SƠN;",
        "- H77.03;",
        "- Xã bạn (H77.21);",
        "- UBND xã Hoà Sơn;",
        "- Lưu: VT, NC (2b).",
        "-",
    )
    assert found.codes == ("H77", "H77.02", "H77.03", "H77.21")
    assert not found.asked
    assert not found.paper
    assert [line.state for line in found.lines].count(LineState.NOBODY) == 3


def test_bodies_that_differ_in_diacritics_alone_are_told_apart(told: Callable[..., Resolution]) -> None:
    assert told("UBND xã Đồng Tâm").codes == ("H77.20",)
    assert told("ỦY BAN NHÂN DÂN XÃ ĐÔNG TÂM").codes == ("H77.21",)


def test_what_is_not_sure_is_asked_with_those_whom_it_may_mean(told: Callable[..., Resolution]) -> None:
    found = told("- Sở Nội vụ;", "- Văn phòng", "- Ông Nguyễn Văn Chưa Biết", "UBND xa Dong Tam")
    assert found.codes == ()
    assert [line.state for line in found.asked] == [LineState.ASK] * 4
    offered = [[one.code for one in line.candidates] for line in found.asked]
    assert offered[0] == ["H77.02"]
    assert offered[1] == ["H1.1", "H1.2"]
    assert offered[2] == []
    assert offered[3][:2] == ["H77.20", "H77.21"]


def test_the_clerk_is_asked_once(space: Workspace, told: Callable[..., Resolution]) -> None:
    for said in (
        KnownLine(line="Sở Nội vụ", codes=("H77.02", OWN)),
        KnownLine(line="Các phòng", codes=()),
        KnownLine(line="Ông A", paper=True),
    ):
        space.store.write(lambda tx, said=said: tx.receivers.remember(OWN, said, NOW, "hanh"))  # type: ignore[misc]
    found = told("- sở nội vụ;", "- Các phòng;", "- Ông A.")
    assert found.codes == ("H77.02",)
    assert [(one.name, one.reason) for one in found.paper] == [("Ông A", PaperReason.CHOSEN)]
    assert not found.asked
    assert all(line.remembered for line in found.lines)


def test_a_group_is_a_line_like_any_other(space: Workspace, told: Callable[..., Resolution]) -> None:
    group = ReceiverGroup(name="Các sở, ngành", codes=("H77.02", "H77.03", "H77.31"))
    space.store.write(lambda tx: tx.receivers.put_group(OWN, group, NOW))
    found = told("- Các Sở, ngành;", "- Sở Tài chính;")
    assert found.codes == ("H77.02", "H77.03")
    assert [(one.code, one.reason) for one in found.paper] == [("H77.31", PaperReason.INACTIVE)]


def test_who_cannot_be_reached_goes_on_paper_and_who_was_replaced_to_the_successor(
    space: Workspace, told: Callable[..., Resolution]
) -> None:
    found = told("UBND huyện Cũ", "Trạm Thú y huyện Cũ", "Trường Mầm non")
    assert found.codes == ("H77.20",)
    assert found.lines[0].reaches[0].replaced
    assert [(one.code, one.reason) for one in found.paper] == [
        ("H77.31", PaperReason.INACTIVE),
        ("H77.40", PaperReason.NO_CHANNEL),
    ]
    with space.store.view() as view:
        assert [one.reason for one in reach(view, ["H0", "H77"])] == [PaperReason.UNKNOWN, None]


def test_receivers_are_parted_by_how_they_get_a_document(space: Workspace, told: Callable[..., Resolution]) -> None:
    told()
    chosen = (
        PaperReceiver(name="UBND xã Đồng Tâm", code="H77.20", reason=PaperReason.CHOSEN),
        PaperReceiver(name="Trạm", code="H77.31", reason=PaperReason.INACTIVE),
    )
    space.store.write(lambda tx: tx.receivers.put_paper("d", chosen, NOW))
    codes = ("H77", "H77.30", "H77.31", "H77.40", "H0", "H77")
    with space.store.view() as view:
        found, apart, trusted = (
            part(view, view.receivers.paper("d"), codes),
            part(view, view.receivers.paper("e"), codes),
            part(view, view.receivers.paper("e"), codes, at_their_word=True),
        )
    # The successor of one that was replaced was put on paper by the clerk, another one stands on the list already.
    assert (found.send, [one.code for one in found.paper]) == (("H77",), ["H77.40", "H0"])
    assert (apart.send, [one.code for one in apart.paper]) == (("H77", "H77.20"), ["H77.31", "H77.40", "H0"])
    assert (trusted.send, [one.code for one in trusted.paper]) == (("H77", "H77.20", "H0"), ["H77.31", "H77.40"])


def test_lines_that_point_into_the_text_are_told_apart(told: Callable[..., Resolution]) -> None:
    lines = (
        "Như Điều 3",
        "Như điều III",
        "Như thành phần mời",
        "Như trên",
        "Như danh sách kèm theo",
        "Như Thanh",
        "Lưu: VT",
    )
    found = told(*lines)
    assert found.referred == lines[:5]
    assert [line.text for line in found.asked] == ["Như Thanh"]
    assert found.codes == found.named == ()


def test_without_a_directory_every_code_is_taken_at_its_word(space: Workspace) -> None:
    with space.store.view() as view:
        assert [(one.code, one.reason) for one in reach(view, ["H0", "H0"])] == [("H0", None)]
        assert resolve(view, OWN, ["Sở Nội vụ"]).asked[0].candidates == ()


@pytest.mark.parametrize(
    ("line", "text"),
    [("- Sở Nội vụ;", "Sở Nội vụ"), ("+ VT./.", "VT"), ("  – ", ""), ("NƠI NHẬN :", ""), ("A.B.", "A.B")],
)
def test_a_line_is_stripped_of_its_marks(line: str, text: str) -> None:
    assert clean(line) == text


def test_typed_receivers_are_parted_by_lines_and_semicolons() -> None:
    assert lines_of("H1; - Sở Nội vụ;\n\nCác sở, ngành") == ("H1", "Sở Nội vụ", "Các sở, ngành")
