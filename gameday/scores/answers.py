"""What people outside were told when they asked, and what it had cost when executives heard of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gameday.communication.cadence import EXECUTIVES
from gameday.scores.model import Measure, measured, never, not_applicable, unknown

if TYPE_CHECKING:
    from gameday.scores.case import Case
    from gameday.scores.incidents import Incident
    from gameday.timeline import Event

OUTSIDE: Final = frozenset({"customers", "press"})
"""Who asks from outside, as `inquiry.answered` has it."""
NOTHING_KNOWN: Final = "nothing known"
"""The answer of somebody who knows of no incident, and the status before the first message and after the last one is over."""
_AGREE: Final = "communication.answers_agree"
_LOSS: Final = "communication.loss_before_executives"


def answers(case: Case) -> Iterator[Measure]:
    """Answers against the newest message to the outside at their time."""
    given = case.events("inquiry.answered").where(lambda event: event.data.get("from") in OUTSIDE)
    if not given:
        yield not_applicable(_AGREE, "nobody outside asked")
        return
    external = {name for name, audience in case.scenario.communication.audiences.items() if audience.external}
    published = [event for event in case.events("message.published") if event.data.get("audience") in external]
    wrong = [event for event in given if event.data.get("answer") != status_at(published, event.t)]
    note = f"{len(given) - len(wrong)} of {len(given)} answers agree with the published status"
    yield measured(_AGREE, 1 - len(wrong) / len(given), *wrong[:5], note=note)


def status_at(published: list[Event], t: float) -> str:
    """Phase of the newest message at an instant."""
    return next((str(event.data.get("phase")) for event in reversed(published) if event.t <= t), NOTHING_KNOWN)


def loss_before_executives(case: Case, incident: Incident) -> Iterator[Measure]:
    """Money lost from the start of the impact to the first message to the executives."""
    if EXECUTIVES not in case.scenario.communication.audiences:
        yield not_applicable(_LOSS, "the plan has no executives")
        return
    series = list(case.series.find("class.value_lost"))
    if not series:
        yield unknown(_LOSS, "there are no series of lost value")
        return
    told = next((event for event in case.of(incident, "message.published") if event.data.get("audience") == EXECUTIVES), None)
    if told is None:
        end_s = case.end_s if incident.end_s is None else incident.end_s
        yield never(_LOSS, end_s - incident.t0_s, note="executives were not told")
        return
    lost = sum(max(0.0, one.at(told.t)) - max(0.0, one.at(incident.t0_s)) for one in series)
    yield measured(_LOSS, max(0.0, lost), told)
