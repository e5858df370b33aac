"""Messages written from memory: what is left out, what slips in, and whether somebody who must approve them sees it.

The rule that surprises: the words that are missing are really missing. Nothing here says how good a message is; the same check that reads
messages of real people reads these.
"""

from __future__ import annotations

import re

from gameday.communication import Vocabulary, check_message
from gameday.human_factors import ACTION, DIAGNOSIS, PROCEDURES_NONE, STRESS_HIGH, probability
from gameday.scenario.communication import Phase
from gameday.scenario.model import Scenario
from sim.streams import Draws

SLIP = probability(ACTION, PROCEDURES_NONE, STRESS_HIGH)
"""A part is forgotten, a phrase slips in."""
OVERLOOKED = probability(DIAGNOSIS, STRESS_HIGH)
"""Somebody reads a message and does not see what is wrong with it."""
SLIPS = ("We expect it to be fixed within 30 minutes.", "This was caused by human error.")
"""Phrases that people write when nobody has told them not to: a promise, and blame."""
_SINCE = re.compile(r" (?:since|from) \d{2}:\d{2} UTC(?: until \d{2}:\d{2} UTC)?")
_PLACE = re.compile(r" in [\w, -]+?(?= since| is | works)")


def from_memory(text: str, draws: Draws) -> str:
    """The text of a template as somebody writes it who has no template."""
    first, *rest = re.split(r"(?<=[.!?]) ", text)
    for part in (_SINCE, _PLACE):
        if draws.uniform() < SLIP:
            first = part.sub("", first, count=1)
    kept = [sentence for sentence in rest if draws.uniform() >= SLIP]
    kept += [phrase for phrase in SLIPS if draws.uniform() < SLIP]
    return " ".join([first, *kept])


def objection(phase: Phase, text: str, scenario: Scenario, draws: Draws) -> str | None:
    """What a reader finds wrong; None when it is right, or when they overlook it."""
    names = (*scenario.load.classes, *scenario.system.services, *scenario.system.databases, *scenario.system.providers)
    report = check_message(phase, text, Vocabulary(names, tuple(scenario.system.regions), tuple(scenario.response.people)))
    found = [f"says '{finding.phrase}'" for finding in report.forbidden] + [f"lacks {element}" for element in report.missing]
    return None if draws.uniform() < OVERLOOKED or not found else ", ".join(found)
