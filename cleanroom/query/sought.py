"""What an analyst seeks, as weights of all values of a domain: checked before anything is sent.

Rule: the one place where private values are read. Errors tell a value by its place, never as it
is; nothing here is logged, kept or raised from another error that would show it.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanroom.contract.types import Kind, SqlType
from cleanroom.errors import PrivateValueRefused
from cleanroom.plan.private import Parameter, Private

_TRUTHS = {"true": True, "false": False}


def weights_of(private: Private | None, given: Mapping[str, Any] | None) -> NDArray[np.int64]:
    """Return a weight for each combination of values, shape (private.values,).

    Args:
        given: parameter -> the values sought, one value, or a weight for each value.

    Raises:
        PrivateValueRefused: if a parameter is missing or not the query's, or a value isn't one
            that its column may hold, exactly.
    """
    given = {} if given is None else given
    _check_names([] if private is None else [p.name for p in private.parameters], given)
    weights = np.ones(1, dtype=np.int64)
    if private is None:
        return weights
    for parameter in private.parameters:
        found = np.zeros(parameter.key.choices, dtype=np.int64)
        for code, weight in _weighed(parameter, private, given[parameter.name]):
            found[code] = weight
        weights = np.kron(weights, found)
    return weights


def _check_names(names: list[str], given: Mapping[str, Any]) -> None:
    if not isinstance(given, Mapping):
        raise PrivateValueRefused("private: a dict from each parameter's name to its values")
    if missing := [name for name in names if name not in given]:
        what = f"private parameter {_listed(missing)} of the query has no values"
        raise PrivateValueRefused(what, remedy=f"Pass private={{{missing[0]!r}: [...]}}.")
    if unknown := [name for name in given if name not in names]:
        what = f"private parameter {_listed([str(n)[:40] for n in unknown])} is not in the query"
        remedy = f"The query has {_listed(names)}." if names else "It has none: write :name in it."
        raise PrivateValueRefused(what, remedy=remedy)


def _weighed(parameter: Parameter, private: Private, given: Any) -> Iterator[tuple[int, int]]:
    """Yield codes and their weights."""
    if parameter.takes == "weights":
        if not isinstance(given, Mapping):
            raise _refused(parameter, "takes a dict from values to weights")
        seen: set[int] = set()
        for place, (value, weight) in enumerate(given.items(), start=1):
            code = _code(parameter, value, place)
            if code in seen:
                raise _refused(parameter, "is named before, in another form", place)
            seen.add(code)
            yield code, _weight(parameter, private, weight, place)
        return
    if parameter.takes == "value" or isinstance(given, str | bytes | Mapping):
        given = _single(parameter, given)
    try:
        values = list(given)
    except TypeError:
        raise _refused(parameter, "takes a list of values") from None
    for place, value in enumerate(values, start=1):
        yield _code(parameter, value, place), 1


def _single(parameter: Parameter, given: Any) -> list[Any]:
    if parameter.takes == "values":
        raise _refused(parameter, "takes a list of values")
    values = list(given) if isinstance(given, list | tuple | set | frozenset) else [given]
    if len(values) != 1:
        raise _refused(parameter, "takes one value; write IN for several")
    return values


def _code(parameter: Parameter, value: Any, place: int) -> int:
    """Return the code of one value of a column.

    Raises:
        PrivateValueRefused: if there is none, or it isn't exact.
    """
    sql_type, value = SqlType.parse(parameter.sql_type), _plain(value)
    if value is None:
        raise _refused(parameter, "is NULL, which no condition finds", place)
    if isinstance(value, float):
        raise _refused(parameter, "is a float, which may be no exact value", place)
    code = -1
    with suppress(ValueError, ArithmeticError, TypeError):
        if sql_type.kind is Kind.TEXT:
            code = parameter.values.index(value)
        else:
            code = sql_type.encode(_read(sql_type.kind, value)) - parameter.low
    if not 0 <= code < parameter.key.size:
        raise _refused(parameter, "is not one of the values that the contract declares", place)
    return code


def _weight(parameter: Parameter, private: Private, weight: Any, place: int) -> int:
    weight = _plain(weight)
    if isinstance(weight, bool) or not isinstance(weight, int | Decimal):
        raise _refused(parameter, "has a weight that is neither an int nor a Decimal", place)
    number = Decimal(weight)
    if not number.is_finite():
        raise _refused(parameter, "has a weight that is no number", place)
    limit = Decimal(private.largest).scaleb(-private.scale)
    if not -limit <= number <= limit:
        raise _refused(parameter, f"has a weight beyond {limit}, the largest stated", place)
    scaled = number.scaleb(private.scale)
    if scaled != scaled.to_integral_value():
        what = f"has a weight with more than {private.scale} decimal places"
        raise _refused(parameter, what, place)
    return int(scaled)


def _plain(value: Any) -> Any:
    """Return NumPy's scalars as Python's."""
    return value.item() if isinstance(value, np.generic) else value


def _read(kind: Kind, value: Any) -> Any:
    """Read text as a contract or a file writes it."""
    if not isinstance(value, str):
        return value
    match kind:
        case Kind.INTEGER:
            return int(value) if len(value) < 20 and value.removeprefix("-").isdecimal() else None
        case Kind.BOOLEAN:
            return _TRUTHS.get(value.lower())
    return value


def _refused(parameter: Parameter, what: str, place: int | None = None) -> PrivateValueRefused:
    which = f"private parameter :{parameter.name}"
    if place is not None:
        which = f"value {place} of {which}"
    return PrivateValueRefused(f"{which} {what}; it stands beside {parameter.where}")


def _listed(names: list[str]) -> str:
    return ", ".join(f":{name}" for name in names)
