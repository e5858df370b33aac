"""Quantities: what people write, exactly; what is refused, and in which words."""

from __future__ import annotations

import json
import math
import pickle

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from gameday import units
from gameday.scenario.base import Strict
from gameday.scenario.quantities import WRITTEN_BY_HAND, Duration, Money, Rate, Ratio, Size


class Everything(Strict):
    """One field of each quantity."""

    hold: Duration = Field(default=300.0, alias="for")
    """How long."""
    rate: Rate = 0.0
    """How often."""
    share: Ratio = 0.999
    """How much of it."""
    size: Size = 0
    """How big."""
    price: Money = 0.0
    """How dear."""
    patience: Duration | None = None
    """How long at most."""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90.0),
        ("5m", 300.0),
        ("250ms", 0.25),
        ("1h30m", 5400.0),
        ("2d", 172_800.0),
        ("1.5h", 5400.0),
        ("10us", 1e-5),
        ("0.1s", 0.1),
        ("1m0.1s", 60.1),
        (" 3 s ", 3.0),
        ("1h 30m", 5400.0),
        ("0", 0.0),
        (0, 0.0),
        (0.0, 0.0),
    ],
)
def test_a_duration_is_read_exactly(text: object, seconds: float) -> None:
    assert units.parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "per_second"), [("2000/s", 2000.0), ("120/m", 2.0), ("1/h", 1 / 3600), ("5/d", 5 / 86_400), ("0.1/s", 0.1), (0, 0.0)]
)
def test_a_rate_is_per_second(text: object, per_second: float) -> None:
    assert units.parse_rate(text) == per_second


@pytest.mark.parametrize(
    ("text", "ratio"), [("99.9%", 0.999), (0.999, 0.999), ("0.999", 0.999), (1, 1.0), ("100%", 1.0), (0, 0.0), (5e-5, 5e-5)]
)
def test_a_ratio_is_a_share_of_one(text: object, ratio: float) -> None:
    assert units.parse_ratio(text) == ratio


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("512B", 512), ("10MB", 10_000_000), ("4GiB", 4 * 1024**3), ("1.5KiB", 1536), ("1.5kB", 1500), (0, 0)],
)
def test_a_size_is_in_bytes(text: object, size_bytes: int) -> None:
    assert units.parse_size(text) == size_bytes


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [("12.50 EUR", 12.5, "EUR"), ("3 USD", 3.0, "USD"), ("3USD", 3.0, "USD"), (3, 3.0, None), ("0.1", 0.1, None)],
)
def test_an_amount_remembers_its_currency(text: object, amount: float, currency: str | None) -> None:
    read = units.parse_money(text)
    assert read == amount
    assert units.currency_of(read) == currency
    assert units.currency_of(pickle.loads(pickle.dumps(read))) == currency


