"""Executes the fenced blocks of a page in order, in one folder, and compares what comes out with what the page says.

    ```console            lines with `$ ` are typed into a shell, the lines after them are what it prints (stdout and stderr)
    ```console varies     the same, but any number may come out where the page shows one: for values of a simulated run
    ```diff               after `--- file`: lines with `-` are replaced by the lines with `+` that follow them
    ```yaml file=NAME     is written to NAME
    ```python             is executed; a ```text block right after it is what it prints

In expected output `...` stands for anything (alone on a line: for any lines), `<number>` for a number with or without a unit, and any
run of blanks for any other. A command has to end with 0 unless the page shows its exit code (`; echo $?`).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST_S = 120.0
_FENCE = re.compile(r"^( *)```(\w*) *([^\n`]*)\n(.*?)^\1``` *$", re.MULTILINE | re.DOTALL)
_NUMBER = r"[-+]?(?:[0-9]+(?:[.,][0-9]+)*(?:e[-+]?[0-9]+)?(?:ms|[smhd%])?)+"


class PageIsWrong(AssertionError):  # noqa: N818 - a failed assertion of the page
    """What a page shows is not what happens."""


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    info: str
    text: str
    line: int


def blocks(text: str) -> list[Block]:
    """All fenced blocks of a page."""
    return [
        Block(
            found[2],
            found[3].strip(),
            re.sub(f"^{found[1]}", "", found[4], flags=re.MULTILINE),
            text[: found.start()].count("\n") + 1,
        )
        for found in _FENCE.finditer(text)
    ]


def is_executable(text: str) -> bool:
    """Whether a page has anything to execute."""
    return any(block.language in {"console", "python"} for block in blocks(text))


def execute(page: Path, folder: Path) -> int:
    """Execute a page in an empty folder; how many blocks were. Raises PageIsWrong with the line of the block."""
    found = blocks(page.read_text(encoding="utf-8"))
    environment = _environment(folder / ".bin")
    count = 0
    for block, after in pairwise([*found, Block("", "", "", 0)]):
        where = f"{page.relative_to(ROOT) if page.is_relative_to(ROOT) else page.name}:{block.line}"
        match block.language:
            case "console":
                _console(block, where, folder, environment)
            case "diff":
                edit(block, where, folder)
            case "yaml" if block.info.startswith("file="):
                (folder / block.info.removeprefix("file=")).write_text(block.text, encoding="utf-8")
            case "python":
                expected = after.text if after.language == "text" else ""
                _compare(expected, _run([sys.executable, "-c", block.text], folder, environment, where), where, varies=False)
            case _:
                continue
        count += 1
    return count


def _environment(bin_folder: Path) -> dict[str, str]:
    """An environment in which `gameday` is this checkout, in a terminal of known width."""
    bin_folder.mkdir()
    command = bin_folder / "gameday"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gameday "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    python = bin_folder / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
    return {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "110",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "NO_COLOR": "1",
    }


def _console(block: Block, where: str, folder: Path, environment: dict[str, str]) -> None:
    for command, expected in commands(block.text):
        shown = _run(["/bin/sh", "-c", command], folder, environment, f"{where}: $ {command}")
        _compare(expected, shown, f"{where}: $ {command}", varies=block.info == "varies")


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with the output shown for it."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not parts[0].strip(), "a console block begins with a command"
    for part in parts[1:]:
        command, _, expected = part.partition("\n")
        yield command.strip(), expected


PROGRESS = re.compile(r"^\d+/\d+ [a-z ]+, [\d.e+-]+/s, \w+ left\n", re.MULTILINE)
"""What a command says while it works, on a slow machine: no part of what it prints."""


def _run(arguments: list[str], folder: Path, environment: dict[str, str], where: str) -> str:
    ended = subprocess.run(
        arguments, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LONGEST_S, check=False
    )
    shown = PROGRESS.sub("", ended.stdout.decode())
    if ended.returncode:
        raise PageIsWrong(f"{where}\nended with {ended.returncode}:\n{shown}")
    return shown


def edit(block: Block, where: str, folder: Path) -> None:
    """Make the change that a diff block shows."""
    lines = block.text.splitlines()
    assert lines[0].startswith("--- "), f"{where}: a diff begins with '--- file'"
    file = folder / lines[0].removeprefix("--- ").strip()
    text = file.read_text(encoding="utf-8")
    for old, new in _changes(lines[1:]):
        if text.count(old) != 1:
            raise PageIsWrong(f"{where}: these lines occur {text.count(old)} times in {file.name}, and must occur once:\n{old}")
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def _changes(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Pairs of removed and added text; a change begins with its removed lines."""
    old: list[str] = []
    new: list[str] = []
    for line in [*lines, "-"]:
        if line.startswith("+"):
            new.append(line[1:] + "\n")
        elif line.startswith("-"):
            if new:
                yield "".join(old), "".join(new)
                old, new = [], []
            old.append(line[1:] + "\n")


def _compare(expected: str, shown: str, where: str, *, varies: bool) -> None:
    if not matches(expected, shown, varies=varies):
        raise PageIsWrong(f"{where}\nthe page says:\n{expected}\nit prints:\n{shown}")


def matches(expected: str, shown: str, *, varies: bool = False) -> bool:
    """Whether output is as a page shows it."""
    pattern = ""
    for line in expected.rstrip("\n").split("\n") if expected.strip() else []:
        pattern += r"(?:[^\n]*\n)*" if line.strip() == "..." else _line_pattern(line, varies=varies) + "\n"
    return (
        re.fullmatch(
            pattern, "".join(" ".join(line.split()) + "\n" for line in shown.rstrip("\n").split("\n")) if shown.strip() else ""
        )
        is not None
    )


def _line_pattern(line: str, *, varies: bool) -> str:
    parts = re.split(r"(\.\.\.|<number>)" + (f"|({_NUMBER})" if varies else ""), " ".join(line.split()))
    made = ""
    for part in parts:
        if part is None:
            continue
        if part == "...":
            made += r"[^\n]*"
        elif part == "<number>" or (varies and re.fullmatch(_NUMBER, part)):
            made += _NUMBER
        else:
            made += re.escape(part)
    return made
