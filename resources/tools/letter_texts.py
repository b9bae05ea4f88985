"""What the sample letters say, save the long report.

A tool of the developers (used by `letters`). Commune, province, people and figures are made up; the acts
that the letters cite are real. In every letter the number and the day are blank, as a leader gets it to
sign: the blanks are spaces typed in the line, as word processors leave them.
"""

from signer_resources.samples import Issuer, Organisation, Sample, Signer
from tools.letter_layout import Column, Frame, Head, Sheet, SignerBlock
from tools.report import write_report
from tools.typesetting import Face

ISSUER = Issuer(
    code="H77.15",
    name="ỦY BAN NHÂN DÂN XÃ HÒA SƠN",
    short_name="UBND xã Hòa Sơn",
    parent="ỦY BAN NHÂN DÂN TỈNH AN SƠN",
    place="Hòa Sơn",
)
FRONT_NAME = "ỦY BAN MẶT TRẬN TỔ QUỐC VIỆT NAM XÃ HÒA SƠN"
ORGANISATIONS = (
    Organisation("H77", "Ủy ban nhân dân tỉnh An Sơn"),
    Organisation("H77.02", "Sở Nội vụ tỉnh An Sơn"),
    Organisation("H77.15", "Ủy ban nhân dân xã Hòa Sơn"),
    Organisation("H77.15.1", "Ủy ban Mặt trận Tổ quốc Việt Nam xã Hòa Sơn"),
    Organisation("H77.16", "Ủy ban nhân dân xã Hòa Bình"),
)
ON_BEHALF = "TM. ỦY BAN NHÂN DÂN"
LEADER = Signer("Nguyễn Thị Phượng", "CHỦ TỊCH", ISSUER.name, ON_BEHALF)
LEADER_ALONE = Signer("Nguyễn Thị Phượng", "CHỦ TỊCH", ISSUER.name)
FRONT_LEADER = Signer("Đặng Văn Thưởng", "CHỦ TỊCH", FRONT_NAME, "TM. BAN THƯỜNG TRỰC")
DRAFTER = "Lê Hữu Đạt"

BLANK_DATE = "Hòa Sơn, ngày       tháng       năm 2026"


def number_line(notation: str) -> str:
    """ô 3 before the number is given."""
    return f"Số:        /{notation}"


def _head(
    sample: Sample,
    *,
    date: str = BLANK_DATE,
    about: tuple[str, ...] = (),
    frame: Frame | None = None,
) -> Head:
    return Head((ISSUER.name,), number_line(sample.notation), date, ISSUER.parent, about, frame)


def _block(signer: Signer) -> SignerBlock:
    return SignerBlock(signer.authority, signer.title, signer.name)


