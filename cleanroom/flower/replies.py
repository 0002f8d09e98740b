"""One owner's reply becomes its summand: checked against the job, then times its weight.

Rule: pure. What the sandbox says is untrusted: a reply that isn't exactly what the job allows is
refused as a whole, in words that name the job's own terms and none of the app's.
"""

import math
from typing import Any

import numpy as np
from pydantic import ValidationError

from cleanroom.errors import AppFailed
from cleanroom.flower.frames import Frame
from cleanroom.flower.message import Message, Reply
from cleanroom.flower.spec import Metric, Spec
from cleanroom.learning.facts import Facts, Floats
from cleanroom.learning.step import Sums


def summand(spec: Spec, facts: Facts, message: Message, frame: Frame) -> Sums:
    """Return what an owner adds to the sums of a round.

    Args:
        frame: with the app's reply to `message`, and the numbers of its arrays.

    Raises:
        AppFailed: naming what is missing, too much, not finite or beyond its bound.
    """
    reply = _read(frame.header.get("reply"))
    values = dict(reply.metrics)
    weight = _weight(spec, facts, message, values)
    sums: dict[str, Floats] = {"weight": np.full((), weight)}
    if message.trains:
        sums["arrays"] = weight * _arrays(spec, message, reply, frame.numbers)
    elif reply.arrays is not None:
        raise AppFailed(f"a reply to '{message.type}' with arrays, which only training sends")
    wanted = spec.metrics[message.type]
    for name, metric in wanted.items():
        if name not in values:
            raise AppFailed(f"a reply to '{message.type}' without the job's metric '{name}'")
        sums[f"metric.{name}"] = weight * _metric(name, metric, values.pop(name))
    if values:
        raise AppFailed(
            f"a reply to '{message.type}' with metrics that the job doesn't list beside"
            f" '{spec.weighted_by}'"
        )
    return sums


def _read(reply: object) -> Reply:
    try:
        return Reply.model_validate(reply)
    except ValidationError:
        raise AppFailed("a reply that isn't names, shapes and metrics") from None


def _weight(spec: Spec, facts: Facts, message: Message, values: dict[str, Any]) -> float:
    """Take the weight out of the metrics."""
    key = spec.weighted_by
    weight = values.pop(key, 1 if message.type.startswith("query") else None)
    if weight is None:
        raise AppFailed(f"a reply to '{message.type}' without its weight '{key}'")
    if isinstance(weight, list) or not 0 < weight <= facts.max_rows or math.isnan(weight):
        raise AppFailed(f"a weight '{key}' that isn't above 0 and at most {facts.max_rows} rows")
    return float(weight)


def _arrays(spec: Spec, message: Message, reply: Reply, numbers: Floats) -> Floats:
    expected = [] if message.arrays is None else message.arrays.items
    found = dict(reply.arrays or [])
    if set(found) - {name for name, _, _ in expected} or len(reply.arrays or []) != len(found):
        raise AppFailed("an update with more arrays than the model has")
    for name, _, shape in expected:
        if name not in found:
            raise AppFailed(f"an update without the array '{name}'")
        if found[name] != shape:
            raise AppFailed(f"an update whose array '{name}' hasn't the model's shape")
    if len(numbers) != message.size:
        raise AppFailed("an update of another length than its shapes say")
    if not np.isfinite(numbers).all():
        raise AppFailed("an update with NaN or infinity in it")
    if np.abs(numbers).max(initial=0) > spec.bound:
        what = f"an update with an entry beyond the job's bound {spec.bound:g}"
        raise AppFailed(what, remedy="Give the job a larger bound, or the app smaller updates.")
    return _in_order(reply.arrays or [], [name for name, _, _ in expected], numbers)


def _in_order(found: list[tuple[str, list[int]]], names: list[str], numbers: Floats) -> Floats:
    """Put the arrays of a reply into the order of the message's."""
    ends = np.cumsum([math.prod(shape) for _, shape in found], dtype=np.int64)
    parts = dict(zip((name for name, _ in found), np.split(numbers, ends[:-1]), strict=True))
    return np.concatenate([np.zeros(0), *(parts[name] for name in names)])


def _metric(name: str, metric: Metric, value: Any) -> Floats:
    length = len(value) if isinstance(value, list) else None
    if length != metric.length:
        raise AppFailed(f"a metric '{name}' of another length than the job says")
    try:
        numbers: Floats = np.asarray(value, np.float64)
    except OverflowError:
        numbers = np.full((), np.inf)
    if not np.isfinite(numbers).all():
        raise AppFailed(f"a metric '{name}' that is NaN or infinite")
    if np.abs(numbers).max(initial=0) > metric.bound:
        what = f"a metric '{name}' beyond the job's bound {metric.bound:g}"
        raise AppFailed(what, remedy="Give this metric a larger bound in the job.")
    return numbers
