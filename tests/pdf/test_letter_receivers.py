"""Whom a letter is for: Kính gửi and Nơi nhận (ô 9a, 9b), as they stand on pages."""

import io
from collections.abc import Sequence

import msgspec
import pikepdf
import pytest

from signer_app.pdf.letter import find_addressees, find_receivers
from signer_app.pdf.model import LetterFacts
from signer_app.pdf.pages import Pages
from signer_app.pdf.pagetext import PageText, open_document
from signer_resources import samples
from tests.pdf.paper import (
    BOLD,
    RECEIVERS,
    TURNS,
    Words,
    document_of,
    head,
    letter,
    page_of,
    read,
    read_all,
    signer_block,
    turned,
    typed,
)

SET = samples.load()
OF_SAMPLES = {
    "quyet-dinh": (
        "Như Điều 5",
        "UBND tỉnh An Sơn (để b/c)",
        "Sở Nội vụ (để b/c)",
        "Thường trực HĐND xã",
        "Ủy ban MTTQ Việt Nam xã",
    ),
    "cong-van": ("Sở Nội vụ tỉnh An Sơn", "UBND tỉnh An Sơn (để b/c)", "Các phòng chuyên môn"),
    "giay-moi": ("Như thành phần mời", "Thường trực Đảng ủy, HĐND xã (để b/c)", "Chủ tịch, các PCT UBND xã"),
    "bao-cao-40-trang": (
        "UBND tỉnh An Sơn (để b/c)",
        "Sở Nội vụ",
        "Thường trực Đảng ủy, HĐND xã",
        "Ủy ban MTTQ Việt Nam xã",
        "Các phòng chuyên môn, các thôn",
    ),
    "to-trinh": ("Ủy ban nhân dân tỉnh An Sơn", "Thường trực HĐND xã (để b/c)", "Phòng Kinh tế"),
    "huong-dan-lien-tich": (
        "Ủy ban nhân dân tỉnh An Sơn (để b/c)",
        "Trưởng thôn, Ban Công tác Mặt trận các thôn",
    ),
    "thong-bao": (
        "Thường trực HĐND xã (để b/c)",
        "Ủy ban MTTQ Việt Nam xã",
        "UBND xã Hòa Bình (để p/h)",
        "Các thôn (để niêm yết)",
    ),
    "ke-hoach": ("UBND tỉnh An Sơn (để b/c)", "Sở Nội vụ", "Các phòng chuyên môn, các thôn"),
    "van-ban-mat": ("Ủy ban nhân dân tỉnh An Sơn", "Công an xã"),
}


def _page(*lines: str, left: float = 30, top: float = 180, step: float = 5) -> PageText:
    """A page with these lines below each other, and ô 7 beside them."""
    words = [Words(left, top + step * i, line, size=11) for i, line in enumerate(lines)]
    return read(page_of([*head(), *words, *signer_block()]))


def _received(*lines: str) -> tuple[str, ...]:
    return find_receivers([_page("Nơi nhận:", *lines)])


def _addressed(*lines: tuple[float, str], step: float = 7) -> tuple[str, ...]:
    """What is read of lines from 70 mm down: left edge and text."""
    words = [Words(x, 70 + step * i, line, size=14) for i, (x, line) in enumerate(lines)]
    return find_addressees(read(page_of([*head(), *words])))


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param(one, id=one.id, marks=[pytest.mark.long] if one.id == "bao-cao-40-trang" else [])
        for one in SET.samples
    ],
)
def test_the_receivers_of_every_sample_are_read(sample: samples.Sample) -> None:
    assert find_receivers(read_all(samples.file(sample.main))) == OF_SAMPLES[sample.id]


# --- ô 9b --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bullet", ["- ", "– ", "-", "+ ", "• ", "−  "])
def test_each_bullet_is_a_receiver_without_its_marks(bullet: str) -> None:
    found = _received(f"{bullet}Sở Nội vụ;", f"{bullet}UBND tỉnh (b/c)./.", f"{bullet}Lưu: VT, VP.")
    assert found == ("Sở Nội vụ", "UBND tỉnh (b/c)")


