"""`gameday new`: a commented scenario to edit, from a shipped one, with the parts it includes."""

from __future__ import annotations

import argparse
import re
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A name and a model."""
    parser.add_argument("name", nargs="?", default="my-day", help="name of the new game day: lower case letters, digits, '-', '_' and '.'")
    parser.add_argument("--from", dest="model", default="region-loss", metavar="SCENARIO", help="shipped scenario to start from")
    parser.add_argument("--dir", type=Path, default=Path(), help="folder to write into (default: here)")
    parser.add_argument("--list", action="store_true", help="list the shipped scenarios and what each teaches")


def run(arguments: argparse.Namespace) -> int:
    """Write `<name>.yaml` and the parts it includes; never overwrites a file."""
    from gameday.shipped import shipped_names

    if arguments.list:
        for name in shipped_names():
            print(f"{name:<24} {_title(name)}")
        return 0
    written = create(arguments.name, arguments.model, arguments.dir)
    for path in written:
        print(f"wrote {path}")
    print(f"next: gameday run {written[0]}")
    return 0


def create(name: str, model: str, folder: Path) -> list[Path]:
    """Write the new scenario first, then its parts; returns the paths written. Parts that are there already are kept."""
    from gameday.atomic_files import write_atomically
    from gameday.errors import BadInput, Problem, nearest
    from gameday.shipped import shipped_names, shipped_scenarios

    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,59}", name):
        message = "a name is lower case letters, digits, '-', '_' and '.', at most 60"
        raise BadInput([Problem("new", None, None, "name", name, message)])
    if model not in shipped_names():
        message = f"is not a shipped scenario; there are {', '.join(shipped_names())}"
        raise BadInput([Problem("new", None, None, "--from", model, message, nearest(model, shipped_names()))])
    target = folder / f"{name}.yaml"
    if target.exists():
        raise BadInput([Problem(str(target), None, None, "", None, "is there already; choose another name or folder")])
    source = shipped_scenarios() / f"{model}.yaml"
    text = source.read_text(encoding="utf-8")
    text = re.sub(r"^name: .*$", f"name: {name}", text, count=1, flags=re.MULTILINE)
    parts = [part for part in _parts(source) if not (folder / part.relative_to(shipped_scenarios())).exists()]
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(target, text.encode())
    written = [target]
    for part in parts:
        copy = folder / part.relative_to(shipped_scenarios())
        copy.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(copy, part.read_bytes())
        written.append(copy)
    return written


def _parts(source: Path) -> list[Path]:
    """Files a shipped scenario needs: its includes, theirs, and the CSV files their loads replay."""
    from gameday.scenario.reading import read_yaml

    found: list[Path] = []
    waiting = [source]
    while waiting:
        file = waiting.pop()
        data = read_yaml(file).data
        names = list(data.get("include", []))
        for request_class in data.get("load", {}).get("classes", {}).values():
            rates = request_class.get("rate")
            names += [part["file"] for part in (rates if isinstance(rates, list) else [rates]) if isinstance(part, dict) and "file" in part]
        for name in names:
            part = (file.parent / name).resolve()
            if part not in found:
                found.append(part)
                waiting += [part] if part.suffix == ".yaml" else []
    return found


def _title(name: str) -> str:
    from gameday.scenario.reading import read_yaml
    from gameday.shipped import shipped_scenarios

    return str(read_yaml(shipped_scenarios() / f"{name}.yaml").data["title"])
