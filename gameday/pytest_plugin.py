"""`pytest --gameday scenarios/`: every game day a test file, every gated objective a test, in anybody's repository.

The rule that surprises: a game day is played once, when its first test runs, and all its tests read the same result. Without `--gameday`
(or with files that are no game days) the plugin does nothing and imports nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--gameday` and how to play."""
    group = parser.getgroup("gameday", "game days: simulated outages as tests")
    group.addoption("--gameday", action="store_true", help="collect scenario files (YAML with 'gameday: 1') as tests")
    group.addoption("--gameday-replications", type=int, metavar="N", help="days to play (default: as the scenario says)")
    group.addoption("--gameday-seed", type=int, default=1, metavar="SEED", help="root of all randomness (default 1)")
    group.addoption("--gameday-jobs", type=int, default=1, metavar="N", help="processes (default 1)")


def pytest_configure(config: pytest.Config) -> None:
    """Say at once what cannot be."""
    for name, least in (("replications", 1), ("seed", 0), ("jobs", 1)):
        value = config.getoption(f"gameday_{name}")
        if value is not None and value < least:
            raise pytest.UsageError(f"--gameday-{name} must be a whole number from {least}, not {value}")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> GameDayFile | None:
    """YAML files with `gameday:` at their top; parts, studies and everything else are left alone."""
    if not parent.config.getoption("gameday") or file_path.suffix not in {".yaml", ".yml"}:
        return None
    try:
        text = file_path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    if not any(line.startswith("gameday:") for line in text.splitlines()):
        return None
    file: GameDayFile = GameDayFile.from_parent(parent, path=file_path)
    return file


class Failed(Exception):  # noqa: N818 - it is what a test does
    """A test that fails with a text of ours instead of a traceback."""


class GameDayFile(pytest.File):
    """One scenario."""

    _scenario: Scenario | None = None
    _scores: dict[str, Any] | None = None

    def collect(self) -> Iterator[pytest.Item]:
        """A test that it can be read, one per gated objective, and one that nothing fails hard."""
        from gameday.errors import BadInput
        from gameday.scenario import read_scenario

        try:
            self._scenario = read_scenario(self.path)
        except BadInput as bad:
            yield ValidItem.from_parent(self, name="scenario", problems=str(bad))
            return
        yield ValidItem.from_parent(self, name="scenario", problems="")
        for number, one in enumerate(self._scenario.objectives):
            if one.gate:
                yield GateItem.from_parent(self, name=f"{one.kpi} {one.statistic} {one.target}", number=number)
        yield HardItem.from_parent(self, name="no hard failure")

    def scores(self) -> dict[str, Any]:
        """The judgement of all replications; played when it is first asked for."""
        if self._scores is None:
            from gameday.replication import play
            from gameday.scores.aggregate import Aggregate

            assert self._scenario is not None, "only a scenario that was read is played"
            option = self.config.getoption
            seed = option("gameday_seed")
            aggregate = Aggregate(self._scenario, seed)
            replications = option("gameday_replications") or self._scenario.replications
            for played in play(self._scenario, seed, replications, option("gameday_jobs")):
                aggregate.add(played.scores)
            self._scores = aggregate.scores()
        return self._scores


class _Item(pytest.Item):
    """A test of a game day."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What went wrong in the words of a report."""
        if isinstance(excinfo.value, Failed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it comes from."""
        return self.path, 0, f"{self.path.name}: {self.name}"

    def day(self) -> GameDayFile:
        """The game day it belongs to."""
        assert isinstance(self.parent, GameDayFile), "tests of game days live in their files"
        return self.parent


class ValidItem(_Item):
    """The scenario can be read."""

    def __init__(self, *, problems: str, **given: Any) -> None:
        """`problems` is empty when there are none."""
        super().__init__(**given)
        self._problems = problems

    def runtest(self) -> None:
        """Fails with every problem."""
        if self._problems:
            raise Failed(self._problems)


class GateItem(_Item):
    """A gated objective is met."""

    def __init__(self, *, number: int, **given: Any) -> None:
        """`number` is its place among the objectives."""
        super().__init__(**given)
        self._number = number

    def runtest(self) -> None:
        """Fails when it is missed, and when it could not be judged: nothing was shown."""
        from gameday.scores.kpis import KPIS, format_value

        found = self.day().scores()["objectives"][self._number]
        if found["met"]:
            return
        kpi = KPIS[found["kpi"]]
        if found["met"] is None:
            raise Failed(f"{kpi.title} ({kpi.name}): {found['why']}")
        value = "never" if found["value"] is None else format_value(kpi, found["value"])
        if found["statistic"] == "pass_rate":
            value = f"{found['value']:.1%} of the replications meet it"
        censored = "at least " if found["censored"] else ""
        told = f"{kpi.title}: {found['statistic']} is {censored}{value} over {found['why']}, target {found['target']}"
        raise Failed(f"{told}\nlook closer with: gameday run {self.path} --seed {self.config.getoption('gameday_seed')}")


class HardItem(_Item):
    """Nothing fails hard."""

    def runtest(self) -> None:
        """Fails with what failed hard, and in how many replications."""
        found: Iterable[dict[str, Any]] = self.day().scores()["hard_failures"]
        texts = [f"{one['kpi']}: {one['why']} (in {one['count']} replications, first {one['replications'][0]})" for one in found]
        if texts:
            raise Failed("\n".join(texts))
