"""Clarity: whether messages to the outside say what their phase requires and nothing they must not.

The rule that surprises: the text is read, not the template it came from, by the same check a person in the war room gets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, cast

from gameday.communication.content import REQUIRED, MessagePhase, Vocabulary, check_message
from gameday.scores.model import Measure, measured, not_applicable

if TYPE_CHECKING:
    from gameday.scores.case import Case
    from gameday.timeline import Event

_CLARITY: Final = "communication.clarity"


def clarity(case: Case) -> Iterator[Measure]:
    """Mean score of the messages to external audiences; readability only as a warning in the note."""
    audiences = case.scenario.communication.audiences
    messages = [
        event
        for event in case.events("message.published")
        if event.data.get("phase") in REQUIRED
        and (audience := audiences.get(str(event.data.get("audience")))) is not None
        and audience.external
    ]
    if not messages:
        yield not_applicable(_CLARITY, "nothing was said to the outside")
        return
    words = vocabulary(case)
    reports = [
        (
            event,
            check_message(
                cast("MessagePhase", event.data["phase"]), event.text("text"), words, lost_ratio=_lost_ratio(case, event)
            ),
        )
        for event in messages
    ]
    score = sum(report.score for _, report in reports) / len(reports)
    event, worst = min(reports, key=lambda one: one[1].score)
    faults = [f"lacks {', '.join(worst.missing)}"] if worst.missing else []
    faults += [f"says '{finding.phrase}' ({finding.kind.replace('_', ' ')})" for finding in worst.forbidden[:2]]
    note = f"{len(messages)} messages say what they must" if not faults else f"the {worst.phase} message {'; '.join(faults)}"
    warned = sum(bool(report.warnings) for _, report in reports)
    note += f"; {warned} hard to read" if warned else ""
    yield measured(_CLARITY, score, event, note=note)


def vocabulary(case: Case) -> Vocabulary:
    """The names that messages may use, from the scenario."""
    scenario = case.scenario
    components = (*scenario.load.classes, *scenario.system.services, *scenario.system.databases, *scenario.system.providers)
    return Vocabulary(tuple(dict.fromkeys(components)), tuple(scenario.system.regions), tuple(scenario.response.people))


def _lost_ratio(case: Case, message: Event) -> float | None:
    """At most this share of requests was lost when it was published; None when nobody was hurt, so that nothing can be overstated."""
    hurt = [
        1.0 - impact.worst_good_ratio for incident in case.incidents for impact in incident.impacts if impact.hurts_at(message.t)
    ]
    return max(hurt, default=None)
