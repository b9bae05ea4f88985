"""The text of the long sample: a year's report of a commune, forty pages with headings and tables.

A tool of the developers (used by `letters`). The general parts are written out; the parts by village and by
field of work are put together from sentences and made-up figures. All figures follow from the position in
the lists below, never from chance, so that the report is the same at every run.
"""

from collections.abc import Sequence

from tools.letter_layout import Column, Sheet
from tools.report_figures import (
    ANSWERS,
    FIELDS,
    INCOMES,
    NOTES,
    PROGRESS,
    REQUESTS,
    STRENGTHS,
    TASKS,
    VILLAGES,
    WEAKNESSES,
    WORKS,
    Field,
)

_MONTHS = (
    Column("Tháng", 0.14, centred=True),
    Column("Kế hoạch", 0.22, centred=True),
    Column("Thực hiện", 0.22, centred=True),
    Column("Tỷ lệ (%)", 0.18, centred=True),
    Column("Ghi chú", 0.24),
)
_RANKS = (
    Column("STT", 0.08, centred=True),
    Column("Thôn", 0.26),
    Column("Điểm", 0.12, centred=True),
    Column("Xếp loại", 0.18, centred=True),
    Column("So với năm 2025", 0.36),
)
_WORK_LIST = (
    Column("STT", 0.08, centred=True),
    Column("Thôn", 0.22),
    Column("Nội dung", 0.48),
    Column("Kinh phí (triệu đồng)", 0.22, centred=True),
)
_REQUEST_LIST = (
    Column("STT", 0.08, centred=True),
    Column("Thôn", 0.18),
    Column("Nội dung kiến nghị", 0.42),
    Column("Kết quả giải quyết", 0.32),
)
_VILLAGE = (
    Column("STT", 0.08, centred=True),
    Column("Chỉ tiêu", 0.44),
    Column("Đơn vị tính", 0.16, centred=True),
    Column("Năm 2025", 0.16, centred=True),
    Column("Năm 2026", 0.16, centred=True),
)


def write_report(sheet: Sheet) -> None:
    """Writes the whole text between the heading and the signature."""
    sheet.paragraphs(
        (
            "Thực hiện chỉ đạo của Ủy ban nhân dân tỉnh và Nghị quyết của Hội đồng nhân dân xã về nhiệm vụ "
            "năm 2026, Ủy ban nhân dân xã Hòa Sơn báo cáo tình hình phát triển kinh tế - xã hội, bảo đảm "
            "quốc phòng, an ninh năm 2026 và phương hướng, nhiệm vụ năm 2027 như sau:",
        )
    )
    _general(sheet)
    sheet.heading("PHẦN THỨ HAI: KẾT QUẢ TRÊN CÁC LĨNH VỰC")
    for number, field in enumerate(FIELDS):
        _field(sheet, field, number)
    sheet.new_page()
    sheet.heading("PHẦN THỨ BA: KẾT QUẢ CỦA CÁC THÔN")
    sheet.paragraph(
        "Kết quả dưới đây do Ban nhân dân các thôn báo cáo, Văn phòng Hội đồng nhân dân và Ủy ban nhân dân "
        "xã tổng hợp, đối chiếu với số liệu của các phòng chuyên môn đến hết ngày 31 tháng 10 năm 2026."
    )
    for number, village in enumerate(VILLAGES):
        _village(sheet, village, number)
    _lists(sheet)
    _outlook(sheet)


