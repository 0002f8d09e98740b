"""Parts of a model's JSON that several families share.

Rule: both ways, and exact; what is read raises KeyError, TypeError or ValueError where it is wrong.
"""

import json
from collections.abc import Mapping
from typing import Any

from cleanroom.learning.facts import Column

# What reading a model's JSON raises where it isn't one.
MALFORMED = (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError)


def column(one: Column) -> dict[str, Any]:
    """Return a column as JSON has it."""
    values = list(one.values)
    bounds = {"low": float(one.low), "high": float(one.high)}
    return {
        "name": one.name,
        "kind": one.kind,
        **bounds,
        "values": values,
        "nullable": one.nullable,
    }


def read_column(given: Mapping[str, Any]) -> Column:
    """Read what `column` returned."""
    if given["kind"] not in ("number", "category"):
        raise ValueError("neither a number nor a category")
    low, high = float(given["low"]), float(given["high"])
    values = tuple(str(value) for value in given["values"])
    return Column(str(given["name"]), given["kind"], low, high, values, bool(given["nullable"]))


def finite(text: str) -> Any:
    """Parse JSON without NaN and infinity.

    Raises:
        ValueError: if it isn't that.
    """
    return json.loads(text, parse_constant=_not_finite)


def _not_finite(_: str) -> float:
    raise ValueError("not a finite number")
