"""What became of writes: histories made up so that the answer is known."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.write_truth import Write, bank_is_whole, check_set, dual_primaries, oldest_lost_s, stale_reads


def write(name: str, outcome: str, ended: float, via: str = "a") -> Write:
    return Write(name, via, outcome, ended - 0.01, ended)  # type: ignore[arg-type]


def test_lost_is_acknowledged_and_gone_and_indeterminate_is_neither() -> None:
    writes = [write("1", "ok", 1), write("2", "ok", 2), write("3", "indeterminate", 3), write("4", "indeterminate", 4)]
    result = check_set([*writes, write("5", "failed", 5)], ["1", "3"])
    assert [one.id for one in result.lost] == ["2"]
    assert (result.attempted, result.acknowledged, result.indeterminate, result.recovered, result.surviving) == (5, 2, 2, 1, 1)
    assert result.unexpected == ()


def test_a_failed_write_that_is_there_is_unexpected() -> None:
    assert check_set([write("1", "failed", 1)], ["1", "2"]).unexpected == ("1", "2")


@settings(deadline=None)
@given(st.lists(st.sampled_from(["ok", "failed", "indeterminate"]), max_size=30), st.sets(st.integers(0, 29)))
def test_every_acknowledged_write_is_lost_or_surviving(outcomes: list[str], there: set[int]) -> None:
    writes = [write(str(number), outcome, float(number)) for number, outcome in enumerate(outcomes)]
    result = check_set(writes, [str(number) for number in there])
    assert len(result.lost) + result.surviving == result.acknowledged == outcomes.count("ok")
    assert result.recovered <= result.indeterminate


def test_two_primaries_are_found_by_their_acknowledgements() -> None:
    old = [write(f"a{n}", "ok", n / 10, "a") for n in range(100)]
    new = [write(f"b{n}", "ok", 6.0 + n / 10, "b") for n in range(100)]
    (dual,) = dual_primaries([*old, *new], ["a", "b"])
    assert (dual.old, dual.new, dual.start, dual.end, dual.conflicting) == ("a", "b", 6.0, 9.9, 40)


def test_a_handover_is_no_split_brain() -> None:
    old = [write(f"a{n}", "ok", n / 10, "a") for n in range(50)]
    new = [write(f"b{n}", "ok", 6.0 + n / 10, "b") for n in range(50)]
    back = [write(f"c{n}", "ok", 20.0 + n / 10, "a") for n in range(50)]
    assert dual_primaries([*old, *new, *back], ["a", "b"]) == []


def test_the_age_of_the_oldest_loss_counts_to_the_last_acknowledgement_of_its_node() -> None:
    writes = [write("1", "ok", 1.0), write("2", "ok", 5.0), write("3", "ok", 9.0), write("4", "ok", 20.0, "b")]
    assert oldest_lost_s(check_set(writes, ["1", "4"]).lost) == 4.0
    assert oldest_lost_s(check_set(writes, ["1", "2", "3", "4"]).lost) is None


def test_what_a_gateway_acknowledged_by_the_new_primary_does_not_make_the_loss_older() -> None:
    writes = [write("1", "ok", 1.0, "gateway/a"), write("2", "ok", 5.0, "gateway/a"), write("3", "ok", 90.0, "gateway/a")]
    assert oldest_lost_s(check_set(writes, ["3"]).lost) == 4.0


def test_money_that_appears_or_goes_is_seen() -> None:
    assert bank_is_whole([1000, 1000], 1000)
    assert not bank_is_whole([1000, 999], 1000)


def test_a_stale_read_lacks_what_was_acknowledged_longer_ago_than_the_limit() -> None:
    acknowledged = [(1.0, 1), (2.0, 2), (9.0, 3)]
    assert stale_reads([(10.0, 2)], acknowledged, 5.0) == 0
    assert stale_reads([(10.0, 1)], acknowledged, 5.0) == 1
    assert stale_reads([(15.0, 2)], acknowledged, 5.0) == 1
