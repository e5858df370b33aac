"""Unavailability as a response of a study: closed forms at every point, in the table, on the front; what cannot be said is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from gameday.errors import BadInput, GamedayError
from gameday.scenario import read_scenario
from gameday.study.answers import Answers
from gameday.study.design import check_study, points_of, scenario_at
from gameday.study.estimates import estimate, front, ranks, versus
from gameday.study.model import Response
from gameday.study.pictures import pareto_pictures
from gameday.study.report import estimate_words
from gameday.study.running import identity_of
from gameday.study.store import Store
from gameday.study.unavailability import unavailability_at
from sim.components import Thing, components_of, things_of, together
from sim.longrun import exactly, unavailability
from tests.cli.conftest import QUICK
from tests.regression.test_studies import played, written

DOWN = 1 / 97
"""Share of the time in which one instance is broken: 1 h of repair in 97 h."""
STUDY = """
study: 1
name: spare
question: How many instances?
scenario: quick.yaml
base: {schedule: {background: [{target: service/web, mtbf: 4d, mttr: 1h}]}}
factors:
  instances: {set: system.services.web.instances, values: [1, 2, 3], price: 1}
responses:
  - {of: unavailability, need: {service/web: 2}, limit: <= 0.01%}
  - {of: price}
replications: {least: 2, most: 2}
"""
ASKED = Response(of="unavailability", need={"service/web": 2})


def truth(n: int) -> float:
    """Fewer than two of n up."""
    return DOWN**n + n * DOWN ** (n - 1) * (1 - DOWN)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answers]:
    folder = tmp_path_factory.mktemp("spare")
    return folder, played(written(folder, STUDY), folder / "out")


def test_each_point_has_the_closed_form_and_more_instances_are_dearer_but_not_beaten(whole: tuple[Path, Answers]) -> None:
    """An instance in each of two zones: 2, 4 or 6 of them."""
    _, answers = whole
    found = {one.levels["instances"]: one for one in answers.points}
    for level, one in found.items():
        value = one.estimates[0]
        assert value.value == value.low == value.high == pytest.approx(truth(2 * int(level)), rel=1e-9)
    assert [one.levels["instances"] for one in answers.points] == ["3", "2", "1"], "ranked by unavailability"
    assert len(answers.on_front) == 3
    assert [found[level].allowed for level in "123"] == ["no", "yes", "yes"]
    assert estimate_words(answers.responses[0], found["1"].estimates[0]).startswith("0.0205, exact, over the limit")
    (picture,) = pareto_pictures(answers)
    assert picture.title == "unavailability against price"


def test_the_table_and_its_dictionary_hold_it(whole: tuple[Path, Answers]) -> None:
    folder, _ = whole
    table = pq.read_table(folder / "out" / "replications.parquet").to_pylist()
    assert {row["unavailability"] == row["unavailability_low"] == row["unavailability_high"] for row in table} == {True}
    assert "| `unavailability` | | share of the long run" in (folder / "out" / "columns.md").read_text()


def test_rows_of_another_need_are_never_mixed(whole: tuple[Path, Answers]) -> None:
    folder, _ = whole
    file = written(folder, STUDY.replace("service/web: 2", "service/web: 1"))
    with pytest.raises(GamedayError, match="design_sha256"):
        Store.create(folder / "out", identity_of(file), resume=True)


def test_where_components_are_many_it_is_simulated_and_the_same_again(tmp_path: Path) -> None:
    text = STUDY.replace("[1, 2, 3]", "[8]").replace("service/web: 2", "service/web: 15")
    file = written(tmp_path, text.replace("mtbf: 4d", "mtbf: 10h"))
    (point,) = points_of(file.study)
    one, again = (unavailability_at(file, scenario_at(file, point.levels), point.label) for _ in range(2))
    assert one == again
    value, low, high = one.values()
    broken = 1 / 11
    exact = 1 - (1 - broken) ** 16 - 16 * broken * (1 - broken) ** 15
    assert value is not None and low is not None and high is not None  # noqa: PT018 - one thing
    assert low < value < high
    assert abs(value - exact) < 1.5 * (high - low) / 2 < 0.1 * exact


def points(*intervals: tuple[float, float, float]) -> dict[int, list[dict[str, Any]]]:
    names = ("unavailability", "unavailability_low", "unavailability_high")
    return {
        number: [{"replication": day, "price": float(number), **dict(zip(names, one, strict=True))} for day in range(3)]
        for number, one in enumerate(intervals)
    }


def test_intervals_that_overlap_are_not_ordered_and_a_twentieth_is_no_difference() -> None:
    known = points((1e-4, 0.9e-4, 1.1e-4), (1.2e-4, 1e-4, 1.4e-4), (1e-6, 1e-6, 1e-6), (1.04e-6, 1.04e-6, 1.04e-6))
    assert versus(ASKED, known[0], known[1], 0.95) == "unclear"
    assert versus(ASKED, known[0], known[2], 0.95) == "better"
    assert versus(ASKED, known[2], known[1], 0.95) == "worse"
    assert versus(ASKED, known[2], known[3], 0.95) == "same"
    assert ranks(ASKED, known) == {2: 1, 3: 1, 0: 3, 1: 3}
    assert front([ASKED, Response(of="price")], known) == {0: None, 1: None, 2: None, 3: 2}
    assert estimate(Response(of="unavailability", need={"a": 1}, limit="<= 0.011%"), known[1]).allowed == "unclear"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("base: {schedule: {background: [{target: service/web, mtbf: 4d, mttr: 1h}]}}", "base: {}", 10, "schedule.background names nothing"),
        ("mttr: 1h}", "mttr: 1h, fault: slow, with: {factor: 2}}", 10, "does not take its target away"),
        ("need: {service/web: 2}", "need: {service/wep: 2}", 10, "did you mean 'service/web'?"),
        ("need: {service/web: 2}", "need: {service/web: 9}", 10, "1 to 2 of them can be needed"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_where_it_is_asked(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    assert old in STUDY
    written(tmp_path, STUDY.replace(old, new))
    with pytest.raises(BadInput) as bad:
        check_study(tmp_path / "probe.yaml")
    assert f"probe.yaml:{line}:" in str(bad.value)
    assert said in str(bad.value)
    with pytest.raises(BadInput, match="responses"):
        played(written(tmp_path, STUDY.replace(old, new)), tmp_path / "out")


def test_a_study_that_was_refused_is_played_into_the_same_folder_once_it_is_mended(tmp_path: Path) -> None:
    wrong = written(tmp_path, STUDY.replace("service/web: 2", "service/web: 9"))
    with pytest.raises(BadInput):
        played(wrong, tmp_path / "out")
    assert Store.create(tmp_path / "out", identity_of(written(tmp_path, STUDY)), resume=False).rows == {}


def test_settings_that_would_change_nothing_are_refused(tmp_path: Path) -> None:
    wrong = {
        ", need: {service/web: 2}": "",
        "need: {service/web: 2}": "need: {service/web: 2}, statistic: mean",
        "limit: <= 0.01%": "precision: 5%",
        "- {of: price}": "- {of: lost_money, need: {service/web: 2}}",
    }
    for old, new in wrong.items():
        assert old in STUDY
        with pytest.raises(BadInput, match=r"probe\.yaml:1[01]:"):
            written(tmp_path, STUDY.replace(old, new))


# -- what a database needs ------------------------------------------------------------------------------------------------


def orders(*overrides: str) -> tuple[list[Any], Thing]:
    path = QUICK.parents[2] / "scenarios" / "primary-loss.yaml"
    failing = "schedule.background=[{target: database/orders, mtbf: 9h, mttr: 1h}, {target: zone/w1, mtbf: 9h, mttr: 1h}]"
    scenario = read_scenario(path, [failing, *overrides])
    components = components_of(scenario, "x")
    found = things_of(scenario, components, {"database/orders": 1}, "x")
    return components, together([one for one in found if one.name == "database/orders"])


def test_a_database_needs_most_of_its_voters_and_who_confirms_its_writes() -> None:
    """Two nodes that fail alone; of the voters a1, b1 and w1 only that in w1 can be lost, with its zone."""
    assert exactly(*orders()) == pytest.approx(0.1**2), "one voter lost is not most of them"
    synchronous = "system.databases.orders.replication=synchronous"
    assert exactly(*orders(synchronous)) == pytest.approx(1 - 0.9**2), "the primary blocks without its replica"
    assert exactly(*orders(synchronous, "system.databases.orders.when_replicas_are_lost=degrade")) == pytest.approx(0.1**2)
    assert exactly(*orders("policies.databases.orders.voters=[w1]")) == pytest.approx(1 - 0.9 * (1 - 0.1**2))
    assert exactly(*orders("policies.databases.orders.voters=[w1]", "policies.databases.orders.mode=manual")) == pytest.approx(
        0.01
    )


def test_the_simulated_long_run_of_voters_and_nodes_holds_the_sum() -> None:
    from sim.longrun import unavailabilities

    components, thing = orders("policies.databases.orders.voters=[w1]")
    (found,) = unavailabilities(components, [thing], 1, 4000)
    exact = exactly(components, thing)
    assert exact is not None
    assert abs(found.value - exact) < 1.5 * (found.high - found.low) / 2 < 0.2 * exact


def test_what_fails_together_is_one_component_and_what_is_needed_together_is_one_thing() -> None:
    web = "system.services.web.instances={eu-1a: 1, eu-1b: 1}"
    one = read_scenario(QUICK, [web, "schedule.background=[{target: service/web, together: true, mtbf: 9h, mttr: 1h}]"])
    two = read_scenario(QUICK, [web, "schedule.background=[{target: service/web, mtbf: 9h, mttr: 1h}]"])
    values = []
    for scenario in (one, two):
        components = components_of(scenario, "x")
        values.append(exactly(components, things_of(scenario, components, {}, "x")[0]))
    assert values == [pytest.approx(0.1), pytest.approx(0.01)]
    components = components_of(two, "x")
    halves = [Thing(unit, (unit,), 1) for unit in ("instance/web@eu-1a/0", "instance/web@eu-1b/0")]
    assert unavailability(components, together(halves)).value == pytest.approx(1 - 0.9**2)
