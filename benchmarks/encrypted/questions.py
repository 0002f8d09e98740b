"""Secret filters over a public domain, and rows scored under a secret model."""

import secrets

import numpy as np

from benchmarks.encrypted import by_hand
from benchmarks.encrypted.measured import Sides, measure
from benchmarks.encrypted.rows import Owner, owners
from benchmarks.measure import Asked, Line, line, timed
from protocols.he.bfv import Sum
from protocols.he.blind import distance_bits
from protocols.he.integers import I64
from protocols.he.parameters import FILTER, SCORE
from protocols.he.private_filter import Asking, answer
from protocols.he.score import Model, Scoring, fixed_point, score

BINDING = "contract|plan|session"
COLUMNS = 10
BITS = 20  # of fraction, of values and of weights
_SEED = 20240229


def private_filter(asked: Asked) -> Line:
    """Count the rows of three owners that a secret selector over `rows` values picks.

    The limit is the same product by TenSEAL by hand, which isn't blind.
    """
    selector = np.random.default_rng(_SEED).integers(0, 2, asked.rows)
    three = owners(3, 10**5, asked.rows)
    histograms = [np.bincount(owner.groups, minlength=asked.rows) for owner in three]
    plaintext_s, wanted = timed(
        lambda: int(sum(selector @ histogram for histogram in histograms)), asked.runs
    )
    by_hand_s, other = timed(lambda: by_hand.filter_by_hand(selector, histograms), asked.runs)
    names = [owner.name for owner in three]
    runs = measure(lambda sides: ask(selector, histograms, three, sides), asked.runs, names)
    (found,) = runs.measured.results
    side = runs.seconds
    one_owner_s = side["question"] + side[names[0]] + side["coordinator"] + side["result"]
    correct = found == wanted == other
    figures = line(asked, runs.measured, plaintext_s, by_hand_s, correct=correct)
    return {
        **figures,
        "one_owner_seconds": one_owner_s,
        "seconds_by_side": side,
        "request_bytes": runs.n_bytes["question"],
        "reply_bytes": runs.n_bytes["result"],
        "distance_bits": distance_bits(FILTER, 1),
    }


def ask(selector: I64, histograms: list[I64], three: list[Owner], sides: Sides) -> int:
    """Run all sides of one question with one histogram."""
    asking = Asking(selector, 1, (10**5,), secrets.token_bytes(32))
    question = asking.question
    sides.end("question", sum(map(len, question.parts)))
    total = Sum(question.parameters)
    for owner, histogram in zip(three, histograms, strict=True):
        coins = secrets.token_bytes(32)
        (sent,) = answer(question, [histogram], owner.name, owner.secrets, BINDING, coins)
        sides.end(owner.name, len(sent))
        total.add(sent)
        sides.end("coordinator")
    summed = total.result()
    sides.end("coordinator", len(summed))
    (found,) = asking.results([summed], [owner.name for owner in three], BINDING)
    sides.end("result", len(summed))
    return found


def scores(asked: Asked) -> Line:
    """Score `rows` rows of ten columns.

    The limit is the same in CKKS by TenSEAL by hand, which isn't blind.
    """
    rng = np.random.default_rng(_SEED)
    features, weights = rng.normal(size=(asked.rows, COLUMNS)), rng.normal(size=COLUMNS)
    plaintext_s, wanted = timed(lambda: features @ weights + 0.5, asked.runs)
    by_hand_s, other = timed(
        lambda: by_hand.scores_by_hand(features, weights.tolist(), 0.5), asked.runs
    )
    columns, model = fixed_point(features, BITS), _model(weights)
    runs = measure(lambda sides: scored(columns, model, sides), asked.runs, ("rows", "model", ""))
    (found,) = runs.measured.results
    exact = columns @ np.array(model.weights) + model.intercept
    correct = bool((found == exact).all())
    figures = line(asked, runs.measured, plaintext_s, by_hand_s, correct=correct)
    return {
        **figures,
        "seconds_by_side": runs.seconds,
        "error": float(np.abs(found / 2.0 ** (2 * BITS) - wanted).max()),
        "ckks_error": float(np.abs(other - wanted).max()),
        "bytes_a_value": runs.n_bytes["rows"] / columns.size,
        "distance_bits": distance_bits(SCORE, SCORE.degree),
    }


def _model(weights: np.ndarray) -> Model:
    intercept = fixed_point(np.array([0.5]), 2 * BITS)
    return Model(tuple(fixed_point(weights, BITS).tolist()), int(intercept[0]))


def scored(columns: I64, model: Model, sides: Sides) -> I64:
    """Run both sides, block by block."""
    scoring = Scoring(columns, [1 << (BITS + 3)] * columns.shape[1])
    answers = []
    for block in scoring.blocks():
        sides.end("rows", sum(map(len, block.parts)))
        answers.append(score(block, model, BINDING, secrets.token_bytes(32)))
        sides.end("model", len(answers[-1]))
    found = scoring.scores(answers, BINDING)
    sides.end("rows")
    return found
