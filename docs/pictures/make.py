"""Writes the pictures of the README from a run: `python docs/pictures/make.py <run folder>`.

They are the report's own pictures, as PNG: `lanes.png` (what happened when) and `traffic.png` (what users got).
"""

from __future__ import annotations

import sys
from pathlib import Path

from gameday.report.facts import traffic_panels
from gameday.report.model import ReportData
from gameday.report.plots import style, swimlanes, traffic
from gameday.report.plots.lanes import lanes
from gameday.runfolder import RunFolder

DOTS_PER_INCH = 80


def main(run: Path, folder: Path) -> None:
    """Write both and print their names."""
    data = ReportData.load(RunFolder.open(run))
    panels = traffic_panels(data.scenario, data.series, data.end_s)
    figures = {
        "lanes": swimlanes.figure(lanes(data.timeline, data.end_s), 0.0, data.end_s, data.impact),
        "traffic": traffic.figure(panels, 0.0, data.end_s, data.impact),
    }
    for name, figure in figures.items():
        file = folder / f"{name}.png"
        file.write_bytes(style.png(figure, DOTS_PER_INCH))
        print(f"wrote {file}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).parent)
