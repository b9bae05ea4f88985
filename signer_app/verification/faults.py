"""Why a check stops: limits, damage, and signatures that are wrong in themselves.

These never leave `verify`: they end as a code in the report.
"""


class UnreadableError(Exception):
    """The file or a signature can't be judged; `code` is the catalogue text that says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class LimitError(UnreadableError):
    """More signatures, revisions or objects than are looked at."""

    def __init__(self) -> None:
        super().__init__("verify_limit")


class BrokenError(Exception):
    """A signature is wrong in itself: its bytes, its range or its CMS; `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