def write_decision(sheet: Sheet, sample: Sample) -> None:
    """A decision of two pages, with articles (Điều)."""
    sheet.head(_head(sample))
    sheet.type_heading(
        "QUYẾT ĐỊNH",
        ("Ban hành Quy chế tiếp nhận, xử lý và quản lý văn bản điện tử", "của Ủy ban nhân dân xã Hòa Sơn"),
    )
    sheet.centred_line("ỦY BAN NHÂN DÂN XÃ HÒA SƠN", Face.BOLD)
    sheet.gap(8)
    for basis in (
        "Căn cứ Luật Tổ chức chính quyền địa phương ngày 16 tháng 6 năm 2025;",
        "Căn cứ Luật Giao dịch điện tử ngày 22 tháng 6 năm 2023;",
        "Căn cứ Nghị định số 30/2020/NĐ-CP ngày 05 tháng 3 năm 2020 của Chính phủ về công tác văn thư;",
        "Căn cứ Nghị định số 23/2025/NĐ-CP ngày 21 tháng 02 năm 2025 của Chính phủ quy định về chữ ký điện "
        "tử và dịch vụ tin cậy;",
        "Theo đề nghị của Chánh Văn phòng Hội đồng nhân dân và Ủy ban nhân dân xã.",
    ):
        sheet.paragraph(basis, base=Face.ITALIC)
    sheet.gap(4)
    sheet.centred_line("QUYẾT ĐỊNH:", Face.BOLD)
    sheet.gap(6)
    sheet.paragraphs(
        (
            "*Điều 1.* Ban hành Quy chế tiếp nhận, xử lý và quản lý văn bản điện tử của Ủy ban nhân dân xã "
            "Hòa Sơn, gồm các nội dung chính sau đây:",
            "1. Văn bản điện tử gửi đến xã phải được kiểm tra chữ ký số và tính toàn vẹn trước khi tiếp "
            "nhận. Văn bản có chữ ký số không hợp lệ hoặc gửi sai nơi nhận được trả lại nơi gửi ngay trong "
            "ngày, nêu rõ lý do.",
            "2. Văn bản điện tử do xã ban hành phải có chữ ký số của người có thẩm quyền và chữ ký số của "
            "cơ quan. Văn thư cơ quan chỉ ký số của cơ quan sau khi đã kiểm tra chữ ký số của người có "
            "thẩm quyền.",
            "3. Số và thời gian ban hành được cấp theo thứ tự trong năm, thống nhất giữa văn bản giấy và "
            "văn bản điện tử. Văn bản đã ký được phát hành ngay trong ngày, chậm nhất là ngày làm việc "
            "tiếp theo.",
            "4. Văn bản có nội dung bí mật nhà nước không soạn thảo, lưu giữ và gửi trên máy tính có kết nối "
            "Internet; việc quản lý thực hiện theo quy định của pháp luật về bảo vệ bí mật nhà nước.",
            "*Điều 2.* Thiết bị lưu khóa bí mật của cơ quan giao cho văn thư quản lý, sử dụng tại trụ sở. "
            "Việc bàn giao thiết bị phải được phép bằng văn bản của Chủ tịch Ủy ban nhân dân xã và lập "
            "biên bản. Người được giao thiết bị chịu trách nhiệm giữ bí mật mã PIN, không cho người khác "
            "sử dụng.",
            "*Điều 3.* Văn phòng Hội đồng nhân dân và Ủy ban nhân dân xã hướng dẫn, đôn đốc, kiểm tra việc "
            "thực hiện Quy chế này; sáu tháng một lần tổng hợp kết quả, báo cáo Chủ tịch Ủy ban nhân dân "
            "xã.",
            "*Điều 4.* Quyết định này có hiệu lực kể từ ngày ký và thay thế các quy định trước đây của Ủy "
            "ban nhân dân xã về quản lý văn bản điện tử trái với Quyết định này.",
            "*Điều 5.* Chánh Văn phòng Hội đồng nhân dân và Ủy ban nhân dân xã, Trưởng các phòng chuyên "
            "môn, Trưởng các thôn và các tổ chức, cá nhân có liên quan chịu trách nhiệm thi hành Quyết "
            "định này./.",
        )
    )
    sheet.closing(
        _block(LEADER),
        (
            "- Như Điều 5;",
            "- UBND tỉnh An Sơn (để b/c);",
            "- Sở Nội vụ (để b/c);",
            "- Thường trực HĐND xã;",
            "- Ủy ban MTTQ Việt Nam xã;",
            "- Lưu: VT, VP.",
        ),
    )


def write_official_letter(sheet: Sheet, sample: Sample) -> None:
    """An official letter: no type name, subject below the number."""
    about = ("V/v rà soát, lập danh sách người sử dụng", "chữ ký số chuyên dùng công vụ năm 2027")
    sheet.head(_head(sample, about=about))
    sheet.addressees(("Sở Nội vụ tỉnh An Sơn",))
    sheet.paragraphs(
        (
            "Thực hiện chỉ đạo của Ủy ban nhân dân tỉnh về việc rà soát nhu cầu chứng thư chữ ký số và "
            "thiết bị lưu khóa bí mật của các cơ quan, đơn vị, Ủy ban nhân dân xã Hòa Sơn đã tổ chức rà "
            "soát tại các phòng chuyên môn và đơn vị trực thuộc. Ủy ban nhân dân xã báo cáo kết quả và đề "
            "nghị như sau:",
            "1. Toàn xã hiện có 27 chứng thư chữ ký số đang hoạt động, gồm 04 chứng thư của cơ quan, tổ "
            "chức và 23 chứng thư của cá nhân; trong đó có 06 chứng thư hết hạn trong quý I năm 2027.",
            "2. Đề nghị gia hạn 06 chứng thư sắp hết hạn; cấp mới 03 chứng thư cá nhân cho công chức mới "
            "được bổ nhiệm; thu hồi 02 chứng thư cá nhân của người đã nghỉ hưu từ ngày 01 tháng 10 năm "
            "2026.",
            "3. Đề nghị hỗ trợ khôi phục 01 thiết bị lưu khóa bí mật bị khóa do nhập sai mã PIN quá số lần quy định.",
            "Đầu mối liên hệ: ông Lê Hữu Đạt, công chức Văn phòng Hội đồng nhân dân và Ủy ban nhân dân xã.",
            "Kính đề nghị Sở Nội vụ xem xét, tổng hợp./.",
        )
    )
    sheet.closing(
        _block(LEADER),
        ("- Như trên;", "- UBND tỉnh An Sơn (để b/c);", "- Các phòng chuyên môn;", "- Lưu: VT, VP."),
    )


