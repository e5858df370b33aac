"""How trouble is noticed: scrapes, probes, alert rules, routes.

Monitoring is a system too: it sits somewhere (`location`), and what it cannot reach it does not see.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal, NamedTuple

from pydantic import AwareDatetime, Field

from gameday.scenario.base import Strict
from gameday.scenario.changes import ChangeCalendar
from gameday.scenario.quantities import Duration, Ratio
from gameday.scenario.routing import AnyName, LabelName, Routing
from gameday.scenario.system import Name

Severity = Literal["page", "ticket"]
IndicatorName = Literal[
    "error_ratio",
    "latency_p50",
    "latency_p95",
    "latency_p99",
    "request_rate",
    "utilisation",
    "queue_length",
    "replication_lag",
    "instances_up",
    "probe_success",
]


class Probe(Strict):
    """A synthetic transaction: a request of a class, sent on a schedule, seen from an origin."""

    request_class: Name = Field(alias="class")
    """Class it imitates."""
    origin: Name | None = None
    """Where it comes from (a client origin); none = from every origin."""
    interval: Duration = 30.0
    """Time between probes."""
    timeout: Duration = 5.0
    """Time it may take."""


class RuleBase(Strict):
    """What every alert rule has."""

    severity: Severity = "page"
    """page wakes somebody; ticket waits for office hours."""
    hold: Duration = Field(default=0.0, alias="for")
    """How long the condition must hold (Prometheus `for`)."""
    keep_firing_for: Duration = 0.0
    """How long it goes on firing after the condition ended."""
    team: Name | None = None
    """Team that is paged; none = owner of the component, else the default escalation."""
    labels: dict[LabelName, str] = {}
    """Further labels of its alerts, for routes, inhibitions and silences; `rule` gives the alert another name than the rule has, and
    beside a routing tree `severity` may be a word of your own."""


class ThresholdRule(RuleBase):
    """An indicator above or below a fixed number."""

    kind: Literal["threshold"]
    on: str
    """What is measured: `class/<name>`, `service/<name>`, `database/<name>`, `queue/<name>`; `@<region>` narrows it."""
    indicator: IndicatorName
    """What is looked at."""
    above: str | float | None = None
    """Fires above this (number, ratio, duration or rate, as the indicator has it)."""
    below: str | float | None = None
    """Fires below this."""
    window: Duration = 60.0
    """Window of the indicator."""


class BurnRateRule(RuleBase):
    """Multi-window burn rate (SRE Workbook, table 5-8): fires when both windows burn the error budget too fast."""

    kind: Literal["burn_rate"]
    on: str
    """`class/<name>` or `service/<name>`."""
    objective: Ratio
    """Availability objective, e.g. 99.9%."""
    burn: Annotated[float, Field(gt=0, le=1000)] = 14.4
    """Burn rate: 14.4 spends 2% of a 30-day budget in an hour."""
    long: Duration = 3600.0
    """Long window."""
    short: Duration = 300.0
    """Short window, usually a twelfth of the long one."""


class ProbeRule(RuleBase):
    """A synthetic probe that fails."""

    kind: Literal["probe"]
    probe: Name
    """The probe."""
    failures: Annotated[int, Field(ge=1, le=100)] = 2
    """Failed probes in a row."""


class AbsenceRule(RuleBase):
    """Nothing was measured: the scrape failed for as long as the window (a dead-man's switch)."""

    kind: Literal["absence"]
    on: str
    """What should report: `service/<name>`, `zone/<name>` or `region/<name>`."""
    window: Duration = 60.0
    """How long nothing may come."""


class HeartbeatRule(RuleBase):
    """The monitoring itself reports to an outside watchdog, which pages when it stops."""

    kind: Literal["heartbeat"]
    interval: Duration = 60.0
    """Time without a heartbeat after which the watchdog pages."""


class BacklogRule(RuleBase):
    """A backlog that grows: an early sign of saturation."""

    kind: Literal["backlog"]
    on: str
    """`queue/<name>` or `service/<name>`."""
    above: Annotated[int, Field(ge=1)]
    """Length above which growth matters."""
    window: Duration = 120.0
    """Window over which it must have grown."""


class History(Strict):
    """The past of an indicator, in equal steps: from a CSV file, as most monitoring systems export it."""

    file: str | None = None
    """CSV file with a header, relative to the file that names it."""
    column: str = "value"
    """Column of values, in the unit of the indicator unless `mean` is given."""
    starts: AwareDatetime
    """Date and time of the first value that is used."""
    interval: Duration = 300.0
    """Time from one value to the next."""
    start_row: Annotated[int, Field(ge=0)] = 0
    """First row used."""
    rows: Annotated[int, Field(ge=1)] | None = None
    """Rows used; none = to the end."""
    mean: Annotated[float, Field(gt=0)] | None = None
    """Mean the values are scaled to, in the unit of the indicator; none = as they are."""
    values: list[float] | None = None
    """The values themselves; filled from the file, so that a run folder is complete."""


class BaselineRule(RuleBase):
    """An indicator far from what is usual at this hour, by its own past."""

    kind: Literal["baseline"]
    on: str
    """What is measured, as for a threshold."""
    indicator: IndicatorName
    """What is looked at."""
    window: Duration = 60.0
    """Window of the indicator."""
    history: History
    """Its past."""
    method: Literal["hour_of_week", "stl"] = "hour_of_week"
    """hour_of_week: median and MAD of the hour of the week (of the day, under two weeks of past). stl: trend and daily season by
    loess (needs the `analysis` extra)."""
    deviations: Annotated[float, Field(gt=0, le=1000)] = 4.0
    """Robust standard deviations (1.4826 MAD) from the usual value at which it fires. Assumption: 3 is passed by chance in one of
    370 measurements of a normal metric, 4 in one of 16,000."""
    direction: Literal["above", "below", "both"] = "both"
    """On which side of the usual value it fires."""


Rule = Annotated[
    ThresholdRule | BurnRateRule | ProbeRule | AbsenceRule | HeartbeatRule | BacklogRule | BaselineRule,
    Field(discriminator="kind"),
]


class KeptRule(Strict):
    """A rule of Prometheus that a scenario cannot evaluate, kept word by word: it never fires here, and `gameday export` writes it
    back."""

    name: AnyName
    """Name of the alert, or of the series it records."""
    record: bool = False
    """Whether it records a series instead of alerting."""
    expr: str
    """Its expression."""
    hold: str | None = Field(default=None, alias="for")
    """Its `for`."""
    keep_firing_for: str | None = None
    """Its `keep_firing_for`."""
    labels: dict[LabelName, str] = {}
    """Its labels."""
    annotations: dict[LabelName, str] = {}
    """Its annotations."""


class Slo(Strict):
    """An objective from which burn-rate rules are made by the table of the SRE Workbook (5-8): two page, two open a ticket."""

    on: str
    """`class/<name>` or `service/<name>`."""
    objective: Ratio
    """Availability objective, e.g. 99.9%."""
    period: Duration = 2_592_000.0
    """Time over which the budget is counted; 30 days give burn rates of 14.4, 6, 3 and 1."""
    team: Name | None = None
    """Team of its alerts; none = as for rules."""
    labels: dict[LabelName, str] = {}
    """Further labels of its alerts."""


class Grouping(Strict):
    """How notifications are bundled, with Alertmanager's names and defaults."""

    by: list[Literal["rule", "team", "severity", "region", "component"]] = ["team", "severity"]
    """Labels that form a group."""
    wait: Duration = 30.0
    """group_wait: time before the first notification of a group."""
    interval: Duration = 300.0
    """group_interval: time before further alerts of a group are notified."""
    repeat: Duration = 14_400.0
    """repeat_interval: time before the same notification is repeated."""


class Silence(Strict):
    """No notifications for matching alerts for a while."""

    rule: Name | None = None
    """The rule; in place of it, or with it, `matchers`."""
    matchers: list[str] = []
    """Labels of the alerts, e.g. `region="eu-1"`; all must hold."""
    at: Duration
    """Start."""
    lasts: Duration = Field(alias="for")
    """Length."""
    why: str
    """The reason: it is kept on the record."""


class Inhibition(Strict):
    """While one alert fires, another is not notified."""

    source: Name | None = None
    """Rule that explains."""
    source_matchers: list[str] = []
    """Labels of the alerts that explain, in place of one rule or with it; all must hold."""
    target: Name | None = None
    """Rule that is then superfluous."""
    target_matchers: list[str] = []
    """Labels of the alerts that are then superfluous; all must hold."""
    equal: list[LabelName] = []
    """Labels both alerts must agree on, e.g. `region`; none = any alert of the source is enough."""


class CustomerReports(Strict):
    """Customers notice too: the last resort of detection."""

    enabled: bool = True
    """Whether customers report at all."""
    affected_requests: Annotated[int, Field(ge=1)] = 2000
    """Lost requests per report on average: each lost request is reported with probability 1 / this. Assumption."""
    needed: Annotated[int, Field(ge=1)] = 3
    """Reports within `window` until support calls the on-call."""
    window: Duration = 900.0
    """Window of the reports."""
    delay: Duration = 300.0
    """Mean delay from the lost request to the report (exponential)."""


class FalseAlarms(Strict):
    """Noise: alerts without a reason (rule `noise`, no team), alerts that flap, notifications that come twice. They are grouped, routed and
    repeated like all others."""

    per_day: Annotated[float, Field(ge=0, le=1000)] = 0.0
    """False alerts per day (Poisson)."""
    flaps: Annotated[int, Field(ge=0, le=100)] = 0
    """Times that a false alert resolves and fires again."""
    flap_every: Duration = 300.0
    """Time from one firing of a flapping alert to the next; halfway it resolves. A false alert that does not flap lasts half of it too."""
    duplicates: Ratio = 0.0
    """Share of notifications that come twice: the second Alertmanager of a pair did not hear of the first one's."""


class WorkbookRow(NamedTuple):
    """A row of the workbook's table: spending `budget_ratio` of the budget within `long_s` is worth an alert."""

    name: str
    severity: Severity
    long_s: float
    budget_ratio: float


WORKBOOK = (
    WorkbookRow("1h", "page", 3_600.0, 0.02),
    WorkbookRow("6h", "page", 21_600.0, 0.05),
    WorkbookRow("1d", "ticket", 86_400.0, 0.1),
    WorkbookRow("3d", "ticket", 259_200.0, 0.1),
)
"""The SRE Workbook, chapter 5, table 5-8; the short window is a twelfth of the long one."""


class Monitoring(Strict):
    """The monitoring system."""

    location: str = "outside"
    """Where it runs: `region/<name>`, `zone/<name>` or `outside` (shares no fate with the system)."""
    scrape: Duration = 15.0
    """Time between measurements."""
    evaluation: Duration = 15.0
    """Time between evaluations of the rules."""
    counted_by: Annotated[Literal["entries", "clients"], Field(exclude_if=lambda value: value == "entries")] = "entries"
    """Who counts the requests of a class for the rules. entries: the services they enter at, so a request that reaches none leaves no trace;
    clients: those who sent them (measured in the browser or the app, and on a live day always: its load generator), when they know."""
    probes: dict[Name, Probe] = {}
    """Synthetic transactions."""
    rules: dict[Name, Rule] = {}
    """Alert rules."""
    slos: dict[Name, Slo] = {}
    """Objectives that burn-rate rules are made from: `<name>-1h`, `<name>-6h`, `<name>-1d`, `<name>-3d`."""
    kept_rules: list[KeptRule] = []
    """Rules that came from a real file and cannot be evaluated here."""
    grouping: Grouping = Grouping()
    """Bundling of notifications, without `routing`."""
    routing: Routing | None = None
    """Routing tree, in place of `grouping`."""
    silences: list[Silence] = []
    """Silences set beforehand."""
    change_calendar: ChangeCalendar | None = None
    """Planned changes; alerts about what is worked on are silenced meanwhile."""
    inhibitions: list[Inhibition] = []
    """Which alert makes which superfluous."""
    customer_reports: CustomerReports = CustomerReports()
    """Detection by customers."""
    false_alarms: FalseAlarms = FalseAlarms()
    """Background noise."""

    @cached_property
    def every_rule(self) -> dict[str, Rule]:
        """The rules that are written and those made from objectives."""
        return self.rules | {
            f"{name}-{row.name}": BurnRateRule(
                kind="burn_rate",
                on=slo.on,
                objective=slo.objective,
                burn=row.budget_ratio * slo.period / row.long_s,
                long=row.long_s,
                short=row.long_s / 12,
                severity=row.severity,
                team=slo.team,
                labels=slo.labels,
            )
            for name, slo in self.slos.items()
            for row in WORKBOOK
        }