@pytest.mark.parametrize(
    "heading", ["Nơi nhận:", "NƠI NHẬN :", "Nơi nhận", "Noi nhan:", "Nơi nhận;", "Nơi nhận:      TM. ỦY BAN NHÂN DÂN"]
)
def test_the_heading_is_known_however_it_is_typed(heading: str) -> None:
    assert find_receivers([_page(heading, "- Sở Nội vụ;", "- Lưu: VT.")]) == ("Sở Nội vụ",)


@pytest.mark.parametrize(
    "lines",
    [
        ("- Thường trực Đảng ủy, Hội đồng nhân dân", "và Ủy ban MTTQ Việt Nam xã;", "- Lưu: VT."),
        ("- Thường trực Đảng ủy, Hội đồng nhân dân và", "  Ủy ban MTTQ Việt Nam xã;", "- Lưu: VT,", "VP, NC."),
    ],
)
def test_lines_that_go_on_are_joined(lines: Sequence[str]) -> None:
    assert _received(*lines) == ("Thường trực Đảng ủy, Hội đồng nhân dân và Ủy ban MTTQ Việt Nam xã",)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        # Several of them on a line, brackets that hold a semicolon, brackets that never end.
        (("- Sở Nội vụ; Sở Tài chính;", "- Lưu: VT."), ("Sở Nội vụ", "Sở Tài chính")),
        (("- Sở Nội vụ; - Sở Tài chính; - Lưu: VT.",), ("Sở Nội vụ", "Sở Tài chính")),
        (("- Sở Nội vụ (b/c; để biết);", "- Lưu: VT."), ("Sở Nội vụ (b/c; để biết)",)),
        (("- Sở Nội vụ (b/c; Sở Tài chính;", "- Lưu: VT."), ("Sở Nội vụ (b/c", "Sở Tài chính")),
        # Without bullets.
        (("Sở Nội vụ;", "Sở Tài chính;", "Lưu: VT, NC."), ("Sở Nội vụ", "Sở Tài chính")),
        (("Sở Nội vụ", "Sở Tài chính", "Lưu VT"), ("Sở Nội vụ", "Sở Tài chính")),
        # The file copy, with and behind what belongs to it.
        (("- Sở Nội vụ;", "- Lưu: VT; NC (3b)."), ("Sở Nội vụ",)),
        (("- Lưu: VT; - Sở Nội vụ;",), ("Sở Nội vụ",)),
        (("- Sở Nội vụ;", "- Lưu: VT.", "- PCT UBND xã."), ("Sở Nội vụ", "PCT UBND xã")),
        (("- Sở Nội vụ;", "- Lưu: VT.", "Hòa 12b"), ("Sở Nội vụ",)),
        # Once is enough, and marks alone are nobody.
        (("- Sở Nội vụ;", "- SỞ NỘI VỤ;", "- ;", "- …"), ("Sở Nội vụ",)),
        # A person may be called Lưu.
        (("- Ông Lưu Văn An;", "- Lưu: VT."), ("Ông Lưu Văn An",)),
    ],
)
def test_odd_lists_are_read(lines: Sequence[str], found: Sequence[str]) -> None:
    assert _received(*lines) == found


def test_a_bullet_that_stands_apart_belongs_to_its_line() -> None:
    words = [Words(30, 180, "Nơi nhận:", BOLD, 12)]
    for i, (left, right) in enumerate((("-", "Sở Nội vụ;"), ("-", "Lưu:"))):
        words += [Words(30, 185 + 5 * i, left, size=11), Words(40, 185 + 5 * i, right, size=11)]
    words.append(Words(55, 190, "VT, VP.", size=11))
    assert find_receivers([read(page_of([*head(), *words]))]) == ("Sở Nội vụ",)


