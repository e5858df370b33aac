"""The values of every KPI over the replications: one number per KPI and replication, whatever happened.

    finite   the value            +inf  never happened
    NaN      could not be judged  -inf  did not apply

The rule that surprises: the order in which replications come in does not matter; they are put in order of their number when asked.
"""

from __future__ import annotations

import io
import math
from array import array
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gameday.scores.grading import SEVERITY
from gameday.scores.kpis import KPIS, Target
from gameday.scores.model import Grade, Result

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gameday.statistics import Quantile

UNKNOWN: Final = math.nan
NEVER: Final = math.inf
NOT_APPLICABLE: Final = -math.inf
GRADED_SHARE: Final = 0.9
"""The grade of a KPI over replications is the worst that this share of them reaches, as `p90` is the value that it reaches."""


def as_number(result: Result) -> float:
    """A result as one number."""
    if result.grade is Grade.NOT_APPLICABLE:
        return NOT_APPLICABLE
    if result.censored_at is not None:
        return NEVER
    return UNKNOWN if result.value is None else result.value


class KpiSamples:
    """The values of one KPI."""

    __slots__ = ("bound", "grades", "kpi", "missed_hard", "values")

    def __init__(self, kpi: str, earlier: int = 0) -> None:
        """`earlier` replications came before it was first seen; they did not judge it."""
        self.kpi = kpi
        self.values = array("d", [UNKNOWN]) * earlier
        self.grades: Counter[Grade] = Counter({Grade.UNKNOWN: earlier} if earlier else {})
        self.bound: float | None = None
        """Shortest time for which something that never happened was waited for."""
        self.missed_hard = 0

    def add(self, result: Result | None) -> None:
        """The next replication; None = it did not judge this KPI."""
        self.values.append(UNKNOWN if result is None else as_number(result))
        self.grades[Grade.UNKNOWN if result is None else result.grade] += 1
        if result is not None and result.censored_at is not None:
            self.bound = result.censored_at if self.bound is None else min(self.bound, result.censored_at)
        self.missed_hard += result is not None and result.hard_failure

    def judged(self) -> NDArray[np.float64]:
        """Values, "never" among them; without what was unknown or did not apply."""
        import numpy as np

        values: NDArray[np.float64] = np.array(self.values, dtype=np.float64)
        return values[~np.isnan(values) & ~np.isneginf(values)]

    @property
    def unknown(self) -> int:
        """Replications in which it could not be judged."""
        return sum(math.isnan(value) for value in self.values)

    @property
    def not_applicable(self) -> int:
        """Replications in which it did not apply."""
        return sum(value == NOT_APPLICABLE for value in self.values)

    @property
    def grade(self) -> Grade:
        """The worst grade that 90 % of the replications to which it applied reach."""
        counted = {grade: count for grade, count in self.grades.items() if grade is not Grade.NOT_APPLICABLE and count}
        left = math.ceil(GRADED_SHARE * sum(counted.values()) - 1e-9)
        for grade in sorted(counted, key=SEVERITY.__getitem__):
            left -= counted[grade]
            if left <= 0:
                return grade
        return Grade.NOT_APPLICABLE

    def quantile(self, q: float) -> Quantile | None:
        """The q-quantile towards the bad side: `q` of the values are at least as good. None without values."""
        from gameday.statistics import quantile

        values = self.judged()
        if not len(values):
            return None
        if KPIS[self.kpi].better == "lower":
            return quantile(values, q, bound=self.bound)
        mirrored = quantile(-values, q)
        low = None if mirrored.high is None else -mirrored.high + 0.0
        high = None if mirrored.low is None else -mirrored.low + 0.0
        return type(mirrored)(
            mirrored.q, -mirrored.value + 0.0, mirrored.censored, low, high, mirrored.n, mirrored.n_censored, mirrored.confidence
        )

    def passed(self, target: Target) -> int:
        """How many of the judged values meet a target."""
        return sum(target.met(value) for value in self.judged().tolist())


class Samples:
    """The values of all KPIs."""

    def __init__(self) -> None:
        self.replications = array("q")
        """Numbers of the replications, in the order in which they came."""
        self.of: dict[str, KpiSamples] = {}

    def __len__(self) -> int:
        return len(self.replications)

    def add(self, replication: int, results: Iterable[Result]) -> None:
        """Take in one replication."""
        found = {result.kpi: result for result in results}
        for kpi in found:
            if kpi not in self.of:
                self.of[kpi] = KpiSamples(kpi, len(self.replications))
        for kpi, samples in self.of.items():
            samples.add(found.get(kpi))
        self.replications.append(replication)

    def write_parquet(self, path: Path) -> None:
        """One row per replication, one column per KPI; what did not apply is null, what could not be judged NaN, never +inf."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        from gameday.arrow import floats, integers
        from gameday.atomic_files import write_atomically

        order = np.argsort(np.array(self.replications, dtype=np.int64), kind="stable")
        columns = {"replication": integers(np.array(self.replications, dtype=np.int64)[order])}
        for kpi in (name for name in KPIS if name in self.of):
            values = np.array(self.of[kpi].values)[order]
            columns[kpi] = floats(values, np.isneginf(values))
        buffer = io.BytesIO()
        pq.write_table(pa.table(columns), buffer, compression="zstd")
        write_atomically(path, buffer.getvalue())
