"""What a run does not model, said in the report before somebody has to ask.

The rule that surprises: the list is made for the scenario at hand. A day without databases says that it cannot lose data, so that a
good data score is not read as a good database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario
    from gameday.timeline import Timeline

_OF_EVERY_SIMULATION: Final = (
    (
        "Inside a service there is a time per request and a number of slots. Memory, disks, locks and garbage collection are not played; "
        "they are in the service time or nowhere."
    ),
    "The network is a round trip, a loss rate and a cut per link. Bandwidth, packet order and connection set-up are not played.",
    (
        "People draw their times from the distributions of the scenario; those marked as assumptions in the scenario reference were "
        "measured by nobody. They do what the policies and runbooks of the scenario name, and nothing clever beyond it."
    ),
    "Users who were hurt do not go elsewhere: the load profile goes on as written, plus the retries it names.",
    (
        "The numbers hold for the system, load and times that were written down. They are a prediction of the policies, not a "
        "measurement of the real system."
    ),
)
_OF_A_LIVE_RUN: Final = (
    "A live run happens once: there is no distribution, and a different day may come out differently.",
    "Only what was probed or loaded is known; users who were neither are not in the numbers.",
)


def limits(scenario: Scenario, timeline: Timeline) -> list[str]:
    """Sentences, the general ones first."""
    live = any(event.source == "live" for event in timeline)
    found = list(_OF_A_LIVE_RUN if live else _OF_EVERY_SIMULATION)
    if not scenario.system.databases:
        found.append("This scenario has no database, so nothing in it can lose or diverge data.")
    if not scenario.response.people:
        found.append("This scenario has no people: nobody is paged, nobody decides, nothing is mended by hand.")
    if not scenario.communication.audiences:
        found.append("This scenario names no audience, so communication was not exercised.")
    if not scenario.communication.clocks and not scenario.communication.regulation.duties:
        found.append("This scenario names no regulatory clock, so no notification duty was exercised.")
    else:
        found.append("Regulatory clocks are arithmetic on the timeline, not legal advice.")
    if scenario.policies.failover.mode == "none":
        found.append("This scenario has no regional failover.")
    if not scenario.system.money.lost_request:
        found.append("This scenario puts no price on lost requests, so lost revenue was not estimated.")
    if scenario.published is not None and scenario.published.notes:
        found.append(f"Against the real incident: {scenario.published.notes}")
    return found
