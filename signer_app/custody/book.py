"""The hand-over book: who holds which certificate, how it is handed over, and that no one signs with one nobody holds.

Main process, any thread; blocks. A hand-over is written once, with a minute that names the journal's head and is signed
by the token itself where its PIN is given; the journal tells it in the same transaction. A PIN goes to the token host
and nowhere else. Decree 30/2020, article 32: others than the appointed clerk need a written permission and a minute.
"""

import unicodedata
from contextlib import suppress
from dataclasses import replace

import msgspec
from asn1crypto import x509 as asn1_x509

from signer_app.custody.anchors import MINUTE_TYPE
from signer_app.custody.forms import Request, minute_form, request_form
from signer_app.custody.subjects import facts_of, known_subjects, plugged_in, wanted_subject
from signer_app.custody.values import LONGEST, BookSnapshot, Holding, Wish
from signer_app.paper.sheet import printable
from signer_app.pdf.model import Profile
from signer_app.pdf.names import same_person
from signer_app.signing.certificates import SigningCertificate, choose
from signer_app.signing.login import log_in, tell_journal
from signer_app.store.custody import DeviceFacts, HandOver, Minute, Permission, PinProof, Waiting
from signer_app.store.journal import canonical
from signer_app.store.model import JournalAction, TokenUse
from signer_app.store.store import StoreReader, Transaction, View
from signer_app.store.times import VIETNAM, stamp, vietnamese_date
from signer_app.workspace import Workspace, operator_name
from signer_resources.errors import KnownError
from signer_resources.forms import FormKind
from signer_sync import jws
from signer_sync.ids import uuid7
from signer_token.client import TokenError, TokenSession
from signer_token.model import Login

_NAMED = 40
"""Documents that a minute calls by name; the others are counted."""
_LONGEST_NAME = 80


def require_holder(store: StoreReader, certificate_sha256: str, device_serial: str) -> None:
    """KnownError where nobody may sign with this certificate of this device now: before the PIN.

    "custody_no_holder": the last hand-over gave it back to the body. "custody_pin_unchanged": the last hand-over asks
    for another PIN, which has not been set. The hand-over is that of the certificate, or of the device where the
    certificate is newer than the book. Where there is none they may sign: nobody who has just installed the program is
    locked out. "custody_book_altered": the book is not as it was written.
    """
    with store.view() as view:
        last = view.custody.last(certificate_sha256, device_serial)
    if last is None:
        return
    name, day = last.minute.certificate.name, vietnamese_date(last.minute.at)
    if not last.minute.receiver:
        raise KnownError("custody_no_holder", name=name, date=day, number=last.minute.number)
    if last.pin_change_open:
        raise KnownError("custody_pin_unchanged", name=name, holder=last.minute.receiver, date=day)


