"""Everything a report needs, read once from a run folder.

The rule that surprises: only `run.json`, `scenario.yaml` and `timeline.jsonl` must be there. Without series or samples the report
says that it has none, and shows the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gameday.errors import BadInput, Problem
from gameday.prediction import Against, against, read_prediction
from gameday.report.aftermaths import AfterRow, after_rows
from gameday.report.facts import Accounts, MessageRow, accounts, impact_spans, messages, run_end
from gameday.report.plots.published import Milestone
from gameday.report.scoring_rows import (
    DimensionRow,
    KpiRow,
    ObjectiveRow,
    WorstRow,
    dimension_rows,
    grade_text,
    hard_failures,
    milestone_rows,
    objective_rows,
    worst_rows,
)
from gameday.report.stations import StationRow, station_rows
from gameday.report.waterfalls import Waterfall, waterfalls
from gameday.report.words import VERDICT_WORDS
from gameday.series import SeriesSet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gameday.runfolder import RunFolder
    from gameday.runrecord import RunRecord
    from gameday.scenario.model import Scenario
    from gameday.timeline import Timeline
    from gameday.traces import Trace


@dataclass(frozen=True, slots=True)
class Samples:
    """The KPIs of every replication."""

    numbers: tuple[int, ...]
    """Numbers of the replications, in order."""
    columns: Mapping[str, NDArray[np.float64]]
    """KPI to its values in that order; +inf = never, NaN = could not be judged or does not apply."""


@dataclass(frozen=True)
class ReportData:
    """One run, ready to be reported."""

    name: str
    """Name of the run folder."""
    scenario: Scenario
    record: RunRecord
    scores: Mapping[str, Any]
    """`scores.json`; empty when the run was not scored."""
    timeline: Timeline
    """Of the first replication."""
    series: SeriesSet
    """Of the first replication; empty when none were kept."""
    samples: Samples
    prediction: Mapping[str, Any] | None = None
    """Of a live day: what was registered before it."""
    reasons: tuple[str, ...] = ()
    """Of a live day: why its verdict is not that of the scores."""
    traces: tuple[Trace, ...] = ()
    """Single requests of the first replication; empty when none were kept."""

    @classmethod
    def load(cls, folder: RunFolder) -> ReportData:
        """Read a run folder. BadInput with what is wrong in it."""
        from gameday.series import read_series
        from gameday.timeline_files import read_timeline
        from gameday.traces import read_traces

        return cls(
            name=folder.path.name,
            scenario=read_scenario(folder),
            record=folder.read_record(),
            scores=read_scores(folder),
            timeline=read_timeline(folder.timeline),
            series=read_series(folder.series) if folder.series.is_file() else SeriesSet(),
            samples=read_samples(folder),
            prediction=read_prediction(folder.prediction) if folder.prediction.is_file() else None,
            reasons=_reasons(folder),
            traces=tuple(read_traces(folder.traces)) if folder.traces.is_file() else (),
        )

    @cached_property
    def against(self) -> Against | None:
        """The observation held against the prediction; None where nothing was predicted."""
        return None if self.prediction is None else against(self.prediction, self.scores, self.timeline)

    @cached_property
    def currency(self) -> str | None:
        """Currency of the scenario's amounts."""
        return self.scenario.system.money.currency

    @cached_property
    def end_s(self) -> float:
        """When the run that is shown ended, seconds from its start."""
        return run_end(self.timeline, self.scenario.duration)

    @cached_property
    def impact(self) -> list[tuple[float, float]]:
        """When users were hurt."""
        return impact_spans(self.timeline, self.end_s)

    @cached_property
    def accounts(self) -> Accounts:
        """What became of the requests."""
        return accounts(self.series, self.scenario.warmup)

    @cached_property
    def stations(self) -> list[StationRow]:
        """Services, databases and providers, the worst first."""
        hurt = {event.subject.removeprefix("class/").partition("@")[0] for event in self.timeline.of("impact.started")}
        return station_rows(self.scenario, self.series, self.end_s, self.impact, hurt)

    @cached_property
    def aftermaths(self) -> list[AfterRow]:
        """What became of each class that was hurt."""
        return after_rows(self.scenario, self.timeline, self.series)

    @cached_property
    def waterfalls(self) -> list[Waterfall]:
        """Single requests that explain what happened."""
        return waterfalls(self.traces, self.scenario.warmup)

    @cached_property
    def messages(self) -> list[MessageRow]:
        """What was published."""
        return messages(self.timeline)

    @cached_property
    def dimensions(self) -> list[DimensionRow]:
        """Grades and KPIs."""
        return dimension_rows(self.scores, self.currency)

    @cached_property
    def kpis(self) -> list[KpiRow]:
        """All KPIs, by dimension."""
        return [kpi for dimension in self.dimensions for kpi in dimension.kpis]

    @cached_property
    def objectives(self) -> list[ObjectiveRow]:
        """What the day had to show."""
        return objective_rows(self.scores, self.currency)

    @cached_property
    def hard_failures(self) -> list[str]:
        """What caps the run at U."""
        return hard_failures(self.scores)

    @cached_property
    def worst(self) -> list[WorstRow]:
        """The replications that went worst."""
        return worst_rows(self.scores, self.currency)

    @cached_property
    def milestones(self) -> list[Milestone]:
        """Published milestones and their simulation; empty when the scenario is rebuilt from no incident."""
        published = self.scenario.published
        return milestone_rows(self.scores, published.milestones) if published is not None else []

    @property
    def grade(self) -> str:
        """Grade of the run."""
        return grade_text(self.scores.get("grade"))

    @property
    def verdict(self) -> str:
        """Verdict of the run, in words."""
        found = str(self.scores.get("verdict") or "not scored")
        return VERDICT_WORDS.get(found, found)

    @cached_property
    def unknowns(self) -> list[tuple[str, str]]:
        """KPIs that could not be judged, and why."""
        found = []
        for kpi in self.kpis:
            if kpi.grade != "UNKNOWN" and not kpi.unknown:
                continue
            why = (kpi.note or "the scores give no reason").rstrip(".")
            if not kpi.unknown or kpi.unknown >= self.record.completed:
                found.append((kpi.kpi, f"{why}."))
            else:
                times = f"not judged in {kpi.unknown} of {self.record.completed} replications"
                found.append((kpi.kpi, f"{times}. The first replication says: {why}."))
        return found


