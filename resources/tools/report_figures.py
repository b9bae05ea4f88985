"""Names, sentences and figures of the long sample report: villages, fields of work, and what is said of each.

A tool of the developers (used by `report`): data only. The commune, its villages and all figures are made up.
"""

from dataclasses import dataclass

VILLAGES = (
    "Đồng Mít",
    "Suối Cát",
    "Tân Lập",
    "Gò Dưa",
    "Bãi Thượng",
    "Bãi Hạ",
    "Hòa Phú",
    "Hòa Thắng",
    "Phước Lộc",
    "Đá Trắng",
    "Cây Thị",
    "Rẫy Mới",
    "Trung Nghĩa",
    "Vĩnh Ổn",
    "Nước Trong",
    "Xuân Quỳ",
    "Thạch Bàn",
    "Lũng Vải",
    "Ngọc Điểm",
    "Yên Khê",
)


@dataclass(frozen=True)
class Field:
    """A field of work: its heading, what was done, what is counted in it."""

    heading: str
    paragraphs: tuple[str, ...]
    indicator: str
    unit: str
    base: int


FIELDS = (
    Field(
        "1. Sản xuất nông, lâm nghiệp và thủy sản",
        (
            "Tổng diện tích gieo trồng cả năm đạt 2.846 ha, bằng 101,3% kế hoạch; trong đó lúa 1.412 ha, "
            "năng suất bình quân 58,6 tạ/ha; rau, đậu các loại 536 ha; cây công nghiệp ngắn ngày 318 ha. "
            "Xã đã chuyển 64 ha đất lúa thiếu nước sang trồng bắp sinh khối và dưa hấu, giá trị thu hoạch "
            "tăng gần hai lần so với trồng lúa.",
            "Đàn trâu, bò có 4.215 con; đàn heo 9.630 con; đàn gia cầm 86.400 con. Công tác tiêm phòng đạt "
            "91% kế hoạch, không xảy ra dịch bệnh lớn. Toàn xã trồng mới 142 ha rừng, bảo vệ tốt 1.870 ha "
            "rừng hiện có, tỷ lệ che phủ rừng đạt 52,4%.",
            "Hệ thống kênh mương nội đồng được nạo vét 18,6 km. Các hợp tác xã đã ký hợp đồng bao tiêu với "
            "năm doanh nghiệp, bảo đảm đầu ra cho hơn một phần ba sản lượng lúa của xã.",
        ),
        "Diện tích gieo trồng",
        "ha",
        214,
    ),
    Field(
        "2. Công nghiệp, tiểu thủ công nghiệp và thương mại, dịch vụ",
        (
            "Trên địa bàn có 148 cơ sở sản xuất và 612 hộ kinh doanh, tăng 37 hộ so với năm trước. Giá trị "
            "sản xuất tiểu thủ công nghiệp ước đạt 186 tỷ đồng, tăng 9,2%. Nghề đan lát, làm bún khô và "
            "mộc dân dụng tiếp tục duy trì việc làm cho khoảng 940 lao động.",
            "Chợ trung tâm xã được sửa chữa mái che, hệ thống thoát nước và phòng cháy, chữa cháy. Ủy ban "
            "nhân dân xã phối hợp kiểm tra 52 lượt cơ sở, nhắc nhở 11 cơ sở, xử phạt 03 trường hợp bán "
            "hàng không rõ nguồn gốc.",
            "Ba sản phẩm của xã được công nhận đạt ba sao trong chương trình mỗi xã một sản phẩm, gồm bún "
            "khô Hòa Sơn, mật ong Đá Trắng và giỏ mây Yên Khê.",
        ),
        "Số hộ kinh doanh hoạt động",
        "hộ",
        560,
    ),
    Field(
        "3. Thu, chi ngân sách",
        (
            "Tổng thu ngân sách trên địa bàn ước đạt 24,6 tỷ đồng, bằng 108% dự toán; trong đó thu từ "
            "thuế, phí, lệ phí 9,8 tỷ đồng. Công tác ủy nhiệm thu được thực hiện công khai, không để nợ "
            "đọng kéo dài.",
            "Tổng chi ngân sách xã ước đạt 41,2 tỷ đồng; chi đầu tư phát triển 12,7 tỷ đồng, chi thường "
            "xuyên 27,1 tỷ đồng, chi dự phòng 1,4 tỷ đồng dùng cho khắc phục hậu quả mưa lũ. Các khoản chi "
            "bảo đảm đúng chế độ, tiêu chuẩn, định mức.",
            "Ủy ban nhân dân xã đã công khai dự toán, quyết toán ngân sách theo quy định tại trụ sở và "
            "trên trang thông tin điện tử của xã.",
        ),
        "Thu ngân sách",
        "triệu đồng",
        1940,
    ),
    Field(
        "4. Đầu tư xây dựng, giao thông và xây dựng nông thôn mới",
        (
            "Trong năm triển khai 16 công trình với tổng mức đầu tư 28,4 tỷ đồng; đã hoàn thành 11 công "
            "trình, đang thi công 05 công trình. Bê tông hóa được 7,8 km đường thôn, xóm; Nhân dân hiến "
            "6.240 m² đất và đóng góp 3.115 ngày công.",
            "Xã giữ vững 19/19 tiêu chí nông thôn mới và đạt thêm 04 tiêu chí nâng cao. Hai thôn Hòa Phú "
            "và Xuân Quỳ được công nhận thôn nông thôn mới kiểu mẫu.",
            "Việc giám sát của cộng đồng được thực hiện ở tất cả công trình; kiến nghị của Ban Giám sát "
            "đầu tư của cộng đồng được chủ đầu tư tiếp thu, trả lời bằng văn bản.",
        ),
        "Khối lượng giải ngân",
        "triệu đồng",
        2130,
    ),
    Field(
        "5. Tài nguyên và môi trường",
        (
            "Cấp mới và cấp đổi 386 giấy chứng nhận quyền sử dụng đất; giải quyết 412 hồ sơ biến động đất "
            "đai, trong đó 97,8% đúng hạn. Xử lý 09 trường hợp lấn chiếm đất công, thu hồi 1.860 m².",
            "Tỷ lệ thu gom rác thải sinh hoạt đạt 93%; 15/20 thôn phân loại rác tại nguồn. Phong trào Ngày "
            "Chủ nhật xanh thu hút 6.500 lượt người tham gia, trồng 4.300 cây xanh dọc các tuyến đường.",
            "Công tác phòng ngừa khai thác cát, đất trái phép được tăng cường; phát hiện và chuyển cơ quan "
            "chức năng xử lý 04 vụ việc.",
        ),
        "Rác thải được thu gom",
        "tấn",
        126,
    ),
    Field(
        "6. Giáo dục và đào tạo",
        (
            "Toàn xã có 07 trường học với 3.942 học sinh; 06 trường đạt chuẩn quốc gia. Tỷ lệ trẻ em năm "
            "tuổi đến lớp đạt 100%; tỷ lệ học sinh hoàn thành chương trình tiểu học đạt 99,6%.",
            "Quỹ khuyến học xã trao 214 suất học bổng với tổng số tiền 236 triệu đồng; vận động sách, vở, "
            "áo quần cho học sinh vùng lũ. Không có học sinh bỏ học vì hoàn cảnh khó khăn.",
            "Trung tâm học tập cộng đồng mở 38 lớp chuyên đề về chăn nuôi, trồng trọt, kỹ năng số cho "
            "1.740 lượt người.",
        ),
        "Học sinh đến lớp thường xuyên",
        "em",
        3870,
    ),
    Field(
        "7. Y tế, dân số, gia đình và trẻ em",
        (
            "Trạm Y tế xã khám, chữa bệnh cho 17.820 lượt người; tiêm chủng đầy đủ cho 98,2% trẻ dưới một "
            "tuổi. Tỷ lệ người dân tham gia bảo hiểm y tế đạt 95,7%.",
            "Công tác phòng, chống sốt xuất huyết được triển khai sớm, số ca mắc giảm 41% so với năm "
            "trước. Kiểm tra an toàn thực phẩm 96 lượt cơ sở, nhắc nhở 14 cơ sở.",
            "Tỷ lệ trẻ em suy dinh dưỡng thể nhẹ cân giảm còn 7,1%. Xã tổ chức cân, đo và lập sổ theo dõi "
            "sức khỏe điện tử cho toàn bộ trẻ em dưới năm tuổi.",
        ),
        "Lượt khám, chữa bệnh",
        "lượt",
        1460,
    ),
    Field(
        "8. Lao động, việc làm và an sinh xã hội",
        (
            "Giải quyết việc làm mới cho 486 lao động; 62 người đi làm việc ở nước ngoài theo hợp đồng. Số "
            "hộ nghèo giảm còn 84 hộ, chiếm 1,9%; hộ cận nghèo còn 137 hộ.",
            "Chi trả trợ cấp kịp thời cho 1.012 đối tượng bảo trợ xã hội và 438 người có công. Xây mới 12 "
            "nhà, sửa chữa 21 nhà cho hộ nghèo và gia đình chính sách.",
            "Dịp Tết Nguyên đán và kỷ niệm Ngày Thương binh - Liệt sĩ, xã đã thăm, tặng 2.260 suất quà trị "
            "giá 912 triệu đồng.",
        ),
        "Lao động có việc làm mới",
        "người",
        38,
    ),
    Field(
        "9. Cải cách hành chính và chuyển đổi số",
        (
            "Bộ phận phục vụ hành chính công tiếp nhận 9.874 hồ sơ, giải quyết đúng và trước hạn 99,4%; hồ "
            "sơ trực tuyến đạt 81%. Mức độ hài lòng của người dân qua khảo sát đạt 94,6%.",
            "Xã đã gửi 2.318 văn bản điện tử có ký số, tiếp nhận 5.406 văn bản đến trên trục liên thông; "
            "không có văn bản thất lạc. Có 17 văn bản đến bị trả lại do gửi sai nơi nhận hoặc chữ ký số "
            "không hợp lệ.",
            "Tổ công nghệ số cộng đồng ở 20 thôn đã hướng dẫn 4.150 lượt người cài đặt, sử dụng dịch vụ "
            "công trực tuyến và thanh toán không dùng tiền mặt.",
        ),
        "Hồ sơ được giải quyết",
        "hồ sơ",
        794,
    ),
    Field(
        "10. Quốc phòng, an ninh, trật tự an toàn xã hội",
        (
            "Hoàn thành 100% chỉ tiêu giao quân với 34 thanh niên nhập ngũ. Lực lượng dân quân được huấn "
            "luyện đủ nội dung, quân số tham gia đạt 97%; tổ chức tốt diễn tập phòng, chống lụt bão và tìm "
            "kiếm cứu nạn.",
            "Tình hình an ninh trật tự ổn định. Xảy ra 19 vụ việc vi phạm trật tự xã hội, giảm 06 vụ; đã "
            "điều tra, làm rõ 17 vụ. Tai nạn giao thông giảm cả về số vụ và số người bị thương.",
            "Phong trào toàn dân bảo vệ an ninh Tổ quốc được duy trì ở 20/20 thôn; 46 mô hình tự quản hoạt "
            "động có hiệu quả.",
        ),
        "Lượt tuần tra, canh gác",
        "lượt",
        62,
    ),
)

