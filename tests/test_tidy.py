"""House rules that a machine can check: lengths, docstrings, calls and words that do not belong here, and the layers."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = ("gameday", "sim", "experiments", "loadtests")
FOLDERS = (*CODE, "benchmarks", "docs", "tests")
LONGEST_FILE = 400
LONGEST_FUNCTION = 70
IN_ONE_PIECE = {"sim/traffic/compiled/callers.py attempt_call": 80}
"""Hot paths of the compiled engine, laid out line by line like their plain twins."""
CLOCKS = {
    "time.time",
    "time.time_ns",
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "datetime.datetime.now",
    "date.today",
    "datetime.date.today",
}
MAY_READ_THE_CLOCK = {"gameday/game.py", "gameday/cli/check.py"}
MAY_PRINT = {"gameday/reference.py"}
# Written in halves, so that this file does not hold what it looks for.
UNFINISHED = (
    "TO" + "DO",
    "FIX" + "ME",
    "X" * 3,
    "HA" + "CK",
    "not imple" + "mented",
    "NotImple" + "mented",
    r"for n" + r"ow(?! in\b)",
    "dum" + "my",
)
"""Patterns; a loop `for now in ...` is no promise."""
WRITERS = (
    "clau" + "de",
    "chat" + "gpt",
    "open" + "ai",
    "anthr" + "opic",
    "copi" + "lot",
    "language mo" + "del",
    "A" + "I assistant",
    "as an A" + "I",
)


def files(*folders: str, endings: tuple[str, ...] = (".py",)) -> list[Path]:
    """Files of the folders, caches left out."""
    found = (file for folder in folders for file in (ROOT / folder).rglob("*") if file.is_file() and file.suffix in endings)
    return sorted(file for file in found if "__pycache__" not in file.parts)


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(module: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(module) if isinstance(node, Function))


# -- lengths ------------------------------------------------------------------------------------------------------------


def test_no_file_is_longer_than_can_be_read_at_once() -> None:
    lengths = {name_of(file): len(file.read_text(encoding="utf-8").splitlines()) for file in files(*FOLDERS)}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def length(function: Function) -> int:
    """Lines from the first to the last statement; signature and docstring are not counted."""
    first, *rest = function.body
    if ast.get_docstring(function) and rest:
        first = rest[0]
    return (function.end_lineno or first.lineno) - first.lineno + 1


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {
        f"{name_of(file)}:{one.lineno} {one.name}": length(one) for file in files(*FOLDERS) for one in functions(tree(file))
    }
    allowed = {name: IN_ONE_PIECE.get(re.sub(r":\d+", "", name), LONGEST_FUNCTION) for name in lengths}
    assert {name: length for name, length in lengths.items() if length > allowed[name]} == {}


# -- docstrings ---------------------------------------------------------------------------------------------------------


def test_every_file_says_in_its_first_line_what_it_is() -> None:
    assert [name_of(file) for file in files(*FOLDERS) if not ast.get_docstring(tree(file))] == []


def without_docstring(body: list[ast.stmt], path: str) -> Iterator[str]:
    """Public functions and classes, and public methods of public classes, without a docstring."""
    for node in body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        if isinstance(node, Function) and any(
            "overload" in ast.dump(one) or "setter" in ast.dump(one) for one in node.decorator_list
        ):
            continue
        if not ast.get_docstring(node):
            yield f"{path}:{node.lineno} {node.name}"
        if isinstance(node, ast.ClassDef):
            yield from without_docstring(node.body, path)


def test_everything_public_says_what_it_is_for() -> None:
    assert [name for file in files(*CODE) for name in without_docstring(tree(file).body, name_of(file))] == []


# -- calls --------------------------------------------------------------------------------------------------------------


def called(node: ast.Call) -> str:
    """`a.b.c` of a call `a.b.c(...)`; without the parts that are no names."""
    parts: list[str] = []
    target: ast.expr = node.func
    while isinstance(target, ast.Attribute):
        parts.append(target.attr)
        target = target.value
    parts += [target.id] if isinstance(target, ast.Name) else []
    return ".".join(reversed(parts))


def calls(source: str) -> Iterator[tuple[int, str]]:
    """Line and name of every call; a generator that is called `random` is no module."""
    module = ast.parse(source)
    imported = {name.asname or name.name for node in ast.walk(module) if isinstance(node, ast.Import) for name in node.names}
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            name = called(node)
            if not name.startswith("random.") or "random" in imported:
                yield node.lineno, name


def reads_the_clock(call: str) -> bool:
    return call in CLOCKS


def draws_from_a_shared_generator(call: str) -> bool:
    """Module-level randomness: `random.random()`, `np.random.normal()`; generators of one's own are made by a constructor."""
    parts = call.split(".")
    return (parts[0] == "random" and len(parts) == 2 and parts[1] != "Random") or (
        parts[:2] in (["np", "random"], ["numpy", "random"]) and not parts[-1][0].isupper() and parts[-1] != "default_rng"
    )


