"""`alertmanager.yml`: read into the routing of a scenario, written from it.

The rule that surprises: a file of Alertmanager does not say which receivers wake somebody. It is guessed from how they are reached (a
pager pages, mail and chat wait to be read, nothing is nobody) and said for each, to be put right by whoever knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from gameday.alerting.files import Export, Part
from gameday.alerting.files.foreign import Foreign
from gameday.alerting.matchers import Matcher, parse_matcher, parse_matchers
from gameday.alerting.routing import routing_problems
from gameday.people import OFFICE_END_MINUTE, OFFICE_START_MINUTE
from gameday.scenario.writing import yaml_text
from gameday.units import format_duration

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario
    from gameday.scenario.monitoring import Monitoring
    from gameday.scenario.tree import Document, Path

PAGERS = ("pagerduty", "opsgenie", "victorops", "pushover", "webhook", "sns")
"""Ways to reach a receiver that are taken to page; a webhook is how everything else is connected to a pager."""
SILENT_ABOUT_RESOLVED = ("email", "slack", "wechat")
"""Ways that are not told of resolved alerts unless the file says so (Alertmanager's defaults)."""
TIMES = ("group_wait", "group_interval", "repeat_interval")
INTERVALS = ("mute_time_intervals", "active_time_intervals")
KNOWN = ("route", "receivers", "inhibit_rules", "time_intervals", "mute_time_intervals")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


# -- reading --------------------------------------------------------------------------------------------------------------


def routing_part(document: Document) -> Part:
    """Routing and inhibitions from a file of Alertmanager. Raises BadInput."""
    foreign = Foreign(document)
    notes = [f"{key} is left out: how messages look and are sent" for key in foreign.keys(()) if key not in KNOWN]
    receivers: dict[str, Any] = {}
    for number, _ in enumerate(foreign.items(("receivers",), required=True)):
        _receiver(foreign, ("receivers", number), receivers, notes)
    intervals: dict[str, Any] = {}
    places: dict[str, Path] = {}
    for top in ("time_intervals", "mute_time_intervals"):
        for number, _ in enumerate(foreign.items((top,))):
            name = foreign.text((top, number, "name"), required=True) or ""
            places[name] = (top, number, "time_intervals")
            intervals[name] = foreign.items((top, number, "time_intervals"), required=True)
    if foreign.value(("route",)) is None:
        foreign.wrong(("route",), "'route' is missing: the top of the routing tree")
    route = _route(foreign, ("route",))
    inhibitions = [_inhibition(foreign, ("inhibit_rules", n)) for n, _ in enumerate(foreign.items(("inhibit_rules",)))]
    foreign.raise_if_any()
    routing = {"receivers": receivers, **({"time_intervals": intervals} if intervals else {}), "route": route}
    data = {"routing": routing, **({"inhibitions": inhibitions} if inhibitions else {})}
    _check(foreign, data, places)
    return Part({"monitoring": data}, notes)


def _receiver(foreign: Foreign, path: Path, found: dict[str, Any], notes: list[str]) -> None:
    name = foreign.text((*path, "name"), required=True)
    if name is None:
        return
    if name in found:
        foreign.wrong((*path, "name"), "is the name of another receiver too")
    ways = [key.removesuffix("_configs") for key in foreign.keys(path) if key.endswith("_configs")]
    kind = "none" if not ways else "page" if any(way in PAGERS for way in ways) else "ticket"
    resolved = []
    for way in ways:
        for number, _ in enumerate(foreign.items((*path, f"{way}_configs"))):
            said = foreign.value((*path, f"{way}_configs", number, "send_resolved"))
            resolved.append(way not in SILENT_ABOUT_RESOLVED if said is None else said is True)
    found[name] = {"kind": kind, **({} if not resolved or any(resolved) else {"send_resolved": False})}
    reached = f"reached by {', '.join(ways)}" if ways else "reached by nothing"
    notes.append(f"receiver {name}, {reached}: read as '{kind}'; give it a team if it has one")


def _route(foreign: Foreign, path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    receiver = foreign.text((*path, "receiver"))
    found |= {} if receiver is None else {"receiver": receiver}
    matchers = _matchers(foreign, path, "matchers", "match", "match_re")
    found |= {"matchers": matchers} if matchers else {}
    if foreign.value((*path, "continue")) is True:
        found["continue"] = True
    group_by = [_ours(str(label)) for label in foreign.items((*path, "group_by"))]
    found |= {"group_by": group_by} if group_by else {}
    for name in TIMES:
        value = foreign.duration((*path, name))
        found |= {} if value is None else {name: value}
    for name in INTERVALS:
        names = [str(each) for each in foreign.items((*path, name))]
        found |= {name: names} if names else {}
    routes = [_route(foreign, (*path, "routes", number)) for number, _ in enumerate(foreign.items((*path, "routes")))]
    return found | ({"routes": routes} if routes else {})


def _inhibition(foreign: Foreign, path: Path) -> dict[str, Any]:
    sides = {
        f"{side}_matchers": _matchers(foreign, path, f"{side}_matchers", f"{side}_match", f"{side}_match_re")
        for side in ("source", "target")
    }
    equal = [_ours(str(label)) for label in foreign.items((*path, "equal"))]
    return {**sides, **({"equal": equal} if equal else {})}


def _matchers(foreign: Foreign, path: Path, new: str, equal: str, expression: str) -> list[str]:
    """Matchers in the new form, and in the two old ones."""
    found: list[Matcher] = []
    for number, text in enumerate(foreign.items((*path, new))):
        try:
            found += parse_matchers(str(text))
        except ValueError as refusal:
            foreign.wrong((*path, new, number), str(refusal))
    found += [Matcher(label, "=", value) for label, value in foreign.texts((*path, equal)).items()]
    found += [Matcher(label, "=~", value) for label, value in foreign.texts((*path, expression)).items()]
    return [str(Matcher(_ours(matcher.label), matcher.operator, matcher.value)) for matcher in found]


def _check(foreign: Foreign, data: Mapping[str, Any], intervals: Mapping[str, Path]) -> None:
    """What the scenario language and its checks say about what was read, at the places of the file."""
    from pydantic import ValidationError

    from gameday.scenario.monitoring import Monitoring

    def place(field: str) -> Path:
        steps = [int(step) if step.isdigit() else step for step in field.split(".")[1:]]
        if steps[:1] == ["inhibitions"]:
            return ["inhibit_rules", *steps[1:]]
        if steps[:2] == ["routing", "time_intervals"]:
            name = next((n for n in intervals if field.startswith(f"monitoring.routing.time_intervals.{n}.")), "")
            within = field.removeprefix(f"monitoring.routing.time_intervals.{name}.").split(".")
            return [*intervals.get(name, ()), *(int(step) if step.isdigit() else step for step in within)]
        return steps[1:]

    try:
        found = routing_problems(Monitoring.model_validate(data))
    except ValidationError as error:
        for one in error.errors():
            foreign.wrong(place(".".join(("monitoring", *map(str, one["loc"])))), one["msg"].lower())
        found = []
    foreign.adopt(found, place)
    foreign.raise_if_any()


def _ours(label: str) -> str:
    return "rule" if label == "alertname" else label


# -- writing --------------------------------------------------------------------------------------------------------------


def alertmanager_text(scenario: Scenario) -> Export:
    """The routing of a scenario as a file that `amtool check-config` accepts; receivers have names and no addresses."""
    monitoring = scenario.monitoring
    data = _routing(monitoring) if monitoring.routing is not None else _standard(monitoring, scenario.starts)
    inhibitions = [
        {
            "source_matchers": _theirs(_with_rule(pair.source, pair.source_matchers)),
            "target_matchers": _theirs(_with_rule(pair.target, pair.target_matchers)),
            **({"equal": [_label(label) for label in pair.equal]} if pair.equal else {}),
        }
        for pair in monitoring.inhibitions
    ]
    data |= {"inhibit_rules": inhibitions} if inhibitions else {}
    notes = ["receivers have no addresses yet: add how each is reached"]
    head = [f"# Routing of the game day {scenario.name}. Receivers have no addresses yet: add how each is reached."]
    for silence in monitoring.silences:
        begins, ends = (scenario.starts + timedelta(seconds=s) for s in (silence.at, silence.at + silence.lasts))
        matchers = " ".join(f"'{text}'" for text in _theirs(_with_rule(silence.rule, silence.matchers)))
        head.append(
            f"# amtool silence add {matchers} --start={begins.isoformat()} --end={ends.isoformat()} --comment='{silence.why}'"
        )
    if monitoring.silences:
        notes.append("silences are no part of the file: its first lines have the commands that make them")
    return Export("\n".join(head) + "\n" + yaml_text(data), notes)


def _with_rule(rule: str | None, matchers: list[str]) -> list[str]:
    return [*([str(Matcher("rule", "=", rule))] if rule is not None else []), *matchers]


def _label(label: str) -> str:
    return "alertname" if label == "rule" else label


def _theirs(matchers: list[str]) -> list[str]:
    parsed = [parse_matcher(text) for text in matchers]
    return [str(Matcher(_label(each.label), each.operator, each.value)) for each in parsed]


def _routing(monitoring: Monitoring) -> dict[str, Any]:
    assert monitoring.routing is not None, "asked for a routing tree"
    routing = monitoring.routing

    def node(route: Any, group_by: list[str], receiver: str) -> dict[str, Any]:
        receiver = route.receiver or receiver
        group_by = [_label(label) for label in route.group_by] or group_by
        split = routing.receivers[receiver].team is None and not {"team", "..."} & set(group_by)
        found: dict[str, Any] = {"receiver": receiver}
        found |= {"matchers": _theirs(route.matchers)} if route.matchers else {}
        found |= {"group_by": [*group_by, *(["team"] if split else [])]}
        for name in TIMES:
            value = getattr(route, name)
            found |= {} if value is None else {name: format_duration(value)}
        found |= {"continue": True} if route.continues else {}
        for name in INTERVALS:
            found |= {name: getattr(route, name)} if getattr(route, name) else {}
        return found | ({"routes": [node(child, group_by, receiver) for child in route.routes]} if route.routes else {})

    intervals: list[dict[str, Any]] = [
        {"name": name, "time_intervals": [each.model_dump(mode="json", exclude_defaults=True) for each in elements]}
        for name, elements in routing.time_intervals.items()
    ]
    for interval in intervals:
        for element in interval["time_intervals"]:
            element |= {key: list(map(str, element[key])) for key in ("days_of_month", "months", "years") if key in element}
    receivers = [{"name": name} for name in routing.receivers]
    times = {"time_intervals": intervals} if intervals else {}
    return {"route": node(routing.route, [], ""), "receivers": receivers, **times}


def _standard(monitoring: Monitoring, starts: datetime) -> dict[str, Any]:
    grouping = monitoring.grouping
    group_by = list(dict.fromkeys([*(_label(label) for label in grouping.by), "team"]))
    times = {"group_wait": grouping.wait, "group_interval": grouping.interval, "repeat_interval": grouping.repeat}
    tickets = {"receiver": "ticket", "matchers": ['severity="ticket"'], "active_time_intervals": ["office hours"]}
    route = {
        "receiver": "page",
        "group_by": group_by,
        **{name: format_duration(value) for name, value in times.items()},
        "routes": [tickets],
    }
    hours = {"name": "office hours", "time_intervals": _office_hours(starts)}
    return {"route": route, "receivers": [{"name": "page"}, {"name": "ticket"}], "time_intervals": [hours]}


def _office_hours(starts: datetime) -> list[dict[str, Any]]:
    """Office hours at the offset of the start, on the clock of UTC: where they run over midnight there, in two parts."""
    offset = starts.utcoffset()
    assert offset is not None, "the start carries its offset from UTC"
    shift = round(offset.total_seconds() / 60)
    found: dict[tuple[int, int], list[str]] = {}
    for day in range(5):
        first = day * 1440 + OFFICE_START_MINUTE - shift
        last = day * 1440 + OFFICE_END_MINUTE - shift
        while first < last:
            end = min(last, (first // 1440 + 1) * 1440)
            found.setdefault((first % 1440, end - first + first % 1440), []).append(DAYS[first // 1440 % 7])
            first = end
    return [{"times": [{"start_time": _clock(a), "end_time": _clock(b)}], "weekdays": days} for (a, b), days in found.items()]


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