def write_invitation(sheet: Sheet, sample: Sample) -> None:
    """An urgent invitation, with the mark KHẨN."""
    sheet.head(_head(sample, frame=Frame("KHẨN", 20)))
    sheet.type_heading("GIẤY MỜI", ("Họp triển khai phương án ứng phó mưa lũ, sạt lở đất cuối năm 2026",))
    sheet.paragraphs(
        (
            "Trước diễn biến phức tạp của mưa lũ trên địa bàn, Chủ tịch Ủy ban nhân dân xã Hòa Sơn tổ chức "
            "cuộc họp triển khai phương án ứng phó, sơ tán dân tại các khu vực có nguy cơ sạt lở. Trân "
            "trọng kính mời:",
            "- Đại diện Ủy ban nhân dân xã Hòa Bình;",
            "- Ban Thường trực Ủy ban Mặt trận Tổ quốc Việt Nam xã;",
            "- Chỉ huy trưởng Ban Chỉ huy Quân sự xã, Trưởng Công an xã, Trưởng Trạm Y tế xã;",
            "- Trưởng các thôn Đồng Mít, Suối Cát, Tân Lập, Gò Dưa và Bãi Thượng.",
            "*Chủ trì:* Bà Nguyễn Thị Phượng, Chủ tịch Ủy ban nhân dân xã.",
            "*Thời gian:* 14 giờ 00, ngày 26 tháng 11 năm 2026 (thứ Năm).",
            "*Địa điểm:* Phòng họp số 2, trụ sở Ủy ban nhân dân xã Hòa Sơn.",
            "Đề nghị các thôn chuẩn bị danh sách hộ dân phải sơ tán, số người già, trẻ em và người khuyết "
            "tật của từng hộ. Kính mời các đồng chí đến dự đầy đủ, đúng thành phần để cuộc họp đạt kết "
            "quả./.",
        )
    )
    sheet.closing(
        _block(LEADER_ALONE),
        (
            "- Như thành phần mời;",
            "- Thường trực Đảng ủy, HĐND xã (để b/c);",
            "- Chủ tịch, các PCT UBND xã;",
            "- Lưu: VT, VP.",
        ),
    )


def write_long_report(sheet: Sheet, sample: Sample) -> None:
    """A report of forty pages."""
    sheet.head(_head(sample))
    sheet.type_heading(
        "BÁO CÁO",
        (
            "Tình hình thực hiện nhiệm vụ phát triển kinh tế - xã hội,",
            "bảo đảm quốc phòng, an ninh năm 2026 và phương hướng năm 2027",
        ),
    )
    write_report(sheet)
    sheet.closing(
        _block(LEADER),
        (
            "- UBND tỉnh An Sơn (để b/c);",
            "- Sở Nội vụ;",
            "- Thường trực Đảng ủy, HĐND xã;",
            "- Ủy ban MTTQ Việt Nam xã;",
            "- Các phòng chuyên môn, các thôn;",
            "- Lưu: VT, VP.",
        ),
    )


