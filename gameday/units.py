"""Quantities as people write them: `1h30m`, `2000/s`, `99.9%`, `4GiB`, `12.50 EUR`. Parsed exactly, printed so that they parse back.

A number without its unit is refused (`timeout: 5` does not say five what); only 0 needs none. Ratios and money may be plain.
Arithmetic is in fractions and rounded once at the end, so `0.1s` is the float nearest to a tenth.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from gameday.errors import nearest

MAXIMUM_DURATION_S = 3_652_500 * 86_400
"""Ten thousand years, in seconds: no duration is longer."""
LONGEST_TEXT = 400
"""Characters of a quantity; enough for every float written out in full."""

_DURATION_UNITS: dict[str, Fraction] = {
    "d": Fraction(86_400),
    "h": Fraction(3600),
    "m": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 1000),
    "us": Fraction(1, 1_000_000),
}
_PER: dict[str, int] = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SIZE_UNITS: dict[str, int] = {
    "B": 1,
    **{unit: 1000**power for power, unit in enumerate(("kB", "MB", "GB", "TB", "PB"), start=1)},
    **{unit: 1024**power for power, unit in enumerate(("KiB", "MiB", "GiB", "TiB", "PiB"), start=1)},
}
_OTHER_SPELLINGS: dict[str, str] = {
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("msec", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("\N{MICRO SIGN}s", "\N{GREEK SMALL LETTER MU}s", "usec", "microsecond", "microseconds"), "us"),
}

_NUMBER = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
DURATION_PATTERN = rf"^(0|({_NUMBER}(d|h|ms|us|m|s))+)$"
RATE_PATTERN = rf"^(0|{_NUMBER}/(s|m|h|d))$"
RATIO_PATTERN = rf"^{_NUMBER}%?$"
SIZE_PATTERN = rf"^(0|{_NUMBER}({'|'.join(_SIZE_UNITS)}))$"
MONEY_PATTERN = rf"^{_NUMBER}( [A-Z]{{3}})?$"

_NUMBER_AND_UNIT = re.compile(rf"({_NUMBER})([^0-9.]*)")
_PLAIN_NUMBER = re.compile(_NUMBER)


class UnitError(ValueError):
    """A quantity that cannot be read; the text says what is allowed, `suggestion` how it was probably meant."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        """Message in plain words, and what to write instead if that can be known."""
        super().__init__(message)
        self.suggestion = suggestion


class Amount(float):
    """An amount of money: a float that remembers its currency (`.currency`, three letters, or None when none was written)."""

    __slots__ = ("currency",)
    currency: str | None

    def __new__(cls, amount: float, currency: str | None = None) -> Amount:
        """`amount` in units of the currency."""
        made = super().__new__(cls, amount)
        made.currency = currency
        return made

    def __reduce__(self) -> tuple[type[Amount], tuple[float, str | None]]:
        """Copies and worker processes keep the currency."""
        return (Amount, (float(self), self.currency))


def currency_of(amount: float) -> str | None:
    """The currency an amount was written with, or None."""
    return amount.currency if isinstance(amount, Amount) else None


def parse_duration(value: object) -> float:
    """Seconds from `90s`, `250ms`, `1h30m`, `1.5h`, `2d`, `10us` or 0. Parts go from large to small, each unit once.

    Raises UnitError.
    """
    text = _written(value, "a duration such as '90s' or '1h30m'")
    number = _plain(text)
    if number is not None:
        if number:
            raise UnitError("needs a unit, e.g. '5s'", f"{text}s")
        return 0.0
    total = Fraction(0)
    units = list(_DURATION_UNITS)
    allowed_from = 0
    for amount, unit in _parts(text, "is not a duration such as '90s' or '1h30m'"):
        if unit not in _DURATION_UNITS:
            raise _unknown_unit(text, amount, unit, _DURATION_UNITS, "units of time")
        if units.index(unit) < allowed_from:
            raise UnitError("each unit may stand once, the larger before the smaller, e.g. '1h30m'")
        allowed_from = units.index(unit) + 1
        total += Fraction(amount) * _DURATION_UNITS[unit]
    if total > MAXIMUM_DURATION_S:
        raise UnitError(f"must not be longer than {format_duration(MAXIMUM_DURATION_S)}")
    return float(total)


def parse_rate(value: object) -> float:
    """Events per second from `2000/s`, `120/m`, `1/h`, `5/d` or 0. Raises UnitError."""
    text = _written(value, "a rate such as '20/s' or '5/d'")
    number = _plain(text)
    if number is not None:
        if number:
            raise UnitError("needs a unit, e.g. '5/s'", f"{text}/s")
        return 0.0
    amount, slash, unit = (part.strip() for part in text.partition("/"))
    if not slash or not _PLAIN_NUMBER.fullmatch(amount):
        raise UnitError("is not a rate such as '20/s' or '5/d'")
    if unit not in _PER:
        known = _OTHER_SPELLINGS.get(unit.lower(), unit.lower())
        suggestion = f"{amount}/{known}" if known in _PER else None
        raise UnitError(f"has an unknown unit '/{unit}'; rates are per s, m, h or d", suggestion)
    return _finite(Fraction(amount) / _PER[unit])


def parse_ratio(value: object) -> float:
    """A share between 0 and 1 from `99.9%` or `0.999`. Raises UnitError."""
    text = _written(value, "a ratio such as '99.9%' or 0.999")
    amount = text.removesuffix("%").rstrip()
    if not _PLAIN_NUMBER.fullmatch(amount):
        raise UnitError("is not a ratio such as '99.9%' or 0.999")
    ratio = Fraction(amount) / (100 if text.endswith("%") else 1)
    if ratio > 1:
        meant = f"{amount}%" if not text.endswith("%") and ratio <= 100 else None
        raise UnitError("must be between 0 and 1, or between 0% and 100%", meant)
    return float(ratio)


def parse_size(value: object) -> int:
    """Bytes from `512B`, `10MB` (powers of 1000), `4GiB` (powers of 1024) or 0. Raises UnitError."""
    text = _written(value, "a size such as '10MB' or '4GiB'")
    number = _plain(text)
    if number is not None:
        if number:
            raise UnitError("needs a unit, e.g. '5MB'", f"{text}B")
        return 0
    parts = _parts(text, "is not a size such as '10MB' or '4GiB'")
    if len(parts) != 1:
        raise UnitError("is not a size such as '10MB' or '4GiB'")
    amount, unit = parts[0]
    if unit not in _SIZE_UNITS:
        raise _unknown_unit(text, amount, unit, _SIZE_UNITS, "units of size")
    size = Fraction(amount) * _SIZE_UNITS[unit]
    if size.denominator != 1:
        raise UnitError("must be a whole number of bytes")
    return int(size)


def parse_money(value: object) -> Amount:
    """An amount from `12.50 EUR`, `3 USD` or a plain number (no currency). Raises UnitError."""
    text = _written(value, "an amount such as '12.50 EUR' or 3")
    found = _NUMBER_AND_UNIT.fullmatch(text)
    if not found:
        raise UnitError("is not an amount such as '12.50 EUR' or 3")
    currency = found[2].strip()
    if currency and not re.fullmatch("[A-Z]{3}", currency):
        meant = f"{found[1]} {currency.upper()}" if re.fullmatch("[A-Za-z]{3}", currency) else None
        raise UnitError("has an unknown currency; a currency is three capital letters, e.g. '12.50 EUR'", meant)
    return Amount(_finite(Fraction(found[1])), currency or None)


def format_duration(duration_s: float) -> str:
    """Seconds as `1m30s`; exact: `parse_duration` gives back the same float for every duration up to the longest."""
    exact = _exact(duration_s)
    if exact == 0:
        return "0s"
    if exact < 1:
        unit = "ms" if exact >= Fraction(1, 1000) else "us"
        return f"{_decimal(exact / _DURATION_UNITS[unit])}{unit}"
    text = ""
    for unit in ("d", "h", "m"):
        count, exact = divmod(exact, _DURATION_UNITS[unit])
        text += f"{count}{unit}" if count else ""
    return text + (f"{_decimal(exact)}s" if exact else "")


def format_rate(rate_per_s: float) -> str:
    """Events per second as `20/s`, `1/m`, `5/d`; exact: `parse_rate` gives back the same float.

    The first unit that needs a number from 1 with at most six characters, else the shortest text.
    """
    exact = _exact(rate_per_s)
    if exact == 0:
        return "0/s"
    texts = []
    for unit, seconds in _PER.items():
        number = _shortest_number(rate_per_s, exact * seconds, seconds)
        if number is not None:
            text = _decimal(number)
            if number >= 1 and len(text) <= 6:
                return f"{text}/{unit}"
            texts.append(f"{text}/{unit}")
    return min(texts, key=len)


def format_ratio(ratio: float) -> str:
    """A share as `99.9%`; exact: `parse_ratio` gives back the same float."""
    return f"{_decimal(_exact(ratio) * 100)}%"


def format_size(size_bytes: int) -> str:
    """Bytes as `10MB` or `4GiB`, whichever is shortest; exact."""
    exact = _exact(size_bytes)
    if exact == 0:
        return "0B"
    texts = [f"{_decimal(exact / factor)}{unit}" for unit, factor in _SIZE_UNITS.items() if exact >= factor]
    return min(reversed(texts), key=len)


def format_money(amount: float, currency: str | None = None) -> str:
    """An amount as `12.50 EUR`, at least two decimals; exact. The currency is the amount's own unless one is given."""
    number = _decimal(_exact(float(amount)))
    whole, _, decimals = number.partition(".")
    currency = currency or currency_of(amount)
    return f"{whole}.{decimals:0<2}" + (f" {currency}" if currency else "")