PROGRESS = ("Tăng một bậc", "Giữ nguyên", "Tiến bộ rõ rệt", "Giảm, cần khắc phục", "Giữ nguyên")
NOTES = ("Hoàn thành", "Vượt kế hoạch", "Ảnh hưởng thời tiết")
STRENGTHS = (
    "Chi bộ và Ban nhân dân thôn lãnh đạo sâu sát, các đoàn thể phối hợp chặt chẽ, Nhân dân đồng thuận đóng góp.",
    "Thôn đi đầu trong phong trào hiến đất mở đường và chỉnh trang nhà cửa, tường rào, cổng ngõ.",
    "Các tổ tự quản hoạt động đều, mâu thuẫn nhỏ được hòa giải ngay tại thôn, không có đơn thư vượt cấp.",
    "Nhiều hộ mạnh dạn chuyển đổi cây trồng, vật nuôi, liên kết với hợp tác xã nên thu nhập tăng khá.",
    "Nhà văn hóa thôn được sử dụng thường xuyên cho sinh hoạt cộng đồng, thể dục thể thao và học kỹ năng số.",
)
WEAKNESSES = (
    "Một số tuyến kênh xuống cấp, việc tưới cho chân ruộng cao còn khó khăn trong vụ Hè Thu.",
    "Lao động trẻ đi làm ăn xa nhiều, việc huy động lực lượng tại chỗ khi có thiên tai còn lúng túng.",
    "Việc phân loại rác tại hộ gia đình chưa thành nếp; còn tình trạng đốt rơm rạ sau thu hoạch.",
    "Sóng điện thoại và đường truyền Internet ở khu vực xa trung tâm chưa ổn định.",
    "Chăn nuôi nhỏ lẻ trong khu dân cư còn gây mùi, ảnh hưởng đến môi trường sống.",
)
TASKS = (
    "hoàn thành việc kiên cố hóa đoạn đường còn lại và lắp đặt điện chiếu sáng",
    "sửa chữa kênh mương, bảo đảm nước tưới cho toàn bộ diện tích lúa hai vụ",
    "vận động các hộ di dời chuồng trại ra khỏi khu dân cư",
    "duy trì sĩ số học sinh, không để trẻ em trong độ tuổi không được đến trường",
    "kiện toàn tổ phòng, chống thiên tai và bổ sung phương tiện cứu nạn tại chỗ",
)
INCOMES = (
    "trồng lúa hai vụ và chăn nuôi bò",
    "trồng keo, chăn nuôi heo và làm thuê thời vụ",
    "trồng rau, dưa hấu và buôn bán nhỏ",
    "nghề mộc, nề và dịch vụ vận tải",
    "trồng bắp sinh khối, nuôi gà thả vườn và đan lát",
)
WORKS = (
    "bê tông hóa {length} m đường xóm rộng 3 m",
    "xây {length} m kênh nội đồng",
    "lắp đặt {length} m đường dây điện chiếu sáng",
    "sửa chữa nhà văn hóa và xây {length} m tường rào",
)
REQUESTS = (
    "sớm nạo vét suối, cắm biển cảnh báo ở các đoạn nước xoáy và hỗ trợ áo phao cho tổ xung kích",
    "nâng cấp trạm biến áp vì điện yếu vào giờ cao điểm, ảnh hưởng đến bơm nước và sinh hoạt",
    "mở rộng đường vào khu sản xuất để xe tải vào thu mua nông sản",
    "cấp lại giấy chứng nhận quyền sử dụng đất cho các hộ đã dồn điền, đổi thửa",
    "kéo đường ống nước sạch đến các tổ ở cuối thôn, nơi giếng đào thường cạn vào mùa nắng",
)
ANSWERS = (
    "Đã khảo sát, đưa vào kế hoạch năm 2027; trước mắt giao tổ tự quản theo dõi, cảnh báo.",
    "Đã có văn bản đề nghị đơn vị điện lực; dự kiến hoàn thành trong quý II năm 2027.",
    "Đã bố trí vốn chuẩn bị đầu tư, Nhân dân thống nhất hiến đất.",
    "Đã tiếp nhận đủ hồ sơ, đang đo đạc, cấp theo từng đợt.",
    "Đang lập dự án, đề nghị tỉnh hỗ trợ kinh phí đường ống chính.",
)
