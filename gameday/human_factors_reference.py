"""The page of the reference on people: every default time and factor with its source, from the models and tables themselves."""

from __future__ import annotations


def people_reference() -> str:
    """The page, in Markdown."""
    from gameday.contacts import DELIVERY_S, GOALERT
    from gameday.human_factors import FACTORS
    from gameday.scenario.command import Bridge, Checklist, StatusRequests, Step
    from gameday.scenario.communication import Communication, Inquiries
    from gameday.scenario.regulation import Regulation
    from gameday.scenario.response import Timing
    from gameday.scenario.spread import LogNormal
    from gameday.scenario.status import StatusPage
    from gameday.scenario_reference import as_cell
    from gameday.units import format_duration

    lines = [
        "# Times and factors of people",
        "",
        "Every default time is lognormal, the best of four families by AIC in each phase of the 354 incidents of the ISSRE 2022 collection",
        "(own fit). What has no source is called an assumption. `gameday fit responders` replaces the first of them by yours;",
        "[calibrate people](../how-to/calibrate-people.md) says how to replace the rest.",
        "",
        "| setting | median | sigma | source |",
        "|---|---|---|---|",
    ]
    sections = (
        ("response.timing", Timing),
        ("communication", Communication),
        ("communication.status_page", StatusPage),
        ("communication.regulation", Regulation),
        ("communication.inquiries", Inquiries),
        ("response.command.bridge", Bridge),
        ("response.command.status_requests", StatusRequests),
        ("response.command.failover_checklist", Checklist),
        ("response.command.failover_checklist.steps", Step),
    )
    for name, model in sections:
        for key, info in model.model_fields.items():
            default = info.default
            if isinstance(default, LogNormal):
                median, text = format_duration(default.median), as_cell(" ".join((info.description or "").split()))
                lines.append(f"| `{name}.{key}` | {median} | {default.sigma} | {text} |")
    lines += [
        "",
        "## Factors",
        "",
        "Probabilities of errors follow SPAR-H: nominal probability times factors, p x F / (p x (F - 1) + 1). The factors come from nuclear",
        "power plants and are weakly validated elsewhere.",
        "",
        "| value | meaning | source |",
        "|---|---|---|",
    ]
    lines += [f"| {factor.value:g} | {factor.meaning} | {factor.source} |" for factor in FACTORS]
    lines += [
        "",
        "## Ways of contact",
        "",
        "| way | time to the device (assumption) | limits with `pager_limits: goalert` |",
        "|---|---|---|",
    ]
    for method, delay_s in DELIVERY_S.items():
        limits = ", ".join(f"{most} in {format_duration(window_s)}" for most, window_s in GOALERT.get(method, ())) or "none"
        lines.append(f"| {method} | {format_duration(delay_s)} | {limits} |")
    return "\n".join(lines) + "\n"
