"""What a kept receipt says. Reads what was checked when it came; asks nobody, and runs in any process.

A receipt is kept exactly as the server sent it, because it is the proof; people and scripts get its facts.
"""

import base64

import msgspec

from signer_sync.packets import SignedReceipt


def receipt_facts(receipt: str) -> dict[str, object]:
    """What a kept receipt says, for people and scripts; its signature was checked when it came."""
    payload = SignedReceipt.message_of(receipt).payload
    facts: dict[str, object] = msgspec.json.decode(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=dict[str, object]
    )
    return facts
