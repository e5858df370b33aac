"""Many replications: scores.json, its schema, the worst, the samples on disk."""

from __future__ import annotations

import json
import math
import pickle
import random
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from gameday.scores import Grade, ReplicationScores, replication_scores
from gameday.scores.aggregate import Aggregate
from gameday.scores.kpis import KPIS
from tests.scores.days import END_S, Day, scenario

DETECT = "detection.time_to_detect"
GATE = [{"kpi": DETECT, "target": "5m", "gate": True}]
PUBLISHED = {"incident": "X", "source": "Y", "milestones": {"detected": 240.0, "resolved": 900.0, "unheard-of": 1.0}}


def day(page_at: float | None = 700, until: float | None = 1500, **changes: Any) -> Day:
    made = Day(**changes).fault(600, "kill region/eu-1", until=until).impact(610, until).requests((610, until or END_S))
    return made if page_at is None else made.page(page_at)


def scored(number: int, made: Day) -> ReplicationScores:
    return replication_scores(made.card(), made.recording(), made.scenario, number)


def together(*days: Day, **changes: Any) -> Aggregate:
    aggregate = Aggregate(scenario(**changes), 7)
    for number, made in enumerate(days):
        aggregate.add(scored(number, made))
    return aggregate


def row(content: dict[str, Any], kpi: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in content["dimensions"][KPIS[kpi].dimension]["results"] if one["kpi"] == kpi)
    return found


