"""What a run has in memory: no compiler, no library it does not use, and no day that is over."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest

from gameday.replication import Task, packed, perform
from gameday.scenario import read_scenario
from sim.day import Day
from sim.traffic.engines import is_cold, warm_up

SHIPPED = Path(__file__).parents[2] / "scenarios" / "primary-loss.yaml"
RUN = """
import sys
from gameday.cli import run_command

run_command(["run", *sys.argv[1:], "--jobs", "1", "--replications", "2", "--set", "duration=6m"])
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize(
    ("more", "absent"),
    [(["--no-report"], {"numba", "pandas", "matplotlib", "jinja2"}), ([], {"numba", "pandas"})],
    ids=["scores", "report"],
)
def test_a_run_imports_only_what_it_uses(tmp_path: Path, more: list[str], absent: set[str]) -> None:
    pytest.importorskip("numba")
    if warm_up() and is_cold():
        pytest.skip("the kernel can be kept nowhere")
    arguments = [sys.executable, "-c", RUN, str(SHIPPED), "--out", str(tmp_path / "run"), *more]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    imported = set(done.stdout.splitlines()[-1].split())
    assert {"llvmlite", "pyarrow", "sim"} <= imported
    assert not absent & imported


def test_a_day_that_is_over_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    alive: WeakSet[Any] = WeakSet()
    begin = Day.begin

    def noted(*arguments: Any, **named: Any) -> Day:
        day = begin(*arguments, **named)
        alive.add(day.world)
        assert len(alive) == 1
        return day

    monkeypatch.setattr(Day, "begin", noted)
    content, key = packed(read_scenario(SHIPPED, ["duration=6m"]))
    assert len(perform(Task(content, key, 1, (0, 1, 2)))) == 3
    assert not alive
