"""Fits the times of responders from an export of a pager or an incident tool: lognormal by maximum likelihood, censored rows included.

    table = read_export(Path("incidents.csv"))
    fitted = fit_lognormal([...seconds], censored=[...seconds])
    fitted.median_s, fitted.sigma

The rule that surprises: an alert that resolved before anybody acknowledged it is not left out. It says that acknowledging would have taken
longer than that; leaving it out would make people look quicker than they are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from math import erfc, exp, log, pi, sqrt
from pathlib import Path
from typing import Final

from gameday.errors import BadInput, Problem
from gameday.scenario.files import text_of

LEAST: Final = 20
"""Acknowledgements below which a fit is refused: sigma of a small sample is noise, and the tail is what hurts."""
RESAMPLES: Final = 400
MOST_STEPS: Final = 2000

CREATED: Final = ("created_at", "created_on", "createdat", "created", "timestamp", "triggered_at", "opened_at")
ACKNOWLEDGED: Final = ("acknowledged_at", "acknowledged_on", "first_acknowledged_at", "acked_at", "ackedat", "acknowledgedat")
TO_ACKNOWLEDGE: Final = (
    "seconds_to_first_ack",
    "time_to_ack",
    "time_to_ack_seconds",
    "timetoack",
    "seconds_to_ack",
    "mtta_seconds",
)
TO_ACKNOWLEDGE_MS: Final = ("report.acktime", "acktime", "ack_time_ms")
RESOLVED: Final = ("resolved_at", "resolved_on", "closed_at", "closedat", "resolvedat")
TO_RESOLVE: Final = ("seconds_to_resolve", "time_to_close", "time_to_resolve", "timetoclose", "time_to_close_seconds")
TO_RESOLVE_MS: Final = ("report.closetime", "closetime")
TO_ENGAGE: Final = ("seconds_to_engage",)
"""PagerDuty: from the first engagement of a responder to the last, empty with one responder; here that is `assemble`."""
ENGAGED: Final = ("engaged_at", "joined_at", "investigating_at", "started_investigating_at")
IDENTIFIED: Final = ("identified_at", "cause_found_at")
MITIGATED: Final = ("mitigated_at", "fixed_at")
"""Milestones as FireHydrant and others call them: acknowledged, investigating, identified, mitigated, resolved."""
ESCALATIONS: Final = ("escalation_count", "escalations", "escalated")
"""Names of columns as PagerDuty (analytics and incident exports), GoAlert (alert metrics) and Opsgenie (alert exports) have them, in small
letters, blanks as underscores."""


@dataclass(frozen=True, slots=True)
class Page:
    """One row."""

    created: datetime | None
    to_acknowledge_s: float | None
    """None = never acknowledged."""
    to_resolve_s: float | None
    escalated: bool | None
    """None = the export does not say."""
    engage_s: float | None = None
    """From the acknowledgement to work on it."""
    diagnose_s: float | None = None
    """From then to the cause."""
    act_s: float | None = None
    """From the cause to its mitigation, or resolution where no mitigation is stated: deciding and acting."""
    assemble_s: float | None = None
    """From the first responder to the last."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A lognormal."""

    median_s: float
    sigma: float
    acknowledged: int
    censored: int
    median_interval_s: tuple[float, float]
    """95 %, from resamples of the rows."""
    sigma_interval: tuple[float, float]
    ks_p: float | None
    """Kolmogorov-Smirnov test of the acknowledged times against the fit, a screen only; None with censored rows or without scipy."""


class TooFewError(ValueError):
    """The sample is too small to be fitted."""