def read_scenario(folder: RunFolder) -> Scenario:
    """The scenario of a run as it was played. The cross checks are not repeated: it was played, so it passed them then."""
    from gameday.scenario.includes import read_with_includes
    from gameday.scenario.model import Scenario
    from gameday.scenario.validation import validate

    return validate(Scenario, read_with_includes(folder.scenario))


def read_scores(folder: RunFolder) -> dict[str, Any]:
    """`scores.json`, or nothing when the run was not scored."""
    if not folder.scores.is_file():
        return {}
    name = str(folder.scores)
    try:
        found = json.loads(folder.scores.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput([Problem(name, None, None, "", None, f"cannot be read: {error}")]) from error
    if not isinstance(found, dict):
        raise BadInput([Problem(name, None, None, "", None, "must be a JSON object")])
    return found


def _reasons(folder: RunFolder) -> tuple[str, ...]:
    """The reasons in `verdict.json`."""
    if not folder.verdict.is_file():
        return ()
    try:
        return tuple(str(one) for one in json.loads(folder.verdict.read_text(encoding="utf-8"))["reasons"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput([Problem(str(folder.verdict), None, None, "", None, f"cannot be read: {error}")]) from error


def read_samples(folder: RunFolder) -> Samples:
    """The KPIs of every replication. Empty when none were kept."""
    import numpy as np

    if not folder.replications.is_file():
        return Samples((), {})
    import pyarrow as pa

    from gameday.arrow import numbers, table

    try:
        rows = table(folder.replications.read_bytes())
    except (OSError, pa.ArrowException) as error:
        raise BadInput([Problem(str(folder.replications), None, None, "", None, f"is not a Parquet file: {error}")]) from error
    if "replication" not in rows.column_names:
        raise BadInput([Problem(str(folder.replications), None, None, "", None, "lacks the column replication")])
    replications = numbers(rows.column("replication"))
    order = np.argsort(replications, kind="stable")
    columns = {}
    for name in rows.column_names:
        column = rows.column(name)
        if "." in name and (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
            columns[name] = numbers(column)[order]
    return Samples(tuple(int(number) for number in replications[order]), columns)
