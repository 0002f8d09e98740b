"""The case of a training on joined rows: features of two owners, joined and fitted on shares."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.case import Case, random_words
from benchmarks.relations import share
from cleanroom.execution.fitting import fitted
from cleanroom.plan.grouping import Fit, Scaled
from protocols.context import Context
from protocols.rep3.join import join_unique
from protocols.rep3.regression import BITS, L2_BITS
from protocols.rep3.relation import Relation
from protocols.rep3.share import Arith, join_arith
from protocols.rep3.sigmoid import STRETCH_OVER, STRETCH_UNDER
from protocols.rounds import Steps

OWN, ITERATIONS = 10, 30  # features of each of the two owners
_BITS = 21
_REACH = 8.0
_SAME = 0.02
Floats: TypeAlias = NDArray[np.float64]


def train_joined(n: int, rng: np.random.Generator) -> Case:
    """Join n rows with n of unique keys, and fit a logistic regression of 20 features to them."""
    names = [f"x{i}" for i in range(2 * OWN)]
    values = np.clip(rng.normal(size=(n, 2 * OWN)), -_REACH, _REACH * (1 - 2**-20))
    chances = 1 / (1 + np.exp(-values @ rng.normal(size=2 * OWN) / 2))
    whole = np.floor(values / _REACH * 2 ** (_BITS - 1)).astype(np.int64).view(np.uint64)
    pooled = pd.DataFrame(whole, columns=names)
    pooled["y"] = (rng.random(n) < chances).astype(np.uint64)
    pooled["k"] = rng.permutation(np.unique(random_words(rng, n + 64)))[:n]
    left, right = pooled[["k", *names[:OWN]]], pooled[["k", *names[OWN:], "y"]]
    right = right.rename(columns={"k": "j"}).sample(frac=1, random_state=1)
    sides = share(left, ("k",), tuple(names[:OWN])), share(right, ("j",), (*names[OWN:], "y"))
    scaled = tuple(Scaled(name, -(2 ** (_BITS - 1)), _BITS) for name in names)
    fit = Fit("logistic", scaled, Scaled("y", 0, 1), ITERATIONS, 1 << L2_BITS, 1)

    def step(ctx: Context, owned: tuple[Relation, Relation]) -> Steps[list[Arith]]:
        joined = yield from join_unique(ctx.at("join"), *owned, ("k",), ("j",))
        found = yield from fitted(ctx.at("fit"), joined, fit)
        return list(found.values())

    def plaintext() -> Floats:
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler

        rows = left.merge(right, left_on="k", right_on="j")
        features = rows[names].to_numpy().view(np.int64) / 2.0 ** (_BITS - 1)
        scaler = StandardScaler().fit(features)
        model = LogisticRegression().fit(scaler.transform(features), rows["y"])
        slopes: Floats = model.coef_[0] / scaler.scale_
        return slopes

    first, second, third = zip(*sides, strict=True)
    return Case((first, second, third), step, plaintext, _close)


def _close(parts: Sequence[Sequence[Arith]], expected: Floats) -> bool:
    """Compare with scikit-learn's coefficients, which are of features between -1 and 1."""
    words = [int(join_arith(shares)[0]) for shares in zip(*parts, strict=True)]
    signed = np.array(words, dtype=np.uint64).view(np.int64)[1:]
    found = signed * 2.0**-BITS * STRETCH_UNDER / STRETCH_OVER
    return bool(np.abs(found - expected).max() < _SAME * np.abs(expected).max())
