"""Sums over the series of a recording: requests offered and answered, and step functions over time.

The rule that surprises: a series of rates gives, at `t`, the rate in the bin that ends at `t`; so what happened from `start_s` to `end_s`
is in the points with `start_s` < t <= `end_s`. None means that there is no series, never that nothing happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from gameday.timeline import Series, SeriesSet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

REQUEST_BIN_S = 1.0
"""Bin of the request series."""
MINUTE_S = 60.0
SERVICE_BIN_S = 5.0
"""Bin of the service series."""

Wanted = Callable[[Mapping[str, str]], bool]
"""Whether a series is wanted, by its labels."""


def every(labels: Mapping[str, str]) -> bool:
    """All series."""
    del labels
    return True


def chosen(series: SeriesSet, name: str, wanted: Wanted = every) -> list[Series]:
    """Series of a name whose labels are wanted."""
    return [one for one in series.find(name) if wanted(one.labels)]


def total(series: Iterable[Series], start_s: float, end_s: float, bin_s: float) -> float:
    """How many there were from `start_s` to `end_s`, from rates per second in bins of `bin_s`."""
    import numpy as np

    return sum(float(np.nansum(one.values[(one.t > start_s) & (one.t <= end_s)])) * bin_s for one in series)


def added(series: Iterable[Series], bin_s: float) -> tuple[Floats, Floats]:
    """Times at which bins end, and the sums of all values in each; finer bins are added up into coarser ones."""
    import numpy as np

    found = list(series)
    if not found:
        return np.empty(0), np.empty(0)
    times = np.ceil(np.round(np.concatenate([one.t for one in found]) / bin_s, 6)) * bin_s
    values = np.nan_to_num(np.concatenate([one.values for one in found]))
    grid, position = np.unique(times, return_inverse=True)
    return grid, np.bincount(position, weights=values, minlength=len(grid)).astype(np.float64)


def good_share(series: SeriesSet, start_s: float, end_s: float, wanted: Wanted = every) -> float | None:
    """Good answers divided by offered requests; None without a series or a request. At most 1: answers may come a bin late."""
    offered = chosen(series, "requests.offered", wanted)
    asked = total(offered, start_s, end_s, REQUEST_BIN_S)
    if not asked:
        return None
    return min(1.0, total(chosen(series, "requests.good", wanted), start_s, end_s, REQUEST_BIN_S) / asked)


def lost_by_minute(series: SeriesSet, request_class: str, origin: str | None = None) -> Iterator[tuple[float, float]]:
    """End of each minute and the share of requests lost of those that ended in it; all, where some came and none ended."""

    def wanted(labels: Mapping[str, str]) -> bool:
        return labels.get("class") == request_class and origin in (None, labels.get("origin"))

    def by_minute(name: str) -> dict[float, float]:
        times, values = added(chosen(series, name, wanted), MINUTE_S)
        return dict(zip(times.tolist(), values.tolist(), strict=True))

    came, good, bad = (by_minute(name) for name in ("requests.offered", "requests.good", "requests.lost"))
    for at in sorted(came.keys() | good.keys() | bad.keys()):
        ended = good.get(at, 0.0) + bad.get(at, 0.0)
        yield at, bad.get(at, 0.0) / ended if ended else float(came.get(at, 0.0) > 0)


def time_where(series: Series, condition: Callable[[float], bool], start_s: float, end_s: float) -> float:
    """Seconds from `start_s` to `end_s` in which the newest value meets the condition; a value holds until the next."""
    times: list[float] = series.t.tolist()
    values: list[float] = series.values.tolist()
    spans = zip(times, [*times[1:], end_s], values, strict=True)
    return sum(max(0.0, min(until, end_s) - max(since, start_s)) for since, until, value in spans if condition(value))
