"""Does a practice make a difference? The same days with and without it, on the same seeds, and the difference of one KPI.

    practice = registered("2.7")[0]
    found = measure(practice, replications=12, jobs=2)
    found.verdict                                     # emerges | does not | unclear

The rule that surprises: a practice is two sets of settings on one base scenario and nothing else. What it is worth is not written in any
of them: it has to come out of the simulated day, and where it does not, the verdict says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from gameday.errors import BadInput, Problem, nearest
from gameday.scenario.base import Strict
from gameday.shipped import shipped_scenarios

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gameday.comparison import Comparison
    from gameday.scenario.model import Scenario
    from gameday.scenario.tree import Document
    from gameday.scores.model import Result

Verdict = Literal["emerges", "does not", "unclear"]
Side = Literal["without", "with"]
FOLDER = "practices"
"""Folder of the registry, in the folder of shipped scenarios."""
MARK = "practice"
"""The key that tells a file of the registry from a scenario."""


class Practice(Strict):
    """One entry of the registry."""

    practice: Annotated[str, Field(pattern=r"^[1-9]\.[0-9]{1,2}$")]
    """Number of the practice, in quotes: `"2.7"`. Several files may show sides of the same practice."""
    title: str
    """The practice, in one line."""
    why: str
    """Through which mechanism of the simulation it acts."""
    base: str
    """Scenario both sides are made from; looked for beside the file, then among the shipped scenarios."""
    without: dict[str, Any] = {}
    """Settings of the day without the practice, laid over the base; `null` removes what the base has."""
    with_: Annotated[dict[str, Any], Field(alias="with")] = {}
    """Settings of the day with it."""
    kpi: str
    """What is measured."""
    expect: Literal["lower", "higher"]
    """How the KPI with the practice is expected to be. Against the KPI's own direction it shows the price of the practice."""
    replications: Annotated[int, Field(ge=2, le=10_000)] = 12
    """Days of each side, unless the command line says more or fewer."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Root of all randomness."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A practice that was read and checked, with the two scenarios that it stands for."""

    file: Path
    practice: Practice
    without: Scenario
    with_it: Scenario

    @property
    def name(self) -> str:
        """Name of its file, without the ending."""
        return self.file.stem


@dataclass(frozen=True, slots=True)
class Measured:
    """The paired difference that was found."""

    entry: Entry
    comparison: Comparison | None
    """From `without` to `with`; None when no pair was judged on both sides."""
    without: NDArray[np.float64]
    """The KPI of each judged pair; +inf = it never happened."""
    with_it: NDArray[np.float64]
    left_out: int
    """Pairs that were not judged, or in which the KPI did not apply."""

    @property
    def verdict(self) -> Verdict:
        """Whether the expected difference emerges."""
        if self.comparison is None or self.comparison.verdict == "unclear":
            return "unclear"
        return "emerges" if self.comparison.verdict == "better" else "does not"


def registry(folder: Path | None = None) -> list[Path]:
    """The files of the registry, in the order of their practices."""
    files = (folder or shipped_scenarios() / FOLDER).glob("*.yaml")
    return sorted(files, key=lambda file: (*_number(file.stem), file.stem))


def registered(wanted: str | None = None, folder: Path | None = None) -> list[Entry]:
    """The entries of a practice (`2.7`), of one file (`my-practice.yaml`, or the name of one of the registry), or all.

    Raises BadInput with every problem of every file, or when there is no such practice.
    """
    files = registry(folder)
    if wanted is not None and wanted.endswith((".yaml", ".yml")):
        files = [Path(wanted)]
    elif wanted is not None:
        names = list(dict.fromkeys(name for file in files for name in (file.stem.partition("-")[0], file.stem)))
        files = [file for file in files if wanted in (file.stem.partition("-")[0], file.stem)]
        if not files:
            message = f"no such practice is registered; there are {', '.join(name for name in names if '-' not in name)}"
            raise BadInput([Problem(None, None, None, "practice", wanted, message, nearest(wanted, names))])
    entries: list[Entry] = []
    problems: list[Problem] = []
    for file in files:
        try:
            entries.append(read_practice(file))
        except BadInput as bad:
            problems += bad.problems
    if problems:
        raise BadInput(dict.fromkeys(problems))
    return entries


