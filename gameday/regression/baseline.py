"""A baseline: a small file that people review, with what a game day showed when it was last accepted.

The rule that surprises: the replications themselves are in it (one number per replication for each KPI that an objective is about, and the landmarks of the first
few), because only the same seeds can be compared pair by pair. Words stand for what is no number: never, unknown, n/a.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import yaml
from pydantic import Field

from gameday.atomic_files import write_atomically
from gameday.errors import BadInput, Problem
from gameday.scenario.base import Strict
from gameday.scores.kpis import KPIS, Target
from gameday.scores.samples import NEVER, NOT_APPLICABLE, UNKNOWN, KpiSamples

if TYPE_CHECKING:
    from gameday.statistics import Quantile

NOTE: Final = """\
# What a game day showed when it was last accepted. Written by `gameday check --update`, read by `gameday check`, reviewed by people.
# values and events: one column per replication, in order; events: when each happened, in seconds, all times where there are several.
"""
DIGITS: Final = 6
"""Significant digits of a value that is kept; pairs are compared at this precision."""
_WORDS: Final[Mapping[str, float]] = {"never": NEVER, "unknown": UNKNOWN, "n/a": NOT_APPLICABLE}

Word = Literal["never", "unknown", "n/a"]
Times = Annotated[str, Field(pattern=r"^[0-9.e+-]+( [0-9.e+-]+)+$")]
"""Several times, as text so that a column stays a column."""


class Bounds(Strict):
    """A statistic with its 95 % interval, for people: `check` computes it anew from the values."""

    value: float
    """The estimate; `at least` so much when `censored`."""
    low: float | None = None
    """Lower end; none where the sample cannot bound it."""
    high: float | None = None
    """Upper end; none where the sample cannot bound it."""
    censored: bool = False
    """Whether it is cut off by the end of the day."""


class KpiBaseline(Strict):
    """One KPI that objectives are about."""

    p50: Bounds | None = None
    """Median, towards the bad side."""
    p90: Bounds | None = None
    """90th percentile, towards the bad side."""
    pass_rate: dict[str, Bounds] = {}
    """Target of each objective to the share of replications that meets it."""
    watched_s: float | None = None
    """How long something that never happened was waited for."""
    values: list[float | Word]
    """One per replication."""

    def numbers(self, first: int) -> list[float]:
        """The values of the first replications as the scorers have them: +inf never, NaN unknown, -inf did not apply."""
        return [_WORDS[one] if isinstance(one, str) else one for one in self.values[:first]]


class Baseline(Strict):
    """The file."""

    baseline: Annotated[int, Field(ge=1, le=1)]
    """Version of the layout: 1."""
    scenario: str
    """Name of the game day."""
    scenario_sha256: str
    """Digest of the resolved scenario."""
    version: str
    """Version of gameday."""
    seed: Annotated[int, Field(ge=0)]
    """Root of all randomness."""
    replications: Annotated[int, Field(ge=1, le=1_000_000)]
    """Replications 0 to this many less one."""
    hard_failures: dict[str, list[int]] = {}
    """KPI to the replications in which it failed hard."""
    kpis: dict[str, KpiBaseline] = {}
    """The KPIs that objectives of the scenario are about, gates or not."""
    events: dict[str, list[float | Times | None]] = {}
    """Landmark to its time in each of the first replications; several with blanks between them, none where it did not happen."""

    def landmarks(self, replication: int) -> dict[str, list[float]] | None:
        """The landmarks of a replication; None where none were kept."""
        found = {label: times[replication] for label, times in self.events.items() if replication < len(times)}
        return {label: [float(one) for one in str(times).split()] for label, times in found.items() if times is not None} or None


def written_times(times: Sequence[float]) -> float | str | None:
    """The times of a landmark as a baseline keeps them."""
    return None if not times else times[0] if len(times) == 1 else " ".join(map(str, times))


def samples_of(kpi: str, values: list[float], bound: float | None) -> KpiSamples:
    """Values as the judge of objectives takes them."""
    samples = KpiSamples(kpi)
    samples.values.extend(values)
    samples.bound = bound
    return samples


def kpi_baseline(samples: KpiSamples, targets: Mapping[str, Target]) -> KpiBaseline:
    """What is kept of a KPI; `targets` are those of its objectives, as they are written."""
    from gameday.statistics import share

    judged = len(samples.judged())
    rates = {}
    for written, target in targets.items() if judged else ():
        rate = share(samples.passed(target), judged)
        rates[written] = Bounds(value=_short(rate.value), low=_end(rate.low), high=_end(rate.high))
    return KpiBaseline(
        p50=_bounds(samples.quantile(0.5)),
        p90=_bounds(samples.quantile(0.9)),
        pass_rate=rates,
        watched_s=_end(samples.bound),
        values=[_written(value) for value in samples.values],
    )


def _bounds(found: Quantile | None) -> Bounds | None:
    if found is None:
        return None
    return Bounds(value=_short(found.value), low=_end(found.low), high=_end(found.high), censored=found.censored)


def _end(value: float | None) -> float | None:
    return None if value is None else _short(value)


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def rounded(value: float) -> float:
    """A value at the precision of a baseline; what is no number stays as it is."""
    return _short(value) if math.isfinite(value) else value


def _written(value: float) -> float | Word:
    if math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "never" if value > 0 else "n/a"
    return _short(value)


def baseline_file(folder: Path, scenario: str) -> Path:
    """Where the baseline of a game day lies."""
    return folder / f"{scenario}.yaml"


def read_baseline(path: Path) -> Baseline:
    """Read a baseline. BadInput with every problem, also for KPIs that this version does not know."""
    from gameday.scenario.reading import read_yaml
    from gameday.scenario.validation import validate

    document = read_yaml(path)
    found = validate(Baseline, document)
    problems = []
    for name, kpi in found.kpis.items():
        place = document.position(("kpis", name), of_key=True)
        if name not in KPIS:
            from gameday.errors import nearest

            problems.append(Problem(*place, f"kpis.{name}", None, "is not a KPI of this version", nearest(name, KPIS)))
        if len(kpi.values) != found.replications:
            message = f"has {len(kpi.values)} values for {found.replications} replications"
            problems.append(Problem(*place, f"kpis.{name}.values", None, message))
    if problems:
        raise BadInput(problems)
    return found


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Write a baseline, whole or not at all. GamedayError when the operating system refuses."""
    from gameday.atomic_files import cannot

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot("create", path.parent, error) from error
    write_atomically(path, baseline_text(baseline).encode())


def baseline_text(baseline: Baseline) -> str:
    """The content of the file."""
    content: dict[str, Any] = baseline.model_dump(mode="json", exclude_defaults=True)
    return NOTE + yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=130, allow_unicode=True)
