"""Indicators over time: what a series may hold, how it is found, and that files give it back to the bit."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from gameday.arrow import numbers, positions
from gameday.errors import BadInput, GamedayError
from gameday.series import Series, SeriesSet, read_series

POINTS = st.lists(st.tuples(st.floats(0, 1e6), st.floats()), min_size=1, max_size=5).map(
    lambda points: sorted(points, key=lambda p: p[0])
)
LABELS = st.dictionaries(st.sampled_from(["class", "region", "ünit"]), st.text(max_size=3), max_size=2)
SETS = st.dictionaries(
    st.tuples(st.text(min_size=1, max_size=3), LABELS.map(lambda labels: json.dumps(labels, sort_keys=True))), POINTS, max_size=5
)


def made(points_by_key: dict[tuple[str, str], list[tuple[float, float]]]) -> SeriesSet:
    return SeriesSet(
        Series(name, json.loads(labels), [t for t, _ in points], [value for _, value in points])
        for (name, labels), points in points_by_key.items()
    )


def shop() -> SeriesSet:
    return SeriesSet(
        [
            Series("good_ratio", {"region": "eu-1", "class": "buy"}, [0.0, 10.0, 20.0], [1.0, float("nan"), 0.5]),
            Series("good_ratio", {"region": "eu-2", "class": "buy"}, [0.0, 10.0], [1.0, 0.1 + 0.2]),
            Series("queue", {}, [0.0], [-0.0]),
        ]
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(SETS)
def test_parquet_gives_back_every_bit(tmp_path: Path, points: dict[tuple[str, str], list[tuple[float, float]]]) -> None:
    path = tmp_path / "series.parquet"
    made(points).write_parquet(path)
    assert read_series(path) == made(points)


def test_the_same_series_give_the_same_bytes_in_whatever_order_they_were_added(tmp_path: Path) -> None:
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    shop().write_parquet(first)
    SeriesSet(reversed(list(shop()))).write_parquet(second)
    assert first.read_bytes() == second.read_bytes()


def test_a_parquet_file_is_long_compressed_and_readable_by_others(tmp_path: Path) -> None:
    path = tmp_path / "series.parquet"
    shop().write_parquet(path)
    rows = pq.read_table(path).to_pylist()
    assert rows[0] == {"name": "good_ratio", "labels": '{"class":"buy","region":"eu-1"}', "t": 0.0, "value": 1.0}
    assert len(rows) == 6
    assert pq.read_metadata(path).row_group(0).column(3).compression == "ZSTD"


def test_rows_may_come_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "series.parquet"
    shop().write_parquet(path)
    table = pq.read_table(path)
    pq.write_table(table.take(pa.array([5, 3, 1, 0, 4, 2])), path)
    assert read_series(path) == shop()


def test_csv_has_one_row_for_each_point_and_an_empty_cell_for_nan(tmp_path: Path) -> None:
    path = tmp_path / "series.csv"
    shop().write_csv(path)
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    assert [row["value"] for row in rows] == ["1.0", "", "0.5", "1.0", "0.30000000000000004", "-0.0"]
    assert json.loads(rows[0]["labels"]) == {"class": "buy", "region": "eu-1"}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"name": ["a"], "labels": ["{}"], "t": [0.0]}, "lacks the columns value"),
        ({"name": ["a"], "labels": ["[]"], "t": [0.0], "value": [1.0]}, "not a JSON object of texts"),
        ({"name": ["a"], "labels": ["{"], "t": [0.0], "value": [1.0]}, "series.parquet"),
        ({"name": ["a"], "labels": [None], "t": [0.0], "value": [1.0]}, "without a name, labels or a time"),
        ({"name": ["a"], "labels": ["{}"], "t": [None], "value": [1.0]}, "without a name, labels or a time"),
        ({"name": ["a"], "labels": ["{}"], "t": ["soon"], "value": [1.0]}, "series.parquet"),
    ],
)
def test_a_parquet_file_of_another_kind_is_refused(tmp_path: Path, columns: dict[str, list[object]], message: str) -> None:
    path = tmp_path / "series.parquet"
    pq.write_table(pa.table(columns), path)
    with pytest.raises(BadInput, match=message):
        read_series(path)


def test_a_file_that_is_no_parquet_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"name,labels\n")
    with pytest.raises(BadInput, match="is not a Parquet file"):
        read_series(tmp_path / "x.parquet")
    with pytest.raises(GamedayError, match="there is no such file"):
        read_series(tmp_path / "y.parquet")


@pytest.mark.parametrize(
    ("t", "values", "message"),
    [
        ([0.0, 1.0], [1.0], "2 times"),
        ([1.0, 0.0], [1.0, 1.0], "go back"),
        ([float("nan")], [1.0], "finite"),
        ([[0.0]], [[1.0]], "list"),
    ],
)
def test_a_series_that_makes_no_sense_is_a_bug(t: list[float], values: list[float], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        Series("x", {}, t, values)


def test_a_series_is_a_copy_that_cannot_be_changed() -> None:
    times, values = np.array([0.0, 1.0]), np.array([5.0, 6.0])
    series = Series("x", {}, times, values)
    values[0] = 9.0
    assert series.values.tolist() == [5.0, 6.0]
    with pytest.raises(ValueError, match="read-only"):
        series.values[0] = 1.0


def test_the_value_at_a_time_is_the_newest_that_was_known() -> None:
    series = Series("x", {}, [1.0, 2.0, 2.0], [10.0, 20.0, 21.0])
    assert np.isnan(series.at(0.999))
    assert [series.at(1.0), series.at(1.999), series.at(2.0), series.at(99.0)] == [10.0, 10.0, 21.0, 21.0]


def test_a_window_holds_its_start_and_not_its_end() -> None:
    series = Series("x", {"a": "b"}, [1.0, 2.0, 3.0], [10.0, 20.0, 30.0])
    assert series.between(1.0, 3.0) == Series("x", {"a": "b"}, [1.0, 2.0], [10.0, 20.0])
    assert len(series.between(5.0, 9.0)) == 0


def test_series_are_found_by_name_pattern_and_by_some_of_their_labels() -> None:
    series = shop()
    assert len(series.find("good_*")) == 2
    assert len(series.find("good_ratio", {"class": "buy"})) == 2
    assert series.one("*", {"region": "eu-2"}).values.tolist() == [1.0, 0.1 + 0.2]
    assert series.find("good_ratio", {"region": "eu-3"}) == []
    assert series.names() == ["good_ratio", "queue"]


def test_asking_for_the_one_series_where_there_is_none_or_more_says_what_there_is() -> None:
    with pytest.raises(GamedayError, match=r"2 series fit good_ratio\{class=buy\}"):
        shop().one("good_ratio", {"class": "buy"})
    with pytest.raises(GamedayError, match=r"no series fits good_ration\{\}; did you mean good_ratio\?"):
        shop().one("good_ration")


def test_a_series_is_added_once_and_never_empty() -> None:
    with pytest.raises(AssertionError, match="there already"):
        shop().add(Series("queue", {}, [1.0], [1.0]))
    with pytest.raises(AssertionError, match="without points"):
        shop().add(Series("other", {}, [], []))


def test_series_longer_than_what_is_written_at_once_come_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "series.parquet"
    times = np.arange(30_000.0)
    parts = [("a", "x", 1.0), ("a", "y", 2.0), ("b", "x", 3.0)]
    long = SeriesSet(Series(name, {"of": label}, times, times * factor) for name, label, factor in parts)
    long.write_parquet(path)
    assert pq.read_metadata(path).num_row_groups == 2
    assert read_series(path) == long


def test_columns_of_other_writers_are_read_as_numbers_and_positions() -> None:
    """In pieces, cut, with nulls, with a dictionary for each piece."""
    assert_array_equal(numbers(pa.chunked_array([pa.array([None, 1.0, None, 5.0, 7.0]).slice(1, 3)])), [1.0, np.nan, 5.0])
    assert_array_equal(numbers(pa.chunked_array([[1, 2], [3]])), [1.0, 2.0, 3.0])
    assert_array_equal(numbers(pa.chunked_array([], type=pa.int64())), [])
    pieces = [pa.array(["a", "b", "a"]).dictionary_encode(), pa.array(["c", "b"]).dictionary_encode()]
    for column in (pa.chunked_array(pieces), pa.chunked_array([["a", "b"], ["a", "c", "b"]])):
        found, texts = positions(column.slice(1))
        assert [texts[position] for position in found] == ["b", "a", "c", "b"]