def valid(content: dict[str, Any]) -> dict[str, Any]:
    schema = json.loads(files("gameday.scores").joinpath("scores.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    written: dict[str, Any] = json.loads(json.dumps(content, allow_nan=False))
    Draft202012Validator(schema).validate(written)
    return written


def test_one_replication_has_values_evidence_and_no_statistics() -> None:
    content = valid(together(day()).scores())
    result = row(content, DETECT)
    assert (content["schema"], content["scenario"], content["seed"], content["replications"]) == (1, "region-loss", 7, 1)
    assert (result["value"], result["unit"], result["target"], result["grade"], result["samples"]) == (95, "s", "<= 5m", "P", 1)
    assert [one["kind"] for one in result["evidence"]] == ["impact.started", "page.delivered"]
    assert not {"p50", "p90", "pass_rate"} & set(result)
    assert content["dimensions"]["detection"]["reason"] == "first page 1m35s after impact, target 5m"


def test_many_replications_have_statistics_towards_the_bad_side() -> None:
    pages = [700, 800, 900, 1000, 1300]
    content = valid(together(*(day(t) for t in pages)).scores())
    result = row(content, DETECT)
    assert (result["value"], result["p50"]["value"], result["p90"]["value"]) == (95, 295, 695)
    assert result["pass_rate"]["value"] == pytest.approx(3 / 5)
    assert result["grade"] == "M"
    assert (
        content["dimensions"]["detection"]["reason"]
        == "users hurt to first notice: 11m35s at p90 of 5 replications, target <= 5m"
    )


def test_a_yes_or_no_is_told_by_how_many() -> None:
    content = together(day(), day(), day(None)).scores()
    assert content["dimensions"]["compliance"]["reason"] == "the record is whole: yes in 3 of 3 replications"


def test_never_is_shown_as_at_least_and_counts() -> None:
    content = valid(together(day(), day(None), day(None)).scores())
    result = row(content, DETECT)
    assert (result["p90"]["value"], result["p90"]["censored"], result["grade"]) == (END_S - 610, True, "U")
    assert valid(together(day(None), day()).scores())["dimensions"]["detection"]["results"][1]["value"] is None


def test_what_could_not_be_judged_and_what_did_not_apply_are_counted_apart() -> None:
    content = valid(together(day(), Day().requests(), day()).scores())
    assert (row(content, DETECT)["not_applicable"], row(content, DETECT)["unknown"]) == (1, 0)
    assert row(content, "failover.rpo_writes")["unknown"] == 3
    assert row(content, "failover.rpo_writes")["grade"] == "UNKNOWN"


def test_the_order_in_which_replications_come_in_does_not_matter() -> None:
    cards = [scored(number, day(page)) for number, page in enumerate((700, 1300, None, 900, 800, 700, 1000))]
    contents = []
    for seed in range(3):
        shuffled = list(cards)
        random.Random(seed).shuffle(shuffled)
        aggregate = Aggregate(scenario(), 7)
        for one in shuffled:
            aggregate.add(pickle.loads(pickle.dumps(one)))
        contents.append(json.dumps(aggregate.scores()))
    assert len(set(contents)) == 1


def test_a_replication_is_added_once() -> None:
    aggregate = together(day())
    aggregate.add(scored(0, day()))
    with pytest.raises(AssertionError, match="once"):
        aggregate.scores()


def test_a_hard_failure_in_one_replication_caps_the_run_and_its_verdict() -> None:
    split = day().samples("database.primaries", [700, 730], [2, 1], database="orders")
    aggregate = together(day(), split, objectives=GATE)
    content = valid(aggregate.scores())
    assert (content["grade"], content["verdict"], aggregate.exit_code()) == ("U", "not_met", 1)
    failure = {"kpi": "failover.split_brain_s", "why": "two writable primaries for 30s", "count": 1, "replications": [1]}
    assert content["hard_failures"] == [failure]
    assert content["dimensions"]["failover"]["grade"] == "U"
    assert (
        content["dimensions"]["failover"]["reason"] == "time with two writable primaries: a hard failure in 1 of 2 replications"
    )


@pytest.mark.parametrize(("page", "verdict", "code"), [(700, "met", 0), (None, "not_met", 1)])
def test_the_exit_code_follows_the_gates(page: float | None, verdict: str, code: int) -> None:
    aggregate = together(day(page), objectives=GATE)
    assert (aggregate.verdict(), aggregate.exit_code()) == (verdict, code)


def test_a_gate_without_evidence_is_inconclusive() -> None:
    aggregate = together(day(), objectives=[{"kpi": "failover.rpo_writes", "target": "0", "gate": True}])
    assert (valid(aggregate.scores())["verdict"], aggregate.exit_code()) == ("inconclusive", 3)
    assert together(Day().requests(), objectives=GATE).exit_code() == 3


def test_the_five_worst_are_named_with_what_happened() -> None:
    aggregate = together(*(day(700 + 100 * number, 1500 + number) for number in range(6)), day(None, None))
    content = valid(aggregate.scores())
    assert aggregate.worst() == (6, 5, 4, 3, 2)
    assert [one["replication"] for one in content["worst"]] == [6, 5, 4, 3, 2]
    assert content["worst"][0]["why"] == (
        "impact at 10m10s; kill region/eu-1 at 10m; nobody was told; users still hurt at the end, after 49m50s"
    )
    assert content["worst"][0]["lost_requests"] == pytest.approx(2990 * 8)


def test_the_sentence_tells_what_was_late_and_what_failed() -> None:
    made = day(652).page(952, "bo", level=2, acknowledged=1010)
    made.at(952, "page.escalated", page="page/1", from_level=1, to_level=2, why="not acknowledged in time")
    made.at(1100, "failover.triggered", "region/eu-1", by="cleo").at(
        1120, "failover.failed", "region/eu-1", step="promote", why="lag 45s > 5s"
    )
    made.at(1200, "action.failed", "service/shop", action="restart", by="bo", why="it changed nothing")
    assert scored(0, made).why == (
        "impact at 10m10s; kill region/eu-1 at 10m; first page at 10m57s; level 2 was called at 15m52s; acknowledged at 16m50s; "
        "failover of region/eu-1 at 18m20s; failover failed at promote: lag 45s > 5s; "
        "restart failed at 20m: it changed nothing; 14m50s of impact"
    )


def test_the_sentence_of_a_day_without_impact_says_so() -> None:
    assert scored(0, Day().requests()).why == "users were not hurt"


def test_the_samples_on_disk_have_a_row_per_replication_and_a_column_per_kpi(tmp_path: Path) -> None:
    aggregate = Aggregate(scenario(), 7)
    for number, made in ((2, Day().requests()), (0, day()), (1, day(None))):
        aggregate.add(scored(number, made))
    aggregate.write_samples(tmp_path / "replications.parquet")
    table = pq.read_table(tmp_path / "replications.parquet")
    assert table.column_names == ["replication", *KPIS]
    assert table["replication"].to_pylist() == [0, 1, 2]
    assert table[DETECT].to_pylist() == [95.0, math.inf, None]
    assert all(math.isnan(value) for value in table["failover.rpo_writes"].to_pylist())


def test_milestones_of_a_published_incident_are_simulated_times() -> None:
    content = valid(together(day(700), day(900), published=PUBLISHED).scores())
    assert set(content["milestones"]) == {"detected"}
    assert (content["milestones"]["detected"]["p10"]["value"], content["milestones"]["detected"]["p90"]["value"]) == (95, 295)


def test_memory_per_replication_is_a_number_per_kpi() -> None:
    one, two = scored(0, day()), scored(1, day())
    aggregate = Aggregate(scenario(), 7)
    for number in range(200):
        aggregate.add(
            ReplicationScores(number, one.grade, one.dimensions, (one if number % 2 else two).results, 0.0, 0.0, "same")
        )
    kept = len(pickle.dumps(aggregate))
    for number in range(200, 400):
        aggregate.add(ReplicationScores(number, one.grade, one.dimensions, one.results, 0.0, 0.0, "same"))
    grown = (len(pickle.dumps(aggregate)) - kept) / 200
    assert grown < 8 * (len(KPIS) + 1) * 1.2


def test_the_grade_over_replications_is_the_one_nine_in_ten_reach() -> None:
    assert row(together(*(day(700) for _ in range(9)), day(None)).scores(), DETECT)["grade"] == Grade.P
    assert row(together(*(day(700) for _ in range(8)), day(None), day(None)).scores(), DETECT)["grade"] == Grade.U
