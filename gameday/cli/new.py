"""`gameday new`: a commented scenario to edit, from a shipped one, with the parts it includes."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from gameday.cli import show

SCHEMA_FILE = "gameday.schema.json"
"""Name of the schema, as the first line of a scenario has it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A name and a model."""
    parser.add_argument(
        "name", nargs="?", default="my-day", help="name of the new game day: lower case letters, digits, '-', '_' and '.'"
    )
    parser.add_argument("--from", dest="model", default="region-loss", metavar="SCENARIO", help="shipped scenario to start from")
    parser.add_argument("--dir", type=Path, default=Path(), help="folder to write into (default: here)")
    parser.add_argument("--list", action="store_true", help="list the shipped scenarios and what each teaches")


def run(arguments: argparse.Namespace) -> int:
    """Write `<name>.yaml` and the parts it includes; never overwrites a file."""
    from gameday.shipped import shipped_names

    if arguments.list:
        for name in shipped_names():
            show(f"{name:<24} {_title(name)}")
        return 0
    written = create(arguments.name, arguments.model, arguments.dir)
    for path in written:
        show(f"wrote {path}")
    show(f"next: gameday run {written[0]}")
    return 0


def create(name: str, model: str, folder: Path) -> list[Path]:
    """Write the new scenario first, then its parts and the schema editors use; returns what was written.

    Parts that are there already are kept. BadInput when the scenario is there already or a name is wrong; then nothing is written.
    """
    from gameday.atomic_files import cannot, write_atomically
    from gameday.errors import BadInput, Problem, nearest
    from gameday.scenario.schema import schema_text
    from gameday.shipped import shipped_names, shipped_scenarios

    problems = []
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,59}", name):
        message = "a name is lower case letters, digits, '-', '_' and '.', at most 60"
        problems.append(Problem("new", None, None, "name", name, message))
    if model not in shipped_names():
        message = f"is not a shipped scenario; there are {', '.join(shipped_names())}"
        problems.append(Problem("new", None, None, "--from", model, message, nearest(model, shipped_names())))
    target = folder / f"{name}.yaml"
    if target.exists():
        problems.append(Problem(str(target), None, None, "", None, "is there already; choose another name or folder"))
    if problems:
        raise BadInput(problems)
    shipped = shipped_scenarios().resolve()
    source = shipped / f"{model}.yaml"
    contents = {target: _own(source.read_text(encoding="utf-8"), name).encode()}
    for part in _parts(source, shipped):
        content = part.read_bytes()
        contents[folder / part.relative_to(shipped)] = _one_folder_up(content) if part.suffix == ".yaml" else content
    contents[folder / SCHEMA_FILE] = schema_text().encode()
    written = []
    for path, content in contents.items():
        if path.exists():
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot("create", path.parent, error) from error
        write_atomically(path, content)
        written.append(path)
    return written


def _own(text: str, name: str) -> str:
    """The text of a shipped scenario under another name."""
    from gameday.scenario.reading import is_plain_text

    quoted = name if is_plain_text(name) else f'"{name}"'
    text = re.sub(r"^name: .*$", f"name: {quoted}", text, count=1, flags=re.MULTILINE)
    return _one_folder_up(text.encode()).decode()


def _one_folder_up(content: bytes) -> bytes:
    """The line that tells editors where the schema is: it lies above the shipped scenarios, and beside new ones."""
    return content.replace(b"$schema=../", b"$schema=", 1)


def _parts(source: Path, shipped: Path) -> list[Path]:
    """Files a shipped scenario needs: its includes, theirs, the CSV files their loads and baselines come from, and the licences of those."""
    from gameday.scenario.reading import read_yaml

    found: list[Path] = []
    waiting = [source]
    while waiting:
        file = waiting.pop()
        data = read_yaml(file).data
        parts = [_beside_or_shipped(file, name, shipped) for name in data.get("include", [])]
        waiting += [part for part in parts if part not in found]
        for request_class in data.get("load", {}).get("classes", {}).values():
            rates = request_class.get("rate")
            for rate in rates if isinstance(rates, list) else [rates]:
                parts += _table(file, rate)
        for rule in data.get("monitoring", {}).get("rules", {}).values():
            parts += _table(file, rule.get("history"))
        found += [part for part in dict.fromkeys(parts) if part not in found]
    return found


def _table(file: Path, part: object) -> list[Path]:
    """The CSV file that a part of a scenario names, and its licence."""
    if not isinstance(part, dict) or "file" not in part:
        return []
    table = (file.parent / part["file"]).resolve()
    return [table, *sorted(table.parent.glob(f"{table.stem}.LICENSE*"))]


def _beside_or_shipped(file: Path, name: str, shipped: Path) -> Path:
    """Where an include is, by the rule of `read_scenario`."""
    beside = (file.parent / name).resolve()
    return beside if beside.is_file() else (shipped / name).resolve()


def _title(name: str) -> str:
    from gameday.scenario.reading import read_yaml
    from gameday.shipped import shipped_scenarios

    return str(read_yaml(shipped_scenarios() / f"{name}.yaml").data["title"])
