"""Gradient boosted trees of owners in this process, beside the same learner on the pooled rows.

Rule: the owners' work and the recipient's, with sums in the fixed point of secure aggregation;
`masked_seconds` has its masks too. Transport is measured elsewhere.
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
from benchmarks.secure_sums import session
from cleanroom.learning import pooled, trees
from cleanroom.learning.answers import n_words, sums_of, words_of
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.step import Step, Sums
from protocols.rounds import U64

OWNERS, FEATURES, TREES = 3, 20, 100
_REACH = 8.0
_NAMES = tuple(f"m{i:03d}" for i in range(OWNERS))


class Words:
    """Sums in fixed point; counts steps and an owner's bytes."""

    def __init__(self) -> None:
        self.steps, self.words = 0, 0

    def __call__(self, step: Step, answers: Sequence[Sums]) -> Sums:
        self.steps += 1
        self.words += n_words(step)
        words = [words_of(step, answer, len(answers)) for answer in answers]
        return sums_of(step, self.added(words), len(answers), _NAMES)

    def added(self, words: Sequence[U64]) -> U64:
        return np.sum(words, axis=0, dtype=np.uint64)


class Masked(Words):
    """The same under the masks of secure aggregation."""

    def __init__(self) -> None:
        super().__init__()
        self._session = session({name: np.zeros(0) for name in _NAMES}, OWNERS)

    def added(self, words: Sequence[U64]) -> U64:
        mine = dict(zip(_NAMES, words, strict=True))
        trips = self._session.server.round(b"", len(words[0]))
        try:
            sent = next(trips)
            while True:
                replies = {name: self._reply(name, sent[name], mine[name]) for name in sent}
                sent = trips.send(replies)
        except StopIteration as end:
            total: U64 = end.value.words
            return total

    def _reply(self, name: str, message: bytes, words: U64) -> bytes:
        return self._session.members[name].reply(message, lambda _: words)


def train_gbdt(asked: Asked) -> Line:
    """Grow 100 trees of 6 levels on `rows` rows of 20 features at three owners."""
    return grow(asked, TREES)


def grow(asked: Asked, n_trees: int) -> Line:
    """Grow trees, three times: pooled, in fixed point, and under masks."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    x, y = _rows(2 * asked.rows)
    (x, held), (y, truth) = np.split(x, 2), np.split(y, 2)
    owned = [_own(*part) for part in zip(np.array_split(x, 3), np.array_split(y, 3), strict=True)]
    _fit(owned, asked.rows, Words(), 1)  # compiles
    plaintext_s, alone = timed(
        lambda: _fit([_own(x, y)], asked.rows, pooled.summed, n_trees), asked.runs
    )
    theirs = HistGradientBoostingClassifier(max_iter=n_trees, early_stopping=False)
    sklearn_s, _ = timed(lambda: theirs.fit(x, y), asked.runs)
    masked_s, _ = timed(lambda: _fit(owned, asked.rows, Masked(), n_trees), 1)
    reset_peak_memory()
    started, seconds = time.process_time(), []
    for _ in range(asked.runs):
        adding, began = Words(), time.perf_counter()
        model = _fit(owned, asked.rows, adding, n_trees)
        seconds.append(time.perf_counter() - began)
    cpu_s = (time.process_time() - started) / asked.runs
    sent, peak = 8 * adding.words, peak_memory_bytes()
    measured = Measured(
        tuple(seconds), cpu_s, (sent, sent, sent), adding.steps, peak, peak, (model,)
    )
    correct = model.forest.nodes.tobytes() == alone.forest.nodes.tobytes()
    auc = float(roc_auc_score(truth, model.predict(_own(held, truth).features)))
    sklearn_auc = float(roc_auc_score(truth, theirs.predict_proba(held)[:, 1]))
    return {
        **line(asked, measured, plaintext_s, plaintext_s, correct=correct),
        "masked_seconds": masked_s,
        "sklearn_seconds": sklearn_s,
        "auc": auc,
        "sklearn_auc": sklearn_auc,
    }


def _fit(owned: Sequence[Rows], rows: int, add_up: pooled.Summed, n_trees: int) -> trees.Model:
    columns = tuple(Column(f"x{i}", "number", -_REACH, _REACH) for i in range(FEATURES))
    facts = Facts(columns, Column("y", "number", 0, 1), len(owned), 3 * rows // len(owned))
    spec = trees.Spec(trees=n_trees)
    owners = [trees.owner(spec, facts, one) for one in owned]
    return pooled.run(trees.train(spec, facts), owners, add_up)


def _own(x: Floats, y: Floats) -> Rows:
    return Rows({f"x{i}": np.ascontiguousarray(x[:, i]) for i in range(FEATURES)}, y)


def _rows(n: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(7)
    x = np.clip(rng.normal(size=(n, FEATURES)), -_REACH, _REACH)
    bent = (
        np.sin(2 * x[:, 0])
        + x[:, 1] * x[:, 2]
        + np.abs(x[:, 3])
        + x[:, 4:] @ rng.normal(0, 0.3, FEATURES - 4)
    )
    return x, (rng.random(n) < 1 / (1 + np.exp(1 - 2 * bent))).astype(float)


IN_PROCESS = {"train_gbdt": train_gbdt}
SIZES = {"train_gbdt": (100_000,)}
