"""The checkout as the tests of the house see it: its Python files and their syntax trees.

Plain values; reads nothing itself and imports none of the modules it describes.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOMS = ("signer_app", "token", "sync", "resources", "ui", "benchmarks", "docs")


@dataclass(frozen=True)
class Module:
    """A Python file: its path relative to the checkout, and its tree."""

    path: Path
    tree: ast.Module

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """Every call of a name or attribute, with that name."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                if isinstance(node.func, ast.Name):
                    yield node.func.id, node
                elif isinstance(node.func, ast.Attribute):
                    yield node.func.attr, node

    def strings(self) -> Iterator[str]:
        """Every string constant, parts of f-strings too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
