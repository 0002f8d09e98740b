"""What leaves an owner of a private training: bounded whatever its rows are, and noisy enough."""

import math
from dataclasses import replace
from fractions import Fraction

import dp_accounting
import numpy as np
import pytest
from dp_accounting import rdp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from cleanroom.budget.zcdp import UNITS
from cleanroom.learning.errors import StepRefused, TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats
from cleanroom.learning.private.clipping import clipped, kept_rows
from cleanroom.learning.private.owner import private
from cleanroom.learning.private.spec import DpSpec, Question, card, question, total_rho
from cleanroom.learning.step import Block, Step
from protocols.dp.words import Words
from protocols.secagg.fixed_point import FixedPoint

DP = DpSpec(epsilon=1.0, delta=1e-6, clip=2.0)
FACTS = Facts((Column("x", "number", -1.0, 1.0),), None, 5, 1000)
WIDE = 20_000
ODD = st.sampled_from([0.0, 1e-320, 1.0, -3.5, 1e308, math.inf, -math.inf, math.nan])


class Fixed:
    """Rows whose vectors are given."""

    def __init__(self, vectors: Floats) -> None:
        self.vectors = vectors

    def __len__(self) -> int:
        return len(self.vectors)

    def per_row(self, step: Step, at: NDArray[np.intp]) -> Floats:
        return self.vectors[at]


def asked(dp: DpSpec = DP, dimension: int = WIDE, times: int = 10) -> Question:
    return question(dp, FACTS, "ask", dp.clip, dp.rho, dimension, times)


def answers(one: Question, vectors: list[Floats], dp: DpSpec = DP) -> list[Floats]:
    """Return what an owner with each of these vectors answers."""
    step = Step("ask", (one.block,))
    return [
        np.asarray(private(Fixed(v), dp, {"ask": one}, None, words(i)).answer(step)["sum"])
        for i, v in enumerate(vectors)
    ]


def words(i: int) -> Words:
    return Words(bytes([i] * 32))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(ODD | st.floats(), min_size=3, max_size=3), max_size=5), st.data())
def test_no_row_is_longer_than_the_clip(rows: list[list[float]], data: st.DataObject) -> None:
    clip = data.draw(st.floats(1e-6, 1e6))
    bits = data.draw(st.integers(8, 20))
    grid = clipped(np.array(rows, float).reshape(-1, 3), clip, bits)
    assert (np.einsum("ij,ij->i", grid, grid) <= 1 << (2 * bits)).all()
    for row, found in zip(rows, grid, strict=True):
        if not all(map(math.isfinite, row)):
            assert not found.any()
        elif math.hypot(*row) < clip:
            np.testing.assert_allclose(found, np.array(row) / clip * 2**bits, atol=1.001)


def test_directions_stay_when_vectors_are_shortened() -> None:
    vectors = np.random.default_rng(3).normal(size=(50, 30)) * 10
    grid = clipped(vectors, 1.0, 20) / 2.0**20
    shortened = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(grid, shortened, atol=2e-6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=40), st.integers(1, 4))
def test_each_person_keeps_its_first_rows(persons: list[int], most: int) -> None:
    kept = kept_rows(np.array(persons, int), len(persons), most)
    wanted = [i for i, one in enumerate(persons) if persons[:i].count(one) < most]
    assert kept.tolist() == wanted


def test_the_sum_has_the_promised_noise_end_to_end() -> None:
    """Through a secure sum's words: two of five owners' shares suffice; half of it is noticed."""
    one = asked()
    vectors = [np.zeros((3, WIDE)), *[np.zeros((0, WIDE))] * 4]
    given = answers(one, vectors)
    code = FixedPoint(one.block.bound, FACTS.owners)
    total = code.decode(np.sum([code.encode(v) for v in given], axis=0, dtype=np.uint64))
    np.testing.assert_array_equal(total, np.sum(given, axis=0))
    needed = 1 / (2 * float(DP.rho) / 10)  # of the variance, in clips, for sensitivity 1
    assert np.sum(given[:2], axis=0).var() == pytest.approx(needed, rel=0.05)
    assert total.var() == pytest.approx(2.5 * needed, rel=0.05)
    assert given[0].var() != pytest.approx(needed, rel=0.05)
    assert one.deviation**2 == pytest.approx(DP.clip**2 * needed, rel=1e-4)


