"""Timestamps from a TSA (RFC 3161), fetched on the network side and handed to `finish` as bytes.

Runs in the main process. A TSA that doesn't answer in time costs one wait per batch, not one per document: after the
first failure the rest of the batch is signed without, and that is told.
"""

import hashlib
import secrets
import time
from collections.abc import Callable

from asn1crypto import algos, cms, tsp

from signer_app.signing.batch import Stamped
from signer_app.verification.cms import check_token
from signer_app.verification.faults import BrokenError, UnreadableError
from signer_resources.errors import KnownError
from signer_sync.http import HttpSettings, PlainHttp, TransferError, chunks, open_session, streamed

_MAX_ANSWER = 1 << 20
_NONSENSE = (ValueError, KeyError, TypeError, AttributeError)
"""What the ASN.1 reader raises on an answer that is none."""


class TimestampClient:
    """One TSA, asked at most `limit_s` seconds a time."""

    def __init__(self, url: str, limit_s: float, nonce: Callable[[], int] = lambda: secrets.randbits(63)) -> None:
        self._url = url
        self._limit_s = limit_s
        self._nonce = nonce
        self._away = False

    def stamp(self, signature: bytes) -> Stamped | None:
        """A timestamp over `signature`; None when the TSA didn't give a good one, now or before in this batch."""
        if self._away:
            return None
        try:
            return self._ask(hashlib.sha256(signature).digest())
        except (TransferError, KnownError, BrokenError, UnreadableError, *_NONSENSE):
            # Whatever the TSA answers, the signature is made; it is told as a level not reached.
            self._away = True
            return None

    def _ask(self, imprint: bytes) -> Stamped | None:
        nonce = self._nonce()
        request = tsp.TimeStampReq(
            {
                "version": 1,
                "message_imprint": {
                    "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
                    "hashed_message": imprint,
                },
                "nonce": nonce,
                "cert_req": True,
            }
        )
        # A TSA is asked over plain http by law's own addresses; what it answers is signed itself.
        settings = HttpSettings(
            connect_timeout=self._limit_s, read_timeout=self._limit_s, plain_http=PlainHttp.ANYWHERE
        )
        started = time.monotonic()
        with (
            open_session(settings) as session,
            streamed(
                session,
                "POST",
                self._url,
                headers={
                    "Content-Type": "application/timestamp-query",
                    "Accept": "application/timestamp-reply",
                },
                data=request.dump(),
            ) as answer,
        ):
            # The limit is for the whole answer, so that a TSA which drips bytes can't hold up the batch.
            left = max(0.1, self._limit_s - (time.monotonic() - started))
            body = b"".join(chunks(answer, _MAX_ANSWER, seconds=left))
            if answer.status_code != 200:
                raise ValueError("the TSA refused")
        response = tsp.TimeStampResp.load(body, strict=True)
        if response["status"]["status"].native not in ("granted", "granted_with_mods"):
            raise ValueError("the TSA refused")
        token: cms.ContentInfo = response["time_stamp_token"]
        info = token["content"]["encap_content_info"]["content"].parsed
        if not isinstance(info, tsp.TSTInfo):
            raise ValueError("no timestamp in the answer")
        if info["nonce"].native != nonce:
            raise ValueError("the timestamp is an old one")
        checked = check_token(token["content"], lambda _name: imprint)
        if not checked.right or checked.weak:
            # Whatever stands between us and the TSA could put anything into a signature; only a good token goes in.
            raise ValueError("the timestamp is for something else, or its signature is wrong")
        return Stamped(token.dump(), checked.time)
