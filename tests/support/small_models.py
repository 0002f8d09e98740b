"""Small trained models of each form, and rows that they predict."""

from typing import Any

import numpy as np

from cleanroom.learning.facts import Column, Facts, Rows
from cleanroom.learning.families import FAMILIES, Model
from cleanroom.learning.pooled import run

FEATURES = (
    Column("age", "number", 0, 100),
    Column("wage", "number", 0, 1000, nullable=True),
    Column("colour", "category", 0, 2, ("red", "green", "blue")),
    Column("town", "category", 0, 1, ("a", "b"), nullable=True),
)
TARGET = Column("y", "number", 0, 1)
_DICE = np.random.default_rng(11)
_N = 300
COLUMNS = {
    "age": _DICE.integers(0, 100, _N).astype(float),
    "wage": np.where(_DICE.random(_N) < 0.2, np.nan, _DICE.uniform(0, 1000, _N)),
    "colour": _DICE.integers(0, 3, _N).astype(float),
    "town": _DICE.integers(-1, 2, _N).astype(float),
}
_SIGNAL = COLUMNS["age"] / 50 + (COLUMNS["colour"] == 1) + np.isnan(COLUMNS["wage"])
Y = (_SIGNAL + _DICE.normal(0, 0.7, _N) > 1.6).astype(float)
_PREPARE = {"missing": "impute", "indicate_missing": True}


def fitted(kind: str, target: Column = TARGET, y: Any = Y, **settings: object) -> Model:
    """Train a model of a family at two owners."""
    family = FAMILIES[kind]
    spec = family.spec.model_validate({"kind": kind, **settings})
    facts = Facts(FEATURES, target, 2, _N)
    parts = [
        Rows({name: v[part] for name, v in COLUMNS.items()}, y[part])
        for part in (slice(0, 100), slice(100, _N))
    ]
    owners = [family.owner(spec, facts, rows) for rows in parts]
    model: Model = run(family.train(spec, facts, None), owners)
    return model


def linear(kind: str = "logistic", **settings: object) -> Any:
    return fitted(kind, prepare=_PREPARE, **settings)


def trees(**settings: object) -> Any:
    return fitted("gbdt", trees=8, **settings)


def network(**settings: object) -> Any:
    return fitted("network", hidden=[7, 5], rounds=3, prepare=_PREPARE, **settings)
