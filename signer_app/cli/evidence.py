"""The command `evidence`: what is kept of checked and made signatures, listed, shown, destroyed.

Main process. Listing and showing only read; destroying is done under the data folder's lock and leaves a line in the
journal (TT 15/2025/TT-BKHCN, articles 5.4 and 6.2).
"""

import argparse
import base64
import datetime as dt
import hashlib
from collections.abc import Collection

from signer_app.cli.console import Console
from signer_app.desk.verifying import Verifying
from signer_app.signing.jobs import UsageError
from signer_app.store.evidence import EvidenceOfDocument
from signer_app.store.model import Evidence, EvidencePiece
from signer_app.verification.facts import local, moment
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_resources.messages import text

_SHORTEST = 8
"""Letters of a hash that name a document."""


def evidence(space: Workspace, args: argparse.Namespace, console: Console) -> int:
    """Lists the documents, shows what is kept of one, or destroys it."""
    verifying = Verifying(space)
    if args.action == "list":
        if args.document is not None:
            raise UsageError("usage_arguments", reason=args.document)
        _list(verifying.documents(), console)
        return 0
    sha256 = _one(verifying, args.document)
    if args.action == "show":
        _show(verifying.evidence(sha256), console)
        return 0
    count = verifying.destroy_evidence(sha256)
    console.say("evidence_destroyed", count=count, sha256=sha256)
    if console.as_json:
        console.result({"sha256": sha256, "destroyed": count})
    return 0


def _one(verifying: Verifying, wanted: str | None) -> str:
    """The document whose SHA-256 begins like this; KnownError "evidence_unknown", "evidence_ambiguous"."""
    if not wanted:
        raise UsageError("usage_arguments", reason="SHA-256")
    found = verifying.documents_beginning(wanted.casefold()) if len(wanted) >= _SHORTEST else ()
    if not found:
        raise KnownError("evidence_unknown", text=wanted)
    if len(found) > 1:
        raise KnownError("evidence_ambiguous", text=wanted, count=len(found))
    return found[0]


def _list(documents: Collection[EvidenceOfDocument], console: Console) -> None:
    if console.as_json:
        console.result([
            {
                "sha256": document.sha256,
                "name": document.name,
                "at": _time(document.at),
                "signatures": document.signatures,
                "made_here": document.made_here,
            }
            for document in documents
        ])  # fmt: skip
    elif documents:
        rows = [
            [moment(document.at), document.name, str(document.signatures), document.sha256] for document in documents
        ]
        console.table(("head_time", "evidence_head_file", "evidence_head_signatures", "evidence_head_sha256"), rows)
    else:
        console.say("evidence_none")


def _show(kept: Collection[Evidence], console: Console) -> None:
    if console.as_json:
        console.result([_entry(one) for one in kept])
        return
    for one in kept:
        record = one.record
        console.say(
            "evidence_signature",
            signer=record.signer or text("verify_fact_unknown", console.lang),
            verdict=text(f"verdict_{record.verdict}", console.lang),
            time=moment(record.signing_time),
        )
        console.say("evidence_status", status=text(f"verify_status_{record.status}", console.lang),
                    time=moment(record.status_time or record.signing_time))  # fmt: skip
        for proof in record.proofs:
            console.say("evidence_proof", kind=proof.kind.upper(), issued=moment(proof.issued), sha256=proof.sha256)
        if record.original_sha256:
            console.say("evidence_repaired", changes=", ".join(record.repairs) or "?", sha256=record.original_sha256)
        made = "evidence_signed_here" if one.file_id is not None else "evidence_made"
        console.say(made, operator=record.operator, version=record.software_version)


def _entry(one: Evidence) -> dict[str, object]:
    record, kept = one.record, frozenset(one.pieces)
    return {
        "signature_id": one.signature_id,
        "made_here": one.file_id is not None,
        "name": record.name,
        "field": record.field,
        "signer": record.signer,
        "sha256_before": record.document_sha256_before,
        "sha256_after": record.document_sha256_after,
        "original_sha256": record.original_sha256 or None,
        "repairs": list(record.repairs),
        "certificate": hashlib.sha256(record.signer_cert_der).hexdigest(),
        "certificate_der": base64.b64encode(record.signer_cert_der).decode(),
        "chain_der": [base64.b64encode(der).decode() for der in record.chain_der],
        "status": record.status.value,
        "status_time": _time_or_none(record.status_time),
        "proofs": [_proof(proof, kept) for proof in record.proofs],
        "signing_time": _time(record.signing_time),
        "timestamp": {"time": _time(record.stamp.time), "kind": record.stamp.kind, "valid": record.stamp.valid}
        if record.stamp
        else None,
        "timestamp_token": base64.b64encode(record.timestamp_token).decode() if record.timestamp_token else None,
        "verdict": record.verdict,
        "reasons": list(record.warnings_shown),
        "anchor_set": record.anchor_set or None,
        "anchor": record.anchor or None,
        "operator": record.operator,
        "token_serial": record.token_serial or None,
        "rule_profile": record.rule_profile,
        "software_version": record.software_version,
    }


def _proof(proof: EvidencePiece, kept: Collection[str]) -> dict[str, object]:
    return {
        "kind": proof.kind.value,
        "sha256": proof.sha256,
        "certificate": proof.certificate,
        "issued": _time(proof.issued),
        "next_update": _time_or_none(proof.next_update),
        "status": proof.status.value,
        "kept": proof.sha256 in kept,
    }


def _time(time: dt.datetime) -> str:
    """As the store writes times; a signer may claim one that the calendar of another zone doesn't have."""
    return local(time).isoformat(timespec="milliseconds")


def _time_or_none(time: dt.datetime | None) -> str | None:
    return None if time is None else _time(time)
