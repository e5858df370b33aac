"""Reports of a run: a page for people, a page for pull requests, a file for CI, a card for the terminal.

The rule that surprises: a report is made from the run folder alone, so it can be made again from a folder of years ago, and the same
folder gives the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gameday.runfolder import RunFolder

__all__ = ["write_reports"]


def write_reports(folder: RunFolder) -> list[Path]:
    """Write `report.html`, `report.md` and `junit.xml` into a run folder; returns the files, in this order.

    Raises BadInput with what is wrong in the folder, GamedayError when a file cannot be written.
    """
    from gameday.report.html import html
    from gameday.report.junit import junit
    from gameday.report.markdown import markdown
    from gameday.report.model import ReportData

    data = ReportData.load(folder)
    folder.write_text(folder.report_html, html(data))
    folder.write_text(folder.report_md, markdown(data))
    folder.write_bytes(folder.junit, junit(data))
    return [folder.report_html, folder.report_md, folder.junit]
