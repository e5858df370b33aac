"""Files of Prometheus and Alertmanager: what is written is accepted by their own tools and read back as the same rules and routes."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gameday.alerting.files.alertmanager import alertmanager_text, routing_part
from gameday.alerting.files.expressions import expression_of, rule_of
from gameday.alerting.files.prometheus import rules_part, rules_text
from gameday.alerting.routes import tree_of
from gameday.cli import run_command
from gameday.errors import BadInput
from gameday.scenario import read_scenario
from gameday.scenario.model import Scenario
from gameday.scenario.monitoring import Monitoring
from gameday.scenario.reading import parse_yaml
from gameday.scenario.routing import Routing
from gameday.shipped import shipped_names, shipped_scenarios

PROMTOOL, AMTOOL = shutil.which("promtool"), shutil.which("amtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
needs_amtool = pytest.mark.skipif(AMTOOL is None, reason="amtool is not installed")
GOOD = Path(__file__).parent.parent / "data" / "good.yaml"
PROBES = {"probes": {"p": {"class": "buy", "interval": "20s", "origin": "west"}, "q": {"class": "buy"}}}
RULES: list[dict[str, Any]] = [
    {"kind": "threshold", "on": "class/buy", "indicator": "error_ratio", "above": "5%", "window": "2m"},
    {"kind": "threshold", "on": "class/buy@west", "indicator": "request_rate", "below": "2/s", "above": "90/s"},
    {"kind": "threshold", "on": "class/buy", "indicator": "latency_p99", "above": "250ms"},
    {"kind": "threshold", "on": "service/shop@a", "indicator": "utilisation", "above": "85%", "window": "30s"},
    {"kind": "threshold", "on": "queue/mail", "indicator": "queue_length", "above": 500},
    {"kind": "threshold", "on": "database/orders@a1", "indicator": "replication_lag", "above": "30s"},
    {"kind": "threshold", "on": "service/shop", "indicator": "instances_up", "below": 2},
    {"kind": "threshold", "on": "probe/p", "indicator": "probe_success", "below": "90%", "window": "5m"},
    {"kind": "burn_rate", "on": "class/buy", "objective": "99.9%", "burn": 6, "long": "6h", "short": "30m"},
    {"kind": "burn_rate", "on": "service/shop", "objective": "99.5%", "burn": 14.4, "long": "1h", "short": "5m"},
    {"kind": "probe", "probe": "p", "failures": 3},
    {"kind": "probe", "probe": "q"},
    {"kind": "absence", "on": "region/a", "window": "1m"},
    {"kind": "backlog", "on": "service/shop@a", "above": 50, "window": "3m"},
    {"kind": "heartbeat"},
]


def monitoring(**rules: dict[str, Any]) -> Monitoring:
    return Monitoring.model_validate({**PROBES, "rules": rules})


@pytest.mark.parametrize("written", RULES, ids=[f"{r['kind']}-{r.get('indicator', r.get('on', ''))}" for r in RULES])
def test_every_kind_of_condition_is_read_back_from_its_expression(written: dict[str, Any]) -> None:
    known = monitoring(rule=written)
    expression = expression_of(known.rules["rule"], known)
    assert expression is not None
    read = rule_of(expression, PROBES)
    assert read is not None
    again = monitoring(rule=read)
    assert again.rules["rule"].kind == written["kind"]
    assert expression_of(again.rules["rule"], again) == expression
    assert all(str(read[key]) == str(value) for key, value in written.items() if key in ("on", "indicator", "window", "probe"))


@pytest.mark.parametrize(
    "expression",
    [
        "up == 0",
        'sum(rate(gameday_requests_failed_total{class="buy"}[1m])) / sum(rate(gameday_requests_total{class="look"}[1m])) > 0.1',
        'sum(rate(gameday_requests_total{class="buy"}[1m])) * 2 > 3',
        'sum(rate(gameday_requests_total{class="buy",code="500"}[1m])) > 3',
        'avg(avg_over_time(gameday_utilisation_ratio{service="shop"}[1m])) >= 0.9',
        'max by (origin) (max_over_time(probe_success{probe="p"}[50s])) == 0',
        "",
    ],
)
def test_what_is_nearly_one_of_our_expressions_is_foreign(expression: str) -> None:
    assert rule_of(expression, PROBES) is None


@needs_promtool
def test_promtool_accepts_the_rules_of_every_shipped_day(tmp_path: Path) -> None:
    for name in shipped_names():
        made = rules_text(read_scenario(shipped_scenarios() / f"{name}.yaml"))
        file = tmp_path / f"{name}.yml"
        file.write_text(made.text, encoding="utf-8")
        checked = subprocess.run(
            [PROMTOOL or "", "check", "rules", file], capture_output=True, text=True, check=False, timeout=30
        )
        assert checked.returncode == 0, checked.stderr


def test_rules_that_were_written_are_read_back(tmp_path: Path) -> None:
    day = read_scenario(GOOD)
    part = rules_part(parse_yaml(rules_text(day).text, "rules.yml"), day.monitoring.model_dump(mode="json", by_alias=True))
    read = Monitoring.model_validate({**part.data["monitoring"], "probes": day.monitoring.probes})
    assert set(read.rules) == set(day.monitoring.rules)
    for name, rule in day.monitoring.rules.items():
        assert expression_of(read.rules[name], read) == expression_of(rule, day.monitoring)
        assert (read.rules[name].hold, read.rules[name].severity) == (rule.hold, rule.severity)
    assert not part.notes
    assert read.evaluation == day.monitoring.evaluation


FOREIGN_RULES = """
groups:
- name: node
  interval: 30s
  rules:
  - record: job:requests:rate5m
    expr: sum by (job) (rate(http_requests_total[5m]))
  - alert: HighErrorRate
    expr: sum(rate(gameday_requests_failed_total{class="buy"}[5m])) / sum(rate(gameday_requests_total{class="buy"}[5m])) > 0.05
    for: 1d
    labels: {severity: critical, tier: "0", team: shop}
    annotations: {summary: too many errors}
  - alert: DiskFull
    expr: node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.1
    for: 30m
    keep_firing_for: 5m
    labels: {severity: warning}
    annotations: {summary: "disk {{ $labels.instance }}"}
