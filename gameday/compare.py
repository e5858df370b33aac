"""Two runs side by side, KPI by KPI, and what differs between their scenarios.

The rule that surprises: replications are paired by number when the seeds are the same, because then both runs saw the same world;
with different seeds only the medians are compared, and they differ only when their intervals do not overlap, which is cautious.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from gameday.scores.kpis import KPIS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gameday.comparison import Verdict
    from gameday.runfolder import RunFolder
    from gameday.scenario.model import Scenario

    Floats = NDArray[np.float64]

SCHEMA: Final = 1
"""Version of the JSON of a comparison."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs."""

    run: str
    """Name of its folder."""
    scenario: str
    seed: int
    replications: int
    """Replications that were finished."""
    grade: str
    dimensions: Mapping[str, str]
    """Grade of each dimension."""
    objectives_met: int
    objectives: int
    scenario_sha256: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the resolved scenarios that differs; None = it is not there."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One KPI in both runs. `verdict` is about the second run."""

    kpi: str
    verdict: Verdict
    unit: str
    better: str
    """Which way is better: `lower` or `higher`."""
    scale: str | None
    """`ratio` (after / before) or `difference` (after - before) of pairs; None when nothing was paired."""
    effect: float | None
    effect_low: float | None
    effect_high: float | None
    pairs: int
    """Pairs compared; 0 when the runs are not paired."""
    by_direction: bool
    """Whether the verdict is that of the sign test, because some pair has no size (it never happened on one side)."""
    improved: int
    worsened: int
    sign_test_p: float | None
    before: Mapping[str, Any]
    """`p50`, `p90` and `grade` of the first run, as its scores have them."""
    after: Mapping[str, Any]
    compared: bool
    """Whether there was anything to compare; if not, the verdict is `unclear` and `note` says why."""
    note: str
    """What was left out, and why the verdict is not clearer; empty when there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs, compared."""

    before: Side
    after: Side
    paired: bool
    pairing: str
    """Whether and why the replications were paired, in a sentence."""
    changes: tuple[Change, ...]
    settings: tuple[Setting, ...]

    def with_verdict(self, verdict: Verdict) -> tuple[Change, ...]:
        """The compared KPIs with that verdict."""
        return tuple(change for change in self.changes if change.verdict == verdict and change.compared)

    @property
    def not_compared(self) -> tuple[Change, ...]:
        """The KPIs for which there was nothing to compare."""
        return tuple(change for change in self.changes if not change.compared)

    def as_json(self) -> dict[str, Any]:
        """Plain values; no NaN and no infinity among them."""
        return {"schema": SCHEMA, **asdict(self)}


def compare(run_a: RunFolder, run_b: RunFolder) -> Comparison:
    """Compare the second run with the first. BadInput with what is wrong in either folder."""
    from gameday.report.model import read_samples, read_scenario, read_scores

    scores = [read_scores(run) for run in (run_a, run_b)]
    samples = [read_samples(run) for run in (run_a, run_b)]
    sides = [_side(run, found) for run, found in zip((run_a, run_b), scores, strict=True)]
    common = [number for number in samples[0].numbers if number in set(samples[1].numbers)]
    paired = sides[0].seed == sides[1].seed and bool(common)
    rows = [_results(found) for found in scores]
    names = [name for name in dict.fromkeys([*KPIS, *rows[0], *rows[1]]) if name in rows[0] or name in rows[1]]
    changes = []
    for name in names:
        values = [_chosen(one.columns.get(name), one.numbers, common if paired else None) for one in samples]
        changes.append(_change(name, values[0], values[1], rows[0].get(name, {}), rows[1].get(name, {}), paired=paired))
    settings = settings_that_differ(read_scenario(run_a), read_scenario(run_b))
    return Comparison(sides[0], sides[1], paired, _pairing(sides, len(common), paired=paired), tuple(changes), settings)


def _side(run: RunFolder, scores: Mapping[str, Any]) -> Side:
    record = run.read_record()
    objectives = scores.get("objectives") or []
    return Side(
        run=run.path.name,
        scenario=record.scenario,
        seed=record.seed,
        replications=record.completed,
        grade=str(scores.get("grade") or "UNKNOWN"),
        dimensions={name: str(one.get("grade") or "UNKNOWN") for name, one in (scores.get("dimensions") or {}).items()},
        objectives_met=sum(one.get("met") is True for one in objectives),
        objectives=len(objectives),
        scenario_sha256=record.scenario_sha256,
    )


def _pairing(sides: list[Side], common: int, *, paired: bool) -> str:
    if not paired:
        why = (
            f"the seeds differ ({sides[0].seed} and {sides[1].seed})"
            if sides[0].seed != sides[1].seed
            else "no replication is in both"
        )
        return f"Not paired: {why}. Medians are compared by their intervals."
    sizes = {one.replications for one in sides}
    rest = "" if sizes == {common} else "; the others of the longer run are left out"
    return f"Paired: both runs have seed {sides[0].seed}, so {common} replications are compared one by one{rest}."


