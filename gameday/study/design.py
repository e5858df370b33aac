"""From factors to points: which combinations of settings are played.

The rule that surprises: all points are played on the same days (seed and replication number), so a difference between two points is a
difference of their settings and not of their luck.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gameday.errors import BadInput, Problem
from gameday.study.levels import LevelError, number_of, spread
from gameday.study.model import Factor, Study, StudyFile, read_study
from gameday.study.unavailability import unavailability_at

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario

MOST_POINTS = 100_000


@dataclass(frozen=True, slots=True)
class Point:
    """One combination."""

    number: int
    levels: Mapping[str, str]
    """Factor to its value as it is written, or the name of its patch."""
    price: float | None
    """What it costs; None when no factor has a price."""

    @property
    def label(self) -> str:
        """`replicas=2, zones=three`."""
        return ", ".join(f"{name}={level}" for name, level in self.levels.items())


def points_of(study: Study) -> list[Point]:
    """The points of a design that is known beforehand (all but `search`)."""
    names = list(study.factors)
    match study.design.kind:
        case "full":
            rows: Iterable[Sequence[str]] = itertools.product(*(levels_of(one) for one in study.factors.values()))
        case "one_at_a_time":
            levels = [levels_of(one) for one in study.factors.values()]
            base = [one[0] for one in levels]
            rows = [base] + [[*base[:i], level, *base[i + 1 :]] for i, one in enumerate(levels) for level in one[1:]]
        case "latin" | "sobol":
            rows = [levels_at(study, place) for place in _places(study)]
        case "search":
            rows = []
    found = [
        point(study, number, dict(zip(names, row, strict=True)))
        for number, row in enumerate(itertools.islice(rows, MOST_POINTS + 1))
    ]
    if len(found) > MOST_POINTS:
        raise BadInput([Problem(None, None, None, "factors", None, f"make more than {MOST_POINTS} points; use a latin design")])
    return found


def levels_of(factor: Factor) -> list[str]:
    """All values of a factor; of a range as many as it says."""
    if factor.patches is not None:
        return list(factor.patches)
    if factor.values is not None:
        return [written(value) for value in factor.values]
    assert factor.range is not None, "a factor has values, a range or patches"
    places = [i / (factor.levels - 1) for i in range(factor.levels)]
    return list(dict.fromkeys(spread(factor.range, factor.scale, places, whole=factor.whole)))


def levels_at(study: Study, place: Sequence[float]) -> list[str]:
    """The values at a place of the unit cube: ranges continuously, values and patches in equal parts."""
    found = []
    for factor, x in zip(study.factors.values(), place, strict=True):
        if factor.range is not None:
            found += spread(factor.range, factor.scale, [x], whole=factor.whole)
        else:
            levels = levels_of(factor)
            found.append(levels[min(len(levels) - 1, int(x * len(levels)))])
    return found


def _places(study: Study) -> list[list[float]]:
    from gameday.study.extra import needs_analysis

    needs_analysis()
    if study.design.kind == "latin":
        from scipy.stats import qmc

        places = qmc.LatinHypercube(len(study.factors), rng=study.design.seed).random(study.design.points)
    else:
        from SALib.sample import sobol

        # SALib draws the Sobol sequence with scipy and lays it out in Saltelli's scheme.
        places = sobol.sample(salib_problem(study), study.design.points, calc_second_order=False, seed=study.design.seed)
    return [[float(x) for x in row] for row in places]


def salib_problem(study: Study) -> dict[str, Any]:
    """The unit cube, as SALib wants it described."""
    return {"num_vars": len(study.factors), "names": list(study.factors), "bounds": [[0.0, 1.0]] * len(study.factors)}


def written(value: str | float | bool) -> str:
    """A plain value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def point(study: Study, number: int, levels: Mapping[str, str]) -> Point:
    """A point with its price."""
    prices = [price for name, factor in study.factors.items() if (price := _price(factor, levels[name])) is not None]
    return Point(number, levels, sum(prices) if prices else None)


def _price(factor: Factor, level: str) -> float | None:
    if factor.prices:
        return factor.prices[level]
    if factor.price is None:
        return None
    try:
        return factor.price * number_of(level)[0]
    except LevelError:
        raise BadInput([Problem(None, None, None, "factors", level, "has a price per unit, but is no number")]) from None


def check_study(path: Path) -> None:
    """Read a study and every point of its design that is known beforehand. BadInput with every problem."""
    file = read_study(path)
    problems: dict[Problem, None] = {}
    for label, levels in (("", {}), *((one.label, one.levels) for one in points_of(file.study))):
        try:
            scenario = scenario_at(file, levels)
            if label:
                unavailability_at(file, scenario, label, only_check=True)
        except BadInput as bad:
            problems |= dict.fromkeys(bad.problems)
    if problems:
        raise BadInput(problems)


def scenario_at(file: StudyFile, levels: Mapping[str, str]) -> Scenario:
    """The scenario of a point. BadInput when it is none."""
    from gameday.scenario.at_once import scenario_of
    from gameday.scenario.includes import merged, read_with_includes
    from gameday.scenario.overrides import apply_overrides
    from gameday.scenario.reading import parse_value
    from gameday.scenario.tree import Document, MappingNode
    from gameday.shipped import shipped_scenarios

    document = read_with_includes(file.scenario, [shipped_scenarios()])
    patches = [("base", file.study.base)] if file.study.base else []
    assignments = []
    for name, level in levels.items():
        factor = file.study.factors[name]
        if factor.patches is not None:
            patches.append((f"factors.{name}.patches.{level}", factor.patches[level]))
        else:
            paths = [factor.set] if isinstance(factor.set, str) else factor.set or []
            assignments += [f"{path}={level}" for path in paths]
    for label, patch in patches:
        node = parse_value(json.dumps(patch, ensure_ascii=False), f"{file.path}: {label}")
        assert isinstance(node, MappingNode), "a patch is a mapping"
        document = Document(merged(document.root, node))
    document = apply_overrides(document, assignments)
    document.data.pop("include", None)
    return scenario_of(document)
