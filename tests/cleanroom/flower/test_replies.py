"""A reply becomes a summand, or is refused as a whole."""

from collections.abc import Mapping
from typing import Any

import flower_app
import numpy as np
import pytest

from cleanroom.errors import AppFailed
from cleanroom.flower.frames import Frame
from cleanroom.flower.message import Layout, Message
from cleanroom.flower.replies import summand

SPEC = flower_app.spec(bound=5.0)
ITEMS = [("w", "float64", [2, 1]), ("b", "float32", [1])]
TRAIN = Message(type="train", nodes=[1, 2, 3], arrays=Layout(record="arrays", items=ITEMS))
QUERY = Message(type="query", nodes=[1, 2, 3])
GOOD = {"num-examples": 10, "loss": 0.5, "seen": 1}
SHAPES = [("w", [2, 1]), ("b", [1])]


def answer(
    arrays: Any = SHAPES, numbers: Any = (1.0, 2.0, 3.0), message: Message = TRAIN, **metrics: Any
) -> Mapping[str, Any]:
    names = {key.replace("_", "-"): value for key, value in metrics.items()}
    whole = {**GOOD, **names} if message is TRAIN else names
    kept = {key: value for key, value in whole.items() if value is not None}
    reply = {"reply": {"arrays": arrays, "metrics": kept}}
    return summand(SPEC, flower_app.FACTS, message, Frame(reply, np.array(numbers, float)))


def test_everything_is_multiplied_by_the_weight() -> None:
    sums = {name: value.tolist() for name, value in answer().items()}
    assert sums == {"weight": 10, "arrays": [10, 20, 30], "metric.loss": 5, "metric.seen": 10}


def test_arrays_are_put_into_the_order_of_the_message() -> None:
    assert answer(SHAPES[::-1], (3.0, 1.0, 2.0))["arrays"].tolist() == [10, 20, 30]


def test_a_query_without_a_weight_weighs_one() -> None:
    counted = answer(None, (), QUERY, counts=[4, 2])
    assert (counted["weight"], counted["metric.counts"].tolist()) == (1, [4, 2])
    assert answer(None, (), QUERY, counts=[4, 2], num_examples=2)["weight"] == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"numbers": (1, np.nan, 2)}, "NaN or infinity"),
        ({"numbers": (1, np.inf, 2)}, "NaN or infinity"),
        ({"numbers": (1, -5.1, 2)}, "beyond the job's bound 5"),
        ({"numbers": (1, 2)}, "another length"),
        ({"arrays": [("w", [1, 2]), ("b", [1])]}, "'w' hasn't the model's shape"),
        ({"arrays": SHAPES[:1], "numbers": (1, 2)}, "without the array 'b'"),
        ({"arrays": [*SHAPES, ("extra", [1])], "numbers": (1, 2, 3, 4)}, "more arrays than"),
        ({"arrays": [*SHAPES, ("b", [1])], "numbers": (1, 2, 3, 4)}, "more arrays than"),
        ({"arrays": None, "numbers": ()}, "without the array 'w'"),
        ({"arrays": [("w", [-2, 1])]}, "isn't names, shapes and metrics"),
        ({"num_examples": 0}, "'num-examples' that isn't above 0"),
        ({"num_examples": -1}, "at most 1000 rows"),
        ({"num_examples": 10**12}, "at most 1000 rows"),
        ({"num_examples": float("nan")}, "at most 1000 rows"),
        ({"num_examples": [1]}, "at most 1000 rows"),
        ({"num_examples": None}, "without its weight"),
        ({"num_examples": "10"}, "isn't names, shapes and metrics"),
        ({"loss": None}, "without the job's metric 'loss'"),
        ({"loss": float("nan")}, "'loss' that is NaN"),
        ({"loss": 51.0}, "'loss' beyond the job's bound 50"),
        ({"loss": 10**400}, "'loss' that is NaN or infinite"),
        ({"loss": [0.5]}, "'loss' of another length"),
        ({"patient-name": 1.0}, "metrics that the job doesn't list"),
        ({"message": QUERY, "counts": [1, 2]}, "with arrays, which only training sends"),
    ],
)
def test_it_is_refused_by_name(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(AppFailed, match=said) as caught:
        answer(**changes)
    assert "patient" not in str(caught.value)
    assert ("larger bound" in caught.value.remedy) == ("beyond the job's bound" in said)
