"""What became of a system once a trigger was gone: recovered, degraded, or metastable. Simulated and live series go through it alike.

The share of good answers is looked at in windows and held against its baseline from before the trigger. The rule that surprises: being
unwell is metastable only while no more is asked than was served well before; with more demand it is plain overload, and counts as degraded.
The form (baseline distance over windows, so many in a row to be well again, so many to be stuck) follows the recovery monitor of DesCartes;
the sizes are assumptions, stated beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WINDOW_S: Final = 5.0
"""Length of a window, seconds: the bin of the service series."""
EPSILON: Final = 0.05
"""A window is well when its share of good answers is at most this far below the baseline. Assumption."""
WELL_WINDOWS: Final = 6
"""Windows in a row that must be well before it counts as recovered: half a minute. Assumption."""
STUCK_WINDOWS: Final = 12
"""Windows in a row, unwell without their cause, from which it is stuck: a minute. Assumption."""
MORE_DEMAND: Final = 1.2
"""Demand above this multiple of that before the trigger explains being unwell. Assumption."""

State = Literal["recovered", "degraded", "metastable", "unknown"]


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What the monitor says."""

    state: State
    """recovered: well for good within the time watched, and never stuck on the way; metastable: stuck without cause and without more
    demand; degraded: unwell now and then, or by demand; unknown: no request before or after."""
    after_s: float | None
    """Seconds from the end of the trigger to the first of the windows that stayed well; None when there are none."""
    stuck_s: float
    """Longest time in a row that it was unwell without cause and without more demand, seconds."""
    baseline: float | None
    """Share of good answers before the trigger."""


def aftermath(ends_s: Floats, offered: Floats, good: Floats, trigger: tuple[float, float], until_s: float) -> Aftermath:
    """Judge the time from the end of a trigger to `until_s`.

    `offered` and `good` are counts (or rates, they need the same unit) of the windows that end at `ends_s`, ascending; `trigger` its start
    and end in the same seconds. Answers may come a window later than they were asked for, so a share may exceed 1. A window in which
    nothing was asked says nothing and is passed over.
    """
    import numpy as np

    begin_s, gone_s = trigger
    before = (ends_s <= begin_s) & (offered > 0)
    after = (ends_s - WINDOW_S >= gone_s) & (ends_s <= until_s) & (offered > 0)
    if not before.any() or not after.any():
        return Aftermath("unknown", None, 0.0, None)
    baseline = min(1.0, float(good[before].sum() / offered[before].sum()))
    usual = float(np.median(offered[before]))
    share = good[after] / offered[after]
    well = share >= baseline - EPSILON
    without_cause = ~well & (offered[after] <= MORE_DEMAND * usual)
    stuck = _longest_run(without_cause)
    times = ends_s[after]
    since = _stays_well_from(well)
    after_s = None if since is None else float(times[since] - WINDOW_S - gone_s)
    if stuck >= STUCK_WINDOWS:
        state: State = "metastable"
    else:
        state = "degraded" if after_s is None else "recovered"
    return Aftermath(state, after_s, stuck * WINDOW_S, baseline)


def _longest_run(flags: NDArray[np.bool_]) -> int:
    longest = run = 0
    for flag in flags.tolist():
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest


def _stays_well_from(well: NDArray[np.bool_]) -> int | None:
    """Position of the first window of the first `WELL_WINDOWS` well ones in a row; None when there is no such row."""
    run = 0
    for position, flag in enumerate(well.tolist()):
        run = run + 1 if flag else 0
        if run == WELL_WINDOWS:
            return position - WELL_WINDOWS + 1
    return None
