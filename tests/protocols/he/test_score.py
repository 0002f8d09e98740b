"""Scores under a secret model: those of the plain model, for the rows' owner alone."""

import dataclasses
import math

import numpy as np
import pytest

from protocols.he.bfv import KeyUsed, SecretKey
from protocols.he.integers import SumOutOfRange
from protocols.he.parameters import FILTER, SCORE
from protocols.he.scheme import CiphertextRefused, VectorRefused, modulus_of
from protocols.he.score import (
    BLOCK,
    MAX_COLUMNS,
    Model,
    Scoring,
    fixed_point,
    logistic,
    rounded,
    score,
)

BINDING = "contract|plan|session"
HALF = (modulus_of(SCORE) - 1) // 2


def coins(number=0):
    return (5000 + number).to_bytes(32, "big")


def answers(scoring, model, binding=BINDING):
    return [score(block, model, binding, coins(block.index)) for block in scoring.blocks()]


def small():
    return Scoring(np.array([[1, 2], [3, -4], [0, 5]]), (3, 5))


@pytest.mark.parametrize("n", [1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_scores_are_those_of_the_plain_model(n):
    rng = np.random.default_rng(n)
    columns = rng.integers(-(2**20), 2**20, (n, 3))
    model = Model((2**25, -(2**30) + 1, 12345), -(2**50))
    scoring = Scoring(columns, (2**20,) * 3)
    found = scoring.scores(answers(scoring, model), BINDING)
    assert found.tolist() == [
        sum(w * int(x) for w, x in zip(model.weights, row, strict=True)) + model.intercept
        for row in columns
    ]


def test_rows_that_were_not_stated_are_not_scored():
    rows, t = np.arange(1, 401).reshape(200, 2), modulus_of(SCORE)
    scoring = Scoring(rows, (400, 400))
    (block,) = scoring.blocks()
    answer = score(dataclasses.replace(block, n=3), Model((5, 7), 1), BINDING, coins())
    words = scoring._key.decrypt([answer])
    plain = 5 * rows[:, 0] + 7 * rows[:, 1]
    assert words[:3].tolist() == (plain[:3] + 1).tolist()
    assert not (words[3:200] == plain[3:]).any()
    counts = np.bincount((words[3:BLOCK] // np.uint64(t // 32)).astype(int), minlength=32)
    expected = (BLOCK - 3) / 32
    assert 8 < ((counts - expected) ** 2 / expected).sum() < 75  # 31 degrees of freedom


def test_real_models_score_to_the_declared_precision():
    rng = np.random.default_rng(3)
    features, weights = rng.normal(size=(200, 8)), rng.normal(size=8)
    columns = fixed_point(features, 20)
    model = Model(
        tuple(fixed_point(weights, 20).tolist()), int(fixed_point(np.array([0.3]), 40)[0])
    )
    scoring = Scoring(columns, [int(abs(column).max()) for column in columns.T])
    found = rounded(scoring.scores(answers(scoring, model), BINDING), 40, 3)
    plain = [
        1 / (1 + math.exp(-sum(w * x for w, x in zip(weights, row, strict=True)) - 0.3))
        for row in features
    ]
    np.testing.assert_allclose(logistic(found), plain, atol=0.0003)


@pytest.mark.parametrize("score_", [HALF, -HALF])
def test_scores_up_to_half_the_modulus_are_exact(score_):
    sign = 1 if score_ > 0 else -1
    scoring = Scoring(np.array([[1, -1], [-1, 1]]), (1, 1))
    model = Model((sign * (HALF - 10), -sign * 3), sign * 7)
    assert scoring.scores(answers(scoring, model), BINDING)[0] == score_


@pytest.mark.parametrize(
    "model", [Model((HALF, 1)), Model((0, 0), -HALF - 1), Model((-(2**60), 0))]
)
def test_models_whose_scores_may_not_be_exact_are_refused(model):
    scoring = Scoring(np.array([[1, 1]]), (1, 1))
    with pytest.raises(SumOutOfRange, match=f"{HALF} is the most"):
        answers(scoring, model)


@pytest.mark.parametrize("weights", [(0, 0), (0, 7), (1, -1)])
def test_models_with_zeros_and_signs(weights):
    scoring = small()
    found = scoring.scores(answers(scoring, Model(weights, 2)), BINDING)
    assert found.tolist() == [
        weights[0] * a + weights[1] * b + 2 for a, b in ((1, 2), (3, -4), (0, 5))
    ]


def test_an_answer_has_one_size_whatever_the_model():
    sizes = {
        len(score(next(small().blocks()), Model(weights), BINDING, coins())) // 2000
        for weights in ((0, 0), (1, 0), (2**40, -(2**40)))
    }
    assert len(sizes) <= 2


@pytest.mark.parametrize(
    ("columns", "bounds", "refusal"),
    [
        (np.array([[0.5]]), (1,), VectorRefused),
        (np.array([[np.nan]]), (1,), VectorRefused),
        (np.array([1, 2]), (2,), VectorRefused),
        (np.array([[1, 2]]), (2,), VectorRefused),
        (np.zeros((0, 1), dtype=np.int64), (1,), VectorRefused),
        (np.zeros((3, 0), dtype=np.int64), (), VectorRefused),
        (np.zeros((1, MAX_COLUMNS + 1), dtype=np.int64), (1,) * (MAX_COLUMNS + 1), VectorRefused),
        (np.array([[5, -6]]), (5, 5), SumOutOfRange),
    ],
    ids=["float", "NaN", "one axis", "bounds", "no rows", "no columns", "columns", "beyond"],
)
def test_what_are_no_columns_is_refused(columns, bounds, refusal):
    with pytest.raises(refusal):
        Scoring(columns, bounds)


@pytest.mark.parametrize(
    "change",
    [
        {"n": 0},
        {"n": BLOCK + 1},
        {"bounds": (3,)},
        {"bounds": (3, 0)},
        {"bounds": (), "parts": ()},
        {"parts": (b"", b"")},
        {"parts": (bytes(SCORE.max_bytes),) * 2},
        {"parts": (next(SecretKey(FILTER).encrypt(np.arange(4, dtype=np.uint64))),) * 2},
    ],
    ids=["no rows", "rows", "bounds", "no bound", "nothing", "empty", "bytes", "of a filter"],
)
def test_what_is_no_block_is_refused(change):
    block = dataclasses.replace(next(small().blocks()), **change)
    with pytest.raises(CiphertextRefused):
        score(block, Model((1, 1)), BINDING, coins())


def test_a_model_is_not_shown():
    assert repr(Model((17, 4), 99)) == "Model()"


def test_a_model_of_other_columns_is_refused():
    with pytest.raises(VectorRefused, match="3 weights for 2 columns"):
        answers(small(), Model((1, 2, 3)))


def two_blocks():
    return Scoring(np.arange(2 * BLOCK).reshape(-1, 1), (2 * BLOCK,))


@pytest.mark.parametrize("change", [lambda sent: sent[::-1], lambda sent: [sent[0]] * 2])
def test_answers_for_other_blocks_are_refused(change):
    scoring = two_blocks()
    with pytest.raises(CiphertextRefused, match="not for this block and binding"):
        scoring.scores(change(answers(scoring, Model((3,)))), BINDING)


def test_an_answer_for_another_session_is_refused():
    scoring = small()
    sent = answers(scoring, Model((1, 1)), "contract|plan|other session")
    with pytest.raises(CiphertextRefused, match="not for this block and binding"):
        scoring.scores(sent, BINDING)


def test_an_answer_under_another_key_is_refused():
    scoring, other = small(), small()
    list(scoring.blocks())
    with pytest.raises(CiphertextRefused, match="another key"):
        scoring.scores(answers(other, Model((1, 1))), BINDING)


def test_scores_are_opened_once_and_whole():
    scoring = two_blocks()
    sent = answers(scoring, Model((3,)))
    with pytest.raises(CiphertextRefused, match="1 answers for 2 blocks"):
        scoring.scores(sent[:1], BINDING)
    assert scoring.scores(sent, BINDING)[5] == 15
    with pytest.raises(KeyUsed):
        scoring.scores(sent, BINDING)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 2.0**43])
def test_values_that_are_no_fixed_point_are_refused(value):
    with pytest.raises(VectorRefused):
        fixed_point(np.array([1.0, value]), 20)


def test_fixed_point_rounds_to_the_nearest_unit():
    assert fixed_point(np.array([1.26, -1.26, 0.0]), 2).tolist() == [5, -5, 0]
    assert rounded(np.array([5, -5]), 2, 1).tolist() == [1.2, -1.2]


def test_the_logistic_function_does_not_overflow():
    assert logistic(np.array([-2000.0, 0.0, 2000.0])).tolist() == [0.0, 0.5, 1.0]
