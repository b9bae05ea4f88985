"""What a document needs so that its signatures can be checked without asking anybody: chains, OCSP answers and CRLs.

Runs in a worker, never fetches. Signatures are opened by the verifier's own parts, so nothing is embedded that the
verifier would not believe. News count by when they were issued: about the signer's certificate, news from before the
proven time of signing say nothing (ETSI EN 319 102-1, 5.2.5); about CAs and timestamp servers, which seldom issue
lists, news that were in force then do.
"""

import datetime as dt
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asn1crypto import x509 as asn1
from cryptography import x509

from signer_app.levels.model import Standing
from signer_app.verification.addresses import ODD, revocation_urls
from signer_app.verification.chains import Chain, TrustStore, parse_certificates
from signer_app.verification.cms import Token, signature_timestamps
from signer_app.verification.document import SignedDocument
from signer_app.verification.faults import UnreadableError
from signer_app.verification.found import Finder, FoundSignature
from signer_app.verification.model import (
    FileReport,
    Integrity,
    Level,
    Revocation,
    RevocationUrl,
    RevocationUrlKind,
    SignatureReport,
    Trust,
    TrustMaterial,
    Verdict,
)
from signer_app.verification.names import one_line
from signer_app.verification.news import MAX_RELATIVES, Issuers, News, Pieces
from signer_app.verification.source import SourceFile
from signer_app.verification.verify import verify_file

_CLOCK_SKEW = dt.timedelta(minutes=5)
_REVOKED = frozenset({"verify_revoked", "verify_revoked_later"})


@dataclass(frozen=True)
class Link:
    """A certificate and who may speak of it; the time that news must cover, and whether only later news do."""

    certificate: x509.Certificate
    issuers: Issuers
    time: dt.datetime
    later_only: bool


@dataclass
class Part:
    """A signature or document timestamp of the file, by the name of its field, and what must be known of it.

    `archive`: a timestamp over validation data with nothing signed after it, which needs no data of its own until
    another one follows. `trusted`: every chain of it ends at an anchor. `stamp_certificates` are those among
    `certificates` on which its timestamps rest.
    """

    name: str
    archive: bool
    trusted: bool = True
    certificates: list[asn1.Certificate] = field(default_factory=list)
    stamp_certificates: list[asn1.Certificate] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)


@dataclass(frozen=True)
class Chosen:
    """The news that cover a part, DER; `missing` are the links for which there are none."""

    part: Part
    crls: tuple[bytes, ...]
    ocsps: tuple[bytes, ...]
    missing: tuple[Link, ...]


class Material:
    """All parts of a file, and the news in the file and in hand. For one thread."""

    def __init__(self, parts: Sequence[Part], inside: TrustMaterial, outside: TrustMaterial) -> None:
        self.parts = tuple(parts)
        self._inside, self._outside = inside, outside

    def chosen(self, *, inside_only: bool) -> list[Chosen]:
        """For each part the news that cover it: OCSP answers before CRLs, for they are small."""
        crls, ocsps = [*self._inside.crls], [*self._inside.ocsps]
        if not inside_only:
            crls, ocsps = [*crls, *self._outside.crls], [*ocsps, *self._outside.ocsps]
        pieces = Pieces(crls, ocsps)
        by_name = {hashlib.sha256(der).hexdigest(): der for der in (*crls, *ocsps)}
        return [self._of(part, pieces, by_name) for part in self.parts]

    @staticmethod
    def _of(part: Part, pieces: Pieces, by_name: dict[str, bytes]) -> Chosen:
        found: dict[RevocationUrlKind, dict[str, bytes]] = {kind: {} for kind in RevocationUrlKind}
        missing = []
        for link in part.links:
            best = next(iter(_best_first(pieces.about(link.certificate, link.issuers), link)), None)
            if best is None or best.sha256 not in by_name:
                missing.append(link)
            else:
                found[best.kind][best.sha256] = by_name[best.sha256]
        lists, answers = found[RevocationUrlKind.CRL], found[RevocationUrlKind.OCSP]
        return Chosen(part, tuple(lists.values()), tuple(answers.values()), tuple(missing))