def prints(call: str) -> bool:
    return call in {"print", "input", "breakpoint", "pprint.pprint"}


@pytest.mark.parametrize(
    ("what", "folders", "allowed"),
    [
        (reads_the_clock, ("gameday", "sim"), MAY_READ_THE_CLOCK),
        (draws_from_a_shared_generator, CODE, set()),
        (prints, CODE, MAY_PRINT | {name_of(file) for file in files("gameday/cli")}),
    ],
)
def test_nobody_calls_what_only_the_edge_may_call(
    what: Callable[[str], bool], folders: tuple[str, ...], allowed: set[str]
) -> None:
    found = [
        f"{name_of(file)}:{line} {call}"
        for file in files(*folders)
        if name_of(file) not in allowed
        for line, call in calls(file.read_text(encoding="utf-8"))
        if what(call)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "source"),
    [
        (reads_the_clock, "import time\nx = time.time()"),
        (reads_the_clock, "datetime.now(UTC)"),
        (draws_from_a_shared_generator, "import random\nrandom.choice([1])"),
        (draws_from_a_shared_generator, "np.random.normal(0, 1)"),
        (prints, "print(1)"),
    ],
)
def test_what_must_not_be_called_would_be_found(what: Callable[[str], bool], source: str) -> None:
    assert [call for _, call in calls(source) if what(call)]


def test_generators_of_ones_own_are_allowed() -> None:
    assert not draws_from_a_shared_generator("np.random.Generator")
    assert not draws_from_a_shared_generator("random.Random")
    assert not draws_from_a_shared_generator("np.random.default_rng")


# -- words --------------------------------------------------------------------------------------------------------------

TEXTS = (".py", ".md", ".yaml", ".toml", ".sh", ".j2", ".css", ".json")


def words_in(text: str, words: tuple[str, ...]) -> list[str]:
    return [word for word in words if re.search(rf"\b{word}\b", text, re.IGNORECASE if word[0].islower() else 0)]


def test_nothing_says_that_it_is_unfinished() -> None:
    found = {
        name_of(file): words_in(file.read_text(encoding="utf-8"), UNFINISHED)
        for file in files(*FOLDERS, "scripts", ".ci", endings=TEXTS)
    }
    assert {name: words for name, words in found.items() if words} == {}


def test_nothing_names_who_or_what_wrote_it() -> None:
    everywhere = [
        *files(*FOLDERS, "scripts", "scenarios", ".ci", endings=TEXTS),
        *ROOT.glob("*.md"),
        *ROOT.glob("*.toml"),
        ROOT / "Makefile",
    ]
    found = {name_of(file): words_in(file.read_text(encoding="utf-8"), WRITERS) for file in everywhere}
    assert {name: words for name, words in found.items() if words} == {}


# -- layers -------------------------------------------------------------------------------------------------------------


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """What import-linter says about a checkout."""
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PYTHONPATH": str(folder), "PATH": "", "LC_ALL": "C.UTF-8"},
    )


def test_every_import_goes_down_through_the_layers() -> None:
    ended = lint_imports(ROOT)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"Contracts: [1-9][0-9]* kept, 0 broken", ended.stdout)