def read_export(path: Path) -> list[Page]:
    """The rows of an export. Raises BadInput with everything that cannot be read, with file and line."""
    rows = list(csv.reader(io.StringIO(text_of(path))))
    if not rows:
        raise BadInput([Problem(str(path), None, None, "", None, "is empty")])
    columns = {re.sub(r"[ -]+", "_", name.strip().lower()): number for number, name in enumerate(rows[0])}
    found = {name: _first(columns, names) for name, names in _COLUMNS.items()}
    if (
        found["to_acknowledge"] is None
        and found["to_acknowledge_ms"] is None
        and None in (found["created"], found["acknowledged"])
    ):
        wanted = f"{'/'.join(TO_ACKNOWLEDGE[:2])} (seconds), or {CREATED[0]} and {ACKNOWLEDGED[0]}"
        message = f"has no column that says how long acknowledging took; needed: {wanted}"
        raise BadInput([Problem(str(path), 1, None, "", ", ".join(rows[0])[:80], message)])
    pages, problems = [], list[Problem]()
    for line, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        cells = {name: row[at].strip() if at is not None and at < len(row) else "" for name, at in found.items()}
        try:
            pages.append(_page(cells, known=found["escalated"] is not None))
        except ValueError as refusal:
            problems.append(Problem(str(path), line, None, "", None, str(refusal)))
    if problems:
        raise BadInput(problems)
    return pages


def fit_lognormal(times: Sequence[float], censored: Sequence[float] = (), what: str = "acknowledged") -> Fitted:
    """Maximum likelihood of a lognormal whose `censored` times are only known to be longer. Seconds, above 0.

    Without censored times these are mean and standard deviation of the logarithms; with them the EM algorithm for a censored normal.
    Raises TooFewError below `LEAST` times; `what` is what they are called there.
    """
    import numpy as np

    if len(times) < LEAST:
        raise TooFewError(f"{len(times)} {what}, at least {LEAST} are needed")
    seen, beyond = np.log(np.asarray(times, dtype=float)), np.log(np.asarray(censored, dtype=float))
    mean, sigma = _censored_normal(seen.tolist(), beyond.tolist())
    generator = np.random.default_rng(0)
    both = np.concatenate((seen, beyond))
    is_seen = np.arange(len(both)) < len(seen)
    means, sigmas = [], []
    for _ in range(RESAMPLES):
        chosen = generator.integers(0, len(both), len(both))
        drawn, flags = both[chosen], is_seen[chosen]
        if flags.sum() < 2 or drawn[flags].std() == 0:
            continue
        one, other = _censored_normal(drawn[flags].tolist(), drawn[~flags].tolist())
        means.append(one)
        sigmas.append(other)
    low, high = (float(np.exp(each)) for each in np.quantile(means, (0.025, 0.975)))
    narrow, wide = (float(each) for each in np.quantile(sigmas, (0.025, 0.975)))
    p = None if len(censored) else _ks_p(seen.tolist(), mean, sigma)
    return Fitted(exp(mean), sigma, len(seen), len(beyond), (low, high), (narrow, wide), p)


def _censored_normal(seen: Sequence[float], beyond: Sequence[float]) -> tuple[float, float]:
    """Mean and sigma by EM: what is beyond a limit is replaced by its expected value and square under the last estimate."""
    n = len(seen) + len(beyond)
    total, squares = sum(seen), sum(value * value for value in seen)
    mean = (total + sum(beyond)) / n
    sigma = sqrt(max((squares + sum(value * value for value in beyond)) / n - mean * mean, 1e-12))
    for _ in range(MOST_STEPS if beyond else 1):
        first, second = total, squares
        for limit in beyond:
            z = (limit - mean) / sigma
            hazard = _hazard(z)
            first += mean + sigma * hazard
            second += mean * mean + 2 * mean * sigma * hazard + sigma * sigma * (1 + z * hazard)
        new_mean = first / n
        new_sigma = sqrt(max(second / n - new_mean * new_mean, 1e-12))
        moved = abs(new_mean - mean) + abs(new_sigma - sigma)
        mean, sigma = new_mean, new_sigma
        if moved < 1e-10:
            break
    return mean, sigma


def _hazard(z: float) -> float:
    """Density over survival of the standard normal; far out by its asymptotic series."""
    if z > 30:
        return z + 1 / z
    return exp(-z * z / 2) / sqrt(2 * pi) / (erfc(z / sqrt(2)) / 2)


def _ks_p(seen: Sequence[float], mean: float, sigma: float) -> float | None:
    try:
        stats = import_module("scipy.stats")
    except ImportError:
        return None
    return float(stats.kstest(seen, "norm", (mean, sigma)).pvalue)


