"""The shape of the house: rooms, arrows, and what no committed file may hold."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.tree import Module

# Put together from pieces, so that this file holds none of what it looks for.
INDEX_HOSTS = "|".join(
    "".join(pieces)
    for pieces in (
        ("py", r"pi\.(?:org|python\.org)"),
        ("python", "hosted"),
        ("deb", r"\.debian\.org"),
        ("(?:archive|security|ports)", r"\.ubuntu\.com"),
        ("npm", r"js\.(?:org|com)"),
        ("(?:conda|anaconda)", r"\.org"),
        ("crates", r"\.io"),
        ("https?://[a-z0-9.-]*", "mirror"),
        ("--(?:extra-)?index", "-url"),
    )
)
OWN_PATHS = "|".join(
    "".join(pieces)
    for pieces in (
        (r"(?:^|[^A-Za-z0-9_.])/(?:work|root|farm)", "/"),
        (r"(?:^|[^A-Za-z0-9_.])/home", r"/(?!a/)[a-z]+/"),
        (r"(?:^|[^A-Za-z0-9_.])/Users", r"/[A-Za-z]+/"),
        (r"[A-Z]:\\Users", r"\\[A-Za-z]+\\"),
    )
)
OPEN_ENDS = "|".join("".join(pieces) for pieces in (("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("HA", "CK")))


@pytest.mark.parametrize(
    "forbidden", [INDEX_HOSTS, OWN_PATHS], ids=["package indexes and mirrors", "paths of one machine"]
)
def test_no_committed_file_names(root: Path, committed: list[Path], forbidden: str) -> None:
    pattern = re.compile(forbidden.encode(), re.MULTILINE)
    hits = []
    for path in committed:
        found = pattern.search((root / path).read_bytes())
        if found is not None:
            hits.append(f"{path}: {found[0]!r}")
    assert not hits


def test_the_search_for_forbidden_words_finds_them() -> None:
    assert re.search(INDEX_HOSTS, "see https://" + "py" + "pi.org/simple")
    assert re.search(INDEX_HOSTS, "http://" + "mirror.example/debian")
    assert re.search(OWN_PATHS, 'open("/' + 'root/x.pdf")')
    assert re.search(OWN_PATHS, "/" + "home/clerk/x.pdf")
    assert not re.search(OWN_PATHS, "benchmarks/work/x, ./root/x")


def test_the_folder_of_tokens_is_no_package(root: Path) -> None:
    # As one it would shadow Python's own module `token`, and `python -m venv` would die in the checkout.
    assert not (root / "token" / "__init__.py").exists()
    found = subprocess.run(
        [sys.executable, "-c", "import token; print(token.NAME)"], cwd=root, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip().isdigit()


def test_the_folders_of_tests_are_no_packages(root: Path) -> None:
    assert not list((root / "tests").rglob("__init__.py"))


def test_arrows_between_the_rooms_run_one_way(root: Path) -> None:
    check = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    ran = subprocess.run([sys.executable, "-c", check], cwd=root, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    config = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    assert f"Contracts: {len(config['tool']['importlinter']['contracts'])} kept, 0 broken" in ran.stdout


def test_every_module_says_what_it_owns_where_it_runs_and_what_it_never_does(modules: list[Module]) -> None:
    short = [
        f"{module.path}: {len(told)} lines"
        for module in modules
        # An empty `__init__` owns nothing.
        if module.tree.body and len(told := (ast.get_docstring(module.tree) or "").splitlines()) < 2
    ]
    assert not short


def test_nothing_is_left_open(root: Path, committed: list[Path]) -> None:
    pattern = re.compile(rf"\b(?:{OPEN_ENDS})\b".encode())
    code = [path for path in committed if path.suffix in {".py", ".toml", ".sql", ".md"} or path.name == "run"]
    assert not [path for path in code if pattern.search((root / path).read_bytes())]


def test_the_version_is_the_same_everywhere(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert importlib.metadata.version("signer") == project["version"]
    oldest = project["requires-python"].removeprefix(">=")
    tools = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert tools["ruff"]["target-version"] == "py" + oldest.replace(".", "")
    for told in ("README.md", "CONTRIBUTING.md"):
        assert f"Python {oldest}" in (root / told).read_text(encoding="utf-8"), told


def test_links_between_the_pages_lead_somewhere(root: Path, committed: list[Path]) -> None:
    broken = [
        f"{page}: {target}"
        for page in committed
        if page.suffix == ".md"
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", (root / page).read_text(encoding="utf-8"))
        if "://" not in target and not (root / page.parent / target).exists()
    ]
    assert not broken


def test_every_runtime_dependency_has_a_reason_and_a_licence(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (page,) = (root / "docs" / "decisions").glob("0010-*.md")
    rows = set(re.findall(r"^\| ([A-Za-z0-9-]+) \|", page.read_text(encoding="utf-8"), re.MULTILINE))
    wanted = project["dependencies"] + project["optional-dependencies"]["server"]
    assert {re.split(r"[^A-Za-z0-9-]", name)[0] for name in wanted} <= rows
