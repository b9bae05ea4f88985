"""Exchange through a province's LGSP (trục liên thông của tỉnh): `ports.Channel` over its REST calls.

Runs on the network pool. The LGSP gives no receipts, takes the same packet twice, and lists by days: so a lost answer
is looked into and never simply repeated, and the cursor is ours. Calls as collected from an integrator's software
(protocols §2, reported); where servers differ both ways are taken.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from signer_resources.errors import KnownError
from signer_sync.contract import FeedType, JournalHead, OrgPage, PacketKind, PacketState, Retry
from signer_sync.edxml import Organ
from signer_sync.edxml_read import read_header
from signer_sync.errors import ExchangeError, Scope
from signer_sync.http import HttpSettings
from signer_sync.lgsp_content import Capped, FirstReading, Form, SecondReading
from signer_sync.lgsp_cursor import AHEAD_DAYS, Entry, LgspCursor, slices
from signer_sync.lgsp_errors import Refusal, doc_id_of, error_for
from signer_sync.lgsp_form import PacketForm
from signer_sync.lgsp_line import MAX_DIRECTORY, MAX_LIST, LgspLine
from signer_sync.lgsp_lists import entries_in, organisations_in
from signer_sync.lgsp_settings import VIETNAM, LgspCredentials, LgspSettings, LoginMemory
from signer_sync.lgsp_statuses import MAX_MESSAGE, StatusBook, proves, state_of
from signer_sync.packets import Arrival, ArrivalPage, BinarySink, OutgoingPacket, Proof
from signer_sync.ports import Contact, Sought, Traits

TRAITS: Final = Traits(name="lgsp", idempotent=False, receipts=False, side_by_side=1, long_poll=False)

_UNIT_WIDE: Final = frozenset({"lgsp_unit_refused", "lgsp_sender_unregistered", "lgsp_system_fault"})


class LgspChannel:
    """The LGSP of one body; close it after use (or use it in a `with`).

    `now` with an offset, `monotonic` in seconds. Keep one for the whole run of the program where that can be: it knows
    its token, and when it last asked for the list.
    """

    def __init__(
        self,
        org: str,
        settings: LgspSettings,
        credentials: LgspCredentials,
        *,
        http: HttpSettings,
        memory: LoginMemory,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._org = org
        self._settings = settings
        self._line = LgspLine(settings, credentials, http, memory, monotonic)
        self._now = now
        self._monotonic = monotonic
        self._statuses = StatusBook(self._status_message)
        self._behind: dict[str, tuple[str, ...]] = {}
        """Cursor → numbers of the packets that its page handed over and that the LGSP does not count as received."""
        self._acknowledged: set[str] = set()
        self._asked: tuple[str, float] | None = None
        """The cursor behind which nothing was, and when that was asked."""
        self._directory: tuple[str, OrgPage] | None = None

    def __repr__(self) -> str:
        return f"LgspChannel({self._org!r}, {self._line!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends its connections."""
        self._line.close()

    @property
    def org(self) -> str:
        """The body for which this channel speaks."""
        return self._org

    @property
    def traits(self) -> Traits:
        """Neither idempotent nor with receipts; one packet at a time."""
        return TRAITS

    def hurry(self) -> None:
        """A person wants the list now: the next `list` asks, however short ago the last one did."""
        self._asked = None

    def contact(self) -> Contact:
        """Logs in if need be and asks for the list of today, which only the right server answers for the right unit."""
        today = self._today()
        self._listed("edoc", today, today)
        return Contact(f"lgsp:{self._line.host}", self._line.server_time)

    def submit(self, packet: OutgoingPacket, journal_head: JournalHead | None, sent: Callable[[int], None]) -> Proof:
        """Sends a packet; the LGSP's number of it is the proof. `journal_head` has no place in it.

        ExchangeError packet_damaged, those of the table of error codes, and where no answer came `unreachable` if the
        packet may be there all the same.
        """
        message_type = "status" if packet.kind is PacketKind.STATUS else "edoc"

        def judge(refusal: Refusal) -> ExchangeError:
            return error_for(refusal, self._line.host, receivers=_receivers(packet), attempts=packet.attempts + 1)

        answer = self._line.send(lambda: PacketForm(packet, message_type, sent), judge)
        number = _number_in(answer)
        if not number:
            raise self._line.wrong_answer()
        told = _Told(
            self._line.host,
            number,
            packet.document_id,
            tuple(organ.code for organ in _receivers(packet)),
            self._now().isoformat(timespec="seconds"),
        )
        return Proof(msgspec.json.encode(told).decode(), doc_id=number)

    def seek(self, packet: OutgoingPacket) -> Sought:
        """Looks for a status message that answers the packet: THERE if there is one, else UNKNOWN, since nobody may
        have answered yet. A status message of our own says the same however often it is said: ABSENT, it may be sent
        again.
        """
        if packet.kind is PacketKind.STATUS:
            return Sought.ABSENT
        if not packet.document_id:
            return Sought.UNKNOWN
        for told in self._statuses.about(packet.document_id, self._messages_since(packet.created_at)):
            if proves(told, packet.kind):
                return Sought.THERE
        return Sought.UNKNOWN

    def status(self, packet_id: str, proof: str) -> PacketState | None:
        """How far a packet is, by the status messages of its receivers; None when nobody has answered."""
        try:
            told = msgspec.json.decode(proof, type=_Told)
            since = datetime.fromisoformat(told.at)
        except (msgspec.MsgspecError, ValueError):
            return None
        if not told.document_id:
            return None
        messages = self._statuses.about(told.document_id, self._messages_since(since))
        return state_of(messages, told.receivers, self._now())

    def list(self, cursor: str | None, *, limit: int, wait: int) -> ArrivalPage:
        """What came behind `cursor`; asks the LGSP no more often than its settings say, and holds nothing open."""
        known = LgspCursor.parse(cursor) if cursor is not None else None
        today = self._today()
        place = known or LgspCursor.beginning(today, self._settings.first_days)
        if cursor is not None and self._asked_lately(cursor):
            return ArrivalPage((), cursor)
        shown: dict[tuple[str, bool], Entry] = {}
        parts = self._parts(place.since, place.day)
        all_shown = True
        for first, end in parts:
            for entry in (*self._listed("edoc", first, end), *self._listed("status", first, end)):
                shown.setdefault((entry.doc_id, entry.is_status), entry)
            if (first, end) != parts[-1] and sum(map(place.is_new, shown.values())) > limit:
                all_shown = False
                break
        ordered = sorted(shown.values(), key=lambda entry: (entry.order, entry.doc_id, entry.is_status))
        new = [entry for entry in ordered if place.is_new(entry)]
        handed = new[:limit]
        all_shown = all_shown and len(handed) == len(new)
        behind = str(place.behind(handed, ordered, all_shown=all_shown, today=today))
        self._behind[behind] = tuple(entry.doc_id for entry in handed if not entry.done)
        self._asked = (behind, self._monotonic()) if all_shown else None
        return ArrivalPage(tuple(map(_arrival, handed)), behind, more=not all_shown)

    def fetch(self, arrival: Arrival, sink: BinarySink, *, limit: int) -> None:
        """Writes a packet's bytes into `sink`, whichever way the LGSP wraps them."""
        self._fetch(arrival.id, sink, limit)

    def ack(self, cursor: str) -> None:
        """Tells the LGSP of each packet up to `cursor` that it is received. One that it will not hear of is passed
        over: the packet is here, and the cursor marks it.
        """
        for doc_id in self._behind.get(cursor, ()):
            if doc_id in self._acknowledged:
                continue
            try:
                self._line.ask(
                    "POST", "/v1/updateStatus", body={"docId": doc_id, "status": self._settings.received_word}
                )
            except ExchangeError as error:
                if error.unreachable or error.scope is Scope.SERVER or error.code in _UNIT_WIDE:
                    raise
            self._acknowledged.add(doc_id)
        self._behind.pop(cursor, None)

    def directory(self, since: str | None) -> OrgPage:
        """The whole directory; the LGSP knows no changes. Nothing for the cursor of the same directory, epoch_changed
        for another one: then it is to be taken from the start.
        """
        kept, self._directory = self._directory, None
        if since is None and kept is not None:
            return kept[1]
        value, body = self._line.ask("GET", "/v1/getAgenciesList", limit=MAX_DIRECTORY, unit=False)
        cursor = hashlib.sha256(body).hexdigest()
        if since == cursor:
            return OrgPage(items=(), cursor=cursor)
        items = organisations_in(value)
        if not items:
            raise self._line.wrong_answer()
        page = OrgPage(items=items, cursor=cursor)
        if since is None:
            return page
        self._directory = (cursor, page)
        raise ExchangeError("epoch_changed", retry=Retry.NOW, host=self._line.host)

    # ---- pieces

    def _today(self) -> date:
        """The LGSP's day: by its own clock where it told one, else by ours."""
        return (self._line.server_time or self._now()).astimezone(VIETNAM).date()

    def _asked_lately(self, cursor: str) -> bool:
        """Whether it is too early to ask again what came behind a cursor."""
        if self._asked is None or self._asked[0] != cursor:
            return False
        return self._monotonic() - self._asked[1] < self._settings.polling_minutes * 60

    def _listed(self, message_type: str, first: date, last: date) -> Sequence[Entry]:
        query = {"messageType": message_type, "fromDate": f"{first:%Y/%m/%d}", "toDate": f"{last:%Y/%m/%d}"}
        value, _ = self._line.ask("GET", "/v1/syncReceivedEdocList", query=query, limit=MAX_LIST)
        found = entries_in(value, is_status=message_type == "status")
        if found is None:
            raise self._line.wrong_answer()
        return found

    def _parts(self, first: date, not_before: date) -> Sequence[tuple[date, date]]:
        """The days from `first` on in parts. The last part ends behind the days of both clocks, the LGSP's and ours."""
        ahead = timedelta(days=AHEAD_DAYS)
        *parts, (start, end) = slices(first, max(self._today(), not_before) + ahead)
        return [*parts, (start, max(end, self._now().astimezone(VIETNAM).date() + ahead))]

    def _messages_since(self, moment: datetime) -> Sequence[Entry]:
        first = moment.astimezone(VIETNAM).date() - timedelta(days=1)
        found: dict[str, Entry] = {}
        for start, end in self._parts(first, first):
            found.update((entry.doc_id, entry) for entry in self._listed("status", start, end))
        return tuple(found.values())

    def _status_message(self, doc_id: str, sink: BinarySink) -> None:
        self._fetch(doc_id, sink, MAX_MESSAGE)

    def _fetch(self, doc_id: str, sink: BinarySink, limit: int) -> None:
        capped = Capped(sink, limit)
        # base64 with line breaks, the same files a second time beside the packet, and what else is told of it
        answer_limit = 4 * limit + (1 << 20)
        first = FirstReading(capped)
        with self._line.content(doc_id, answer_limit) as pieces:
            for piece in pieces:
                first.feed(piece)
        found = first.end()
        if found.form is Form.NONE:
            raise ExchangeError("lgsp_no_packet", retry=Retry.FIX)
        if found.form is Form.WHOLE:
            return
        second = SecondReading(found, capped)
        with self._line.content(doc_id, answer_limit) as pieces:
            for piece in pieces:
                second.feed(piece)
        second.end()


class _Told(msgspec.Struct, frozen=True, rename="camel"):
    """What is kept as the proof of a packet: where it went, under which number, and what finds its answers."""

    host: str
    doc_id: str
    document_id: str
    receivers: tuple[str, ...] = ()
    at: str = ""


def _arrival(entry: Entry) -> Arrival:
    kind = PacketKind.STATUS if entry.is_status else None
    return Arrival(
        entry.doc_id, FeedType.STATUS if entry.is_status else FeedType.PACKET, sender=entry.sender, kind=kind
    )


def _number_in(answer: object) -> str:
    if not isinstance(answer, Mapping):
        return ""
    parts: list[Mapping[str, Any]] = [answer]
    if isinstance(answer.get("data"), Mapping):
        parts.append(answer["data"])
    return next((number for part in parts if (number := doc_id_of(part.get("docId")))), "")


def _receivers(packet: OutgoingPacket) -> tuple[Organ, ...]:
    """The receivers that the packet itself names; none if it cannot be read any more."""
    try:
        with packet.path.open("rb") as file:
            return read_header(file).receivers
    except (OSError, KnownError):
        return ()
