"""What the texts of the repository must not hold: addresses of package registries, and paths of somebody's machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.fenced import ROOT

FOLDERS = (".ci", "benchmarks", "docs", "experiments", "gameday", "loadtests", "scenarios", "scripts", "sim", "tests")
ENDINGS = {".cfg", ".css", ".ini", ".j2", ".json", ".md", ".py", ".sh", ".svg", ".toml", ".txt", ".yaml", ".yml", ""}
# Written so that this file does not hold what it looks for.
REGISTRIES = ("pypi_org", "pythonhosted_org", "registry_npmjs_org", "crates_io")
FORBIDDEN = {
    "the address of a package registry": re.compile("|".join(name.replace("_", r"[.]") for name in REGISTRIES), re.IGNORECASE),
    "an index in a requirement": re.compile("--(extra-)?index[-]url"),
    "a path of a machine": re.compile(r"(?<![\w./])/(home|Users|root|work|mnt)/[\w.-]"),
}


def texts() -> list[Path]:
    """Every text file that is, or may be, committed."""
    own = [file for file in ROOT.iterdir() if file.is_file() and file.suffix in ENDINGS]
    below = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*") if file.is_file() and file.suffix in ENDINGS]
    return sorted(file for file in [*own, *below] if "__pycache__" not in file.parts)


def what_is_wrong(text: str) -> list[str]:
    """What a text holds that it must not."""
    return [f"{what}: {found[0]}" for what, pattern in FORBIDDEN.items() if (found := pattern.search(text))]


def test_no_text_names_a_registry_or_a_machine() -> None:
    wrong = {str(file.relative_to(ROOT)): what_is_wrong(file.read_text(encoding="utf-8")) for file in texts()}
    assert {file: what for file, what in wrong.items() if what} == {}


@pytest.mark.parametrize(
    "text",
    ["pip install -i https://pypi" + ".org/simple", "see /ho" + "me/somebody/notes.txt", "--extra-index" + "-url https://x"],
)
def test_what_must_not_be_there_would_be_found(text: str) -> None:
    assert what_is_wrong(text) != []


def test_the_search_reaches_code_scenarios_and_documentation() -> None:
    names = {file.relative_to(ROOT).parts[0] for file in texts()}
    assert {*FOLDERS, "README.md", "pyproject.toml", "Makefile"} <= names
