"""A study file: a scenario, what is varied in it, how, and what is asked.

The rule that surprises: settings are not described here. A factor names the path of any setting of the scenario, or brings whole patches
that are laid over it, and each point of the design is a scenario that is read and checked like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from gameday.errors import BadInput, Problem, nearest
from gameday.scenario.base import Strict
from gameday.scenario.quantities import Duration, Ratio
from gameday.scenario.system import Name
from gameday.scores.kpis import KPIS, Target, TargetError, parse_target
from gameday.study.levels import LevelError, spread
from gameday.study.unavailability import NAME as UNAVAILABILITY

if TYPE_CHECKING:
    from gameday.scenario.validation import Checks

MARK = "study"
"""The key that tells a study from a scenario."""
COSTS = {
    "price": "what the design costs, from the prices of the factors",
    "lost_requests": "requests lost",
    "lost_money": "money lost",
    UNAVAILABILITY: "share of the long run in which what is needed is down",
}
"""Responses that are no KPIs; all are better when lower."""

Plain = str | int | float | bool


class Factor(Strict):
    """What is varied: a setting with values or a range, or patches."""

    set: str | list[str] | None = None
    """Path of the setting, as in `--set`; several paths get the same value."""
    values: Annotated[list[Plain], Field(min_length=1, max_length=100)] | None = None
    """The values it takes."""
    range: Annotated[list[Plain], Field(min_length=2, max_length=2)] | None = None
    """Lowest and highest value, with the same unit: `[5s, 60s]`."""
    scale: Literal["linear", "log"] = "linear"
    """How a range is divided."""
    whole: bool = False
    """Whether only whole numbers of a range count."""
    levels: Annotated[int, Field(ge=2, le=100)] = 3
    """Values of a range in a design that goes through all."""
    patches: Annotated[dict[str, dict[str, Any]], Field(min_length=1, max_length=100)] | None = None
    """Name to what is laid over the scenario, as an including file is laid over what it includes."""
    given: bool = False
    """Whether it is the world's to choose and not ours: points are ranked, and beaten, only among those that share its value."""
    price: Annotated[float, Field(ge=0)] | None = None
    """What one unit of its value costs."""
    prices: dict[str, Annotated[float, Field(ge=0)]] = {}
    """What each value or patch costs, by how it is written."""


class Response(Strict):
    """What is asked about each point."""

    of: str
    """A KPI; or `price`, `lost_requests`, `lost_money`, `unavailability`."""
    need: dict[str, Annotated[int, Field(ge=1)]] = {}
    """unavailability: what has to be up, all of it together, with how many of its units: `{service/checkout: 2, database/orders: 1}`. A database
    needs those too without which it takes no writes."""
    statistic: Literal["p50", "p90", "mean", "pass_rate"] = "p50"
    """Over replications. A mean is for costs and shares; for durations it is refused, because they are too skewed."""
    target: str | float | None = None
    """pass_rate: what a replication has to reach."""
    limit: str | float | None = None
    """A constraint: what the statistic has to reach for a point to be allowed."""
    precision: Ratio | None = None
    """Half-width of the 95 % interval, relative to the value, at which a point has been played enough."""

    @property
    def name(self) -> str:
        """What tables call it."""
        return self.of if self.is_of_the_point else f"{self.of} {self.statistic}"

    @property
    def is_of_the_point(self) -> bool:
        """Whether it is the same on every day of a point."""
        return self.of in {"price", UNAVAILABILITY}

    @property
    def better(self) -> Literal["lower", "higher"]:
        """Which way is better."""
        if self.statistic == "pass_rate":
            return "higher"
        return KPIS[self.of].better if self.of in KPIS else "lower"


class Design(Strict):
    """Which combinations are played."""

    kind: Literal["full", "one_at_a_time", "latin", "sobol", "search"] = "full"
    """full: every combination; one_at_a_time: the first value of each, and each other value alone; latin: a Latin hypercube; sobol: the
    scheme of Saltelli over a Sobol sequence, for sensitivity indices; search: multi-objective by NSGA-II of Optuna."""
    points: Annotated[int, Field(ge=2, le=100_000)] = 32
    """latin, search: points; sobol: base points (a power of two), each played for every factor and twice more."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Root of the design's own randomness."""


class Replications(Strict):
    """How often each point is played."""

    least: Annotated[int, Field(ge=2, le=100_000)] = 8
    """At first, each point."""
    most: Annotated[int, Field(ge=2, le=1_000_000)] = 64
    """Where a point stops although its intervals are wider than asked."""


