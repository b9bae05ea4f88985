"""The tabs of the window.

Pure; loads no Qt.
"""

from enum import StrEnum


class Tab(StrEnum):
    """The tabs of the window, in their order."""

    TODAY = "today"
    OUTGOING = "outgoing"
    INCOMING = "incoming"
    REGISTER = "register"
    TOKEN = "token"  # noqa: S105 - a tab's name
    MACHINE = "machine"