"""


def test_what_a_day_cannot_evaluate_is_kept_said_and_written_back() -> None:
    part = rules_part(parse_yaml(FOREIGN_RULES, "rules.yml"), {})
    read = part.data["monitoring"]
    assert read["evaluation"] == "30s"
    assert read["rules"] == {
        "high-error-rate": {
            "kind": "threshold",
            "on": "class/buy",
            "indicator": "error_ratio",
            "window": "5m",
            "above": 0.05,
            "severity": "page",
            "for": "1d",
            "team": "shop",
            "labels": {"severity": "critical", "tier": "0", "rule": "HighErrorRate"},
        }
    }
    assert [kept["name"] for kept in read["kept_rules"]] == ["job:requests:rate5m", "DiskFull"]
    assert [note.split()[0] for note in part.notes] == ["job:requests:rate5m", "DiskFull", "severities"]
    day = read_scenario(GOOD)
    everything = {
        **day.model_dump(by_alias=True),
        "monitoring": {**read, "routing": {"receivers": {"a": {}}, "route": {"receiver": "a"}}},
    }
    again = rules_part(parse_yaml(rules_text(Scenario.model_validate(everything)).text, "again.yml"), {}).data["monitoring"]
    assert again["kept_rules"] == read["kept_rules"]
    assert again["rules"] == read["rules"]


BAD_RULES = """
groups:
- name: a
  interval: soon
  rules:
  - {alert: A, expr: [up]}
  - {alert: B}
  - {alert: C, record: c, expr: up}
  - {alert: D, expr: up, for: 5 minutes, labels: [x]}