def test_the_signers_title_beside_it_is_no_receiver() -> None:
    near = typed(
        [
            Words(30, 180, "Nơi nhận: TM. ỦY BAN NHÂN DÂN", BOLD, 11),
            Words(30, 185, "- Sở Nội vụ; PHÓ CHỦ TỊCH", size=11),
            Words(30, 190, "- Sở Y tế; VPCP;", size=11),
            Words(30, 195, "- Lưu: VT. Nguyễn Thị Phượng", size=11),
        ]
    )
    assert find_receivers([near]) == ("Sở Nội vụ", "Sở Y tế", "VPCP")
    apart = [Words(30, 186, "- Sở Nội vụ;", size=11), Words(90, 186, "KT. CHỦ TỊCH", BOLD, 13)]
    assert find_receivers([read(page_of([Words(30, 180, "Nơi nhận:", BOLD, 12), *apart]))]) == ("Sở Nội vụ",)


def test_what_stands_further_down_belongs_to_no_receiver() -> None:
    words = [*RECEIVERS, Words(30, 270, "- Địa chỉ: thôn Bãi Thượng", size=11)]
    assert find_receivers([read(page_of([*head(), *words]))]) == ("Như trên",)
    close = [Words(30, 180, "Nơi nhận:", size=11), Words(30, 185, "- Sở Y tế", size=11)]
    below = Words(30, 196, "Địa chỉ: thôn Bãi Thượng", size=11)
    assert find_receivers([read(page_of([*head(), *close, below]))]) == ("Sở Y tế",)


@pytest.mark.parametrize(
    "text",
    ["Nơi nhận hồ sơ: Bộ phận Một cửa", "Nơi nhận: Bộ phận Một cửa", "gửi sai nơi nhận", "Nơi nhận được trả lời"],
)
def test_a_sentence_of_the_text_is_no_heading(text: str) -> None:
    words = [Words(30, 120, text), Words(30, 126, "- Công dân nộp hồ sơ;")]
    assert find_receivers([read(page_of([*head(), *words]))]) == ()
    assert find_receivers([read(letter(*words))]) == ("Như trên",)


def test_on_the_right_half_stands_no_list() -> None:
    assert find_receivers([_page("Nơi nhận:", "- Sở Nội vụ;", left=120, top=230)]) == ()


def test_the_list_may_begin_behind_its_heading() -> None:
    assert find_receivers([_page("Nơi nhận: - Sở Nội vụ;", "- Lưu: VT.")]) == ("Sở Nội vụ",)
    assert find_receivers([_page("Nơi nhận: Như trên; Lưu: VT.")]) == ("Như trên",)


def test_the_forms_of_an_appendix_name_no_receivers() -> None:
    first = [*head(), *(Words(30, 180 + 5 * i, line) for i, line in enumerate(("Nơi nhận:", "- Sở Nội vụ.")))]
    form = [Words(30, 50 + 5 * i, line) for i, line in enumerate(("Nơi nhận:", "- Như trên;", "- Tổ dân phố."))]
    data = document_of([head(), first, form])
    assert find_receivers(read_all(data)) == ("Sở Nội vụ",)
    document = open_document(data)
    try:
        assert find_receivers(Pages(document, [1, 2])) == ("Sở Nội vụ",)
    finally:
        document.close()


@pytest.mark.parametrize("turn", TURNS[::5], ids=str)
def test_receivers_are_read_however_the_page_lies_in_its_file(turn: object) -> None:
    assert find_receivers([read(turned(letter(), turn))]) == ("Như trên",)  # type: ignore[arg-type]


def test_a_list_without_end_is_cut() -> None:
    heading = Words(30, 20, "Nơi nhận:", size=4)
    names = ["x" * 400, *(f"Đơn vị {i}" for i in range(240))]
    lines = [Words(30, 22 + 1.2 * i, f"- {name};", size=2) for i, name in enumerate(names)]
    found = find_receivers([typed([heading, *lines], (210, 400))])
    assert len(found) == 200
    assert len(found[0]) == 300
    crowd = "; ".join(names)
    assert len(find_receivers([typed([heading, Words(30, 22, f"- {crowd}", size=1)])])) == 200


