"""Numbers and days, spelled for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    Number = int | float | Decimal

NOTHING = "–"  # noqa: RUF001 - a dash, as in any table
MINUS = "\N{MINUS SIGN}"
EVEN = "±"
SPACE = "\N{NO-BREAK SPACE}"
_THOUSANDS, _MILLION = 100_000, 1_000_000
_SIZES = ((1_000_000_000, "B"), (_MILLION, "M"), (1_000, "k"))
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def count(value: Number | None) -> str:
    """Spell a number of things: 12,345."""
    return NOTHING if value is None else f"{value:,.0f}"


def large(value: Number | None) -> str:
    """Spell a number of things that may be very many: 12,345, or 12.3M."""
    return NOTHING if value is None else brief(round(value), limit=_MILLION)


def share(value: Number | None, digits: int = 1) -> str:
    """Spell a part of a whole: 12.3 %."""
    return NOTHING if value is None else f"{float(value) * 100:.{digits}f}{SPACE}%"


def length(seconds: Number | None) -> str:
    """Spell a time span: 4:05, or 1:04:05."""
    if seconds is None:
        return NOTHING
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def money(value: Number | None, currency: str) -> str:
    """Spell an amount of money: $1,234.50, or 1,234.50 SEK."""
    return NOTHING if value is None else _with_currency(value, f"{abs(value):,.2f}", currency)


def large_money(value: Number | None, currency: str) -> str:
    """Spell an amount of money that may be very large: $1,234.50, $123,457 or $1.23M."""
    if value is None:
        return NOTHING
    amount = abs(float(value))
    spelled = f"{amount:,.2f}" if amount < _THOUSANDS else brief(round(amount), limit=_MILLION)
    return _with_currency(value, spelled, currency)


def _with_currency(value: Number, amount: str, currency: str) -> str:
    sign = MINUS if value < 0 else ""
    symbol = _SYMBOLS.get(currency)
    return f"{sign}{symbol}{amount}" if symbol else f"{sign}{amount} {currency}"


def brief(value: float, digits: int = 0, *, currency: str = "", limit: int = 10_000) -> str:
    """Spell a number where there is little room: 5, 2.50, 1,500, $15k, 2.5M.

    Args:
        value: The number.
        digits: How many decimals it has, if it is small.
        currency: Of which the symbol is put before it, if there is one.
        limit: From where on it is shortened.

    Returns:
        The number, spelled.
    """
    symbol = _SYMBOLS.get(currency, "")
    if value < limit:
        return f"{symbol}{value:,.{digits}f}"
    size, letter = next((size, letter) for size, letter in _SIZES if value >= size)
    return f"{symbol}{float(f'{value / size:.3g}'):,.10g}{letter}"


def change(now: Number | None, before: Number | None) -> str | None:
    """Spell how a number grew or shrank: +12 %; None if that can't be said."""
    if now is None or not before:
        return None
    return _signed((float(now) / float(before) - 1) * 100, "%")


def points(now: Number | None, before: Number | None) -> str | None:
    """Spell how a share grew or shrank, in percentage points: +1.2 pp."""
    if now is None or before is None:
        return None
    return _signed((float(now) - float(before)) * 100, "pp", digits=1)


def _signed(value: float, unit: str, digits: int = 0) -> str:
    spelled = f"{abs(value):.{digits}f}"
    sign = EVEN if not float(spelled) else "+" if value > 0 else MINUS
    return f"{sign}{spelled}{SPACE}{unit}"


def day(value: date) -> str:
    """Spell a day of the year: 5 Jan."""
    return f"{value.day}{SPACE}{value:%b}"


def weekday(value: date) -> str:
    """Spell a day with its weekday: Mon 5 Jan."""
    return f"{value:%a}{SPACE}{day(value)}"