_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "created": CREATED,
    "acknowledged": ACKNOWLEDGED,
    "to_acknowledge": TO_ACKNOWLEDGE,
    "to_acknowledge_ms": TO_ACKNOWLEDGE_MS,
    "resolved": RESOLVED,
    "to_resolve": TO_RESOLVE,
    "to_resolve_ms": TO_RESOLVE_MS,
    "escalated": ESCALATIONS,
    "engaged": ENGAGED,
    "identified": IDENTIFIED,
    "mitigated": MITIGATED,
    "to_assemble": TO_ENGAGE,
}


def _first(columns: Mapping[str, int], names: Sequence[str]) -> int | None:
    return next((columns[name] for name in names if name in columns), None)


def _page(cells: Mapping[str, str], *, known: bool) -> Page:
    created = _instant(cells["created"])
    escalated = cells["escalated"].lower() not in {"", "0", "0.0", "false", "no"} if known else None
    to_acknowledge_s = _lasted(cells, "acknowledge", "acknowledged", created)
    acknowledged = _instant(cells["acknowledged"])
    if acknowledged is None and created is not None and to_acknowledge_s is not None:
        acknowledged = created + timedelta(seconds=to_acknowledge_s)
    engaged, identified = _instant(cells["engaged"]), _instant(cells["identified"])
    mended = _instant(cells["mitigated"]) or _instant(cells["resolved"])
    return Page(
        created,
        to_acknowledge_s,
        _lasted(cells, "resolve", "resolved", created),
        escalated,
        engage_s=_between(cells, acknowledged, engaged, "engaged"),
        diagnose_s=_between(cells, engaged, identified, "identified"),
        act_s=_between(cells, identified, mended, "mitigated" if cells["mitigated"] else "resolved"),
        assemble_s=_seconds(cells["to_assemble"]) if cells["to_assemble"] else None,
    )


def _between(cells: Mapping[str, str], since: datetime | None, until: datetime | None, what: str) -> float | None:
    """Seconds from one milestone to the next; None where one is missing. Raises ValueError."""
    if since is None or until is None:
        return None
    if (since.tzinfo is None) != (until.tzinfo is None):
        raise ValueError(f"'{cells[what]}': only one of two milestones has an offset from UTC")
    seconds = (until - since).total_seconds()
    if seconds < 0:
        raise ValueError(f"'{cells[what]}' ({what}) is before the milestone before it")
    return max(seconds, 0.5)


def _lasted(cells: Mapping[str, str], what: str, until: str, created: datetime | None) -> float | None:
    """Seconds, from the column of seconds, of milliseconds, or of instants; None where all are empty. Raises ValueError."""
    if text := cells[f"to_{what}"]:
        seconds = _seconds(text)
    elif text := cells[f"to_{what}_ms"]:
        seconds = _seconds(text) / 1000.0
    else:
        ended = _instant(cells[until])
        if ended is None or created is None:
            return None
        if (ended.tzinfo is None) != (created.tzinfo is None):
            raise ValueError(f"'{cells[until]}' and '{cells['created']}': only one has an offset from UTC")
        seconds, text = (ended - created).total_seconds(), cells[until]
    if seconds < 0:
        raise ValueError(f"'{text}' is before the alert was created")
    return max(seconds, 0.5)  # exports round to whole seconds, and the logarithm of 0 is not a time


def _seconds(text: str) -> float:
    """A number of seconds, `HH:MM:SS`, or an ISO 8601 duration such as `PT1M30S`."""
    if clock := re.fullmatch(r"(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)", text):
        return int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + float(clock[3])
    if iso := re.fullmatch(r"P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", text):
        return int(iso[1] or 0) * 86400 + int(iso[2] or 0) * 3600 + int(iso[3] or 0) * 60 + float(iso[4] or 0)
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"'{text}' is not a time in seconds") from None


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text.replace(" UTC", "+00:00"))
    except ValueError:
        raise ValueError(f"'{text}' is not an ISO date and time") from None


def log_likelihood(times: Sequence[float], censored: Sequence[float], median_s: float, sigma: float) -> float:
    """What the fit maximises, up to a constant: for tests and for the curious."""
    mean = log(median_s)
    seen = sum(-log(sigma) - ((log(t) - mean) / sigma) ** 2 / 2 for t in times)
    return seen + sum(log(erfc((log(t) - mean) / sigma / sqrt(2)) / 2) for t in censored)
