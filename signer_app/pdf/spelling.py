"""The signing time as a stamp spells it, by the rules that hold on its day; Vietnam's zone, written +07:00 literally.

Pure functions; run anywhere. The plan leaves a gap where the time goes, and the gap says which spelling is meant.
"""

import datetime as dt

from signer_app.pdf.plan import SIGNING_TIME, SIGNING_TIME_ISO, VIETNAM
from signer_resources import rules


def with_time(text: str, moment: dt.datetime) -> str:
    """`text` with `moment` (aware) in its gaps; any other text as it is. NoRuleProfileError for a day without rules."""
    for gap, rule in ((SIGNING_TIME, "signing_time.format"), (SIGNING_TIME_ISO, "signing_time.iso_format")):
        if gap in text:
            text = text.replace(gap, spelled(moment, rule))
    return text


def spelled(moment: dt.datetime, rule: str = "signing_time.format") -> str:
    """The time in one spelling: 05/03/2026 14:03:05 +07:00, or 2026-03-05T14:03:05+07:00 by the other rule."""
    there = moment.astimezone(VIETNAM)
    return there.strftime(rules.load(there.date()).text(rule))