def _general(sheet: Sheet) -> None:
    sheet.heading("PHẦN THỨ NHẤT: TÌNH HÌNH CHUNG")
    sheet.paragraphs(
        (
            "Năm 2026 là năm thứ hai xã vận hành theo mô hình chính quyền địa phương hai cấp. Tổ chức bộ "
            "máy đã ổn định; nhiều nhiệm vụ trước đây của cấp huyện được chuyển về xã, khối lượng công "
            "việc tăng gần gấp đôi. Cán bộ, công chức đã cố gắng thích ứng, không để gián đoạn việc phục "
            "vụ người dân và doanh nghiệp.",
            "Bên cạnh thuận lợi, xã gặp không ít khó khăn: nắng hạn kéo dài đầu vụ Hè Thu, mưa lũ lớn "
            "trong tháng 10, giá vật tư nông nghiệp tăng; một số tuyến đường, công trình thủy lợi bị hư "
            "hỏng nặng. Được sự quan tâm của Ủy ban nhân dân tỉnh, sự lãnh đạo của Đảng ủy, sự giám sát "
            "của Hội đồng nhân dân và sự đồng thuận của Nhân dân, các chỉ tiêu chủ yếu cơ bản hoàn thành.",
            "Trong 24 chỉ tiêu được giao, có 15 chỉ tiêu vượt kế hoạch, 07 chỉ tiêu đạt kế hoạch và 02 chỉ "
            "tiêu chưa đạt (tỷ lệ lao động qua đào tạo có chứng chỉ và tỷ lệ hộ sử dụng nước sạch tập "
            "trung).",
        )
    )


