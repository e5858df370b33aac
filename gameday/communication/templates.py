"""Message texts with slots, filled with what the team knows at that time.

    render(template_for("identified"), {"service": "Checkout", "region": "eu-1", ...})

The rule that surprises: a missing or empty slot is an error that names every missing one. A message that says "since ." is worse than
a late one.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gameday.errors import GamedayError, Problem, nearest

if TYPE_CHECKING:
    from gameday.scenario.communication import Phase

SLOTS: Mapping[str, str] = {
    "service": "what is affected, in the words of its users",
    "region": "where",
    "started": "when it began, with UTC: `14:05 UTC`",
    "impact": "who is hurt and how much, as a part of a sentence: `about 30% of requests fail`",
    "cause": "class of the cause, as a part of a sentence: `a failed network link`",
    "action": "what is done or was changed, as a part of a sentence: `moving traffic to eu-2`",
    "next_update": "when the next message comes, with UTC",
    "ended": "when it was over, with UTC",
    "data_loss": "a whole sentence about data: `No data was lost.`",
}
"""Slots and what belongs in them."""

DEFAULT_TEMPLATES: Mapping[Phase, str] = {
    "investigating": (
        "Investigating: {service} is affected in {region} since {started}. {impact}. We are looking for the cause. "
        "Next update by {next_update}."
    ),
    "scoping": (
        "Scope: {service} is affected in {region} since {started}. {impact}. We are looking for the cause. Next update by {next_update}."
    ),
    "identified": (
        "Identified: {service} is affected in {region} since {started}. {impact}. The cause is {cause}. "
        "We are {action}. Next update by {next_update}."
    ),
    "monitoring": (
        "Monitoring: {service} in {region} is recovering after {action}. {impact}. We watch that it stays so. "
        "Next update by {next_update}."
    ),
    "resolved": (
        "Resolved: {service} in {region} works normally again, and we have confirmed the recovery. It was affected from {started} "
        "until {ended}. {data_loss} We will publish a review of this incident."
    ),
}
"""One text per phase, with what each phase must say (`content.REQUIRED`)."""


class MissingSlotError(GamedayError):
    """A message cannot be written, because the slots named in `slots` have no value."""

    def __init__(self, slots: tuple[str, ...], template: str) -> None:
        """Slots without a value, and the text that has them."""
        self.slots = slots
        needed = ", ".join(f"{{{slot}}} ({SLOTS.get(slot, 'not a known slot')})" for slot in slots)
        super().__init__(f"the message lacks {needed}: {template}")


def template_for(phase: Phase, templates: Mapping[Phase, str] | None = None) -> str:
    """The scenario's text for a phase, or the default one."""
    return (templates or {}).get(phase) or DEFAULT_TEMPLATES[phase]


def slots_in(template: str) -> tuple[str, ...]:
    """Slots of a text, in order, each once. Raises ValueError for a text that is no template."""
    return tuple(dict.fromkeys(name for _, name, _, _ in string.Formatter().parse(template) if name is not None))


def render(template: str, slots: Mapping[str, str]) -> str:
    """The text with its slots filled, each sentence beginning with a capital. Raises MissingSlotError."""
    missing = tuple(name for name in slots_in(template) if not slots.get(name, "").strip())
    if missing:
        raise MissingSlotError(missing, template)
    return _capitalised(template.format_map({name: value.strip() for name, value in slots.items()}))


def problems(templates: Mapping[Phase, str]) -> list[Problem]:
    """What is wrong with a scenario's texts: unknown slots, unbalanced braces."""
    found = []
    for phase, text in templates.items():
        field = f"communication.templates.{phase}"
        try:
            names = slots_in(text)
        except ValueError as refusal:
            found.append(Problem(None, None, None, field, text, f"is not a template: {refusal}"))
            continue
        for name in names:
            if name not in SLOTS:
                message = f"has an unknown slot; slots are {', '.join(SLOTS)}"
                found.append(Problem(None, None, None, field, f"{{{name}}}", message, nearest(name, SLOTS)))
    return found


def _capitalised(text: str) -> str:
    """Slots that begin a sentence are written as parts of one; only a letter after `. ` is changed."""
    parts = text.split(". ")
    return ". ".join([parts[0], *(part[:1].upper() + part[1:] for part in parts[1:])])