@pytest.mark.parametrize(
    ("parse", "text", "message", "suggestion"),
    [
        (units.parse_duration, 5, "needs a unit, e.g. '5s'", "5s"),
        (units.parse_duration, "5", "needs a unit, e.g. '5s'", "5s"),
        (units.parse_duration, 1.5, "needs a unit, e.g. '5s'", "1.5s"),
        (units.parse_duration, "-5s", "must not be negative", None),
        (units.parse_duration, -1, "must not be negative", None),
        (units.parse_duration, "5 sec", "has an unknown unit 'sec'; units of time are d, h, m, s, ms, us", "5s"),
        (units.parse_duration, "5 Minutes", "has an unknown unit 'Minutes'; units of time are d, h, m, s, ms, us", "5m"),
        (units.parse_duration, "5 weeks", "has an unknown unit 'weeks'; units of time are d, h, m, s, ms, us", None),
        (units.parse_duration, "5S", "has an unknown unit 'S'; units of time are d, h, m, s, ms, us", "5s"),
        (units.parse_duration, "30m1h", "each unit may stand once, the larger before the smaller, e.g. '1h30m'", None),
        (units.parse_duration, "1h30", "is not a duration such as '90s' or '1h30m'", None),
        (units.parse_duration, "soon", "is not a duration such as '90s' or '1h30m'", None),
        (units.parse_duration, "", "is not a duration such as '90s' or '1h30m'", None),
        (units.parse_duration, "12:30:00", "is not a duration such as '90s' or '1h30m'", None),
        (units.parse_duration, True, "must be a duration such as '90s' or '1h30m'", None),
        (units.parse_duration, [1], "must be a duration such as '90s' or '1h30m'", None),
        (units.parse_duration, math.nan, "must be finite: a duration such as '90s' or '1h30m'", None),
        (units.parse_duration, math.inf, "must be finite: a duration such as '90s' or '1h30m'", None),
        (units.parse_duration, "inf", "must be finite: a duration such as '90s' or '1h30m'", None),
        (units.parse_duration, "9" * 300 + "d", "must not be longer than 3652500d", None),
        (units.parse_duration, "9" * 401, "is too long: write a duration such as '90s' or '1h30m'", None),
        (units.parse_rate, 20, "needs a unit, e.g. '5/s'", "20/s"),
        (units.parse_rate, "20/min", "has an unknown unit '/min'; rates are per s, m, h or d", "20/m"),
        (units.parse_rate, "20/w", "has an unknown unit '/w'; rates are per s, m, h or d", None),
        (units.parse_rate, "20rps", "is not a rate such as '20/s' or '5/d'", None),
        (units.parse_rate, "-1/s", "must not be negative", None),
        (units.parse_rate, "9" * 399 + "/s", "is too long: write a rate such as '20/s' or '5/d'", None),
        (units.parse_rate, "9" * 350 + "/s", "is too large", None),
        (units.parse_ratio, 99.9, "must be between 0 and 1, or between 0% and 100%", "99.9%"),
        (units.parse_ratio, "101%", "must be between 0 and 1, or between 0% and 100%", None),
        (units.parse_ratio, "most", "is not a ratio such as '99.9%' or 0.999", None),
        (units.parse_ratio, -0.1, "must not be negative", None),
        (units.parse_size, 10, "needs a unit, e.g. '5MB'", "10B"),
        (
            units.parse_size,
            "10mb",
            "has an unknown unit 'mb'; units of size are B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB, PiB",
            "10MB",
        ),
        (units.parse_size, "0.3B", "must be a whole number of bytes", None),
        (units.parse_size, "1MB2kB", "is not a size such as '10MB' or '4GiB'", None),
        (units.parse_money, "3 eur", "has an unknown currency; a currency is three capital letters, e.g. '12.50 EUR'", "3 EUR"),
        (units.parse_money, "3 Euros", "has an unknown currency; a currency is three capital letters, e.g. '12.50 EUR'", None),
        (units.parse_money, "EUR 3", "is not an amount such as '12.50 EUR' or 3", None),
    ],
)
def test_what_cannot_be_read_is_refused_in_plain_words(parse: object, text: object, message: str, suggestion: str | None) -> None:
    assert callable(parse)
    with pytest.raises(units.UnitError) as caught:
        parse(text)
    assert str(caught.value) == message
    assert caught.value.suggestion == suggestion


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s"),
        (90.0, "1m30s"),
        (0.25, "250ms"),
        (1e-5, "10us"),
        (5400, "1h30m"),
        (172_800.0, "2d"),
        (90.25, "1m30.25s"),
        (0.0005, "500us"),
    ],
)
def test_a_duration_is_written_as_people_do(seconds: float, text: str) -> None:
    assert units.format_duration(seconds) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0.0, "0/s"),
        (2000.0, "2000/s"),
        (1 / 60, "1/m"),
        (1 / 3600, "1/h"),
        (5 / 86_400, "5/d"),
        (1.25, "1.25/s"),
        (2000 / 60, "2000/m"),
    ],
)
def test_a_rate_is_written_in_the_unit_that_needs_few_digits(rate: float, text: str) -> None:
    assert units.format_rate(rate) == text


def test_ratios_sizes_and_money_are_written_as_people_do() -> None:
    assert units.format_ratio(0.999) == "99.9%"
    assert units.format_ratio(1e-7) == "0.00001%"
    assert [units.format_size(size) for size in (0, 512, 1500, 10**7, 4 * 1024**3)] == ["0B", "512B", "1.5kB", "10MB", "4GiB"]
    assert units.format_money(12.5, "EUR") == "12.50 EUR"
    assert units.format_money(units.Amount(0.125, "USD")) == "0.125 USD"
    assert units.format_money(3) == "3.00"


@given(st.floats(min_value=0, max_value=units.MAXIMUM_DURATION_S))
@example(5e-324)
@example(float(units.MAXIMUM_DURATION_S))
def test_every_duration_survives_being_written_and_read(seconds: float) -> None:
    assert units.parse_duration(units.format_duration(seconds)) == seconds


