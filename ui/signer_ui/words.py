"""The catalogue in the language of the screen, handed to whoever writes on it.

Pure; loads no Qt.
"""

from dataclasses import dataclass

from signer_resources.errors import KnownError
from signer_resources.messages import Explanation, Lang, text


@dataclass(frozen=True)
class Words:
    """Sentences of the one catalogue in one language."""

    lang: Lang

    def __call__(self, key: str, /, **params: object) -> str:
        """The sentence `key` with its gaps filled."""
        return text(key, self.lang, **params)

    def explain(self, error: KnownError) -> Explanation:
        """What happened, why, what to do."""
        return error.explain(self.lang)