def test_without_its_noise_an_answer_is_the_clipped_sum() -> None:
    one = asked(dimension=4)
    vectors = np.array([[3.0, 0, 0, 0], [0, 0.5, 0, 0], [np.nan, 0, 0, 0]])
    with_rows, without = (answers(one, [v])[0] for v in (vectors, vectors[:0]))
    np.testing.assert_allclose(with_rows - without, [1, 0.25, 0, 0], atol=1e-5)


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("owners", [1, 2])
def test_more_rows_of_a_person_need_more_noise(rows: int, owners: int) -> None:
    dp = DP.model_copy(update={"max_rows_per_person": rows, "owners_per_person": owners})
    assert asked(dp).deviation == pytest.approx(rows * owners * asked().deviation, rel=1e-3)


def test_epsilon_is_the_accountant_s_own() -> None:
    """From the noise that a model's card states, for Gaussian noise of that size."""
    first = question(DP, FACTS, "first", 5.0, DP.rho / 4, 70, 1)
    rest = question(DP, FACTS, "rest", DP.clip, DP.rho * 3 / 4, 10, 40)
    told = card(DP, FACTS, {"first": first, "rest": rest})
    accountant = rdp.RdpAccountant(orders=[1 + 2 ** (i / 40) for i in range(-200, 600)])
    for one in (first, rest):
        event = dp_accounting.GaussianDpEvent(one.deviation / one.clip)
        accountant.compose(event, one.times)
    assert float(str(told["epsilon"])) == pytest.approx(accountant.get_epsilon(1e-6), rel=1e-4)
    exact = total_rho({"a": first, "b": rest})
    assert exact <= Fraction(str(told["rho"])) <= min(DP.rho, exact + Fraction(1, UNITS))


def test_an_owner_answers_what_was_paid_for_and_nothing_else() -> None:
    one = asked(dimension=4, times=2)
    owner = private(Fixed(np.zeros((2, 4))), DP, {"ask": one}, None, words(0))
    step = Step("ask", (one.block,))
    for wrong in (
        replace(step, name="other"),
        replace(step, answer=(replace(one.block, bound=2 * one.block.bound),)),
        replace(step, answer=(one.block, Block("more", (1,), 1.0))),
    ):
        fresh = private(Fixed(np.zeros((2, 4))), DP, {"ask": one}, None, words(0))
        with pytest.raises(StepRefused):
            fresh.answer(wrong)
    first, second = owner.answer(step)["sum"], owner.answer(step)["sum"]
    assert not np.array_equal(first, second)
    with pytest.raises(StepRefused, match="more than 2 times"):
        owner.answer(step)


def test_noise_that_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(TrainingImpossible, match="honest"):
        asked(DP.model_copy(update={"honest": 6}))
    for little, times in (({"epsilon": 1e-7, "delta": 1e-9}, 1), ({"epsilon": 1e-5}, 10**15)):
        with pytest.raises(TrainingImpossible, match="no noise"):
            asked(DP.model_copy(update=little), times=times)


@pytest.mark.parametrize(
    "wrong",
    [{"epsilon": e} for e in (0, -1, math.nan, math.inf, 1e9)]
    + [{"delta": d} for d in (0, 1, 1e-3, math.nan)]
    + [{"clip": 0}, {"honest": 0}, {"max_rows_per_person": 0}, {"sampling": 0.1}],
)
def test_privacy_that_means_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        DpSpec.model_validate({"epsilon": 1.0, **wrong})