@given(st.floats(min_value=0, max_value=1e300))
@example(5e-324)
def test_every_rate_survives_being_written_and_read(rate: float) -> None:
    assert units.parse_rate(units.format_rate(rate)) == rate


@given(st.integers(1, 10**6), st.sampled_from([("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)]))
def test_a_rate_is_never_written_longer_than_a_person_wrote_it(count: int, unit: tuple[str, int]) -> None:
    written = f"{count}/{unit[0]}"
    assert len(units.format_rate(units.parse_rate(written))) <= max(len(written), len("123456/s"))


@given(st.floats(min_value=0, max_value=1))
def test_every_ratio_survives_being_written_and_read(ratio: float) -> None:
    assert units.parse_ratio(units.format_ratio(ratio)) == ratio


@given(st.integers(0, 2**80))
def test_every_size_survives_being_written_and_read(size: int) -> None:
    assert units.parse_size(units.format_size(size)) == size


@given(st.floats(min_value=0, max_value=1e300), st.sampled_from([None, "EUR", "JPY"]))
def test_every_amount_survives_being_written_and_read(amount: float, currency: str | None) -> None:
    read = units.parse_money(units.format_money(amount, currency))
    assert (read, read.currency) == (amount, currency)


@given(st.one_of(st.text(), st.from_regex(r"[0-9.]{1,4}[a-z/%A-Z ]{0,4}", fullmatch=True), st.floats(), st.integers(), st.none()))
def test_a_parser_returns_a_finite_quantity_or_a_unit_error(value: object) -> None:
    for parse in (units.parse_duration, units.parse_rate, units.parse_ratio, units.parse_size, units.parse_money):
        try:
            quantity = parse(value)
        except units.UnitError:
            continue
        assert math.isfinite(quantity)
        assert quantity >= 0


def test_a_model_holds_base_units_and_writes_what_people_write() -> None:
    read = Everything.model_validate(
        {"for": "1h30m", "rate": "120/m", "share": "99.5%", "size": "4GiB", "price": "12.50 EUR", "patience": "2s"},
        context={WRITTEN_BY_HAND: True},
    )
    assert (read.hold, read.rate, read.share, read.size, read.price, read.patience) == (
        5400.0,
        2.0,
        0.995,
        4 * 1024**3,
        12.5,
        2.0,
    )
    written = read.model_dump(mode="json", by_alias=True)
    assert written == {"for": "1h30m", "rate": "2/s", "share": "99.5%", "size": "4GiB", "price": "12.50 EUR", "patience": "2s"}
    assert Everything.model_validate(written, context={WRITTEN_BY_HAND: True}) == read
    assert Everything.model_validate_json(json.dumps(written)) == read
    assert read.model_dump()["hold"] == 5400.0


def test_numbers_are_base_units_in_code_but_need_their_unit_in_a_file() -> None:
    assert Everything(hold=5.0).hold == 5.0
    with pytest.raises(ValidationError, match="needs a unit"):
        Everything.model_validate({"for": 5.0}, context={WRITTEN_BY_HAND: True})
    with pytest.raises(ValidationError, match="needs a unit"):
        Everything.model_validate_json('{"for": 5}')


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, True, 1e300])
def test_code_cannot_make_an_impossible_quantity(value: object) -> None:
    with pytest.raises(ValidationError):
        Everything.model_validate({"for": value})


def test_the_json_schema_describes_what_people_write() -> None:
    schema = Everything.model_json_schema()["properties"]
    assert schema["for"]["default"] == "5m"
    assert schema["share"]["default"] == "99.9%"
    assert schema["patience"]["default"] is None
    assert schema["for"]["description"] == "How long."
    assert "1h30m" in schema["for"]["examples"]


def test_only_true_and_false_are_booleans_and_a_boolean_is_no_number() -> None:
    class Switch(Strict):
        on: bool
        level: int | dict[str, float] = 0

    assert Switch.model_validate({"on": True}).on is True
    for data in ({"on": "yes"}, {"on": 1}, {"on": True, "level": True}, {"on": True, "level": {"a": False}}):
        with pytest.raises(ValidationError):
            Switch.model_validate(data)


def test_a_model_refuses_unknown_keys_and_changes() -> None:
    with pytest.raises(ValidationError):
        Everything.model_validate({"holt": "5s"})
    with pytest.raises(ValidationError):
        Everything().hold = 1.0  # type: ignore[misc]
