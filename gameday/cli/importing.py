"""`gameday import`: part of a scenario from a file of another program, printed or written, with notes on what it could not take."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gameday.cli import show

SOURCES = {
    "alertmanager": "routing tree, receivers, time intervals and inhibitions of an alertmanager.yml",
    "prometheus": "alert rules of a rules.yml",
}
"""Kinds of file that can be read."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A kind and a file."""
    parser.add_argument("kind", choices=SOURCES, help="; ".join(f"{name}: {what}" for name, what in SOURCES.items()))
    parser.add_argument("file", type=Path, help="file to read")
    parser.add_argument(
        "--for", dest="scenario", type=Path, metavar="SCENARIO", help="scenario it is for: its probes are known then"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the part goes, to be included (default: standard output)")
    parser.add_argument("--json", action="store_true", help="print part and notes as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Read, and print or write the part; notes go to standard error."""
    import json

    from gameday.alerting.files.alertmanager import routing_part
    from gameday.alerting.files.prometheus import rules_part
    from gameday.atomic_files import write_atomically
    from gameday.scenario import read_scenario
    from gameday.scenario.reading import read_yaml
    from gameday.scenario.writing import yaml_text

    known = {}
    if arguments.scenario is not None:
        known = read_scenario(arguments.scenario).monitoring.model_dump(mode="json", by_alias=True)
    document = read_yaml(arguments.file)
    part = routing_part(document) if arguments.kind == "alertmanager" else rules_part(document, known)
    if arguments.json:
        show(json.dumps({"schema": 1, "part": part.data, "notes": part.notes}, indent=2, ensure_ascii=False))
        return 0
    text = f"# From {arguments.file.name}; include it in a scenario.\n{yaml_text(part.data)}"
    if arguments.out is None:
        show(text, end="")
    else:
        write_atomically(arguments.out, text.encode())
        show(f"wrote {arguments.out}")
    for note in part.notes:
        print(f"note: {note}", file=sys.stderr)
    return 0
