"""`gameday fit responders export.csv`: times of people from an export of a pager or incident tool, as settings of a scenario."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.cli import show

if TYPE_CHECKING:
    from gameday.fit import Fitted, Page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is fitted, from which file, and whose night it was."""
    parser.add_argument("what", choices=["responders"], help="what is fitted: responders")
    parser.add_argument(
        "export", type=Path, help="CSV export of PagerDuty, GoAlert or Opsgenie; column names in docs/how-to/calibrate-people.md"
    )
    parser.add_argument("--timezone", default="UTC", metavar="ZONE", help="clock of the people on call, IANA name (default UTC)")
    parser.add_argument(
        "--asleep", nargs=2, default=("23:00", "07:00"), metavar=("FROM", "TO"), help="their night (default 23:00 07:00)"
    )
    parser.add_argument("--json", action="store_true", help="print fits with their intervals as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print a snippet for `response.timing`, with what it rests on."""
    import json

    from gameday.errors import BadInput, Problem
    from gameday.fit import LEAST, TooFewError, fit_lognormal, read_export

    pages = read_export(arguments.export)
    groups = _by_hour(pages, arguments.timezone, arguments.asleep)
    fits: dict[str, Fitted] = {}
    refused: dict[str, str] = {}
    for name, times, censored, what in [*_acknowledged(groups), *_further(pages, groups)]:
        try:
            fits[name] = fit_lognormal(times, censored, what)
        except TooFewError as few:
            refused[name] = str(few)
    if not fits:
        said = "; ".join(f"{name}: {why}" for name, why in refused.items())
        message = (
            f"is too small to be fitted ({said}). With fewer than {LEAST} keep the defaults: sigma of a small sample is noise"
        )
        raise BadInput([Problem(str(arguments.export), None, None, "", None, message)])
    if arguments.json:
        misses = {name: _missed(group) for name, group in groups.items()}
        show(
            json.dumps(
                {"schema": 1, "fits": {n: asdict(f) for n, f in fits.items()}, "missed": misses, "refused": refused}, indent=2
            )
        )
    else:
        show(_snippet(fits, groups, refused))
    return 0


def _by_hour(pages: list[Page], timezone: str, asleep: tuple[str, str]) -> dict[str, list[Page]]:
    """Pages by day and at night; all by day where the export has no times of creation."""
    from gameday.errors import BadInput, Problem
    from gameday.people import WeeklyHours, minute_of_day, zone

    try:
        night = WeeklyHours(zone(timezone), minute_of_day(asleep[0]), minute_of_day(asleep[1]))
    except ValueError as refusal:
        raise BadInput([Problem(None, None, None, "--timezone or --asleep", None, str(refusal))]) from None
    groups: dict[str, list[Page]] = {"notice": [], "notice_asleep": []}
    for page in pages:
        at = page.created
        if at is not None and at.tzinfo is None:
            at = at.replace(tzinfo=zone("UTC"))
        groups["notice_asleep" if at is not None and night.contains(at) else "notice"].append(page)
    return groups


Sample = tuple[str, list[float], list[float], str]
"""Setting, times, times known to be longer, what the times are called."""


def _acknowledged(groups: dict[str, list[Page]]) -> Iterator[Sample]:
    """Times to the acknowledgement, by day and at night."""
    for name, group in groups.items():
        times = [page.to_acknowledge_s for page in group if page.to_acknowledge_s is not None]
        censored = [page.to_resolve_s for page in group if page.to_acknowledge_s is None and page.to_resolve_s is not None]
        yield name, times, censored, "acknowledged"


def _further(pages: list[Page], groups: dict[str, list[Page]]) -> Iterator[Sample]:
    """Later phases, of which the export has at least one time."""
    by_night = {"engage": groups["notice"], "engage_asleep": groups["notice_asleep"]}
    samples = [(name, [page.engage_s for page in group], "engaged") for name, group in by_night.items()]
    samples.append(("diagnose", [page.diagnose_s for page in pages], "with a cause"))
    samples.append(("act", [page.act_s for page in pages], "mended"))
    samples.append(("assemble", [page.assemble_s for page in pages], "with several responders"))
    engaged = any(page.engage_s is not None for page in pages)
    for name, times, what in samples:
        known = [seconds for seconds in times if seconds is not None and seconds > 0]
        if known or (engaged and name.startswith("engage")):
            yield name, known, [], what


def _missed(pages: list[Page]) -> float | None:
    """Share of pages that went on to somebody else; None where the export does not say."""
    known = [page.escalated for page in pages if page.escalated is not None]
    return sum(known) / len(known) if known else None


def _snippet(fits: dict[str, Fitted], groups: dict[str, list[Page]], refused: dict[str, str]) -> str:
    lines = ["response:", "  timing:"]
    for name, one in fits.items():
        low, high = one.median_interval_s
        seen = f"{one.acknowledged} acknowledged, {one.censored} over before" if name in groups else f"{one.acknowledged} times"
        fit = f"{seen}; median {low:.0f} to {high:.0f} s, "
        fit += f"sigma {one.sigma_interval[0]:.2f} to {one.sigma_interval[1]:.2f} (95 %)"
        fit += f", KS p {one.ks_p:.2f}" if one.ks_p is not None else ""
        lines += [f"    # {fit}", f"    {name}: {{median: {one.median_s:.0f}s, sigma: {one.sigma:.2f}}}"]
        if name == "act":
            lines += ["    # deciding is in it, so it takes no time of its own", "    decide: {median: 1s, sigma: 0.01}"]
        if name not in groups:
            continue
        share = _missed(groups[name])
        miss = name.replace("notice", "miss")
        if share is None:
            lines.append(f"    # {miss}: the export does not say which pages were escalated; the default stays")
        else:
            lines += [f"    # share of {len(groups[name])} pages that were escalated", f"    {miss}: {100 * share:.1f}%"]
    lines += [f"    # {name}: not fitted, {why}; the default stays" for name, why in refused.items()]
    return "\n".join(lines)
