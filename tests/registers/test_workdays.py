"""The working calendar: what comes with the program, what an administrator adds, which day comes next."""

import datetime as dt

import msgspec
import pytest

from signer_app.store.calendar_settings import AddedDay, AddedKind, CalendarSettings
from signer_app.workdays import WorkCalendar, day_in_vietnam
from signer_resources import calendar
from signer_resources.calendar import DayKind
from signer_resources.rules import Mark

CALENDAR = WorkCalendar.of()


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def test_each_special_day_names_its_source_and_how_sure_it_is() -> None:
    days = calendar.load().day
    assert all(one.source and one.name and one.mark in Mark for one in days)
    assert {one.date.year for one in days} == {2025, 2026, 2027}
    # What nobody has announced yet is nobody's report.
    assumed = {one.date.year for one in days if one.mark is Mark.ASSUMED}
    assert assumed == {2027}


def test_every_year_has_the_eleven_days_of_the_labour_code() -> None:
    for year in (2025, 2026, 2027):
        off = [one for one in calendar.load().day if one.date.year == year and one.kind is DayKind.OFF]
        names = " ".join(one.name for one in off)
        assert sum("Nguyên đán" in one.name for one in off) == 5, year
        assert sum("Quốc khánh" in one.name for one in off) == 2, year
        for holiday in ("Dương lịch", "Hùng Vương", "Chiến thắng", "Quốc tế Lao động"):
            assert holiday in names, (year, holiday)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2025-01-24", "2025-02-03"),
        ("2026-02-13", "2026-02-23"),
        ("2027-02-04", "2027-02-12"),
        ("2026-11-20", "2026-11-23"),
        # Worked Saturdays in place of a Friday or a Monday.
        ("2025-04-25", "2025-04-26"),
        ("2026-08-21", "2026-08-22"),
        ("2026-08-28", "2026-09-03"),
    ],
)
def test_the_next_working_day_steps_over_tet_holidays_and_swapped_days(before: str, after: str) -> None:
    assert CALENDAR.next_workday(day(before)) == day(after)
    assert CALENDAR.workday_before(day(after)) == day(before)


def test_a_day_whose_act_is_not_at_hand_counts_as_it_stands_in_the_week() -> None:
    (undecided,) = (one for one in calendar.load().day if one.date == day("2026-11-24"))
    assert undecided.kind is DayKind.UNDECIDED
    assert CALENDAR.is_workday(day("2026-11-24"))


def test_an_administrator_s_day_is_stronger_than_the_calendar() -> None:
    own = CalendarSettings(
        days=(
            AddedDay(date=day("2026-11-24"), kind=AddedKind.OFF, name="Ngày Văn hóa Việt Nam"),
            AddedDay(date=day("2026-11-28"), kind=AddedKind.WORKED),
            AddedDay(date=day("2026-09-02"), kind=AddedKind.WORKED, name="Trực"),
        )
    )
    changed = WorkCalendar.of(own)
    assert not changed.is_workday(day("2026-11-24"))
    assert changed.is_workday(day("2026-11-28"))
    assert changed.is_workday(day("2026-09-02"))


def test_a_commune_that_works_on_saturdays_says_so() -> None:
    six = WorkCalendar.of(CalendarSettings(weekdays=(0, 1, 2, 3, 4, 5)))
    assert six.next_workday(day("2026-11-20")) == day("2026-11-21")
    assert not six.is_workday(day("2026-11-22"))
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"weekdays": []}, CalendarSettings)


def test_a_year_without_announced_days_is_told_apart() -> None:
    assert CALENDAR.is_known(day("2027-12-31"))
    assert not CALENDAR.is_known(day("2028-01-01"))
    assert CALENDAR.next_workday(day("2028-01-07")) == day("2028-01-10")


def test_working_noon_is_noon_of_the_next_working_day_in_vietnam() -> None:
    noon = CALENDAR.noon_after(day("2026-11-20"))
    assert noon.isoformat() == "2026-11-23T12:00:00+07:00"


def test_the_day_is_vietnam_s_whatever_the_zone() -> None:
    assert day_in_vietnam(dt.datetime(2026, 11, 22, 18, 0, tzinfo=dt.UTC)) == day("2026-11-23")


def test_a_calendar_that_contradicts_the_week_or_itself_is_refused() -> None:
    known = calendar.load()
    twice = msgspec.structs.replace(known, day=(*known.day, known.day[0]))
    saturday = msgspec.structs.replace(known.day[0], date=day("2026-11-21"))
    beyond = msgspec.structs.replace(known.day[0], date=day("2030-01-01"))
    for wrong in (
        twice,
        msgspec.structs.replace(known, day=(saturday,)),
        msgspec.structs.replace(known, day=(beyond,)),
    ):
        with pytest.raises(ValueError, match=r"day|lies|stands"):
            calendar.checked(wrong)