def write_submission(sheet: Sheet, sample: Sample) -> None:
    """A submission whose appendix is a file of its own."""
    sheet.head(_head(sample))
    sheet.type_heading("TỜ TRÌNH", ("Về việc hỗ trợ kinh phí sửa chữa các công trình thủy lợi bị hư hỏng do mưa lũ",))
    sheet.addressees(("Ủy ban nhân dân tỉnh An Sơn",))
    sheet.paragraphs(
        (
            "Từ ngày 12 đến ngày 18 tháng 10 năm 2026, mưa lớn kéo dài đã làm hư hỏng nhiều công trình "
            "thủy lợi trên địa bàn xã Hòa Sơn, ảnh hưởng đến việc tưới, tiêu của 312 ha lúa và hoa màu vụ "
            "Đông Xuân. Ủy ban nhân dân xã đã huy động lực lượng khắc phục bước đầu, song nguồn lực của xã "
            "không đủ để sửa chữa triệt để.",
            "Qua kiểm tra thực tế, có 06 công trình cần sửa chữa ngay trước ngày 31 tháng 12 năm 2026 với "
            "tổng kinh phí dự kiến 3.480 triệu đồng; trong đó ngân sách xã bảo đảm 680 triệu đồng, phần "
            "còn thiếu là 2.800 triệu đồng _(chi tiết tại Phụ lục kèm theo)._",
            "Ủy ban nhân dân xã Hòa Sơn kính trình Ủy ban nhân dân tỉnh xem xét, hỗ trợ 2.800 triệu đồng "
            "từ nguồn dự phòng ngân sách tỉnh năm 2026 để kịp thời sửa chữa, bảo đảm sản xuất vụ Đông Xuân "
            "2026 - 2027. Ủy ban nhân dân xã cam kết quản lý, sử dụng kinh phí đúng mục đích, đúng quy "
            "định của pháp luật./.",
        )
    )
    sheet.closing(
        _block(LEADER),
        ("- Như trên;", "- Thường trực HĐND xã (để b/c);", "- Phòng Kinh tế;", "- Lưu: VT, KT."),
    )


def write_submission_appendix(sheet: Sheet, sample: Sample) -> None:
    """The appendix of the submission: its reference to the letter has no number yet."""
    sheet.gap(10)
    sheet.centred_line("PHỤ LỤC", Face.BOLD)
    sheet.centred_line("DANH MỤC CÔNG TRÌNH THỦY LỢI", Face.BOLD)
    sheet.centred_line("ĐỀ NGHỊ HỖ TRỢ KINH PHÍ SỬA CHỮA", Face.BOLD)
    sheet.centred_line(
        f"(Kèm theo Tờ trình số        /{sample.notation} ngày       tháng       năm 2026", Face.ITALIC, 13
    )
    sheet.centred_line("của Ủy ban nhân dân xã Hòa Sơn)", Face.ITALIC, 13)
    sheet.gap(14)
    columns = (
        Column("STT", 0.08, centred=True),
        Column("Tên công trình, địa điểm", 0.38),
        Column("Khối lượng chính", 0.24),
        Column("Kinh phí (triệu đồng)", 0.15, centred=True),
        Column("Đề nghị hỗ trợ", 0.15, centred=True),
    )
    sheet.table(
        columns,
        (
            ("1", "Đập dâng Suối Cát, thôn Suối Cát", "Gia cố thân đập, sân tiêu năng", "920", "780"),
            ("2", "Kênh chính Đồng Mít, thôn Đồng Mít", "Nạo vét, xây lại 420 m", "760", "620"),
            ("3", "Kênh cấp 2 Gò Dưa, thôn Gò Dưa", "Xây lại 265 m, 03 cửa lấy nước", "415", "330"),
            ("4", "Trạm bơm Bãi Thượng, thôn Bãi Thượng", "Thay 02 máy bơm, tủ điện", "585", "470"),
            ("5", "Cống tiêu Tân Lập, thôn Tân Lập", "Làm lại cửa cống, kè hai bên", "350", "260"),
            ("6", "Kè chống sạt lở suối Nước Trong, thôn Tân Lập", "Kè rọ đá 110 m", "450", "340"),
            ("", "*Tổng cộng*", "", "*3.480*", "*2.800*"),
        ),
    )
    sheet.paragraph(
        "_Ghi chú: kinh phí được tính theo đơn giá xây dựng của tỉnh công bố quý III năm 2026; khối lượng "
        "theo biên bản kiểm tra hiện trường của Phòng Kinh tế và các thôn._"
    )


