"""The response `unavailability`: how much of the long run what a study needs is down at a point, from what fails by itself there.

The rule that surprises: it comes from no day. It is the same sum over components as that of `gameday availability`, once for each point, so
more replications make it no tighter; where it is simulated, every point has the same seed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from gameday.errors import BadInput

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario
    from gameday.study.model import StudyFile

NAME: Final = "unavailability"
COLUMNS: Final = {
    NAME: "share of the long run in which what the study needs is down at this point, from its background failures; null where it is not asked",
    f"{NAME}_low": "lower end of its 95 % interval; the same as the value where it is an exact sum",
    f"{NAME}_high": "upper end of its 95 % interval",
}
"""Columns of the table, and what they mean."""

Share = dict[str, float | None]
UNASKED: Final[Share] = dict.fromkeys(COLUMNS)


def unavailability_at(file: StudyFile, scenario: Scenario, point: str, *, only_check: bool = False) -> Share:
    """The columns for a point's scenario; nothing where it is not asked. BadInput in the study's file when it cannot be said."""
    number = next((number for number, one in enumerate(file.study.responses) if one.of == NAME), None)
    if number is None:
        return UNASKED
    need = file.study.responses[number].need
    model, longrun = import_module("sim.components"), import_module("sim.longrun")
    try:
        components = model.components_of(scenario, str(file.path))
        things = [one for one in model.things_of(scenario, components, need, str(file.path)) if one.name in need]
    except BadInput as bad:
        raise _in_the_study(file, number, bad, point) from None
    if only_check:
        return UNASKED
    found = longrun.unavailability(components, model.together(things), file.study.seed)
    return {NAME: found.value, f"{NAME}_low": found.low, f"{NAME}_high": found.high}


def _in_the_study(file: StudyFile, number: int, bad: BadInput, point: str) -> BadInput:
    """The problems of a point's scenario, where the study asks for what they stand in the way of."""
    from gameday.scenario.reading import read_yaml
    from gameday.scenario.validation import Checks

    checks = Checks(read_yaml(file.path))
    for one in bad.problems:
        if one.field == "--need":
            name = next((name for name in file.study.responses[number].need if name == one.value or name in one.message), "")
            path = ("responses", number, "need", name)
            checks.problem(path, one.message, value=one.value, candidates=[one.suggestion] if one.suggestion else ())
        elif one.field == "schedule.background":
            message = f"needs what fails by itself, and at {point} schedule.background names nothing: name it in the scenario or in base"
            checks.problem(("responses", number, "of"), message)
        else:
            checks.problem(("responses", number, "of"), f"at {point}: {one.field} {one.message}", value=one.value)
    return BadInput(checks.problems)
