"""Errors that the world causes, as opposed to our own faults.

A `KnownError` carries a code of the catalogue and the facts that fill its sentences. Everything else that escapes is
a fault of the program (exit code 4) and never reaches the screen as a traceback.
"""

from signer_resources.messages import Explanation, Lang, exit_code, explain


class KnownError(Exception):
    """The world misbehaved; `code` names the entry of the catalogue that says what, why and what to do."""

    def __init__(self, code: str, /, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    def explain(self, lang: Lang) -> Explanation:
        """What, why, what to do, in `lang`."""
        return explain(self.code, lang, **self.params)

    @property
    def exit(self) -> int:
        """The exit code of a command that ends with this error."""
        return exit_code(self.code)

    def __str__(self) -> str:
        return str(self.explain("en"))