def material_of(path: Path, trust: TrustMaterial, report: FileReport, now: dt.datetime) -> Material:
    """What the signatures and timestamps of a file need. UnreadableError where they can't be found."""
    with SourceFile(path) as source:
        try:
            document, strict = SignedDocument(source, strict=True), True
        except Exception:  # noqa: BLE001  # as the verifier: pyHanko's lenient reader gets a turn
            document, strict = SignedDocument(source, strict=False), False
        held = document.validation_data()
        filled = [
            (one, signature)
            for one in document.final.fields.values()
            if (signature := document.final.signature_of(one)) is not None
        ]
        found = Finder(source, document.final, held.intermediates, strict=strict).find(filled)
        embedded = [one.signed for one in found if one.signed is not None]
        inside = TrustMaterial(
            crls=(*held.crls, *(der for signed in embedded for der in signed.crls)),
            ocsps=(*held.ocsps, *(der for signed in embedded for der in signed.ocsps)),
        )
        reader = _Reader(trust, tuple(parse_certificates(held.intermediates)), report, now)
        parts = [reader.part(one, archive=_is_archive(one, found, document)) for one in found]
    return Material(parts, inside, trust)


def _is_archive(one: FoundSignature, found: Sequence[FoundSignature], document: SignedDocument) -> bool:
    ends = [other.range.end for other in found if other.range is not None]
    return (
        one.is_timestamp
        and one.range is not None
        and one.range.end == max(ends)
        and one.state is not None
        and document.has_revocation_data(one.state.revision)
    )


class _Reader:
    """Turns opened signatures into parts."""

    def __init__(
        self, trust: TrustMaterial, supporting: Sequence[asn1.Certificate], report: FileReport, now: dt.datetime
    ) -> None:
        self._store = TrustStore(trust)
        self._supporting = tuple(supporting)
        self._proven = {
            one.field: one.timestamp.time
            for one in report.signatures
            if one.timestamp is not None and one.timestamp.valid
        }
        self._now = now

    def part(self, one: FoundSignature, *, archive: bool) -> Part:
        part = Part(one.field.name, archive)
        if one.is_timestamp:
            self._add_token(part, one.token)
        elif one.signed is not None:
            time = self._proven.get(one_line(one.field.name), self._now)
            self._add(part, one.signed.certificate, one.signed.certificates, time, is_signer=True)
            for token in signature_timestamps(one.signed):
                if token.right:
                    self._add_token(part, token)
        else:
            part.trusted = False
        return part

    def _add_token(self, part: Part, token: Token | None) -> None:
        if token is None or token.certificate is None:
            part.trusted = False
        else:
            self._add(part, token.certificate, token.certificates, token.time, is_signer=False)

    def _add(
        self,
        part: Part,
        leaf: asn1.Certificate,
        others: Iterable[asn1.Certificate],
        time: dt.datetime,
        *,
        is_signer: bool,
    ) -> None:
        chain = self._store.chain(leaf, [*others, *self._supporting], time)
        if chain.trust is not Trust.TRUSTED:
            part.trusted = False
            return
        part.certificates += chain.certificates
        if not is_signer:
            part.stamp_certificates += chain.certificates
        try:
            part.links += _links(chain, time, later_only=is_signer)
        except ODD:
            part.trusted = False


def _links(chain: Chain, time: dt.datetime, *, later_only: bool) -> Iterator[Link]:
    relatives = tuple(chain.parsed_relatives[:MAX_RELATIVES])
    for place, (certificate, issuer) in enumerate(itertools.pairwise(chain.parsed)):
        above = chain.parsed[place + 2] if place + 2 < len(chain.parsed) else None
        yield Link(certificate, Issuers(issuer, above, relatives), time, later_only and place == 0)


def _best_first(news: Sequence[News], link: Link) -> list[News]:
    """Those that cover the link, the smaller kind first, then the newest."""
    covering = [one for one in news if _covers(one, link)]
    return sorted(covering, key=lambda one: (one.kind is not RevocationUrlKind.OCSP, -one.issued.timestamp()))