class Book:
    """The hand-over book of one workspace."""

    def __init__(self, space: Workspace) -> None:
        self._space = space

    # ---- looking -----------------------------------------------------------------------------------------------------

    def look(self, store: StoreReader | None = None) -> BookSnapshot:
        """The book as it is; over `store`, the writer unless another is given. KnownError "custody_book_altered"."""
        # Before the view: whoever waits for a driver must hold no lock of the store.
        tokens = plugged_in(self._space)
        with (store or self._space.store).view() as view:
            subjects = known_subjects(tokens, view)
            entries, unsigned, unsent = view.custody.list(), _unsigned(view), _unsent(view)
            holdings = tuple(
                Holding(
                    one,
                    self._space.settings.body_of(one.certificate.sha256),
                    view.custody.last(one.certificate.sha256, one.device.serial if one.device else ""),
                )
                for one in subjects
            )
        return BookSnapshot(holdings, entries, unsigned, unsent)

    def entries(self, store: StoreReader) -> tuple[HandOver, ...]:
        """All hand-overs, the newest first; asks no token. KnownError "custody_book_altered"."""
        with store.view() as view:
            return view.custody.list()

    def holding(self, wanted: str | None, *, plugged: bool, store: StoreReader | None = None) -> Holding:
        """The certificate named by serial or beginning of its SHA-256, or the only one; `plugged`: on a token that is
        there now. UsageError where none or several fit; TokenError where no token is there.
        """
        if plugged:
            self._space.hosts.wanted()
        snapshot = self.look(store)
        subjects = tuple(one.subject for one in snapshot.holdings if one.subject.token is not None or not plugged)
        subject = wanted_subject(subjects, wanted)
        return next(one for one in snapshot.holdings if one.subject is subject)

    # ---- handing over ------------------------------------------------------------------------------------------------

    def record(self, certificate: str, wish: Wish, login: Login | None) -> HandOver:
        """Writes a hand-over of the certificate (SHA-256), signed by its token where the giver's `login` is given.

        KnownError "custody_giver_missing", "custody_permission_missing", "custody_nobody_changes", "custody_letter";
        as `log_in` and `TokenSession.sign`, told by the journal: then nothing is recorded.
        """
        if login is None:
            wish, chosen = checked(wish), self.chosen(certificate)
            return self._write(self._minute(chosen, wish), None)
        with login:
            wish, chosen = checked(wish), self.chosen(certificate)
            return self._write(*self._signed_minute(chosen, wish, login))

    def _signed_minute(self, chosen: SigningCertificate, wish: Wish, login: Login) -> tuple[Minute, str]:
        with self._space.tokens_held(), log_in(self._space, chosen, login) as session:
            minute = self._minute(chosen, wish)
            try:
                signed = self._signed(minute, chosen, session)
            except TokenError as error:
                with suppress(KnownError):
                    # A full disk must not hide what the token said.
                    tell_journal(self._space, chosen, JournalAction.HAND_OVER, error.code)
                raise
        return minute, signed

    def chosen(self, certificate: str) -> SigningCertificate:
        """The certificate (SHA-256) on its token, fit to sign or not; TokenError where it isn't plugged in."""
        space = self._space
        for token in space.hosts.wanted(
            lambda seen: any(c.sha256 == certificate for t in seen for c in t.certificates)
        ):
            if any(one.sha256 == certificate for one in token.certificates):
                return choose([token], certificate, [Profile.PLAIN], space.settings, space.trust, space.now())
        raise TokenError("certificate_not_found")

    def pin_was_changed(self, device_serial: str) -> None:
        """The holder says that the PIN was changed with another program; the book says that it was said."""
        now = self._space.now()
        use = TokenUse(
            action=JournalAction.CHANGE_PIN,
            operator=operator_name(),
            certificate_sha256=None,
            token_serial=device_serial,
            result="told",
        )

        def write(tx: Transaction) -> None:
            tx.custody.pin_changed(device_serial, now, PinProof.TOLD)
            tx.journal.append(use, now)

        self._space.store.write(write)

    # ---- papers ------------------------------------------------------------------------------------------------------

    def minute_pdf(self, number: int, store: StoreReader | None = None) -> bytes:
        """The minute with this number, ready to be printed; KnownError "custody_no_minute", "glyph_missing"."""
        with (store or self._space.store).view() as view:
            entry = view.custody.get(number)
        if entry is None:
            raise KnownError("custody_no_minute", number=number)
        return minute_form(entry, self._space.settings.body_of(entry.minute.certificate.sha256))

    def request_pdf(self, kind: FormKind, certificate: str | None, store: StoreReader | None = None) -> bytes:
        """A request form about a certificate, filled in as far as this machine knows; raises as `holding`,
        "glyph_missing".
        """
        holding = self.holding(certificate, plugged=False, store=store)
        subject = holding.subject
        holder = holding.holder or self._space.settings.clerk
        request = Request(subject.certificate, subject.device, holding.body, holder, subject.last_use)
        return request_form(kind, request, self._space.now())

    # ---- small steps -------------------------------------------------------------------------------------------------

    def _minute(self, chosen: SigningCertificate, wish: Wish) -> Minute:
        facts, token = facts_of(chosen.certificate), chosen.token
        with self._space.store.view() as view:
            holder = view.custody.holder(facts.sha256, token.serial) or ""
            return Minute(
                id=uuid7(),
                number=view.custody.next_number(),
                at=self._space.now().astimezone(VIETNAM).replace(microsecond=0),
                place=wish.place,
                body=chosen.body.name if chosen.body else facts.organization,
                giver=wish.giver,
                receiver=wish.receiver,
                held_by="" if same_person(holder, wish.giver) else holder,
                witness=wish.witness,
                permission=wish.permission,
                purpose=wish.purpose,
                until=wish.until,
                certificate=facts,
                device=DeviceFacts(serial=token.serial, label=token.label),
                pin_state=token.pin_state,
                pin_change_due=wish.pin_change,
                unsigned=_unsigned(view),
                unsent=_unsent(view),
                journal=view.journal.head(),
            )

    def _signed(self, minute: Minute, chosen: SigningCertificate, session: TokenSession) -> str:
        between = [one for one in chosen.chain if not _is_root(one)]
        message = jws.sign_by_callback(
            minute_text(minute).encode(),
            session.sign,
            typ=MINUTE_TYPE,
            chain_der=[chosen.certificate.der, *between],
        )
        return msgspec.json.encode(message).decode("ascii")

    def _write(self, minute: Minute, signed: str | None) -> HandOver:
        entry = HandOver(minute=minute, text=minute_text(minute), signed=signed)
        use = TokenUse(
            action=JournalAction.HAND_OVER,
            operator=operator_name(),
            certificate_sha256=minute.certificate.sha256,
            token_serial=minute.device.serial,
            result="ok",
            sha256=entry.journal_sha256,
        )

        def work(tx: Transaction) -> None:
            # First the journal: its entry names who held the certificate until now.
            tx.journal.append(use, minute.at)
            tx.custody.add(entry)

        self._space.store.write(work)
        return entry


