"""How well predictions of live days hold: plays the shipped live days on a lab of its own, again and again, and prints a table.

    python -m benchmarks.live_agreement --runs 10                                # until every scenario has ten days on record
    python -m benchmarks.live_agreement --runs 1000 --until 07:30                # as many as fit; Ctrl-C at any time
    python -m benchmarks.live_agreement --scenarios live-surge live-etcd-down --runs 3
    python -m benchmarks.live_agreement --runs 0                                 # only the table of what is on record

Each day's lines go to `benchmarks/data/live_agreement.csv` when it is over, so it can be interrupted and goes on where it was. Inside
means within the predicted 5 % to 95 %; error is the median of |observed - predicted median| / predicted median, bias that of the signed
ratio. Rounds go through all scenarios, so that whenever it ends all have about as many days. The rule that surprises: the lab is brought
back to how it began after each day, and started afresh where that is not possible; a day that did not begin is no day.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.agreement_table import Line, append, read, table
from gameday import __version__
from gameday.errors import GamedayError
from gameday.prediction import Row, against
from gameday.report.model import ReportData
from gameday.runfolder import RunFolder
from gameday.scenario import digest, read_scenario

CSV = Path(__file__).parent / "data" / "live_agreement.csv"
RESULTS = Path("results/agreement")
LAB = Path("build/agreement-lab")
SCENARIOS = Path("scenarios")
LABS: dict[str, tuple[str, ...]] = {
    "live-frozen-sync": ("--synchronous",),
    "live-health-check-default": ("--no-traffic-interval", "60"),
}
"""What a day needs of its lab; all others play on the usual one."""
DAY_WITHIN_S = 900
DIGITS = 16
LAB_WITHIN_S = 400
TRIES = 3
"""Times in a row that a day may fail to be played before its scenario is given up for this time."""


class OneLab:
    """The lab the days are played on: kept while it fits and can be reset."""

    def __init__(self) -> None:
        self._settings: tuple[str, ...] | None = None

    def ready(self, settings: tuple[str, ...]) -> bool:
        """Have a lab with these settings, as it begins; False when it cannot be had."""
        if self._settings == settings and _lab("reset"):
            return True
        self.end()
        if _lab("up", *settings):
            self._settings = settings
            return True
        return False

    def end(self) -> None:
        """No lab is left."""
        _lab("down")
        self._settings = None


def _lab(verb: str, *options: str) -> bool:
    try:
        return _gameday("lab", verb, "--dir", str(LAB), *options, within_s=LAB_WITHIN_S) == 0
    except subprocess.TimeoutExpired:
        return False


def _gameday(*arguments: str, within_s: float) -> int:
    """Exit code; what it says goes to a log, standard error keeps the progress."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with (RESULTS / "log.txt").open("a", encoding="utf-8") as log:
        command = [sys.executable, "-m", "gameday", *arguments]
        return subprocess.run(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=within_s, check=False).returncode


def play(scenario: Path, day: int, replications: int) -> list[Line]:
    """Play one day; its lines, none when it could not be played."""
    folder, load = RESULTS / f"{scenario.stem}-{day}", os.getloadavg()[0]
    options = ["--target", str(LAB / "target.yaml"), "--seed", str(day), "--replications", str(replications)]
    try:
        code = _gameday("live", str(scenario), *options, "--out", str(folder), "--no-report", "--force", within_s=DAY_WITHIN_S)
    except subprocess.TimeoutExpired:
        code = None
    if code not in {0, 1, 3} or not (folder / "verdict.json").exists():
        return []
    try:
        return list(_lines(scenario.stem, day, folder, load))
    except (GamedayError, OSError, ValueError) as error:
        print(f"{folder} cannot be read: {error}", file=sys.stderr)
        return []