def _field(sheet: Sheet, field: Field, number: int) -> None:
    sheet.heading(field.heading)
    sheet.paragraphs(field.paragraphs)
    sheet.paragraph(
        f"_{field.indicator} theo tháng năm 2026 (đơn vị tính: {field.unit}) được tổng hợp trong bảng sau:_"
    )
    rows = []
    for month in range(1, 11):
        planned = field.base + (month * 7 + number * 3) % 11 * max(1, field.base // 90)
        done = planned + ((month * 5 + number * 4) % 9 - 3) * max(1, field.base // 120)
        note = NOTES[2] if done < planned else NOTES[1] if done > planned else NOTES[0]
        share = f"{100 * done / planned:.1f}".replace(".", ",")
        rows.append((f"{month:02}", _count(planned), _count(done), share, note))
    sheet.table(_MONTHS, rows)
    sheet.paragraph(
        f"Qua tổng hợp, {field.indicator.lower()} có chênh lệch giữa các thôn. Ủy ban nhân dân xã đã làm "
        "việc với các thôn có kết quả thấp, thống nhất biện pháp khắc phục và giao công chức phụ trách "
        "theo dõi hằng tháng. Kết quả xếp loại của từng thôn trong lĩnh vực này như sau:"
    )
    sheet.table(_RANKS, [_rank(village, place, number) for place, village in enumerate(VILLAGES)])


def _rank(village: str, place: int, field: int) -> Sequence[str]:
    points = 71 + (place * 17 + field * 23) % 29
    grade = "Tốt" if points >= 90 else "Khá" if points >= 80 else "Trung bình"
    return (str(place + 1), f"Thôn {village}", str(points), grade, PROGRESS[(place + field) % len(PROGRESS)])


def _village(sheet: Sheet, village: str, number: int) -> None:
    households = 168 + number * 37 % 113
    people = households * 4 - number * 11 % 29
    works = "; ".join(f"{words}, kinh phí {cost} triệu đồng" for words, cost in _works(number))
    sheet.heading(f"{number + 1}. Thôn {village}", keep_lines=5)
    sheet.paragraphs(
        (
            f"Thôn {village} có {households} hộ với {_count(people)} nhân khẩu, sinh hoạt tại "
            f"{2 + number % 4} tổ tự quản. Trong năm, thôn tổ chức {9 + number % 5} cuộc họp dân, lấy ý "
            f"kiến về {3 + number % 4} nội dung; vận động Nhân dân đóng góp {120 + number * 13 % 90} triệu "
            f"đồng và {240 + number * 31 % 170} ngày công cho các công trình chung.",
            f"Thu nhập chính của Nhân dân từ {INCOMES[number % 5]}; thu nhập bình quân đầu người ước đạt "
            f"{58 + number * 3 % 13} triệu đồng, tăng {4 + number % 4},{number * 7 % 10} triệu đồng so với "
            f"năm 2025. Các công trình đã làm trong năm: {works}.",
            f"_Ưu điểm:_ {STRENGTHS[number % 5]} {STRENGTHS[(number + 1 + number // 5 % 4) % 5]}",
            f"_Hạn chế:_ {WEAKNESSES[(number * 3 + 2) % 5]} {WEAKNESSES[(number * 3 + 3 + number // 5 % 4) % 5]}",
        )
    )
    sheet.table(_VILLAGE, _village_rows(number, households))
    sheet.paragraph(
        f"Nhân dân thôn {village} kiến nghị Ủy ban nhân dân xã {REQUESTS[number % 5]}. Ủy ban nhân dân xã "
        f"đã giao Phòng Kinh tế kiểm tra, trả lời trước ngày {10 + number % 15} tháng 12 năm 2026."
    )
    sheet.paragraph(f"Năm 2027, thôn {village} phấn đấu {TASKS[number % 5]}; đồng thời {TASKS[(number + 2) % 5]}.")


def _village_rows(number: int, households: int) -> Sequence[Sequence[str]]:
    poor = 2 + number * 5 % 7
    return (
        ("1", "Diện tích lúa cả năm", "ha", str(58 + number * 7 % 31), str(59 + number * 7 % 31)),
        ("2", "Năng suất lúa bình quân", "tạ/ha", f"{56 + number % 4},4", f"{57 + number % 4},1"),
        ("3", "Đàn gia súc", "con", str(310 + number * 41 % 270), str(322 + number * 43 % 270)),
        ("4", "Hộ đạt gia đình văn hóa", "hộ", str(households - 21), str(households - 14 - number % 5)),
        ("5", "Hộ nghèo", "hộ", str(poor + 2), str(poor)),
        ("6", "Người tham gia bảo hiểm y tế", "%", f"{93 + number % 3},2", f"{94 + number % 4},5"),
        ("7", "Hộ có hố xí hợp vệ sinh", "%", f"{91 + number % 5},0", f"{93 + number % 5},6"),
        ("8", "Hộ sử dụng nước sạch", "%", f"{82 + number % 9},4", f"{84 + number % 9},8"),
        ("9", "Người từ 15 tuổi có tài khoản định danh", "%", f"{71 + number % 8},5", f"{83 + number % 8},2"),
        ("10", "Diện tích rừng trồng mới", "ha", f"{4 + number % 6},5", f"{5 + number % 6},2"),
        ("11", "Thanh niên nhập ngũ", "người", str(1 + number % 2), str(1 + (number + 1) % 3)),
        ("12", "Đường thôn được bê tông hóa", "%", str(78 + number * 3 % 19), str(81 + number * 3 % 19)),
    )


def _works(number: int) -> tuple[tuple[str, int], tuple[str, int]]:
    """What village `number` has built this year: words and cost in million đồng."""
    first, second = (
        (WORKS[(number + step) % len(WORKS)].format(length=120 + (number * 37 + step * 55) % 260), cost)
        for step, cost in enumerate((95 + number * 29 % 170, 135 + number * 29 % 170))
    )
    return first, second


def _lists(sheet: Sheet) -> None:
    sheet.new_page()
    sheet.heading("PHẦN THỨ TƯ: TỔNG HỢP CÔNG TRÌNH VÀ KIẾN NGHỊ CỦA CỬ TRI")
    sheet.heading("1. Công trình do Nhân dân và Nhà nước cùng làm")
    works = [
        (f"Thôn {village}", words, cost) for number, village in enumerate(VILLAGES) for words, cost in _works(number)
    ]
    rows = [
        (str(place), village, words[0].upper() + words[1:], _count(cost))
        for place, (village, words, cost) in enumerate(works, start=1)
    ]
    total = _count(sum(cost for *_, cost in works))
    sheet.table(_WORK_LIST, [*rows, ("", "*Tổng cộng*", "", f"*{total}*")])
    sheet.heading("2. Kiến nghị của cử tri và kết quả giải quyết")
    sheet.table(
        _REQUEST_LIST,
        [
            (
                str(number + 1),
                f"Thôn {village}",
                REQUESTS[number % len(REQUESTS)].capitalize(),
                ANSWERS[number % len(ANSWERS)],
            )
            for number, village in enumerate(VILLAGES)
        ],
    )


def _outlook(sheet: Sheet) -> None:
    sheet.heading("PHẦN THỨ NĂM: HẠN CHẾ, NGUYÊN NHÂN")
    sheet.paragraphs(
        (
            "1. Tiến độ một số công trình chậm do vướng mặt bằng và thời tiết; công tác giải phóng mặt "
            "bằng ở hai thôn Rẫy Mới và Thạch Bàn kéo dài. Việc phối hợp giữa các phòng chuyên môn có lúc "
            "chưa kịp thời.",
            "2. Hạ tầng công nghệ thông tin của xã còn thiếu và cũ: 11/34 máy tính đã sử dụng trên bảy "
            "năm; đường truyền thường gián đoạn khi mưa bão, ảnh hưởng đến việc gửi, nhận văn bản điện tử.",
            "3. Năng lực dự báo, ứng phó thiên tai tại chỗ còn hạn chế; phương tiện cứu hộ thiếu. Một bộ "
            "phận người dân chưa chủ động chằng chống nhà cửa, sơ tán khi có yêu cầu.",
            "4. Nguyên nhân chủ yếu là khối lượng nhiệm vụ tăng nhanh trong khi biên chế không tăng; nguồn "
            "thu ngân sách của xã thấp, phụ thuộc vào bổ sung của cấp trên; một số công chức còn lúng túng "
            "với nhiệm vụ mới.",
        )
    )
    sheet.heading("PHẦN THỨ SÁU: PHƯƠNG HƯỚNG, NHIỆM VỤ NĂM 2027")
    sheet.paragraphs(
        (
            "1. Phấn đấu giá trị sản xuất trên địa bàn tăng từ 8,5% trở lên; thu nhập bình quân đầu người "
            "đạt 72 triệu đồng; giảm ít nhất 20 hộ nghèo; giữ vững tỷ lệ che phủ rừng trên 52%.",
            "2. Tập trung khắc phục hậu quả mưa lũ, hoàn thành sửa chữa 06 công trình thủy lợi trước vụ "
            "Đông Xuân; rà soát, cắm biển cảnh báo tại tất cả các điểm có nguy cơ sạt lở, ngập sâu.",
            "3. Đẩy mạnh cải cách hành chính và chuyển đổi số; 100% văn bản đi đủ điều kiện được ký số và "
            "gửi trên trục liên thông; nâng tỷ lệ hồ sơ trực tuyến lên 85% trở lên.",
            "4. Chăm lo an sinh xã hội, nâng cao chất lượng giáo dục, y tế; giữ vững quốc phòng, an ninh, "
            "trật tự an toàn xã hội; chuẩn bị tốt việc giao quân năm 2027.",
        )
    )
    sheet.heading("PHẦN THỨ BẢY: KIẾN NGHỊ")
    sheet.paragraphs(
        (
            "Đề nghị Ủy ban nhân dân tỉnh quan tâm bố trí kinh phí sửa chữa các công trình thủy lợi bị hư "
            "hỏng; hỗ trợ thay thế máy tính cũ và đường truyền dự phòng cho xã; mở lớp bồi dưỡng nghiệp vụ "
            "cho công chức cấp xã.",
            "Trên đây là báo cáo tình hình năm 2026 và phương hướng, nhiệm vụ năm 2027 của Ủy ban nhân dân "
            "xã Hòa Sơn, kính báo cáo Ủy ban nhân dân tỉnh xem xét, chỉ đạo./.",
        )
    )


def _count(value: int) -> str:
    """A whole number as Vietnam writes it: 12.345."""
    return f"{value:,}".replace(",", ".")