def _results(scores: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    dimensions = scores.get("dimensions") or {}
    return {str(result["kpi"]): result for one in dimensions.values() for result in one.get("results") or ()}


def _chosen(column: Floats | None, numbers: tuple[int, ...], wanted: list[int] | None) -> Floats | None:
    """The values of the wanted replications, or all of them."""
    import numpy as np

    if column is None or wanted is None:
        return column
    place = {number: i for i, number in enumerate(numbers)}
    return np.asarray([column[place[number]] for number in wanted], dtype=np.float64)


def _change(
    name: str, before: Floats | None, after: Floats | None, row: Mapping[str, Any], row_after: Mapping[str, Any], *, paired: bool
) -> Change:
    known = KPIS.get(name)
    unit, better = (known.unit, known.better) if known else (str(row.get("unit") or row_after.get("unit") or ""), "lower")
    found: dict[str, Any] = {"scale": None, "effect": None, "effect_low": None, "effect_high": None, "sign_test_p": None}
    found |= {"pairs": 0, "improved": 0, "worsened": 0, "by_direction": False}
    verdict: Verdict | None = None
    if known is None:
        note = "this version does not know the KPI, so it does not know which way is better"
    elif before is None or after is None:
        note = "there are no samples in " + ("either run" if before is None and after is None else "one of the runs")
    elif paired:
        verdict, note = _paired(name, before, after, found)
    else:
        verdict, note = _unpaired(before, after, better)
    shown = ("p50", "p90", "grade")
    return Change(
        kpi=name,
        verdict=verdict or "unclear",
        unit=unit,
        better=better,
        before={key: row[key] for key in shown if key in row},
        after={key: row_after[key] for key in shown if key in row_after},
        compared=verdict is not None,
        note=note,
        **found,
    )


def _paired(name: str, before: Floats, after: Floats, found: dict[str, Any]) -> tuple[Verdict | None, str]:
    """The verdict of the pairs; fills `found` with the effect."""
    import numpy as np

    from gameday.comparison import compare_counts, compare_durations

    judged = ~(np.isnan(before) | np.isnan(after))
    left_out = len(before) - int(judged.sum())
    note = f"{left_out} of {len(before)} pairs could not be compared (not judged, or did not apply)" if left_out else ""
    if not judged.any():
        return None, "no pair was judged on both sides"
    kpi = KPIS[name]
    first, second = before[judged], after[judged]
    if kpi.unit == "s":
        result = compare_durations(first, second, better=kpi.better)
    else:
        result = compare_counts(first, second, better=kpi.better)
    effect = result.effect
    found.update(
        scale=result.scale,
        effect=effect.value if effect else None,
        effect_low=effect.low if effect else None,
        effect_high=effect.high if effect else None,
        pairs=result.pairs,
        by_direction=result.measured < result.pairs,
        improved=result.improved,
        worsened=result.worsened,
        sign_test_p=result.sign_test_p,
    )
    if result.both_censored:
        note += ("; " if note else "") + f"in {result.both_censored} pairs it never happened on either side"
    if result.sign_only:
        note += ("; " if note else "") + f"{result.sign_only} pairs are compared by direction only"
    return result.verdict, note


def _unpaired(before: Floats, after: Floats, better: str) -> tuple[Verdict | None, str]:
    """Better or worse only when the intervals of the medians do not touch."""
    import numpy as np

    from gameday.statistics import quantile

    first, second = before[~np.isnan(before)], after[~np.isnan(after)]
    if not len(first) or not len(second):
        return None, "it was not judged in one of the runs"
    if len(np.unique(np.concatenate((first, second)))) == 1:
        return "same", ""
    # The bound only has to be a number above all others: where it decides, the end of the interval is open anyway.
    finite = np.concatenate((first[np.isfinite(first)], second[np.isfinite(second)], [0.0]))
    bound = float(finite.max()) + 1.0
    one, two = (quantile(sample, 0.5, bound=bound) for sample in (first, second))
    if two.high is not None and one.low is not None and two.high < one.low:
        return ("better" if better == "lower" else "worse"), ""
    if one.high is not None and two.low is not None and one.high < two.low:
        return ("worse" if better == "lower" else "better"), ""
    return "unclear", "the intervals of the medians overlap"


def settings_that_differ(before: Scenario, after: Scenario) -> tuple[Setting, ...]:
    """Settings that differ, by dotted path, in the order of the first scenario; defaults are filled in on both sides."""
    return tuple(_settings(before, after))


def _settings(before: Scenario, after: Scenario) -> Iterator[Setting]:
    first, second = (dict(_flat(one.model_dump(mode="json", by_alias=True))) for one in (before, after))
    for path in dict.fromkeys([*first, *second]):
        if first.get(path) != second.get(path):
            yield Setting(path, first.get(path), second.get(path))


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Leaves by dotted path; a list of plain values is one leaf."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for number, item in enumerate(value):
            yield from _flat(item, f"{path}.{number}")
    elif value is not None and value not in ({}, []):
        yield path, ", ".join(map(_word, value)) if isinstance(value, list) else _word(value)


def _word(value: object) -> str:
    """A plain value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
