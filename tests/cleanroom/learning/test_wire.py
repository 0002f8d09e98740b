import numpy as np
import pytest

from cleanroom.errors import MessageInvalid
from cleanroom.learning.step import Block, Step
from cleanroom.learning.wire import from_bytes, to_bytes

STEP = Step(
    "gradient",
    (Block("sum", (2, 3), 10.0), Block("n", (), 100.0)),
    {"weights": np.array([[1.5, -2.0]]), "nothing": np.zeros(0)},
    {"rate": 0.1, "kind": "logistic"},
    round=7,
)


def test_a_step_comes_back_as_it_went() -> None:
    back = from_bytes(to_bytes(STEP), 7)
    assert (back.name, back.answer, back.round) == (STEP.name, STEP.answer, 7)
    assert back.options == STEP.options
    assert back.numbers["weights"].tolist() == [[1.5, -2.0]]
    assert back.numbers["nothing"].shape == (0,)


def test_report_and_checkpoint_stay_with_the_recipient() -> None:
    told = Step("a", (), report={"loss": 1.0}, checkpoint={"weights": np.ones(3)})
    assert to_bytes(told) == to_bytes(Step("a", ()))


@pytest.mark.parametrize(
    "spoilt",
    [
        b"",
        b"\xff\xff\xff\xff",
        to_bytes(STEP)[:-1],
        to_bytes(STEP) + b"\0",
        to_bytes(STEP).replace(b"[2,3]", b"[2,-]"),
        to_bytes(STEP).replace(b"10.0", b"-9.0"),
        to_bytes(STEP).replace(b"round", b"bound"),
    ],
)
def test_anything_else_is_refused(spoilt: bytes) -> None:
    with pytest.raises(MessageInvalid):
        from_bytes(spoilt, 7)


def test_an_answer_larger_than_the_plan_allows_is_refused() -> None:
    with pytest.raises(MessageInvalid, match="more than 6 numbers"):
        from_bytes(to_bytes(STEP), 6)


@pytest.mark.parametrize(
    "shape", [b"[0,9999999999999999999999]", b"[0,1099511627776,1099511627776]"]
)
def test_an_empty_array_of_an_impossible_shape_is_refused(shape: bytes) -> None:
    spoilt = to_bytes(STEP).replace(b"[0]", shape)
    length = int.from_bytes(spoilt[:4], "little") + len(shape) - len(b"[0]")
    with pytest.raises(MessageInvalid, match="too long an axis"):
        from_bytes(length.to_bytes(4, "little") + spoilt[4:], 7)