- {name: b}
"""


def test_problems_of_a_rules_file_are_told_with_their_places_all_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        rules_part(parse_yaml(BAD_RULES, "rules.yml"), {})
    assert [(problem.line, problem.field, problem.message) for problem in caught.value.problems] == [
        (4, "groups.0.interval", "must be a duration such as '30s', '5m' or '1h30m'"),
        (6, "groups.0.rules.0.expr", "must be text"),
        (7, "groups.0.rules.1.expr", "'expr' is missing"),
        (8, "groups.0.rules.2", "needs either an 'alert' or a 'record'"),
        (9, "groups.0.rules.3.for", "must be a duration such as '30s', '5m' or '1h30m'"),
        (9, "groups.0.rules.3.labels", "must be a mapping"),
        (10, "groups.1.rules", "needs a list 'rules'"),
    ]


REAL = """
global: {resolve_timeout: 5m, smtp_from: a@b.example}
route:
  receiver: team-X-mails
  group_by: ['alertname', 'cluster']
  group_wait: 30s
  routes:
  - match_re: {service: ^(foo1|foo2|baz)$}
    receiver: team-X-mails
    routes:
    - match: {severity: critical}
      receiver: team-X-pager
  - matchers: [owner="team-Y", 'region=~"eu.*"']
    receiver: team-Y-pager
    continue: true
    mute_time_intervals: [offhours]
inhibit_rules:
- source_matchers: ['severity="critical"']
  target_match: {severity: warning}
  equal: [alertname]
mute_time_intervals:
- name: offhours
  time_intervals: [{times: [{start_time: '17:00', end_time: '24:00'}], weekdays: ['monday:friday']}]