def _written(value: object, what: str) -> str:
    """The value as text without blanks around; refuses what is neither text nor number, negative, or not finite."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnitError(f"must be {what}")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise UnitError(f"must be finite: {what}")
        value = format(Decimal(repr(float(value))), "f")
    text = str(value).strip()
    if len(text) > LONGEST_TEXT:
        raise UnitError(f"is too long: write {what}")
    if text.startswith("-"):
        raise UnitError("must not be negative")
    if text.lower().lstrip("+").startswith(("nan", "inf", ".nan", ".inf")):
        raise UnitError(f"must be finite: {what}")
    return text


def _plain(text: str) -> Fraction | None:
    """The number, if the text is nothing else."""
    return Fraction(text) if _PLAIN_NUMBER.fullmatch(text) else None


def _parts(text: str, complaint: str) -> list[tuple[str, str]]:
    """`1h30m` as [("1", "h"), ("30", "m")]; refuses text that is not numbers with units."""
    parts = [(found[1], found[2].strip()) for found in _NUMBER_AND_UNIT.finditer(text)]
    covered = "".join(found[0] for found in _NUMBER_AND_UNIT.finditer(text))
    if covered != text or not parts or (len(parts) > 1 and any(not unit for _, unit in parts)):
        raise UnitError(complaint)
    return parts


def _unknown_unit(text: str, amount: str, unit: str, units: Mapping[str, object], what: str) -> UnitError:
    meant = _OTHER_SPELLINGS.get(unit.lower(), unit)
    if meant not in units:
        same = [known for known in units if known.lower() == unit.lower()]
        meant = same[0] if same else nearest(unit, units) or ""
    whole = _NUMBER_AND_UNIT.fullmatch(text) is not None
    return UnitError(
        f"has an unknown unit '{unit}'; {what} are {', '.join(units)}", f"{amount}{meant}" if meant and whole else None
    )


def _finite(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        raise UnitError("is too large") from None


def _exact(number: float) -> Fraction:
    """The shortest decimal that names this float (what a person would write), as a fraction."""
    assert number >= 0, f"quantities are not negative: {number!r}"
    return Fraction(repr(number))


def _shortest_number(rate: float, exact: Fraction, seconds: int) -> Fraction | None:
    """The number with the fewest digits that is this rate when divided by `seconds`; None when 17 digits do not do."""
    for digits in range(1, 18):
        number = Fraction(f"{Decimal(exact.numerator) / Decimal(exact.denominator):.{digits}g}")
        if float(number / seconds) == rate:
            return number
    return None


def _decimal(exact: Fraction) -> str:
    """A fraction with a finite decimal expansion, written out: no exponent, no trailing zeros."""
    shift = 0
    denominator = exact.denominator
    while denominator > 1:
        shift += 1
        denominator = exact.denominator // math.gcd(exact.denominator, 10**shift)
    digits = str(exact.numerator * 10**shift // exact.denominator).rjust(shift + 1, "0")
    return f"{digits[:-shift]}.{digits[-shift:]}".rstrip("0").rstrip(".") if shift else digits
