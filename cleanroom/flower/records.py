"""Flower's records to and from headers and float64; runs where the app runs.

Rule: Flower's types end here; what leaves is plain. A dtype travels in the header, the numbers as
float64, which holds every float32 and every integer below 2^53 exactly.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, MetricRecord, RecordDict

from cleanroom.learning.facts import Floats


class NotSummable(Exception):
    """Records that a sum over owners can't carry; says why by a word of `failures`."""


def message_parts(content: RecordDict) -> tuple[dict[str, Any], Floats]:
    """Return what a message says beside its kind and nodes, and the numbers of its arrays."""
    if len(content.array_records) > 1:
        raise NotSummable("message records")
    configs = {key: dict(record) for key, record in content.config_records.items()}
    if any(_holds_bytes(value) for record in configs.values() for value in record.values()):
        raise NotSummable("message bytes")
    parts: dict[str, Any] = {
        "arrays": None,
        "configs": configs,
        "metrics": {key: dict(record) for key, record in content.metric_records.items()},
    }
    numbers = np.zeros(0)
    for key, record in content.array_records.items():
        arrays = {name: array.numpy() for name, array in record.items()}
        items = [(name, str(a.dtype), list(a.shape)) for name, a in arrays.items()]
        parts["arrays"] = {"record": key, "items": items}
        numbers = _flat(arrays.values())
    return parts, numbers


def _holds_bytes(value: object) -> bool:
    return any(isinstance(v, bytes) for v in (value if isinstance(value, list) else [value]))


def content_of(header: Mapping[str, Any], numbers: Floats) -> RecordDict:
    """Return the records that a message's header and numbers stand for."""
    content = RecordDict()
    if header["arrays"] is not None:
        items = header["arrays"]["items"]
        content[header["arrays"]["record"]] = array_record(items, numbers)
    for key, config in header["configs"].items():
        content[key] = ConfigRecord(config)
    for key, metrics in header["metrics"].items():
        content[key] = MetricRecord(metrics)
    return content


def array_record(items: Iterable[tuple[str, str, list[int]]], numbers: Floats) -> ArrayRecord:
    """Cut numbers into named arrays of their dtypes and shapes."""
    record, start = ArrayRecord(), 0
    for name, dtype, shape in items:
        size = int(np.prod(shape, dtype=np.int64))
        cut = numbers[start : start + size].reshape(shape)
        record[name] = Array(cut.astype(dtype, order="C"))
        start += size
    return record


def reply_parts(content: RecordDict) -> tuple[dict[str, Any], Floats]:
    """Return what a reply holds: names and shapes, its metrics, and the numbers of its arrays."""
    if len(content.array_records) > 1 or len(content.metric_records) > 1:
        raise NotSummable("records")
    if content.config_records:
        raise NotSummable("config")
    parts: dict[str, Any] = {"arrays": None, "metrics": {}}
    numbers = np.zeros(0)
    for record in content.array_records.values():
        arrays = {name: array.numpy() for name, array in record.items()}
        parts["arrays"] = [(name, list(array.shape)) for name, array in arrays.items()]
        numbers = _flat(arrays.values())
    for metrics in content.metric_records.values():
        parts["metrics"] = dict(metrics)
    return parts, numbers


def _flat(arrays: Iterable[np.ndarray[Any, Any]]) -> Floats:
    """Put arrays behind each other as float64."""
    parts = [np.asarray(array) for array in arrays]
    if any(part.dtype.kind not in "fiub" for part in parts):
        raise NotSummable("dtype")
    return np.concatenate([np.zeros(0), *(part.astype(np.float64).ravel() for part in parts)])
