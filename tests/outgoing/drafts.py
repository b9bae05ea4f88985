"""Drafts made up for the tests of what is pure: no file, no database."""

import datetime as dt
from itertools import count
from typing import Any

from signer_app.outgoing.model import Draft, DraftFile, FileRole, Profile
from signer_app.pdf.model import LetterFacts

TODAY = dt.date(2026, 11, 20)
_SERIAL = count(1)


def draft(number: str = "", notation: str = "QĐ-UBND", *, facts: LetterFacts | None = None, **more: Any) -> Draft:
    serial = next(_SERIAL)
    main = DraftFile(
        id=f"file-{serial}",
        name=more.pop("name", f"văn bản {serial}.pdf"),
        path=f"/thư mục/văn bản {serial}.pdf",
        output="",
        role=FileRole.MAIN,
        profile=more.pop("profile", Profile.AGENCY),
        blob=f"{serial:064x}",
        facts=facts or LetterFacts(),
    )
    return Draft(
        id=f"draft-{serial:04d}",
        files=(main,),
        created_at=dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC),
        position=serial,
        number=number,
        notation=notation,
        **more,
    )