class Study(Strict):
    """The file."""

    study: Annotated[int, Field(ge=1, le=1)]
    """Version of the language of studies: 1."""
    name: Name
    """Name; its folder of results is called after it."""
    question: str
    """What is to be decided, as it is asked."""
    scenario: str
    """Scenario that is varied; looked for beside the file, then among the shipped scenarios."""
    base: dict[str, Any] = {}
    """Laid over the scenario before anything is varied."""
    factors: Annotated[dict[Name, Factor], Field(min_length=1, max_length=30)]
    """What is varied, by name."""
    design: Design = Design()
    """Which combinations are played."""
    responses: Annotated[list[Response], Field(min_length=1, max_length=20)]
    """What is asked; the first is the one that matters most."""
    replications: Replications = Replications()
    """How often."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Root of all randomness: every point is played on the same days."""
    not_modelled: list[str] = []
    """What an architect has to know that the study leaves out."""
    budget: Duration | None = None
    """Longest time to play, unless the command line says otherwise."""


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A study that was read and checked."""

    path: Path
    study: Study
    scenario: Path
    sha256: str
    """Digest of what makes the rows: factors, design, base, seed. Asking more of the same rows leaves it as it is."""


def read_study(path: Path) -> StudyFile:
    """Read a study file. BadInput with every problem."""
    from gameday.scenario.reading import read_yaml
    from gameday.scenario.validation import Checks, validate
    from gameday.shipped import shipped_scenarios

    document = read_yaml(path)
    if MARK not in document.data:
        what = "a scenario: studies begin with 'study: 1'" if "gameday" in document.data else "no study (no 'study: 1')"
        raise BadInput([Problem(str(path), None, None, "", None, f"is {what}")])
    study = validate(Study, document)
    checks = Checks(document)
    _check(study, checks)
    folders = (path.parent, shipped_scenarios())
    found = next((one for folder in folders if (one := folder / study.scenario).is_file()), None)
    if found is None:
        beside = [one.name for folder in folders for one in folder.glob("*.yaml")]
        checks.problem(("scenario",), "there is no such file", candidates=beside)
    checks.raise_if_any()
    assert found is not None, "a missing file is a problem"
    design = study.model_dump_json(include={"name", "base", "factors", "design", "seed"})
    design += "".join(
        f"{sorted(one.need.items())}" for one in study.responses if one.of == UNAVAILABILITY
    )  # rows hold the answer
    return StudyFile(path, study, found, sha256(design.encode()).hexdigest())


def _check(study: Study, checks: Checks) -> None:
    """What is wrong between the parts of a study."""
    for name, factor in study.factors.items():
        for field, message, value in _wrong_factor(factor):
            checks.problem(("factors", name, *([field] if field else [])), message, value=value, of_key=not field)
    for number, response in enumerate(study.responses):
        for field, message, value, suggestion in _wrong_response(response):
            checks.problem(("responses", number, field), message, value=value, candidates=[suggestion] if suggestion else ())
    twice = [number for number, one in enumerate(study.responses) if one.of == UNAVAILABILITY][1:]
    for number in twice:
        checks.problem(("responses", number, "of"), "is asked a second time; need names all that has to be up together")
    if study.replications.most < study.replications.least:
        checks.problem(("replications", "most"), "must not be less than least")
    points = study.design.points
    if study.design.kind == "sobol" and points & (points - 1):
        checks.problem(("design", "points"), f"must be a power of two, e.g. {1 << (points.bit_length() - 1)}")
    if any(one.of == "price" for one in study.responses) and not any(one.price or one.prices for one in study.factors.values()):
        checks.problem(("responses",), "ask for the price, and no factor has one", value=None, of_key=True)


def _wrong_factor(factor: Factor) -> list[tuple[str, str, object]]:
    given = [name for name in ("values", "range", "patches") if getattr(factor, name) is not None]
    if len(given) != 1:
        return [("", "needs exactly one of values, range, patches", ", ".join(given) or None)]
    wrong: list[tuple[str, str, object]] = []
    if (factor.set is None) != (factor.patches is not None):
        wrong.append(("", "needs set: the path of the setting" if factor.set is None else "patches need no set", None))
    labels = list(factor.patches or map(str, factor.values or ()))
    if len(set(labels)) < len(labels):
        wrong.append(("values", "holds a value twice", None))
    if factor.range is not None:
        try:
            spread(factor.range, factor.scale, [0.5], whole=factor.whole)
        except LevelError as error:
            wrong.append(("range", str(error), factor.range))
    elif factor.prices:
        unknown = [one for one in factor.prices if one not in labels]
        wrong += [("prices", f"has a price for {one}, which is not among its values", one) for one in unknown]
        wrong += [("prices", f"lacks the price of {one}", None) for one in labels if one not in factor.prices]
    if factor.price is not None and (factor.patches or factor.prices):
        wrong.append(("price", "is for values that are numbers; give prices instead", factor.price))
    return wrong


def _wrong_response(response: Response) -> list[tuple[str, str, object, str | None]]:
    if response.of not in KPIS and response.of not in COSTS:
        return [("of", "is no KPI and none of " + ", ".join(COSTS), response.of, nearest(response.of, [*KPIS, *COSTS]))]
    wrong: list[tuple[str, str, object, str | None]] = []
    if response.of == UNAVAILABILITY:
        if not response.need:
            wrong.append(("of", "needs need: what has to be up, e.g. {service/checkout: 2}", response.of, None))
        of_days = [field for field in ("statistic", "target", "precision") if field in response.model_fields_set]
        return wrong + [(field, "is for what days show; unavailability comes from no day", None, None) for field in of_days]
    if response.need:
        wrong.append(("need", f"is for {UNAVAILABILITY}", None, None))
    if response.statistic == "mean" and response.of in KPIS and KPIS[response.of].unit == "s":
        wrong.append(("statistic", "of a duration must be p50, p90 or pass_rate: means of recovery times mislead", "mean", None))
    if response.statistic == "pass_rate" and (response.target is None or response.of not in KPIS):
        wrong.append(("statistic", "pass_rate needs a KPI and a target", "pass_rate", None))
    for field in ("target", "limit"):
        try:
            target_of(response, field)
        except TargetError as error:
            wrong.append((field, str(error), getattr(response, field), error.suggestion))
    return wrong


def target_of(response: Response, field: str) -> Target | None:
    """The target or the limit as a number; TargetError when it cannot be read."""
    written = getattr(response, field)
    if written is None:
        return None
    if field == "limit" and response.statistic == "pass_rate":
        return parse_target("shedding.critical_goodput", written)  # a share that is better when it is higher
    if response.of in KPIS:
        return parse_target(response.of, written)
    return parse_target("shedding.over_shedding" if response.of == UNAVAILABILITY else "cost.lost_revenue", written)
