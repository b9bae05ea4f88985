"""What the pane of outgoing documents says and understands; no window, no store."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from signer_app.desk.inbox_folder import InboxLook
from signer_app.desk.tokens import CertificateView, Life, TokensSnapshot, TokenView
from signer_app.exchange.directory import Directory, KnownOrganisation
from signer_app.exchange.receivers import Resolution
from signer_app.outgoing.model import (
    Added,
    Changes,
    Draft,
    DraftAttachment,
    DraftFile,
    FileRole,
    Finding,
    Left,
    Note,
    Profile,
    Row,
    Severity,
    State,
    Urgency,
)
from signer_app.outgoing.paste import read_cells
from signer_app.pdf.geometry import Rect
from signer_app.pdf.model import CopyForm, CopyOrder, LetterFacts
from signer_app.pdf.plan import VIETNAM, Mark, Placement
from signer_app.signing.batch import Outcome
from signer_app.store.model import FileState, OutboxPacket, OutboxState
from signer_app.store.settings import CertificateRole
from signer_resources.errors import KnownError
from signer_resources.messages import Lang
from signer_sync.contract import PacketKind
from signer_token.model import PinState, Token, TokenCertificate
from signer_ui.presenters.grid import Shade
from signer_ui.presenters.outgoing import (
    ATTACHED,
    DATE,
    KIND,
    NUMBER,
    RECEIVERS,
    SIGNER,
    STATE,
    SUBJECT,
    URGENCY,
    Line,
    Organisations,
    columns,
    ticked,
)
from signer_ui.presenters.outgoing_details import details, page_of, pages_of
from signer_ui.presenters.outgoing_kinds import KINDS, Kind, copy_question, kind_named, kind_text, menu_text, role_for
from signer_ui.presenters.outgoing_news import added_view, inbox_view, is_one_cell, left_view, paste_view
from signer_ui.presenters.outgoing_signing import Part, at_a_time, must_choose, press, question, signers, to_examine
from signer_ui.presenters.outgoing_totals import Totals
from signer_ui.presenters.outgoing_typing import copied_down, to_number, to_paste, typed
from signer_ui.words import Words

VI = Words("vi")
NOW = dt.datetime(2026, 11, 20, 8, 42, tzinfo=VIETNAM)
TODAY = NOW.date()
AGENCY, LEADER = "a" * 64, "b" * 64
DIRECTORY = Directory(
    NOW,
    (
        KnownOrganisation("H77.02", "Sở Nội vụ"),
        KnownOrganisation("H77.03", "Sở Tài chính"),
        KnownOrganisation("H77.9", "Sở Nội vụ cũ", active=False),
        KnownOrganisation("H1", "Văn phòng"),
        KnownOrganisation("H2", "Văn phòng"),
    ),
)


def _file(name: str, role: FileRole = FileRole.MAIN, profile: Profile = Profile.AGENCY) -> DraftFile:
    facts = LetterFacts(pages=2)
    return DraftFile(
        id=f"file {name}", name=name, path=f"/{name}", output="", role=role, profile=profile, blob="0" * 64, facts=facts
    )


def line(
    name: str = "thu.pdf",
    state: State = State.READY,
    *,
    findings: tuple[Finding, ...] = (),
    profile: Profile = Profile.AGENCY,
    more: tuple[DraftFile, ...] = (),
    packet: OutboxPacket | None = None,
    proposal: str | None = None,
    notes: tuple[Note, ...] = (),
    outcomes: tuple[Outcome, ...] = (),
    **facts: object,
) -> Line:
    main = _file(name, profile=profile)
    draft = Draft(id=name, files=(main, *more), created_at=NOW, position=0, **facts)  # type: ignore[arg-type]
    row = Row(
        draft,
        state,
        draft.date or TODAY,
        findings={main.id: findings},
        proposal=proposal,
        notes=notes,
        outcomes=outcomes,
    )
    return Line(row, packet)


def packet(state: OutboxState, accepted_at: dt.datetime | None = None, error_code: str | None = None) -> OutboxPacket:
    return OutboxPacket(
        packet_id="p",
        org="H77.15",
        kind=PacketKind.NEW,
        sha256="0" * 64,
        size=1,
        urgency=Urgency.NORMAL,
        created_at=NOW,
        state=state,
        attempts=0,
        accepted_at=accepted_at,
        error_code=error_code,
        error_params={"host": "máy chủ"},
    )


def shown(one: Line, key: str) -> str:
    known = Organisations.of(DIRECTORY, VI)
    return next(column.text(one) for column in columns(lambda: known, lambda: NOW, VI) if column.key == key)


def plugged(*roles: CertificateRole) -> TokensSnapshot:
    views = []
    for place, role in enumerate(roles):
        certificate = TokenCertificate(
            sha256=(AGENCY, LEADER)[role is CertificateRole.PERSONAL][:-1] + str(place),
            serial="1",
            subject="CN=UBND xã A",
            issuer="CN=CA",
            common_name="UBND xã A",
            organization="UBND xã A",
            not_before=NOW,
            not_after=NOW,
            der=b"",
            key="RSA-2048",
            usable_for_signing=True,
        )
        token = Token("T", "1", "", "", Path("m.so"), PinState.OK, (certificate,))
        views.append(TokenView(token, (CertificateView(certificate, role, True, None, Life.VALID, 100),)))
    return TokensSnapshot(tuple(views), looked=True)


# --- cells ------------------------------------------------------------------------------------------------------------


def test_a_row_says_in_words_where_it_stands_to_the_receipt_of_the_server() -> None:
    assert [shown(line(state=state), STATE) for state in State] == [
        *("Chờ kiểm tra", "Chờ số", "Sẵn sàng", "Cần xem", "Không ký được", "Đang ký", "Đã ký"),
    ]  # fmt: skip
    signed = line(state=State.SIGNED, packet=packet(OutboxState.QUEUED))
    assert shown(signed, STATE) == VI("outbox_queued")
    received = line(state=State.SIGNED, packet=packet(OutboxState.ACCEPTED, accepted_at=NOW.astimezone(dt.UTC)))
    assert shown(received, STATE) == "Máy chủ đã nhận lúc 08:42"


def test_a_number_that_is_only_proposed_stands_in_brackets() -> None:
    assert shown(line(number="125", notation="UBND-VP"), NUMBER) == "125/UBND-VP"
    assert shown(line(notation="UBND-VP", proposal="126"), NUMBER) == "(126)/UBND-VP"
    assert shown(line(proposal="126"), NUMBER) == "(126)"
    assert shown(line(notation="UBND-VP"), NUMBER) == "UBND-VP"


def test_type_and_subject_stand_in_one_cell_and_the_type_only_once() -> None:
    assert shown(line(type="Quyết định", subject="Về việc nghỉ lễ"), SUBJECT) == "Quyết định: Về việc nghỉ lễ"
    assert shown(line(type="Quyết định", subject="Quyết định nghỉ lễ"), SUBJECT) == "Quyết định nghỉ lễ"
    assert shown(line("giay-moi.pdf"), SUBJECT) == "giay-moi.pdf"


def test_receivers_are_shown_by_name_where_the_name_is_theirs_alone() -> None:
    assert shown(line(receivers=("H77.02", "H1", "X9")), RECEIVERS) == "Sở Nội vụ; H1; X9"


def test_suggestions_are_those_who_still_receive() -> None:
    known = Organisations.of(DIRECTORY, VI)
    assert [(one.value, one.shown) for one in known.suggestions] == [
        ("Sở Nội vụ", "Sở Nội vụ (H77.02)"),
        ("Sở Tài chính", "Sở Tài chính (H77.03)"),
        ("H1", "Văn phòng (H1)"),
        ("H2", "Văn phòng (H2)"),
    ]


def test_enclosures_and_urgency_are_told_in_words() -> None:
    assert shown(line(), ATTACHED) == ""
    assert shown(line(more=(_file("pl.pdf", FileRole.APPENDIX),)), ATTACHED) == "1 tệp"
    assert shown(line(urgency=Urgency.HOA_TOC), URGENCY) == "Hỏa tốc"


def test_only_what_can_be_signed_has_a_box() -> None:
    boxes = {state: ticked(line(state=state, ticked=True)) for state in State}
    assert {state for state, box in boxes.items() if box is not None} == {State.CHECKING, State.READY, State.WARNING}


# --- kinds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_kind_has_a_name_of_its_own_and_is_found_by_it(lang: Lang) -> None:
    words = Words(lang)
    assert {kind.profile for kind in KINDS} == set(Profile)
    assert [kind_named(kind_text(kind, words), words) for kind in KINDS] == list(KINDS)
    keys = [menu_text(kind, words).partition("&")[2][:1].casefold() for kind in KINDS]
    assert all(keys)
    assert len(set(keys)) == len(keys)


def test_who_signs_a_kind_is_what_the_rules_say() -> None:
    agency, person = CertificateRole.AGENCY, CertificateRole.PERSONAL
    assert {profile: role_for(profile, TODAY) for profile in Profile} == {
        Profile.AGENCY: agency,
        Profile.APPENDIX: agency,
        Profile.COPY: agency,
        Profile.ARCHIVE: agency,
        Profile.LEADER: person,
        Profile.INITIAL: person,
        Profile.PLAIN: None,
    }


def test_what_takes_no_number_shows_none_and_asks_for_no_receivers() -> None:
    for profile in (Profile.LEADER, Profile.INITIAL, Profile.ARCHIVE, Profile.PLAIN):
        one = line(profile=profile, number="125", notation="UBND-VP", receivers=("H1",))
        assert [shown(one, key) for key in (NUMBER, DATE, RECEIVERS)] == ["", "", ""]
        closed = [column.editor for column in columns(Organisations, lambda: NOW, VI) if column.key in (NUMBER, DATE)]
        assert not any(editor is not None and editor.allowed(one) for editor in closed)
    assert shown(line(profile=Profile.APPENDIX, number="125", notation="UBND-VP"), NUMBER) == "125/UBND-VP"


def test_a_kind_is_typed_into_its_cell_and_copied_down_and_who_ordered_a_copy_stays_known() -> None:
    order = CopyOrder(CopyForm.SAO_Y, "Trần Văn An, Chủ tịch")
    copy = line("a", profile=Profile.COPY, copy=order)
    assert shown(copy, KIND) == "Sao y"
    asked = CopyOrder(CopyForm.TRICH_SAO, order.ordered_by)
    assert typed(copy.draft, KIND, "Trích sao", TODAY, VI) == Changes(profile=Profile.COPY, copy=asked)
    assert copied_down(KIND, copy, [copy, line("b")]) == {
        "b": Changes(profile=Profile.COPY, copy=CopyOrder(CopyForm.SAO_Y, "")),
    }
    assert Kind(Profile.ARCHIVE).changes(copy.draft) == Changes(profile=Profile.ARCHIVE)


def test_the_kinds_are_a_column_of_their_own_only_where_one_is_out_of_the_ordinary() -> None:
    assert not Totals.of([line("a"), line("b")]).kinds_differ
    assert Totals.of([line("a"), line("b", profile=Profile.COPY)]).kinds_differ


def test_a_copy_asks_who_ordered_it_and_says_that_an_electronic_original_is_not_copied() -> None:
    asked = copy_question(line(profile=Profile.COPY).draft, VI)
    assert asked is not None
    assert (asked.form, asked.open) == (CopyForm.SAO_Y, True)
    assert "bản gốc điện tử" in asked.told
    assert copy_question(line().draft, VI) is None


# --- what is typed ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "text", "changes"),
    [
        (NUMBER, "5", Changes(number="05")),
        (NUMBER, "125/UBND – VP", None),
        (NUMBER, "125/UBND-VP", Changes(number="125", notation="UBND-VP")),
        (NUMBER, "", Changes(number="")),
        (DATE, "3/2", Changes(date=dt.date(2026, 2, 3))),
        (DATE, "19.11.2026", Changes(date=dt.date(2026, 11, 19))),
        (DATE, "", Changes(date=None)),
        (DATE, "31/02/2026", None),
        (SUBJECT, " Về   việc ", Changes(subject="Về việc")),
        (SIGNER, "Trần Thị B", Changes(signer="Trần Thị B")),
        (URGENCY, "Hỏa tốc", Changes(urgency=Urgency.HOA_TOC)),
    ],
)
def test_what_is_typed_into_a_cell_is_read_or_refused(column: str, text: str, changes: Changes | None) -> None:
    if changes is None:
        with pytest.raises(KnownError) as told:
            typed(line().draft, column, text, TODAY, VI)
        assert told.value.code.endswith("_unreadable")
    else:
        assert typed(line().draft, column, text, TODAY, VI) == changes


def test_a_cell_is_copied_down_but_a_number_never() -> None:
    source, other, signed = line("a", receivers=("H1",), number="5"), line("b"), line("c", State.SIGNED)
    assert copied_down(RECEIVERS, source, [source, other, signed]) == {"b": Changes(receivers=("H1",))}
    assert copied_down(NUMBER, source, [source, other]) == {}


# --- what is to be done -----------------------------------------------------------------------------------------------


def test_what_was_not_examined_with_the_certificate_that_signs_is_examined_the_one_in_view_first() -> None:
    one, two, signed = line("a", number="1"), line("b", number="2"), line("c", State.SIGNED)
    certificates = {Profile.AGENCY: AGENCY}
    asked = {key.id: question(key.draft, AGENCY, TODAY) for key in (one, two)}
    assert to_examine([one, two, signed], {}, certificates, TODAY, "b") == Part(("b", "a"), Profile.AGENCY, asked)
    assert to_examine([one, two, signed], asked, certificates, TODAY, "b") == Part()
    assert to_examine([line("a", number="3"), two], asked, certificates, TODAY, None).pending == ("a",)
    assert to_examine([one, two], asked, {}, TODAY, None).pending == ("a", "b")
    assert to_examine([one, two], asked, certificates, TODAY + dt.timedelta(days=1), None).pending == ("a", "b")
    hurried = line("a", number="1", urgency=Urgency.HOA_TOC)
    copied = line("b", number="2", copy=CopyOrder(CopyForm.SAO_Y, "An"))
    assert to_examine([hurried, copied], asked, certificates, TODAY, None).pending == ("a", "b")


def test_what_signs_documents_of_the_body_is_examined_last_and_never_more_than_a_part_at_once() -> None:
    rows = [line(f"d{number}") for number in range(20)]
    leader = line("l", profile=Profile.LEADER)
    first = to_examine([*rows, leader], {}, {}, TODAY, None)
    assert (first.profile, list(first.questions), len(first.pending)) == (Profile.LEADER, ["l"], 21)
    then = to_examine([*rows, leader], dict(first.questions), {}, TODAY, "d7")
    assert (then.profile, list(then.questions)[:2], len(then.questions)) == (
        Profile.AGENCY,
        ["d7", "d0"],
        at_a_time(21),
    )


def test_next_numbers_go_to_several_chosen_rows_or_to_all_that_lack_one() -> None:
    rows = [line("a", proposal="1"), line("b", number="7", proposal=None), line("c", proposal="2")]
    assert to_number(rows, ()) == ("a", "c")
    assert to_number(rows, ("b",)) == ("a", "c")
    assert to_number(rows, ("b", "c")) == ("c",)


def test_a_paste_fills_the_chosen_rows_or_those_from_the_cursor_on() -> None:
    shown = ("a", "b", "c", "d")
    assert to_paste(shown, ("b", "d"), "b") == ("b", "d")
    assert to_paste(shown, ("c",), "c") == ("c", "d")
    assert to_paste(shown, (), None) == shown


def test_the_sum_of_the_preflight_is_told_as_clerks_say_it() -> None:
    rows = [line(state=State.READY)] * 38 + [line(state=State.WARNING), line(state=State.REFUSED)]
    assert Totals.of(rows).summary(VI) == "Kiểm tra trước khi ký: 38 sẵn sàng · 1 cần xem · 1 không ký được"
    assert Totals().summary(VI) == ""


# --- the button -------------------------------------------------------------------------------------------------------


def test_the_button_says_how_many_it_signs_and_what_happens_to_them() -> None:
    rows = [
        line("a", ticked=True, receivers=("H1",)),
        line("b", ticked=True),
        line("c", State.REFUSED, ticked=True),
        line("d", ticked=False, receivers=("H1",)),
    ]
    tokens = signers(plugged(CertificateRole.AGENCY))
    told = press(Totals.of(rows), {Profile.AGENCY: tokens[0].sha256}, tokens, TODAY, VI)
    assert (told.text, told.ids, told.sends, told.error) == ("Ký số và gửi (2)", ("a", "b"), True, None)
    assert told.certificate == tokens[0].sha256
    assert "«UBND xã A»" in told.hint
    assert "Gửi 1 văn bản" in told.hint
    kept = press(Totals.of([rows[1]]), {Profile.AGENCY: AGENCY}, tokens, TODAY, VI)
    assert (kept.text, kept.sends) == ("Chỉ ký (1)", False)
    assert press(Totals.of([rows[2]]), {}, tokens, TODAY, VI).ids == ()


def test_without_a_certificate_that_fits_the_button_leads_to_the_reason() -> None:
    rows = [line("a", ticked=True)]
    none = press(Totals.of(rows), {}, (), TODAY, VI)
    assert none.error is not None
    assert none.error.code == "no_token"
    wrong = press(Totals.of(rows), {}, signers(plugged(CertificateRole.PERSONAL)), TODAY, VI)
    assert wrong.error is not None
    assert (wrong.error.code, wrong.hint) == ("certificate_none_fits", VI("uo_hint_no_fit"))
    two = signers(plugged(CertificateRole.AGENCY, CertificateRole.AGENCY))
    assert press(Totals.of(rows), {}, two, TODAY, VI).hint == VI("uo_hint_choose")
    assert must_choose(Totals.of(rows), two, TODAY)
    assert not must_choose(Totals.of(rows), signers(plugged(CertificateRole.AGENCY, CertificateRole.PERSONAL)), TODAY)


def test_what_a_leader_signs_is_kept_and_nobody_speaks_of_receivers() -> None:
    tokens = signers(plugged(CertificateRole.PERSONAL))
    totals = Totals.of([line(profile=Profile.LEADER, ticked=True)])
    told = press(totals, {Profile.LEADER: tokens[0].sha256}, tokens, TODAY, VI)
    assert (told.text, told.sends) == ("Chỉ ký (1)", False)
    assert told.hint.endswith("Ký và giữ lại, không gửi.")
    assert not must_choose(Totals.of([line(profile=Profile.COPY)]), signers(plugged(*CertificateRole)), TODAY)


def test_totals_that_follow_each_change_are_those_of_all_rows() -> None:
    rows = {one.id: one for one in (
        line("a", ticked=True, receivers=("H1",)),
        line("b", State.NEEDS_NUMBER, urgency=Urgency.HOA_TOC),
        line("c", profile=Profile.COPY, ticked=True),
    )}  # fmt: skip
    totals = Totals.of(rows.values())
    for changed in (
        line("b", ticked=True, urgency=Urgency.HOA_TOC),
        line("a", State.SIGNED, ticked=True, receivers=("H1",)),
        line("c", State.REFUSED),
        line("a", ticked=True),
    ):
        totals = totals.replaced([(rows[changed.id], changed)])
        rows[changed.id] = changed
        assert totals == Totals.of(rows.values())
    assert set(totals.wanted) == {"a", "b"}
    assert totals.hurried([]) == (rows["b"],)


def test_the_more_wait_the_more_are_examined_before_the_rows_are_read_anew() -> None:
    assert [at_a_time(rows) for rows in (1, 500, 10_000, 100_000)] == [8, 8, 156, 1562]


# --- one document -----------------------------------------------------------------------------------------------------


def test_reasons_are_told_with_refusals_first_and_news_last() -> None:
    found = (
        Finding("issued_before", Severity.WARNING, {"number": "12/UBND"}),
        Finding("number_missing", Severity.REFUSED),
    )
    told = details(line(state=State.REFUSED, findings=found, notes=(Note("out_no_receivers"),)), NOW, VI).told
    assert [one.shade for one in told] == [Shade.BAD, Shade.WARN, Shade.MUTED]
    assert told[0].what == "Chưa có số văn bản."
    assert all(one.what for one in told)


def test_a_document_without_faults_says_so_and_lists_its_files() -> None:
    seen = details(line("to-trinh.pdf", more=(_file("pl 1.pdf", FileRole.APPENDIX),)), NOW, VI)
    assert [one.what for one in seen.told] == [VI("uo_nothing_wrong")]
    assert [file.text for file in seen.files] == ["Chính: to-trinh.pdf (2 trang)", "Phụ lục: pl 1.pdf (2 trang)"]


def test_what_asks_for_a_hand_comes_before_what_needs_a_look_and_is_said_once() -> None:
    found = (
        Finding("out_date_year", Severity.WARNING, {"date": "1", "year": "2"}),
        Finding("place_unsure", Severity.WARNING, {"page": "3"}),
        Finding("out_place_unsure", Severity.WARNING),
    )
    told = details(line(state=State.WARNING, findings=found), NOW, VI).told
    year = VI.explain(KnownError("out_date_year", date="1", year="2"))
    assert [one.what for one in told] == ["Chưa chắc vị trí đóng dấu.", year.what]
    assert (told[0].page, told[0].file) == (2, "file thu.pdf")
    assert told[1].page is None


@pytest.mark.parametrize(
    ("params", "page"),
    [
        ({"where": "2, 5-9, OpenAction", "what": "x"}, 1),
        ({"where": "OpenAction"}, None),
        ({"page": "4"}, 3),
        ({"page": "2 sở nội vụ"}, None),
        ({"where": "0"}, None),
        ({}, None),
    ],
)
def test_a_reason_leads_to_the_first_page_that_it_names(params: dict[str, str], page: int | None) -> None:
    assert page_of(Finding("hidden_layer", Severity.REFUSED, params)) == page


def test_where_a_mark_lands_is_said_with_the_rule_that_found_its_place() -> None:
    plain = line()
    seal = Placement(Mark.SEAL, 2, Rect(1, 1, 38, 38), "leader_signature", True)
    number = Placement(Mark.NUMBER, 1, Rect(1, 1, 9, 5), "number_line", True)
    placed = replace(plain, row=replace(plain.row, placements={plain.draft.main.id: (number, seal)}))
    told = details(placed, NOW, VI).told
    assert [(one.what, one.page) for one in told[1:]] == [("Con dấu: trang 2. Cạnh chữ ký của lãnh đạo.", 1)]


def test_what_goes_along_is_listed_with_size_and_hash_and_why_it_stays_what_it_is() -> None:
    item = DraftAttachment(id="x", name="so-lieu.xlsx", path="/so-lieu.xlsx", output="", blob="ab" * 32, size=2 << 20)
    reason = KnownError("office_missing", name=item.name)
    with_it = replace(line(attachments=(item,)), no_pdf={"x": reason})
    seen = details(with_it, NOW, VI).along[0]
    assert seen.text.splitlines() == ["so-lieu.xlsx", "Kèm theo · 2,0 MB · SHA-256 abababababab…"]
    assert (seen.sha256, seen.no_pdf) == ("ab" * 32, reason)
    assert shown(with_it, ATTACHED) == "1 tệp"


def test_a_repaired_file_can_be_seen_as_it_came() -> None:
    plain = line().row
    file = msgspec.structs.replace(plain.draft.main, original="cd" * 32)
    assert pages_of(plain, file, before=True) == ("cd" * 32, None)
    assert pages_of(plain, file) == (file.blob, None)
    assert pages_of(plain, plain.draft.main, before=True) == (file.blob, None)


def test_a_signed_document_tells_level_receipt_and_what_hinders_the_sending() -> None:
    outcome = Outcome("in", "out", FileState.SIGNED, level="b-t")
    waiting = packet(OutboxState.NEEDS_PERSON, error_code="server_unreachable")
    seen = details(line(state=State.SIGNED, packet=waiting, outcomes=(outcome,)), NOW, VI)
    assert "B-T" in seen.told[0].what
    assert seen.told[1].shade is Shade.BAD
    assert seen.told[1].why


def test_what_signing_would_do_is_not_said_of_a_signed_document() -> None:
    warnings = tuple(Finding(code, Severity.WARNING) for code in ("two_signatures", "number_line_missing"))
    outcome = Outcome("in", "out", FileState.SIGNED, level="b-t", warnings=warnings)
    seen = details(line(state=State.SIGNED, outcomes=(outcome,)), NOW, VI)
    said = [one.what for one in seen.told]
    assert VI.explain(KnownError("two_signatures")).what not in said
    assert len(said) == 2


def test_the_pages_shown_are_those_of_the_signed_file_once_there_is_one() -> None:
    signed = line(state=State.SIGNED).row
    file = signed.draft.main
    outcome = Outcome("in", "out", FileState.SIGNED, sha256_in=file.blob, sha256_out="ab" * 32)
    assert pages_of(signed, file) == (file.blob, signed.plans.get(file.id))
    assert pages_of(replace(signed, outcomes=(outcome,)), file) == ("ab" * 32, None)


# --- what was not taken, what would be pasted -------------------------------------------------------------------------


def test_files_that_were_not_taken_are_told_with_their_reasons_and_secret_ones_apart() -> None:
    left = [Left("mat.pdf", KnownError("secret"))]
    left += [Left(f"{n}.docx", KnownError("out_not_pdf", name=f"{n}.docx")) for n in range(8)]
    view = left_view(left, VI)
    assert view.secret == ("mat.pdf",)
    assert view.heading == "8 tệp chưa thêm được."
    assert view.lines.count("\n") == 6
    assert view.lines.endswith("… và 2 tệp khác.")
    assert "mat.pdf" not in view.lines
    stopped = added_view(Added((), (), interrupted=True), VI)
    assert stopped.heading == VI("uo_left_stopped")


def test_what_is_to_be_known_of_files_that_came_is_told_with_why_and_what_to_do() -> None:
    note = Note("out_signed_before", {"name": "a.pdf", "date": "20/11/2026"})
    told = VI.explain(KnownError(note.code, **note.params))
    alone = added_view(Added((), (), notes=(note,)), VI)
    assert (alone.heading, alone.lines, alone.do, alone.good) == (told.what, told.why, told.do, False)
    several = added_view(Added((), (), notes=(note,) * 8), VI)
    assert several.heading == "Có 8 điều cần xem."
    assert several.lines.split("\n")[0] == f"{told.what} {told.why} {told.do}"
    assert several.lines.endswith("… và 2 điều khác.")
    left = Left("b.docx", KnownError("out_not_pdf", name="b.docx"))
    both = added_view(Added((), (left,), notes=(note,)), VI)
    assert both.heading == "1 tệp chưa thêm được."
    assert both.lines.startswith("b.docx: ")
    assert both.lines.endswith(told.do)


def test_the_inbox_folder_tells_what_came_what_did_not_and_what_is_wrong_with_it() -> None:
    draft, fault = line().draft, KnownError("inbox_folder_gone", folder="/x")
    told = VI.explain(fault)
    good = inbox_view([InboxLook((draft,)), InboxLook((draft,))], VI)
    assert (good.heading, good.good) == ("2 văn bản mới từ thư mục chờ ký", True)
    gone = inbox_view([InboxLook(fault=fault)], VI)
    assert (gone.heading, gone.lines, gone.do) == (told.what, told.why, told.do)
    note = Note("out_signed_before", {"name": "a.pdf", "date": "20/11/2026"})
    left = Left("b.pdf", KnownError("pdf_unreadable"))
    lines = inbox_view([InboxLook((draft,), (left,), notes=(note,)), InboxLook(fault=fault)], VI).lines.split("\n")
    assert [part[:5] for part in lines] == ["1 tệp", "b.pdf", told.what[:5], "Tệp a"]


def nobody(_lines: Sequence[str]) -> Resolution:
    """For pastes without receivers."""
    return Resolution()


def test_a_paste_says_what_it_would_change_before_it_does() -> None:
    text = "Số, ký hiệu\tNgày\tLạ\r\n12/UBND-VP\t20/11/2026\tx\r\n13/UBND-VP\t31/31/2026\t\r\n14/UBND-VP\t\t\r\n15\t\t"
    view = paste_view(read_cells(text, nobody), 3, VI)
    assert view.possible
    assert view.question == "Dán vào 2 văn bản: 2 số · 1 ngày."
    assert view.problems.splitlines() == [
        "Dòng 3: «31/31/2026» không phải ngày.",
        "Dòng có ô không đọc được thì không dán.",
        "Thừa 1 dòng, không có văn bản để dán.",
        "Không dùng cột: Lạ.",
    ]
    assert not paste_view(read_cells("Ngày\nabc", nobody), 3, VI).possible


def test_a_single_value_is_told_from_a_column() -> None:
    assert is_one_cell("125/UBND-VP\r\n")
    assert not is_one_cell("125\n126")
    assert not is_one_cell("125\t20/11/2026")
