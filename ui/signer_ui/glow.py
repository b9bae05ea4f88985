"""How something stands, for every light of the window.

Pure; loads no Qt.
"""

from enum import Enum


class Glow(Enum):
    """Good, to be looked at, bad, or nothing to say."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    OFF = "off"