def _covers(news: News, link: Link) -> bool:
    if news.weak is not None or news.issued > link.certificate.not_valid_after_utc:
        return False
    good_then = news.clean or (news.revoked_at is not None and news.revoked_at > link.time)
    # News and stamps are told by clocks of whole seconds.
    later = news.issued >= link.time.replace(microsecond=0)
    in_force = news.next_update is not None and news.issued <= link.time + _CLOCK_SKEW and link.time <= news.next_update
    return good_then and (later or (in_force and not link.later_only))


# How a file stands


def standing(path: Path, trust: TrustMaterial, now: dt.datetime) -> Standing:
    """How the document stands; never raises for what a file can hold."""
    report = verify_file(path, trust, now)
    try:
        material = material_of(path, trust, report, now)
    except (UnreadableError, OSError, *ODD):
        return _unreadable(report)
    except Exception:  # noqa: BLE001  # pyHanko fails with many types on odd files; then nothing is appended
        return _unreadable(report)
    inside = material.chosen(inside_only=True)
    at_hand = material.chosen(inside_only=False)
    level = _level(report, inside)
    return Standing(
        report=report,
        level=level,
        in_hand=all(one.part.trusted and not one.missing for one in at_hand),
        wanted=_wanted(at_hand),
        obstacle=_obstacle(report, now),
        lt_obstacle=None if all(part.trusted for part in material.parts) else "level_untrusted",
        ends_at=_ends_at(material.parts, level),
    )


def _unreadable(report: FileReport) -> Standing:
    return Standing(
        report=report,
        level=Level.B_B,
        in_hand=False,
        wanted=(),
        obstacle="level_no_signature" if report.integrity is Integrity.UNSIGNED else "level_not_valid",
        lt_obstacle=None,
        ends_at=None,
    )


def _level(report: FileReport, inside: Sequence[Chosen]) -> Level:
    """The level of the lowest signature; validation data count when the file holds all that is needed."""
    levels = {one.level for one in report.signatures}
    if not levels or Level.B_B in levels:
        return Level.B_B
    if any(one.missing or not one.part.trusted for one in inside if not one.part.archive):
        return Level.B_T
    if Level.B_T in levels:
        return Level.B_T
    archived = any(one.part.archive and one.part.trusted for one in inside)
    return Level.B_LTA if levels == {Level.B_LTA} and archived else Level.B_LT


def _wanted(chosen: Sequence[Chosen]) -> tuple[RevocationUrl, ...]:
    urls = (
        url for one in chosen for link in one.missing for url in revocation_urls(link.certificate, link.issuers.issuer)
    )
    return tuple({(url.url, url.certificate): url for url in urls}.values())


def _obstacle(report: FileReport, now: dt.datetime) -> str | None:
    """Why the file may get no timestamp: it would prove nothing, or turn a doubtful signature into a wrong one."""
    if not report.signatures:
        return "level_no_signature" if report.integrity is Integrity.UNSIGNED else "level_not_valid"
    return next((code for one in report.signatures if (code := _hindrance(one, now)) is not None), None)


def _hindrance(one: SignatureReport, now: dt.datetime) -> str | None:
    if one.integrity in {Integrity.BROKEN, Integrity.UNREADABLE}:
        return "level_not_valid"
    if one.level is Level.B_B:
        if one.revocation is Revocation.REVOKED or _REVOKED & set(one.reasons):
            return "level_certificate_revoked"
        if one.not_after is not None and one.not_after < now:
            return "level_certificate_expired"
    return "level_not_valid" if one.verdict is Verdict.INVALID else None


def _ends_at(parts: Sequence[Part], level: Level) -> dt.datetime | None:
    """When what the level rests on runs out: the timestamps once all news are inside, before that every certificate."""
    resting = [part for part in parts if part.archive] if level is Level.B_LTA else parts
    kept = level in {Level.B_LT, Level.B_LTA}
    certificates = (one for part in resting for one in (part.stamp_certificates if kept else part.certificates))
    return min((certificate.not_valid_after for certificate in certificates), default=None)
