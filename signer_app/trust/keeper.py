"""Takes certificates in as anchors and helpers, and out again (TT 15/2025/TT-BKHCN, articles 5.1đ and 6.3).

Main process, under the data folder's lock. The journal's line is written before the file: one that can't be written
leaves the file as it was, and a change that fails after it is told by a second line. Asks nobody: a person's word
about a fingerprint is handed in.
"""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from asn1crypto import x509 as asn1_x509
from cryptography import x509

from signer_app.store.model import JournalAction, TokenUse
from signer_app.store.store import Transaction
from signer_app.trust.files import read_certificates
from signer_app.trust.kept import Entry, Kept, Use
from signer_app.verification.addresses import ODD
from signer_app.verification.names import common_name
from signer_app.workspace import Workspace, operator_name
from signer_resources.errors import KnownError

_LEAST_DIGITS = 8
"""Of a fingerprint, to name a certificate that is kept."""


class Outcome(StrEnum):
    """What became of one certificate of an imported file."""

    ADDED = "added"
    ALREADY = "already"
    REFUSED = "refused"


@dataclass(frozen=True)
class Imported:
    """One certificate of an imported file; `error` says why it was refused."""

    file: Path
    sha256: str
    name: str
    outcome: Outcome
    error: KnownError | None = None


@dataclass(frozen=True)
class Candidate:
    """The certificate that a person wants as the body's own anchor, to be compared with what its authority tells."""

    der: bytes
    sha256: str
    name: str


class TrustKeeper:
    """The anchors of one workspace."""

    def __init__(self, space: Workspace) -> None:
        self._space = space

    def kept(self) -> tuple[Kept, ...]:
        """What is kept; raises as `TrustStoreFile.kept`."""
        return self._space.trust_store.kept()

    def import_files(self, files: Sequence[Path]) -> tuple[Imported, ...]:
        """Takes in what is pinned; everything else is refused and told. Raises as `read_certificates`, for the first
        file that can't be read: then nothing is taken in.
        """
        certificates = [(file, der) for file in files for der in read_certificates(file)]
        store = self._space.trust_store
        entries = {entry.sha256: entry for entry in store.entries()}
        told: list[Imported] = []
        added: list[str] = []
        for file, der in certificates:
            sha256, name = hashlib.sha256(der).hexdigest(), _name(der)
            if sha256 in entries and not entries[sha256].own:
                told.append(Imported(file, sha256, name, Outcome.ALREADY))
            elif store.pinned(sha256) is None:
                error = KnownError("trust_not_pinned", name=name, sha256=sha256)
                told.append(Imported(file, sha256, name, Outcome.REFUSED, error))
            else:
                entries[sha256] = Entry(der=der, added_at=self._space.now())
                added.append(sha256)
                told.append(Imported(file, sha256, name, Outcome.ADDED))
        if added:
            self._change(entries.values(), JournalAction.TRUST_ADD, added)
        return tuple(told)

    def candidate(self, file: Path) -> Candidate:
        """The one certificate of the file, fit to be an anchor.

        Raises KnownError: trust_one_certificate, trust_not_ca, and as `read_certificates`.
        """
        found = read_certificates(file)
        if len(found) != 1:
            raise KnownError("trust_one_certificate", file=file.name, count=len(found))
        (der,) = found
        name = _name(der)
        if not _is_ca(der):
            raise KnownError("trust_not_ca", name=name)
        return Candidate(der, hashlib.sha256(der).hexdigest(), name)

    def add_own(self, candidate: Candidate, confirmed: str, label: str) -> Kept:
        """Takes in the body's own anchor. `confirmed` is the SHA-256 by a person's word: all of it, whatever stands
        between the digits. KnownError trust_other_fingerprint when it is another one, trust_helper_only for a pinned
        CA: only its root may be an anchor.
        """
        if digits_of(confirmed) != candidate.sha256:
            raise KnownError("trust_other_fingerprint", name=candidate.name)
        store = self._space.trust_store
        entries = {entry.sha256: entry for entry in store.entries()}
        pinned = store.pinned(candidate.sha256)
        if pinned is not None and pinned[0] is Use.HELPER:
            raise KnownError("trust_helper_only", name=candidate.name)
        entries[candidate.sha256] = Entry(
            der=candidate.der, added_at=self._space.now(), own=pinned is None, label=label
        )
        self._change(entries.values(), JournalAction.TRUST_ADD, [candidate.sha256])
        return self._one(candidate.sha256)

    def remove(self, beginning: str) -> Kept:
        """Takes out the certificate whose SHA-256 begins so; KnownError trust_unknown, also where several do."""
        gone = self._one(beginning)
        left = [entry for entry in self._space.trust_store.entries() if entry.sha256 != gone.sha256]
        self._change(left, JournalAction.TRUST_REMOVE, [gone.sha256])
        return gone

    def _one(self, beginning: str) -> Kept:
        digits = digits_of(beginning)
        found = [one for one in self.kept() if one.sha256.startswith(digits)]
        if len(digits) < _LEAST_DIGITS or len(found) != 1:
            raise KnownError("trust_unknown", id=beginning)
        return found[0]

    def _change(self, entries: Iterable[Entry], action: JournalAction, certificates: Sequence[str]) -> None:
        space, store = self._space, self._space.trust_store
        after, now = tuple(entries), space.now()

        def record(transaction: Transaction, result: str = "ok") -> None:
            for sha256 in certificates:
                use = TokenUse(
                    action=action, operator=operator_name(), certificate_sha256=sha256, token_serial=None, result=result
                )
                transaction.journal.append(use, now)

        # The line first: a program that dies in between leaves a line too many, never an anchor without one.
        space.store.write(record)
        try:
            store.save(after)
        except KnownError as error:
            failed = error.code
            with suppress(KnownError):
                space.store.write(lambda transaction: record(transaction, failed))
            raise
        space.reload()


def digits_of(fingerprint: str) -> str:
    """The hex digits of a fingerprint as people write it, with blanks, colons or capitals."""
    return "".join(character for character in fingerprint.lower() if character in "0123456789abcdef")


def _name(der: bytes) -> str:
    return common_name(asn1_x509.Certificate.load(der)) or "?"


def _is_ca(der: bytes) -> bool:
    """Whether it may issue certificates (RFC 5280, 4.2.1.9); a root of version 1 says nothing and is taken for one."""
    certificate = x509.load_der_x509_certificate(der)
    if certificate.version is x509.Version.v1:
        return certificate.subject == certificate.issuer
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, *ODD):
        return False