# --- ô 9a --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (((65, "Kính gửi: Sở Nội vụ tỉnh An Sơn"),), ("Sở Nội vụ tỉnh An Sơn",)),
        (((65, "KÍNH GỬI : Sở Nội vụ."),), ("Sở Nội vụ",)),
        (((65, "Kinh gui: So Noi vu"),), ("So Noi vu",)),
        (((65, "Kính gửi:"), (75, "- Sở Nội vụ;"), (75, "- Sở Tài chính.")), ("Sở Nội vụ", "Sở Tài chính")),
        (((55, "Kính gửi:"), (60, "Sở Nội vụ;"), (60, "Sở Tài chính")), ("Sở Nội vụ", "Sở Tài chính")),
        # A long name goes on below, centred or hanging.
        (
            ((55, "Kính gửi: Ủy ban nhân dân các xã,"), (80, "phường Tân Lập"), (42, "Thực hiện Công văn số 5, Sở")),
            ("Ủy ban nhân dân các xã, phường Tân Lập",),
        ),
        # The text begins right below, with or without a bullet.
        (((65, "Kính gửi: Sở Nội vụ"), (42, "Thực hiện Công văn số 5 của Sở, Ủy ban báo cáo")), ("Sở Nội vụ",)),
        (((42, "Kính gửi: Sở Nội vụ"), (42, "Thực hiện Công văn số 5 của Sở, Ủy ban báo cáo")), ("Sở Nội vụ",)),
        (((65, "Kính gửi: Sở Nội vụ."), (67, "- Căn cứ Luật Lưu trữ;")), ("Sở Nội vụ",)),
        (((65, "Kính gửi: Sở Nội vụ"), (30, "- Căn cứ Luật Lưu trữ;")), ("Sở Nội vụ",)),
        # A sentence.
        (((42, "Kính gửi kèm theo danh sách các hộ"),), ()),
        (((42, "xin kính gửi: Sở Nội vụ"),), ()),
        (((65, "Kính gửi:"),), ()),
    ],
)
def test_kinh_gui_is_read(lines: Sequence[tuple[float, str]], found: Sequence[str]) -> None:
    assert _addressed(*lines) == found


def test_a_name_set_apart_from_kinh_gui_belongs_to_it() -> None:
    words = [Words(50, 70, "Kính gửi:", size=14), Words(80, 70, "- Sở Nội vụ;"), Words(80, 77, "- Sở Y tế.")]
    assert find_addressees(read(page_of([*head(), *words]))) == ("Sở Nội vụ", "Sở Y tế")


def test_what_follows_in_the_text_is_no_address() -> None:
    far = [Words(65, 70, "Kính gửi: Sở Nội vụ"), Words(80, 84, "Phần một")]
    assert find_addressees(read(page_of([*head(), *far]))) == ("Sở Nội vụ",)
    assert find_addressees(read(page_of([*head(), Words(65, 230, "Kính gửi: Sở Nội vụ")]))) == ()


@pytest.mark.parametrize("above", ["Như trên", "Như Kính gửi", "Như phần Kính gửi", "Như trên (để thực hiện)"])
def test_as_above_means_those_of_kinh_gui(above: str) -> None:
    address = Words(65, 70, "Kính gửi: Sở Nội vụ", size=14)
    listed = [Words(30, 180, "Nơi nhận:"), Words(30, 185, f"- {above};"), Words(30, 190, "- Sở Y tế; - Lưu: VT.")]
    assert find_receivers([read(page_of([*head(), address, *listed]))]) == ("Sở Nội vụ", "Sở Y tế")
    assert find_receivers([read(page_of([*head(), *listed]))]) == (above, "Sở Y tế")


def test_pages_without_both_name_nobody() -> None:
    assert find_receivers([]) == ()
    assert find_receivers([read(page_of(head()))]) == ()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        out = io.BytesIO()
        pdf.save(out)
    assert find_receivers([read(out.getvalue())]) == ()


def test_facts_that_were_kept_without_receivers_are_still_read() -> None:
    kept = b'{"notation":"QD-UBND","number":null,"date":null,"signer":null,"pages":2}'
    assert msgspec.json.decode(kept, type=LetterFacts) == LetterFacts(notation="QD-UBND", pages=2)
    facts = LetterFacts(receivers=("Sở Nội vụ",))
    assert msgspec.json.decode(msgspec.json.encode(facts), type=LetterFacts) == facts
