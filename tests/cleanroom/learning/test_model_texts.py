"""Models as text: what comes back is the same model, and spoilt text is refused, never run into."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hospitals import matrix, numbered, shares, trained

from cleanroom.errors import DataMismatch, ModelMismatch
from cleanroom.learning import cox, kmeans, linear, logistic, pca, poisson
from cleanroom.learning.facts import Column
from cleanroom.learning.families import Model, model_from_json

RNG = np.random.default_rng(12)
X = RNG.normal(size=(90, 2))
Y = (RNG.random(90) < 0.5).astype(float)
FACTS = numbered(X, Column("y", "number", 0.0, 1.0))
TIMED = replace(FACTS, time=Column("t", "number", 0.0, 9.0))
UNTOLD = replace(FACTS, target=None)
TIME = RNG.integers(1, 9, 90).astype(float)
MODELS: dict[str, Model] = {
    **{
        s.kind: trained(s, FACTS, shares(matrix(X), Y))
        for s in (logistic.Spec(), linear.Spec(), poisson.Spec())
    },
    "cox": trained(cox.Spec(), TIMED, shares(matrix(X), Y, TIME)),
    **{s.kind: trained(s, UNTOLD, shares(matrix(X), None)) for s in (pca.Spec(), kmeans.Spec())},
}
BAD: list[Any] = [None, "x", -1.5, [], {}, [[1.0]], float("inf"), float("nan"), True]


def spoilt(value: Any) -> Iterator[Any]:
    """Yield the same JSON with one part of it replaced or gone."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield {k: v for k, v in value.items() if k != key}
            yield from ({**value, key: other} for other in (*BAD, *spoilt(part)))
    elif isinstance(value, list) and value:
        yield value[1:]
        yield from ([other, *value[1:]] for other in (*BAD, *spoilt(value[0])))


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_spoilt_text_is_refused_or_predicts_numbers(kind: str) -> None:
    model, columns = MODELS[kind], matrix(X[:3])
    same = model_from_json(model.to_json())
    assert same.to_json() == model.to_json()
    assert same.predict(columns).tolist() == model.predict(columns).tolist()
    refused = 0
    for given in spoilt(json.loads(model.to_json())):
        try:
            with np.errstate(all="ignore"):
                found = model_from_json(json.dumps(given)).predict(columns)
            assert len(found) == 3
        except (ModelMismatch, DataMismatch):
            refused += 1
    assert refused > 50
    for text in (
        "",
        "[" * 100_000,
        model.to_json()[:-1],
        model.to_json().replace("{", '{"a":1e999,', 1),
    ):
        with pytest.raises(ModelMismatch):
            model_from_json(text if "1e999" not in text else text.replace('"kind"', '"king"', 1))