def read_practice(file: Path) -> Entry:
    """Read one file and make both scenarios. Raises BadInput with everything that is wrong in it or in what comes of it."""
    from gameday.scenario.at_once import scenario_of
    from gameday.scenario.reading import read_yaml
    from gameday.scenario.validation import Checks, validate
    from gameday.scores.kpis import KPIS

    document = read_yaml(file)
    practice = validate(Practice, document)
    checks = Checks(document)
    if practice.kpi not in KPIS:
        checks.problem(("kpi",), "there is no such KPI", value=practice.kpi, candidates=KPIS)
    if practice.without == practice.with_:
        checks.problem(("with",), "is the same as 'without', so there is nothing to compare", value=None, of_key=True)
    if file.stem.partition("-")[0] != practice.practice:
        checks.problem((MARK,), f"the name of the file begins with another number: {file.name}")
    base = _base(file, practice, checks)
    checks.raise_if_any()
    assert base is not None, "a base that is not there is a problem"
    scenarios: list[Scenario] = []
    problems: list[Problem] = []
    for side in ("without", "with"):
        try:
            scenarios.append(scenario_of(_side(base, document, side)))
        except BadInput as bad:
            problems += bad.problems
    if problems:
        raise BadInput(dict.fromkeys(problems))
    return Entry(file, practice, *scenarios)


def measure(entry: Entry, replications: int | None = None, jobs: int = 1, step: Callable[[], None] = lambda: None) -> Measured:
    """Play both sides on the same seeds and compare; `step` is called after each day.

    A KPI that never came about counts as the worst there is; a pair that was not judged on both sides is left out and counted.
    """
    import numpy as np

    from gameday.comparison import compare_counts, compare_durations
    from gameday.scores.kpis import KPIS

    practice, count = entry.practice, replications or entry.practice.replications
    samples = [_sample(scenario, practice, count, jobs, step) for scenario in (entry.without, entry.with_it)]
    judged = ~np.any([np.isnan(sample) | np.isneginf(sample) for sample in samples], axis=0)
    first, second = (sample[judged] for sample in samples)
    comparison: Comparison | None = None
    if len(first):
        compare = compare_durations if KPIS[practice.kpi].unit == "s" else compare_counts
        comparison = compare(first, second, better=practice.expect)
    return Measured(entry, comparison, first, second, count - len(first))


def _sample(scenario: Scenario, practice: Practice, count: int, jobs: int, step: Callable[[], None]) -> NDArray[np.float64]:
    from contextlib import closing

    import numpy as np

    from gameday.replication import play
    from gameday.scores.samples import as_number

    values = np.full(count, np.nan)
    with closing(play(scenario, practice.seed, count, jobs)) as played:
        for one in played:
            values[one.replication] = next(as_number(each) for each in _results(one.scores.results, practice.kpi))
            step()
    return values


def _results(results: tuple[Result, ...], kpi: str) -> Iterator[Result]:
    found = [result for result in results if result.kpi == kpi]
    assert found, f"every KPI is scored in every replication, {kpi} too"
    yield from found


def _base(file: Path, practice: Practice, checks: Any) -> Document | None:
    from gameday.scenario.includes import read_with_includes

    folders = [file.parent, shipped_scenarios()]
    for folder in folders:
        if (folder / practice.base).is_file():
            return read_with_includes(folder / practice.base, [shipped_scenarios()])
    names = [path.relative_to(folder).as_posix() for folder in folders for path in folder.rglob("*.yaml")]
    message = f"there is no such file in {' or '.join(map(str, folders))}"
    checks.problem(("base",), message, value=practice.base, candidates=names)
    return None


def _side(base: Document, document: Document, side: str) -> Document:
    """The base with the settings of a side on top; what is wrong in them is reported at their own lines."""
    from gameday.scenario.includes import INCLUDE, merged
    from gameday.scenario.tree import Document, MappingNode

    entries = {key: entry for key, entry in base.root.entries.items() if key != INCLUDE}
    root = MappingNode(base.root.position, entries)
    over = document.node((side,))
    return Document(merged(root, over)) if isinstance(over, MappingNode) else Document(root)


def _number(stem: str) -> tuple[int, int]:
    module, _, number = stem.partition("-")[0].partition(".")
    return (int(module), int(number)) if module.isdigit() and number.isdigit() else (99, 0)
