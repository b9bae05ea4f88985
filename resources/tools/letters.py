"""The sample letters: the facts about each, and who writes its files.

A tool of the developers (used by `build_samples`): data only. The texts are in `letter_texts` and `report`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from signer_resources.samples import Sample, Urgency
from tools import letter_texts as texts
from tools.letter_layout import Sheet


@dataclass(frozen=True)
class Letter:
    """A sample: its facts and how each of its files is written."""

    sample: Sample
    write: Callable[[Sheet, Sample], None]
    write_appendix: Callable[[Sheet, Sample], None] | None = None


LETTERS = (
    Letter(
        Sample(
            id="quyet-dinh",
            main="quyet-dinh.pdf",
            type="QĐ",
            type_name="Quyết định",
            notation="QĐ-UBND",
            subject="Ban hành Quy chế tiếp nhận, xử lý và quản lý văn bản điện tử của Ủy ban nhân dân xã Hòa Sơn",
            signers=(texts.LEADER,),
            receivers=("H77", "H77.02", "H77.15.1"),
            pages=2,
        ),
        texts.write_decision,
    ),
    Letter(
        Sample(
            id="cong-van",
            main="cong-van.pdf",
            type="",
            type_name="Công văn",
            notation="UBND-VP",
            subject="rà soát, lập danh sách người sử dụng chữ ký số chuyên dùng công vụ năm 2027",
            signers=(texts.LEADER,),
            receivers=("H77.02", "H77"),
            pages=1,
        ),
        texts.write_official_letter,
    ),
    Letter(
        Sample(
            id="giay-moi",
            main="giay-moi.pdf",
            type="GM",
            type_name="Giấy mời",
            notation="GM-UBND",
            subject="Họp triển khai phương án ứng phó mưa lũ, sạt lở đất cuối năm 2026",
            signers=(texts.LEADER_ALONE,),
            receivers=("H77.16", "H77.15.1"),
            pages=1,
            urgency=Urgency.URGENT,
        ),
        texts.write_invitation,
    ),
    Letter(
        Sample(
            id="bao-cao-40-trang",
            main="bao-cao-40-trang.pdf",
            type="BC",
            type_name="Báo cáo",
            notation="BC-UBND",
            subject="Tình hình thực hiện nhiệm vụ phát triển kinh tế - xã hội, bảo đảm quốc phòng, an ninh "
            "năm 2026 và phương hướng năm 2027",
            signers=(texts.LEADER,),
            receivers=("H77", "H77.02", "H77.15.1"),
            pages=40,
        ),
        texts.write_long_report,
    ),
    Letter(
        Sample(
            id="to-trinh",
            main="to-trinh.pdf",
            type="TTr",
            type_name="Tờ trình",
            notation="TTr-UBND",
            subject="Về việc hỗ trợ kinh phí sửa chữa các công trình thủy lợi bị hư hỏng do mưa lũ",
            signers=(texts.LEADER,),
            receivers=("H77",),
            pages=1,
            appendices=("to-trinh-phu-luc.pdf",),
        ),
        texts.write_submission,
        texts.write_submission_appendix,
    ),
    Letter(
        Sample(
            id="huong-dan-lien-tich",
            main="huong-dan-lien-tich.pdf",
            type="HD",
            type_name="Hướng dẫn liên tịch",
            notation="HDLT-UBND-MTTQ",
            subject="Tổ chức Ngày hội Đại đoàn kết toàn dân tộc ở khu dân cư năm 2026",
            signers=(texts.LEADER, texts.FRONT_LEADER),
            receivers=("H77",),
            pages=1,
        ),
        texts.write_joint_guidance,
    ),
    Letter(
        Sample(
            id="thong-bao",
            main="thong-bao.pdf",
            type="TB",
            type_name="Thông báo",
            notation="TB-UBND",
            subject="Lịch tiếp công dân tháng 12 năm 2026 của Chủ tịch Ủy ban nhân dân xã",
            signers=(texts.LEADER_ALONE,),
            receivers=("H77.15.1", "H77.16"),
            pages=1,
            initials=(texts.DRAFTER,),
        ),
        texts.write_notice,
    ),
    Letter(
        Sample(
            id="ke-hoach",
            main="ke-hoach.pdf",
            type="KH",
            type_name="Kế hoạch",
            notation="KH-UBND",
            subject="Chuyển đổi số trong hoạt động của cơ quan xã Hòa Sơn năm 2027",
            signers=(texts.LEADER,),
            receivers=("H77", "H77.02"),
            pages=1,
            month=11,
        ),
        texts.write_plan,
    ),
    Letter(
        Sample(
            id="van-ban-mat",
            main="van-ban-mat.pdf",
            type="",
            type_name="Công văn",
            notation="UBND-VP",
            subject="rà soát phương án bảo vệ kho vật chứng trên địa bàn xã",
            signers=(texts.LEADER,),
            receivers=("H77",),
            pages=1,
            secret=True,
        ),
        texts.write_secret_letter,
    ),
)