def write_joint_guidance(sheet: Sheet, sample: Sample) -> None:
    """Guidance issued by two bodies, with two signers side by side."""
    sheet.head(
        Head(
            ("ỦY BAN NHÂN DÂN XÃ HÒA SƠN -", "ỦY BAN MẶT TRẬN TỔ QUỐC", "VIỆT NAM XÃ HÒA SƠN"),
            number_line(sample.notation),
            BLANK_DATE,
        )
    )
    sheet.type_heading("HƯỚNG DẪN LIÊN TỊCH", ("Tổ chức Ngày hội Đại đoàn kết toàn dân tộc ở khu dân cư năm 2026",))
    sheet.paragraphs(
        (
            "Thực hiện chương trình phối hợp năm 2026, Ủy ban nhân dân xã và Ủy ban Mặt trận Tổ quốc Việt "
            "Nam xã Hòa Sơn thống nhất hướng dẫn tổ chức Ngày hội Đại đoàn kết toàn dân tộc ở khu dân cư "
            "như sau:",
            "*1. Thời gian, địa điểm:* trong tháng 11 năm 2026, tại nhà văn hóa thôn. Những thôn bị thiệt "
            "hại do mưa lũ có thể tổ chức ghép hoặc lùi thời gian, nhưng không chậm hơn ngày 10 tháng 12 "
            "năm 2026.",
            "*2. Nội dung:* phần lễ ôn lại truyền thống, biểu dương gia đình văn hóa, người có uy tín; "
            "phần hội tổ chức thể thao, văn nghệ và bữa cơm đại đoàn kết, tiết kiệm, an toàn thực phẩm.",
            "*3. Kinh phí:* ngân sách xã hỗ trợ mỗi thôn 05 triệu đồng; phần còn lại do Nhân dân đóng góp "
            "tự nguyện, công khai theo quy định.",
            "*4. Tổ chức thực hiện:* Trưởng thôn phối hợp với Trưởng Ban Công tác Mặt trận lập kế hoạch, "
            "báo cáo kết quả về hai cơ quan trước ngày 15 tháng 12 năm 2026./.",
        )
    )
    sheet.joint_closing(
        _block(FRONT_LEADER),
        _block(LEADER),
        (
            "- Ủy ban nhân dân tỉnh An Sơn (để b/c);",
            "- Trưởng thôn, Ban Công tác Mặt trận các thôn;",
            "- Lưu: VT UBND, VT MTTQ.",
        ),
    )


def write_notice(sheet: Sheet, sample: Sample) -> None:
    """A notice, with room for the drafter's initial after the end of the text."""
    sheet.head(_head(sample))
    sheet.type_heading("THÔNG BÁO", ("Lịch tiếp công dân tháng 12 năm 2026 của Chủ tịch Ủy ban nhân dân xã",))
    sheet.paragraphs(
        (
            "Căn cứ Luật Tiếp công dân ngày 25 tháng 11 năm 2013, Ủy ban nhân dân xã Hòa Sơn thông báo "
            "lịch tiếp công dân định kỳ tháng 12 năm 2026 của Chủ tịch Ủy ban nhân dân xã như sau:",
            "1. Thời gian: các ngày thứ Ba 01, 08, 15, 22 và 29 tháng 12 năm 2026; buổi sáng từ 07 giờ 30 "
            "đến 11 giờ 00, buổi chiều từ 13 giờ 30 đến 16 giờ 30.",
            "2. Địa điểm: Phòng Tiếp công dân, trụ sở Ủy ban nhân dân xã Hòa Sơn.",
            "3. Công dân đến khiếu nại, tố cáo, kiến nghị, phản ánh mang theo giấy tờ tùy thân và tài liệu "
            "có liên quan; thực hiện nội quy tiếp công dân niêm yết tại Phòng Tiếp công dân.",
            "4. Trường hợp Chủ tịch bận công tác đột xuất, lịch tiếp được chuyển sang ngày làm việc liền "
            "sau và báo trước trên hệ thống truyền thanh của xã.",
            "Văn phòng Hội đồng nhân dân và Ủy ban nhân dân xã, các thôn thông báo rộng rãi để Nhân dân "
            "biết và thực hiện đúng lịch./.",
        )
    )
    sheet.closing(
        _block(LEADER_ALONE),
        (
            "- Thường trực HĐND xã (để b/c);",
            "- Ủy ban MTTQ Việt Nam xã;",
            "- UBND xã Hòa Bình (để p/h);",
            "- Các thôn (để niêm yết);",
            "- Lưu: VT, VP.",
        ),
    )


