"""Who asks for what, how often: request classes and their arrival rates over time.

Open classes arrive as a Poisson process whose rate follows the profile; closed classes are users who think, ask, and wait.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from gameday.scenario.base import InWords, Strict
from gameday.scenario.quantities import Duration, Rate, Ratio
from gameday.scenario.system import Name, Retries


class Constant(Strict):
    """The same rate all the time. In short: `rate: 20/s`."""

    shape: Literal["constant"] = "constant"
    rate: Rate
    """Requests a second."""


class Ramp(Strict):
    """A straight line from one rate to another, constant before and after."""

    shape: Literal["ramp"]
    start_rate: Rate
    """Rate before the ramp."""
    end_rate: Rate
    """Rate after the ramp."""
    at: Duration
    """Start of the ramp."""
    over: Duration
    """Length of the ramp."""


class Spike(Strict):
    """A base rate, and a higher one for a while."""

    shape: Literal["spike"]
    base: Rate
    """Rate outside the spike."""
    peak: Rate
    """Rate in the spike."""
    at: Duration
    """Start of the spike."""
    lasts: Duration = Field(alias="for")
    """Length of the spike."""
    ramp: Duration = 0.0
    """Time it takes to rise, and to fall (inside the length)."""


class Diurnal(Strict):
    """A sine wave over the day, mean +- amplitude."""

    shape: Literal["diurnal"]
    mean: Rate
    """Mean rate."""
    amplitude: Ratio
    """Height of the wave as a share of the mean."""
    period: Duration = 86_400.0
    """Length of a wave."""
    peak_at: Duration = 0.0
    """Time of a peak, from the start of the run."""


class Replay(Strict):
    """Real counts per interval, scaled to a mean rate; the series repeats when it is shorter than the run."""

    shape: Literal["replay"]
    file: str | None = None
    """CSV file with a header, relative to the file that names it."""
    column: str = "value"
    """Column of counts."""
    interval: Duration = 300.0
    """Length of one interval of the run (the shape of a day can be replayed in an hour)."""
    average: Annotated[int, Field(ge=1, le=1000)] = 1
    """Rows averaged into one interval of the run: 12 five-minute counts give an hourly one."""
    start_row: Annotated[int, Field(ge=0)] = 0
    """First row used."""
    rows: Annotated[int, Field(ge=1)] | None = None
    """Rows used; none = to the end."""
    mean: Rate | None = None
    """Mean rate the counts are scaled to; none = counts divided by the interval."""
    counts: list[Annotated[float, Field(ge=0)]] | None = None
    """The counts themselves; filled from the file, so that a run folder is complete."""


class Bursty(Strict):
    """Calm and bursts take turns, each lasting an exponential time: a Markov-modulated Poisson process of two states. All origins burst
    together. The mean rate is (calm x calm_for + burst x burst_for) / (calm_for + burst_for)."""

    shape: Literal["bursty"]
    calm: Rate
    """Rate while it is calm."""
    burst: Rate
    """Rate in a burst."""
    calm_for: Duration
    """Mean length of a calm time."""
    burst_for: Duration
    """Mean length of a burst."""

    @property
    def mean(self) -> float:
        """Mean rate, requests a second."""
        return (self.calm * self.calm_for + self.burst * self.burst_for) / (self.calm_for + self.burst_for)


def _arrivals(value: Any) -> Any:
    if isinstance(value, str):
        return {"shape": "constant", "rate": value}
    return value


Arrivals = Annotated[
    Annotated[Constant | Ramp | Spike | Diurnal | Replay | Bursty, Field(discriminator="shape")],
    BeforeValidator(_arrivals),
    InWords("a rate such as '20/s', or a mapping with a shape"),
]


def parts_of(rate: Arrivals | list[Arrivals] | None) -> list[Arrivals]:
    """The shapes whose rates are added."""
    return list(rate) if isinstance(rate, list) else [] if rate is None else [rate]


class Indicator(Strict):
    """When a class counts as hurt: the share of good answers in a window falls below the objective."""

    good: Ratio = 0.95
    """Share of good answers (correct and within the deadline) below which users notice."""
    window: Duration = 15.0
    """Window it is measured over."""
    sustained: Duration = 10.0
    """Time it must stay below before it counts; the impact then starts where that time began."""
    recovered_after: Duration = 60.0
    """Time it must hold before the impact counts as ended."""


class RequestClass(Strict):
    """One kind of request."""

    priority: Literal["critical", "normal", "best_effort"] = "normal"
    """What is shed last, and first."""
    entry: Name
    """Service it enters at; from there it follows the calls of the services (their `for` lists name classes)."""
    rate: Arrivals | list[Arrivals] | None = None
    """Open arrivals, over all origins: a rate, a shape, or a list whose rates are added."""
    users: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Closed: number of users, instead of a rate."""
    think: Duration = 5.0
    """Closed: mean think time (exponential)."""
    deadline: Duration = 2.0
    """Time within which an answer is good."""
    propagate_deadline: bool = False
    """Whether the deadline travels with the request: then no call that is waited for lasts longer, and no work begins after it."""
    timeout: Duration = 5.0
    """Time a client waits for one attempt."""
    retries: Retries = Retries()
    """What clients do after a failure."""
    origins: dict[Name, Ratio] | None = None
    """Share of this class per origin; none = as the traffic manager's origins."""
    indicator: Indicator = Indicator()
    """When its users are hurt: the ground truth of impact."""


class Load(Strict):
    """The load of the day."""

    classes: Annotated[dict[Name, RequestClass], Field(min_length=1, max_length=50)]
    """Request classes by name."""
