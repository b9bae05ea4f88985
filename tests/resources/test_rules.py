"""The rule profile: values, sources, and the day on which they hold."""

import tomllib
from datetime import date

import msgspec
import pytest

import signer_resources
from signer_resources import rules

DAY = date(2026, 11, 20)


def test_every_rule_names_its_act_and_article() -> None:
    profile = rules.load(DAY)
    assert profile.id == "decree30-2026"
    assert len(profile.rules) > 40
    assert [rule.id for rule in profile.rules if not (rule.act.strip() and rule.article.strip())] == []
    assert [rule.id for rule in profile.rules if rule.valid_from > DAY] == []
    assert len(profile.signature_profiles) == 7
    assert [one.id for one in profile.signature_profiles if not (one.act.strip() and one.article.strip())] == []


def test_values_are_those_of_the_decree_and_the_circular() -> None:
    profile = rules.load(DAY)
    assert (profile.number("leader_image.width"), profile.number("leader_image.height")) == (60, 22)
    assert profile.number("seal.overlap") == pytest.approx(1 / 3)
    assert (profile.number("seal.diameter.min"), profile.number("seal.diameter.max")) == (34, 42)
    assert profile.number("corner_text.size") == 10
    assert profile.text("digest.algorithm") in profile.texts("digest.allowed")
    assert profile.number("key.rsa.min_bits") == 2048
    assert profile.number("signature.contents_bytes") == 32768
    assert (profile.rule("timestamp.limit").value, profile.rule("timestamp.limit").unit) == (10, "s")
    assert (profile.rule("clock.warning").value, profile.rule("clock.warning").unit) == (5, "min")
    assert profile.numbers("certificate.expiry_warnings") == (60, 30, 7)
    assert profile.text("signing_time.zone") == "+07:00"


def test_all_29_types_are_known_and_two_have_no_abbreviation() -> None:
    profile = rules.load(DAY)
    assert len(profile.document_types) == 29
    assert [kind.name for kind in profile.document_types if not kind.abbreviation] == ["Công văn", "Thư công"]
    assert {kind.abbreviation: kind.name for kind in profile.document_types}["TTr"] == "Tờ trình"
    assert [kind.abbreviation for kind in profile.copy_types] == ["SY", "SL", "TrS"]


def test_an_unknown_rule_and_a_value_of_another_kind_are_refused() -> None:
    profile = rules.load(DAY)
    with pytest.raises(KeyError):
        profile.number("no.such.rule")
    with pytest.raises(TypeError, match="no number"):
        profile.number("seal.colour")
    with pytest.raises(TypeError, match="no text"):
        profile.text("paper.width")
    with pytest.raises(TypeError, match="no list of texts"):
        profile.texts("certificate.expiry_warnings")
    with pytest.raises(TypeError, match="no list of whole numbers"):
        profile.numbers("secrecy.marks")


def test_a_day_without_rules_is_told_in_words() -> None:
    with pytest.raises(rules.NoRuleProfileError) as caught:
        rules.load(date(1999, 12, 31))
    assert caught.value.exit == 1
    assert "31/12/1999" in caught.value.explain("vi").what
    assert rules.load(date(2026, 1, 1)).on == date(2026, 1, 1)


def test_a_signature_profile_is_known_by_its_id_and_ends_as_rules_do() -> None:
    profile = rules.load(DAY)
    archive = profile.profile("archive")
    assert (archive.act, profile.text(archive.text)) == ("TT 05/2025/TT-BNV", "{ten_co_quan}; {thoi_gian_ky}")
    with pytest.raises(KeyError):
        profile.profile("no-such-profile")
    ended = msgspec.structs.replace(archive, valid_to=date(2026, 11, 14))
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 11, 14), date(2026, 11, 15)]
    assert [ended.holds_on(day) for day in days] == [False, True, True, False]


def test_a_rule_ends_on_its_last_day() -> None:
    rule = rules.Rule(
        id="a",
        value=1,
        unit="",
        act="NĐ 1/2026/NĐ-CP",
        article="Đ1",
        valid_from=date(2026, 1, 1),
        mark=rules.Mark.STATED,
        valid_to=date(2026, 11, 14),
    )
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 11, 14), date(2026, 11, 15)]
    assert [rule.holds_on(day) for day in days] == [False, True, True, False]


def test_no_record_is_written_twice_in_the_file() -> None:
    text = signer_resources.path("rules/decree30-2026.toml").read_text(encoding="utf-8")
    for records in ("rule", "profile"):
        ids = [record["id"] for record in tomllib.loads(text)[records]]
        assert sorted(ids) == sorted(set(ids))