def write_plan(sheet: Sheet, sample: Sample) -> None:
    """A plan whose month the drafter has typed."""
    # Without the parent body and with the name on two lines, as many communes write it.
    sheet.head(
        Head(
            ("ỦY BAN NHÂN DÂN", "XÃ HÒA SƠN"),
            number_line(sample.notation),
            "Hòa Sơn, ngày       tháng 11 năm 2026",
            size=13,
        )
    )
    sheet.type_heading("KẾ HOẠCH", ("Chuyển đổi số trong hoạt động của cơ quan xã Hòa Sơn năm 2027",))
    sheet.heading("I. MỤC ĐÍCH, YÊU CẦU")
    sheet.paragraphs(
        (
            "1. Nâng cao chất lượng phục vụ người dân, doanh nghiệp; rút ngắn thời gian giải quyết thủ tục "
            "hành chính; giảm giấy tờ trong hoạt động của cơ quan.",
            "2. Các nhiệm vụ phải có người phụ trách, có thời hạn, có sản phẩm cụ thể; lấy sự hài lòng của "
            "người dân làm thước đo kết quả.",
        )
    )
    sheet.heading("II. CHỈ TIÊU")
    sheet.paragraphs(
        (
            "1. 100% văn bản đi (trừ văn bản mật) được ký số của người có thẩm quyền và của cơ quan, gửi "
            "trên trục liên thông văn bản của tỉnh.",
            "2. Ít nhất 85% hồ sơ thủ tục hành chính được tiếp nhận trực tuyến; 100% kết quả được số hóa, ký số.",
            "3. 100% công chức được bồi dưỡng kỹ năng số và an toàn thông tin.",
        )
    )
    sheet.heading("III. TỔ CHỨC THỰC HIỆN")
    sheet.paragraphs(
        (
            "1. Văn phòng Hội đồng nhân dân và Ủy ban nhân dân xã chủ trì, theo dõi, đôn đốc; báo cáo kết "
            "quả hằng quý trước ngày 20 của tháng cuối quý.",
            "2. Phòng Kinh tế bố trí kinh phí trong dự toán ngân sách xã năm 2027; các thôn tuyên truyền, "
            "hướng dẫn Nhân dân sử dụng dịch vụ công trực tuyến./.",
        )
    )
    sheet.closing(
        _block(LEADER),
        (
            "- UBND tỉnh An Sơn (để b/c);",
            "- Sở Nội vụ;",
            "- Các phòng chuyên môn, các thôn;",
            "- Lưu: VT, VP.",
        ),
    )


def write_secret_letter(sheet: Sheet, sample: Sample) -> None:
    """A letter marked MẬT; the matter is made up and harmless."""
    about = ("V/v rà soát phương án bảo vệ", "kho vật chứng trên địa bàn xã")
    sheet.head(_head(sample, about=about, frame=Frame("MẬT", 20)))
    sheet.addressees(("Ủy ban nhân dân tỉnh An Sơn",))
    sheet.paragraphs(
        (
            "Thực hiện yêu cầu của Ủy ban nhân dân tỉnh, Ủy ban nhân dân xã Hòa Sơn đã chỉ đạo Công an xã "
            "rà soát phương án bảo vệ kho vật chứng trên địa bàn. Kết quả như sau:",
            "1. Phương án hiện hành được xây dựng từ năm 2024, cơ bản phù hợp với tình hình; lực lượng bảo "
            "vệ được phân công cụ thể theo ca trực, có sổ giao nhận.",
            "2. Đề nghị điều chỉnh việc phối hợp giữa các lực lượng trong trường hợp mưa lũ gây chia cắt, "
            "mất điện và mất liên lạc kéo dài.",
            "Ủy ban nhân dân xã kính báo cáo Ủy ban nhân dân tỉnh xem xét, chỉ đạo./.",
        )
    )
    sheet.closing(_block(LEADER), ("- Như trên;", "- Công an xã;", "- Lưu: VT, hồ sơ mật."))
