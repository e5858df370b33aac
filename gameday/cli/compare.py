"""`gameday compare`: two runs side by side."""

from __future__ import annotations

import argparse
from pathlib import Path

from gameday.cli import show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two runs."""
    parser.add_argument("before", type=Path, help="run folder")
    parser.add_argument("after", type=Path, help="run folder")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write it as a page")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write it as Markdown")


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison; it informs, so it exits with 0 whatever it shows."""
    import json

    from gameday.atomic_files import write_atomically
    from gameday.compare import compare
    from gameday.report.comparison import comparison_html, comparison_markdown, comparison_text
    from gameday.runfolder import RunFolder

    comparison = compare(RunFolder.open(arguments.before), RunFolder.open(arguments.after))
    show(json.dumps(comparison.as_json(), indent=2, ensure_ascii=False) if arguments.json else comparison_text(comparison))
    if arguments.html:
        write_atomically(arguments.html, comparison_html(comparison).encode())
    if arguments.markdown:
        write_atomically(arguments.markdown, comparison_markdown(comparison).encode())
    return 0
