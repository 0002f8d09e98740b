"""Trainings whose owners are objects of this process, beside scikit-learn on the pooled rows.

Rule: the owners' work and the recipient's, with sums in the fixed point of secure aggregation;
masks and transport are measured elsewhere.
"""

import time
from collections.abc import Sequence

import numpy as np

from benchmarks.measure import (
    Asked,
    Line,
    Measured,
    line,
    peak_memory_bytes,
    reset_peak_memory,
    timed,
)
from cleanroom.learning import logistic, pooled
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.linear_model import LinearModel
from cleanroom.learning.step import Step, Sums

OWNERS, FEATURES = 3, 20
_SAME = 1e-6
_REACH = 8.0


class Adding:
    """Sums in fixed point; counts steps and an owner's bytes."""

    def __init__(self) -> None:
        self.steps, self.words = 0, 0

    def __call__(self, step: Step, answers: Sequence[Sums]) -> Sums:
        self.steps += 1
        self.words += sum(block.size for block in step.answer)
        found = {}
        for block in step.answer:
            scale = 2.0**62 / (block.bound * len(answers))
            words = [np.rint(np.asarray(a[block.name]) * scale).astype(np.int64) for a in answers]
            found[block.name] = np.sum(words, axis=0) / scale
        return found


def train_glm(asked: Asked) -> Line:
    """Fit a logistic regression on `rows` rows of 20 features at three owners, to convergence."""
    from sklearn.linear_model import LogisticRegression

    x, y = _rows(asked.rows)
    target = Column("y", "number", 0.0, 1.0)
    columns = tuple(Column(f"x{i}", "number", -_REACH, _REACH) for i in range(FEATURES))
    facts = Facts(columns, target, OWNERS, asked.rows)
    owned = [
        Rows({f"x{i}": np.ascontiguousarray(part[:, i]) for i in range(FEATURES)}, own)
        for part, own in zip(np.array_split(x, OWNERS), np.array_split(y, OWNERS), strict=True)
    ]
    plaintext_s, _ = timed(lambda: LogisticRegression(C=np.inf).fit(x, y), asked.runs)
    limit_s, exact = timed(lambda: _by_hand(x, y), asked.runs)
    adding = Adding()
    reset_peak_memory()
    started, seconds = time.process_time(), []
    for _ in range(asked.runs):
        adding, began = Adding(), time.perf_counter()
        model = _fit(facts, owned, adding)
        seconds.append(time.perf_counter() - began)
    cpu_s = (time.process_time() - started) / asked.runs
    sent, peak = 8 * adding.words, peak_memory_bytes()
    measured = Measured(
        tuple(seconds), cpu_s, (sent, sent, sent), adding.steps, peak, peak, (model,)
    )
    found = np.array([one.value for one in model.table()])
    correct = bool(np.allclose(found, exact, rtol=_SAME, atol=_SAME * np.abs(exact).max()))
    return line(asked, measured, plaintext_s, limit_s, correct=correct)


def _fit(facts: Facts, owned: Sequence[Rows], adding: Adding) -> LinearModel:
    spec = logistic.Spec()
    owners = [logistic.owner(spec, facts, rows) for rows in owned]
    return pooled.run(logistic.train(spec, facts), owners, adding)


def _rows(n: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(7)
    x = np.clip(rng.normal(size=(n, FEATURES)), -_REACH, _REACH)
    chance = 1 / (1 + np.exp(0.5 - x @ rng.normal(0, 0.4, FEATURES)))
    return x, (rng.random(n) < chance).astype(float)


def _by_hand(x: Floats, y: Floats) -> Floats:
    """Return the same fit by Newton's method on the pooled rows, in seven lines."""
    ones = np.column_stack([np.ones(len(x)), x])
    beta = np.zeros(1 + x.shape[1])
    for _ in range(20):
        mean = 1 / (1 + np.exp(-(ones @ beta)))
        curvature = (ones * (mean * (1 - mean))[:, None]).T @ ones
        move = np.linalg.solve(curvature, ones.T @ (y - mean))
        beta += move
        if np.abs(move).max() < _SAME / 100:
            break
    return beta


IN_PROCESS = {"train_glm": train_glm}
SIZES = {"train_glm": (1_000_000,)}