def _lines(name: str, day: int, folder: Path, load: float) -> Iterator[Line]:
    data = ReportData.load(RunFolder(folder))
    assert data.prediction is not None, f"{folder} has no prediction"
    found = against(data.prediction, data.scores, data.timeline)
    verdict, at = str(data.scores["verdict"]), datetime.now(UTC).isoformat(timespec="seconds")
    played = str(data.prediction["scenario_sha256"])[:DIGITS]

    def line(kind: str, row: Row) -> Line:
        spread = row.predicted
        numbers = (spread.n, spread.p5, spread.p50, spread.p95, row.observed)
        return Line(name, played, __version__, day, at, verdict, round(load, 2), kind, row.name, *numbers)

    yield from (line("kpi", row) for row in found.kpis)
    yield from (line("stage", row) for row in found.stages)


def digest_of(name: str) -> str:
    """The first digits of the digest of a shipped scenario."""
    return digest(read_scenario(SCENARIOS / f"{name}.yaml"))[:DIGITS]


def days_of(lines: Sequence[Line], name: str) -> list[int]:
    """Numbers of the days on record of a scenario as it is now."""
    present = digest_of(name)
    return sorted({line.day for line in lines if line.scenario == name and line.digest == present})


def play_all(names: Sequence[str], runs: int, replications: int, path: Path, until: datetime | None) -> None:
    """Rounds through the scenarios, those with the fewest days first, grouped by the lab they need."""
    lab, failures = OneLab(), dict.fromkeys(names, 0)
    try:
        while True:
            played = {name: days_of(read(path), name) for name in names}
            left = [name for name in names if len(played[name]) < runs and failures[name] < TRIES]
            if not left:
                return
            fewest = min(len(played[name]) for name in left)
            for name in sorted((one for one in left if len(played[one]) == fewest), key=lambda one: LABS.get(one, ())):
                if until is not None and datetime.now(UTC) >= until:
                    return
                day = max(played[name], default=0) + 1 + failures[name]
                began = datetime.now(UTC)
                lines = play(SCENARIOS / f"{name}.yaml", day, replications) if lab.ready(LABS.get(name, ())) else []
                took_s = (datetime.now(UTC) - began).total_seconds()
                if lines:
                    append(path, lines)
                    failures[name] = 0
                    kpis = [line for line in lines if line.kind == "kpi"]
                    words = f"{sum(line.row.inside for line in kpis)} of {len(kpis)} inside, {lines[0].verdict}"
                else:
                    failures[name] += 1
                    lab.end()
                    words = f"was not played; see {RESULTS / 'log.txt'}"
                print(f"{began:%H:%M:%S}  {name} day {day}: {words}, {took_s:.0f} s", file=sys.stderr, flush=True)
    finally:
        lab.end()


def _until(text: str) -> datetime:
    """The next time a clock in UTC shows this."""
    hour, minute = map(int, text.split(":"))
    now = datetime.now(UTC)
    at = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return at if at > now else at + timedelta(days=1)


def main() -> None:
    """Play what is missing, then print the table."""
    shipped = sorted(path.stem for path in SCENARIOS.glob("live-*.yaml"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenarios", nargs="+", default=shipped, choices=shipped, metavar="NAME", help="default: all live days")
    parser.add_argument("--runs", type=int, default=10, help="days per scenario that shall be on record in the end (default 10)")
    parser.add_argument("--replications", type=int, default=40, help="simulated days behind each prediction (default 40)")
    parser.add_argument("--until", type=_until, metavar="HH:MM", help="no day begins after this time (UTC)")
    parser.add_argument("--csv", type=Path, default=CSV, help=f"the record (default {CSV})")
    arguments = parser.parse_args()
    try:
        play_all(arguments.scenarios, arguments.runs, arguments.replications, arguments.csv, arguments.until)
    except KeyboardInterrupt:
        print("interrupted; what is on record:", file=sys.stderr)
    print(table(read(arguments.csv), {name: digest_of(name) for name in arguments.scenarios}))


if __name__ == "__main__":
    main()
