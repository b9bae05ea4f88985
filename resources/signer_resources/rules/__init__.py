"""The rule profile: what the law and house practice fix (margins, sizes, limits), each value with its source.

Read by every room, on any process and thread; read once, then immutable. The law changes faster than the
program, so no legal constant lives in code: the profile valid on the signing date is loaded, and its id and
version go into each evidence record. It decides nothing; it only tells values and where they come from.
"""

import tomllib
from datetime import date
from functools import cache
from pathlib import Path

import msgspec

from signer_resources.errors import KnownError
from signer_resources.rules.profiles import SignatureProfile as SignatureProfile
from signer_resources.rules.sources import Mark as Mark


class NoRuleProfileError(KnownError):
    """No profile is valid on the given date: the clock is wrong, or the program is too old."""

    def __init__(self, on: date) -> None:
        super().__init__("no_rule_profile", date=on.strftime("%d/%m/%Y"))


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value and where it comes from."""

    id: str
    value: int | float | str | list[int | str]
    unit: str
    act: str
    """Number of the act: "NĐ 30/2020/NĐ-CP"."""
    article: str
    valid_from: date
    mark: Mark
    valid_to: date | None = None
    """The last day on which the rule holds; none while it is in force."""
    note: str = ""

    def holds_on(self, day: date) -> bool:
        """Whether the rule is in force on `day`."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class TypeList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of document types by abbreviation, and the source of the list."""

    act: str
    article: str
    valid_from: date
    mark: Mark
    names: dict[str, str]
    without_abbreviation: tuple[str, ...] = ()
    note: str = ""


class DocumentType(msgspec.Struct, frozen=True):
    """A document type: abbreviation in the notation (empty if it has none) and name, not in capitals."""

    abbreviation: str
    name: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    version: str
    name: str
    valid_from: date
    document_types: TypeList
    copy_types: TypeList
    rule: list[Rule]
    profile: list[SignatureProfile]
    valid_to: date | None = None


class RuleProfile(msgspec.Struct, frozen=True):
    """The rules and signature profiles that hold on one day."""

    id: str
    version: str
    name: str
    on: date
    rules: tuple[Rule, ...]
    document_types: tuple[DocumentType, ...]
    """The 29 types of Decree 30/2020, Article 7; official letters have no abbreviation."""
    copy_types: tuple[DocumentType, ...]
    signature_profiles: tuple[SignatureProfile, ...]

    def profile(self, profile_id: str) -> SignatureProfile:
        """The signature profile of this id ("leader", "agency", ...); KeyError for an unknown one."""
        for profile in self.signature_profiles:
            if profile.id == profile_id:
                return profile
        raise KeyError(profile_id)

    def rule(self, rule_id: str) -> Rule:
        """The rule with its act and article; KeyError for an unknown id."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)

    def number(self, rule_id: str) -> float:
        """The number of a rule, in the rule's unit; KeyError for an unknown id, TypeError for a text or a
        list.
        """
        value = self.rule(rule_id).value
        if isinstance(value, int | float):
            return value
        raise TypeError(f"rule {rule_id} is no number")

    def text(self, rule_id: str) -> str:
        """The text of a rule; KeyError for an unknown id, TypeError for a number or a list."""
        value = self.rule(rule_id).value
        if isinstance(value, str):
            return value
        raise TypeError(f"rule {rule_id} is no text")

    def numbers(self, rule_id: str) -> tuple[int, ...]:
        """The list of whole numbers of a rule; KeyError for an unknown id, TypeError for anything else."""
        value = self.rule(rule_id).value
        if isinstance(value, list):
            numbers = tuple(item for item in value if isinstance(item, int))
            if len(numbers) == len(value):
                return numbers
        raise TypeError(f"rule {rule_id} is no list of whole numbers")

    def texts(self, rule_id: str) -> tuple[str, ...]:
        """The list of texts of a rule; KeyError for an unknown id, TypeError for anything else."""
        value = self.rule(rule_id).value
        if isinstance(value, list):
            texts = tuple(item for item in value if isinstance(item, str))
            if len(texts) == len(value):
                return texts
        raise TypeError(f"rule {rule_id} is no list of texts")


def load(on: date) -> RuleProfile:
    """The profile for documents signed on the day `on` (Vietnam's date). NoRuleProfileError if there is none.

    Of several profiles that are valid on that day the one that came into force last counts.
    """
    valid = [f for f in _files() if f.valid_from <= on and (f.valid_to is None or on <= f.valid_to)]
    if not valid:
        raise NoRuleProfileError(on)
    file = max(valid, key=lambda candidate: (candidate.valid_from, candidate.version))
    rules = tuple(rule for rule in file.rule if rule.holds_on(on))
    profiles = tuple(profile for profile in file.profile if profile.holds_on(on))
    ids = [rule.id for rule in rules] + [profile.id for profile in profiles]
    twice = {rule_id for rule_id in ids if ids.count(rule_id) > 1}
    if twice:
        raise ValueError(f"profile {file.id}: {', '.join(sorted(twice))} would hold twice on {on}")
    return RuleProfile(
        id=file.id,
        version=file.version,
        name=file.name,
        on=on,
        rules=rules,
        document_types=_types(file.document_types),
        copy_types=_types(file.copy_types),
        signature_profiles=profiles,
    )


def _types(listed: TypeList) -> tuple[DocumentType, ...]:
    named = [DocumentType(abbreviation, name) for abbreviation, name in listed.names.items()]
    return (*named, *(DocumentType("", name) for name in listed.without_abbreviation))


@cache
def _files() -> tuple[_File, ...]:
    """Every profile beside this module, checked while it is read."""
    return tuple(
        msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
        for path in sorted(Path(__file__).resolve().parent.glob("*.toml"))
    )
