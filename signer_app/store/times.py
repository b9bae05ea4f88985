"""How times are written in the database: RFC 3339 in Vietnam's zone, always of the same width.

The zone is the literal +07:00 (Decree 30/2020, appendix I; there is no daylight saving), never the machine's
own, so that the texts sort as the times do. Pure functions, usable on any thread.
"""

from datetime import UTC, date, datetime, timedelta, timezone

VIETNAM = timezone(timedelta(hours=7))


def utc_now() -> datetime:
    """The machine's clock; what takes a clock takes this one unless a test gives its own."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """`moment` as text like 2026-11-22T08:42:00.000+07:00; ValueError if it has no zone."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(VIETNAM).isoformat(timespec="milliseconds")


def stamp_or_none(moment: datetime | None) -> str | None:
    """As `stamp`, for a time that may be missing."""
    return None if moment is None else stamp(moment)


def vietnamese_date(day: date) -> str:
    """`day` as it is written on the screen: 18/11/2026. Of a moment (with a zone), its day in Vietnam."""
    if isinstance(day, datetime):
        day = day.astimezone(VIETNAM)
    return f"{day.day:02d}/{day.month:02d}/{day.year:04d}"