def checked(wish: Wish) -> Wish:
    """The wish with its texts in one spelling; KnownError for what a minute must have, or can't be printed."""
    permission = wish.permission
    tidy = replace(
        wish,
        giver=_tidy(wish.giver),
        receiver=_tidy(wish.receiver),
        place=_tidy(wish.place),
        witness=_tidy(wish.witness),
        purpose=_tidy(wish.purpose),
        permission=Permission(number=_tidy(permission.number), date=permission.date, by=_tidy(permission.by)),
    )
    if not tidy.giver:
        raise KnownError("custody_giver_missing")
    if not (tidy.permission.number and tidy.permission.by):
        raise KnownError("custody_permission_missing")
    if tidy.returns and tidy.pin_change:
        raise KnownError("custody_nobody_changes")
    return tidy


def minute_text(minute: Minute) -> str:
    """The minute in the one spelling that is signed, hashed and kept."""
    facts = msgspec.to_builtins(minute)
    return canonical({**facts, "at": stamp(minute.at)})


def _tidy(typed: str) -> str:
    """One line in NFC, at most LONGEST characters; KnownError "custody_letter" for a letter that can't be printed."""
    line = unicodedata.normalize("NFC", " ".join(typed.split()))[:LONGEST]
    for letter in line:
        if printable(letter) != letter and letter != " ":
            raise KnownError("custody_letter", letter=letter, text=line)
    return line


def _unsigned(view: View) -> Waiting:
    """The documents that were opened and are not signed yet."""
    drafts = view.drafts.list()
    return Waiting(len(drafts), tuple((draft.label or draft.main.name)[:_LONGEST_NAME] for draft in drafts[:_NAMED]))


def _unsent(view: View) -> Waiting:
    """The documents that are signed and wait for the server."""
    rows = view.listings.unsent(_NAMED)
    names = tuple((row.document or row.subject or row.packet_id)[:_LONGEST_NAME] for row in rows)
    return Waiting(view.outbox.waiting(), names)


def _is_root(der: bytes) -> bool:
    certificate = asn1_x509.Certificate.load(der)
    return bool(certificate.issuer == certificate.subject)