receivers:
- {name: team-X-mails, email_configs: [{to: x@x.example}]}
- {name: team-X-pager, pagerduty_configs: [{service_key: a}], slack_configs: [{channel: b}]}
- {name: team-Y-pager, webhook_configs: [{url: 'http://y.example/', send_resolved: false}]}
"""


def test_a_real_configuration_is_read_with_its_old_and_new_matchers() -> None:
    part = routing_part(parse_yaml(REAL, "alertmanager.yml"))
    read = part.data["monitoring"]
    assert read["routing"]["receivers"] == {
        "team-X-mails": {"kind": "ticket", "send_resolved": False},
        "team-X-pager": {"kind": "page"},
        "team-Y-pager": {"kind": "page", "send_resolved": False},
    }
    assert read["routing"]["route"] == {
        "receiver": "team-X-mails",
        "group_by": ["rule", "cluster"],
        "group_wait": "30s",
        "routes": [
            {
                "receiver": "team-X-mails",
                "matchers": ['service=~"^(foo1|foo2|baz)$"'],
                "routes": [{"receiver": "team-X-pager", "matchers": ['severity="critical"']}],
            },
            {
                "receiver": "team-Y-pager",
                "matchers": ['owner="team-Y"', 'region=~"eu.*"'],
                "continue": True,
                "mute_time_intervals": ["offhours"],
            },
        ],
    }
    assert read["inhibitions"] == [
        {"source_matchers": ['severity="critical"'], "target_matchers": ['severity="warning"'], "equal": ["rule"]}
    ]
    assert part.notes[0].startswith("global is left out")
    Monitoring.model_validate(read)


def test_problems_of_a_configuration_are_told_at_their_places_in_it() -> None:
    wrong = REAL.replace("receiver: team-Y-pager\n", "receiver: team-Y-pagr\n").replace("'monday:friday'", "'moonday'")
    with pytest.raises(BadInput) as caught:
        routing_part(parse_yaml(wrong, "am.yml"))
    assert [(p.line, p.field, p.suggestion) for p in caught.value.problems] == [
        (14, "route.routes.1.receiver", "team-Y-pager"),
        (23, "mute_time_intervals.0.time_intervals.0.weekdays.0", "monday"),
    ]
    with pytest.raises(BadInput) as caught:
        routing_part(parse_yaml("route: {group_wait: long, matchers: ['x']}\nreceivers: {}", "am.yml"))
    assert [problem.field for problem in caught.value.problems] == ["route.group_wait", "route.matchers.0", "receivers"]


def amtool(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([AMTOOL or "", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=30)


@needs_amtool
def test_amtool_accepts_the_routing_of_every_shipped_day_and_of_offices_all_over_the_world(tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    days = [read_scenario(shipped_scenarios() / f"{name}.yaml") for name in shipped_names()]
    days += [read_scenario(GOOD, [f"starts=2026-03-04T02:00:00{offset}"]) for offset in ("+05:30", "-10:00", "+13:00")]
    for day in days:
        file.write_text(alertmanager_text(day).text, encoding="utf-8")
        checked = amtool("check-config", file)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def random_tree(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    """A routing tree over a few labels."""
    operators = ["=", "!=", "=~", "!~"]
    node: dict[str, Any] = {"receiver": f"r{chance.randint(0, 5)}"}
    if depth:
        matcher = f'{chance.choice(["team", "zone", "alertname"])}{chance.choice(operators)}"{chance.choice(["a", "b", "a|b", "", ".+"])}"'
        node |= {"matchers": [matcher.replace("alertname", "rule")], "continue": chance.random() < 0.4}
    if depth < 3:
        node["routes"] = [random_tree(chance, depth + 1) for _ in range(chance.randint(0, 3))]
    return node


@needs_amtool
@pytest.mark.parametrize("seed", range(6))
def test_amtool_routes_labels_through_random_trees_as_we_do(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    routing = {"receivers": {f"r{n}": {"team": "shop"} for n in range(6)}, "route": random_tree(chance)}
    day = read_scenario(GOOD).model_dump(by_alias=True)
    file = tmp_path / "alertmanager.yml"
    written = Scenario.model_validate({**day, "monitoring": {"routing": routing}})
    file.write_text(alertmanager_text(written).text, encoding="utf-8")
    tree = tree_of(Routing.model_validate(routing).route)
    for _ in range(8):
        labels = {name: chance.choice(["a", "b", "c", ""]) for name in ("team", "zone", "rule")}
        given = [f"{'alertname' if name == 'rule' else name}={value}" for name, value in labels.items() if value]
        answered = amtool("config", "routes", "test", f"--config.file={file}", *given)
        assert answered.returncode == 0, answered.stderr
        assert answered.stdout.strip().split(",") == [route.receiver for route in tree.matching(labels)], (labels, routing)


def test_a_tree_that_was_written_is_read_back() -> None:
    for seed in range(20):
        routing = {"receivers": {f"r{n}": {"team": "shop"} for n in range(6)}, "route": random_tree(random.Random(seed))}
        day = read_scenario(GOOD).model_dump(by_alias=True)
        text = alertmanager_text(Scenario.model_validate({**day, "monitoring": {"routing": routing}})).text
        read = Routing.model_validate(routing_part(parse_yaml(text, "am.yml")).data["monitoring"]["routing"])
        assert tree_of(read.route) == tree_of(Routing.model_validate(routing).route)


def test_the_commands_write_files_and_say_what_they_could_not_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules, routes = tmp_path / "rules.yml", tmp_path / "routes.yaml"
    assert run_command(["export", "prometheus", str(GOOD), "--out", str(rules)]) == 0
    assert run_command(["import", "prometheus", str(rules), "--for", str(GOOD), "--json"]) == 0
    read = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert set(read["part"]["monitoring"]["rules"]) == set(read_scenario(GOOD).monitoring.rules)
    (tmp_path / "am.yml").write_text(REAL, encoding="utf-8")
    assert run_command(["import", "alertmanager", str(tmp_path / "am.yml"), "--out", str(routes)]) == 0
    assert "note: receiver team-X-pager, reached by pagerduty, slack: read as 'page'" in capsys.readouterr().err
    assert "team-Y-pager" in routes.read_text(encoding="utf-8")


def test_a_file_that_is_no_configuration_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "am.yml"
    for text in ("[]", "route: 3", "receivers: {a: b}", "groups: {}", "\x00", "a: [1"):
        file.write_text(text, encoding="utf-8")
        for kind in ("alertmanager", "prometheus"):
            assert run_command(["import", kind, str(file)]) == 2
            assert "am.yml" in capsys.readouterr().err
