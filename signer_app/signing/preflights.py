"""The answers of the preflight by their question, so that nothing is looked at twice between "ready" and the PIN.

Main process, any thread; the looking itself is the workers'. An answer is good for the very same question (file,
certificate, number, date, place, rules, day), for the trust material that it was given with, and for an hour.
"""

import datetime as dt
import hashlib
import threading
import zlib
from pathlib import Path

import msgspec

from signer_app.pdf.model import PreflightRequest
from signer_app.tasks import Preflight, PreflightAnswer
from signer_app.verification.model import TrustMaterial
from signer_app.workspace import Workspace

_GOOD_FOR = dt.timedelta(hours=1)
"""After this a list of revoked certificates may have run out meanwhile."""
_MOST = 20_000
"""Answers kept at once, packed: one or two kilobytes each, where the certificates are those of the first."""

# Made here, once: two threads that meet a type for the first time together may crash msgspec.
_ANSWERS = msgspec.msgpack.Decoder(PreflightAnswer)


class _Packed:
    """An answer, packed by what it shares with `like`, another answer's bytes: of a day's letters the same few people
    and certificates are told, some five kilobytes each time, which by themselves can't be made smaller.
    """

    __slots__ = ("_packed", "like")

    def __init__(self, packed: bytes, like: bytes) -> None:
        self._packed = packed
        self.like = like

    @classmethod
    def of(cls, answer: PreflightAnswer, like: bytes) -> "_Packed":
        """The answer packed; where there is none to be like (b""), it is the first, and later ones are like it."""
        plain = msgspec.msgpack.encode(answer)
        packer = zlib.compressobj(1, zdict=like or plain)
        return cls(packer.compress(plain) + packer.flush(), like or plain)

    def answer(self) -> PreflightAnswer:
        """The answer, anew."""
        return _ANSWERS.decode(zlib.decompressobj(zdict=self.like).decompress(self._packed))


class Preflights:
    """Asks the workers, and remembers what they said."""

    def __init__(self, space: Workspace, *, most: int = _MOST) -> None:
        self._space = space
        self._turn = threading.Lock()
        self._trust: TrustMaterial | None = None
        self._most = most
        self._answers: dict[bytes, tuple[dt.datetime, _Packed]] = {}
        self._like = b""
        self._keys: list[bytes] = []

    def refresh(self) -> None:
        """Looks at the trust material; where it has changed, every answer is forgotten."""
        trust = self._space.trust
        with self._turn:
            if trust != self._trust:
                self._trust = trust
                self._answers.clear()
                self._keys.clear()

    def ask(self, path: Path, request: PreflightRequest) -> PreflightAnswer:
        """What will happen to the file at `path`, whose bytes are those of `request.blob`.

        What is missing about revocation is fetched, each address once in a run. KnownError as the workers'.
        """
        answer = self._ask(path, request)
        if answer.report.wanted_urls and self._space.revocation.fetch(answer.report.wanted_urls):
            self.refresh()
            answer = self._ask(path, request)
        return answer

    def _ask(self, path: Path, request: PreflightRequest) -> PreflightAnswer:
        key, now = hashlib.sha256(msgspec.json.encode(request, order="deterministic")).digest(), self._space.now()
        with self._turn:
            known, trust = self._answers.get(key), self._trust
        if known is not None and abs(now - known[0]) < _GOOD_FOR:
            return known[1].answer()
        if trust is None:
            self.refresh()
            return self._ask(path, request)
        answer = self._space.workers.preflight(Preflight(str(path), request, trust, now))
        with self._turn:
            if trust is self._trust and self._most:
                self._make_room(key)
                packed = _Packed.of(answer, self._like)
                self._like = packed.like
                self._answers[key] = (now, packed)
        return answer

    def _make_room(self, key: bytes) -> None:
        """Any one goes where all are taken: were it the oldest, a list longer than this would never be found again."""
        if key in self._answers:
            return
        if len(self._keys) < self._most:
            self._keys.append(key)
            return
        # A hash is as good as chance.
        at = int.from_bytes(key[:8], "big") % len(self._keys)
        del self._answers[self._keys[at]]
        self._keys[at] = key
