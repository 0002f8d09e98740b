"""Charts of released results as SVG: bars, and a grid of two columns' values.

Rule: drawn from the rows that were opened, and from nothing else; every text in them is escaped.
What has no number, because nothing was opened or it was NULL, is drawn as a dash, never as 0.
"""

import math
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from cleanroom.errors import UnsupportedQuery

if TYPE_CHECKING:
    import pandas as pd

MAX_MARKS = 60  # bars, or rows or columns of a grid
DASH = "\u2013"
_ROW, _LABEL, _WIDTH, _CELL = 26, 190, 760, 92  # pixels
_SHORT = 26  # characters of a label
Totals: TypeAlias = dict[tuple[object, ...], float | None]
Few = TypeVar("Few", bound=Sized)


@dataclass(frozen=True, slots=True)
class Bars:
    """One bar for each value of column `label`, as long as column `value`, rows added up."""

    label: str
    value: str

    def svg(self, rows: "pd.DataFrame", title: str) -> str:
        """Draw it.

        Raises:
            UnsupportedQuery: if the result has no such columns, or too many values for a chart.
        """
        found = _few(_totals(rows, (self.label,), self.value))
        most = _most(found)
        marks = (_bar(i, label, value, most) for i, ((label,), value) in enumerate(found.items()))
        return _svg(marks, _WIDTH, _ROW * len(found), f"{title}: {self.value} by {self.label}")


@dataclass(frozen=True, slots=True)
class Grid:
    """A cell for each value of `down` and of `across`, darker the larger `value`, rows added up."""

    down: str
    across: str
    value: str

    def svg(self, rows: "pd.DataFrame", title: str) -> str:
        """Draw it; raises as `Bars.svg`."""
        found = _totals(rows, (self.down, self.across), self.value)
        downs = _few(dict.fromkeys(down for down, _ in found))
        acrosses = sorted(_few(dict.fromkeys(across for _, across in found)), key=str)
        most = _most(found)
        heads = (
            _text(_LABEL + (i + 0.5) * _CELL, 17, across, "middle")
            for i, across in enumerate(acrosses)
        )
        marks = (
            mark
            for j, down in enumerate(downs)
            for mark in _line(j + 1, down, [found.get((down, a)) for a in acrosses], most)
        )
        told = f"{title}: {self.value} by {self.down} and {self.across}"
        size = _LABEL + _CELL * len(acrosses), _ROW * (len(downs) + 1)
        return _svg((*heads, *marks), *size, told)


def shown(number: float | None) -> str:
    """Write a number for people: thousands apart, whole ones without decimals."""
    if number is None or math.isnan(number):
        return DASH
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.2f}"


def _totals(rows: "pd.DataFrame", labels: tuple[str, ...], value: str) -> Totals:
    """Add the value up for each combination of labels, in the order of the rows."""
    for name in (*labels, value):
        if name not in rows.columns:
            raise UnsupportedQuery(f"a chart of {name!r}, which the result doesn't have")
    found: Totals = {}
    columns = [rows[name].tolist() for name in (*labels, value)]
    for *key, number in zip(*columns, strict=True):
        known = found.get(tuple(key))
        if isinstance(number, str):
            raise UnsupportedQuery(f"a chart of {value!r}, which isn't a number")
        missing = number is None or math.isnan(number)
        found[tuple(key)] = known if missing else (known or 0) + float(number)
    return found


def _most(found: Totals) -> float:
    return max((abs(number) for number in found.values() if number is not None), default=0)


def _few(labels: Few) -> Few:
    if len(labels) > MAX_MARKS:
        what = f"a chart of {len(labels)} values; {MAX_MARKS} can be read"
        raise UnsupportedQuery(what, remedy="Draw fewer: GROUP BY less, or add a LIMIT.")
    return labels


def _bar(place: int, label: object, number: float | None, most: float) -> str:
    top, room = place * _ROW, _WIDTH - _LABEL - 110
    width = 0 if not number or not most else room * abs(number) / most
    colour = "#1f6fb2" if number is None or number >= 0 else "#b2361f"
    rect = f'<rect x="{_LABEL}" y="{top + 4}" width="{width:.1f}" height="{_ROW - 8}" '
    rect += f'fill="{colour}"/>'
    end = _text(_LABEL + width + 6, top + 18, shown(number), "start")
    return _text(_LABEL - 8, top + 18, label, "end") + rect + end


def _line(place: int, label: object, numbers: Sequence[float | None], most: float) -> Iterator[str]:
    top = place * _ROW
    yield _text(_LABEL - 8, top + 18, label, "end")
    for i, number in enumerate(numbers):
        share = 0 if not number or not most else abs(number) / most
        left = _LABEL + i * _CELL
        yield (
            f'<rect x="{left}" y="{top}" width="{_CELL - 2}" height="{_ROW - 2}" '
            f'fill="#1f6fb2" fill-opacity="{share:.3f}" stroke="#999"/>'
        )
        ink = "#fff" if share > 0.55 else "#111"
        yield _text(left + _CELL / 2, top + 17, shown(number), "middle", ink)


def _text(x: float, y: float, text: object, anchor: str, ink: str = "#111") -> str:
    words = DASH if text is None else str(text)
    cut = words if len(words) <= _SHORT else words[: _SHORT - 1] + "…"
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{ink}"'
    return f"<text {place}>{escape(cut)}</text>"


def _svg(marks: Iterable[str], width: int, height: int, title: str) -> str:
    body = "".join(marks)
    box = f'viewBox="0 0 {width} {max(height, 1)}" width="{width}" height="{max(height, 1)}"'
    name = f'role="img" aria-label="{escape(title)}" font-size="13" font-family="sans-serif"'
    return f"<svg {box} {name}><title>{escape(title)}</title>{body}</svg>"
