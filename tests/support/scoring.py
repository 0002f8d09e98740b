"""A room for scorings: bank_a has rows and asks, bank_b has a model, shop has rows of its own."""

from typing import Any

import numpy as np
import pandas as pd
from heads import head

from cleanroom.contract.terms import Terms

SEED = 20260521
MODEL, TABLE = "bank_b.risk", "bank_a.accounts"
WEIGHTS = {"age": 0.021234, "balance": -0.000031, "frozen": 1.502741}
INTERCEPT = -0.250317
ROWS = 9000  # more than a block


def contract(**model: object) -> dict[str, Any]:
    """Return a contract as a dict of the shape of the TOML file; keywords change its model."""
    right = {"rights": {"bank_a": ["score"]}}
    columns = {
        "customer": {"type": "TEXT", "max_bytes": 10},
        "note": {"type": "TEXT", "max_bytes": 10, "nullable": True},
        "balance": {
            "type": "DECIMAL(9,2)",
            "bounds": [-1000, 100000],
            "nullable": True,
            **right,
        },
        "age": {"type": "INTEGER", "bounds": [0, 130], **right},
        "frozen": {"type": "BOOLEAN", **right},
    }
    return {
        **head("scoring", 7300),
        "members": {
            "bank_a": {"roles": ["input", "result"]},
            "bank_b": {"roles": ["input"]},
            "shop": {"roles": ["input", "result"]},
        },
        "privacy": {"release": "sdc", "min_group": 1},
        "tables": {
            TABLE: {"person": "customer", "max_rows": 1 << 14, "columns": columns},
            "visits": {
                "members": ["bank_a", "shop"],
                "person": "person",
                "max_rows": 64,
                "columns": {
                    "person": {"type": "INTEGER", "bounds": [0, 99]},
                    "age": {
                        "type": "INTEGER",
                        "bounds": [0, 99],
                        "rights": {"bank_a": ["score"], "shop": ["score"]},
                    },
                },
            },
        },
        "models": {
            MODEL: {
                "kind": "logistic",
                "features": {
                    "age": {"bounds": [0, 130]},
                    "balance": {"bounds": [-1000, 100000], "decimals": 2, "null": 0},
                    "frozen": {"bounds": [0, 1]},
                },
                "max_weight": 10,
                "max_rows": 1 << 14,
                "max_rows_per_day": 100_000,
                "scores": {"bank_a": [TABLE]},
                **model,
            },
            "bank_b.ages": {
                "kind": "linear",
                "features": {"age": {"bounds": [0, 130], "decimals": 1}},
                "weight_decimals": 3,
                "score_decimals": 2,
                "max_weight": 10,
                "max_rows": 50,
                "max_rows_per_day": 50,
                "scores": {"shop": ["visits"]},
            },
        },
    }


def terms(**model: object) -> Terms:
    return Terms.of(contract(**model))


def accounts(n: int = ROWS) -> pd.DataFrame:
    dice = np.random.default_rng(SEED)
    rows = pd.DataFrame(
        {
            "customer": [f"person{i:04d}" for i in dice.permutation(n)],
            "note": "",
            "balance": dice.integers(-100_000, 10_000_001, n) / 100,
            "age": dice.integers(0, 131, n),
            "frozen": dice.integers(0, 2, n).astype(bool),
        }
    )
    rows.loc[::7, "balance"] = None
    return rows


def visits() -> dict[str, pd.DataFrame]:
    ages = {"bank_a": [30, 40], "shop": [18, 99, 0]}
    return {n: pd.DataFrame({"person": range(len(a)), "age": a}) for n, a in ages.items()}


def data(n: int = ROWS) -> dict[str, Any]:
    return {TABLE: accounts(n), "visits": visits()}


def models() -> dict[str, dict[str, object]]:
    return {
        MODEL: {"weights": WEIGHTS, "intercept": INTERCEPT},
        "bank_b.ages": {"weights": {"age": -0.1256}, "intercept": 2},
    }


def expected(rows: pd.DataFrame) -> np.ndarray:
    """Return the scores of plain rows under the plain model: what no room ever has together."""
    linear = rows["age"] * WEIGHTS["age"] + rows["balance"].fillna(0) * WEIGHTS["balance"]
    linear = linear + rows["frozen"] * WEIGHTS["frozen"] + INTERCEPT
    return np.round(1 / (1 + np.exp(-linear.to_numpy(dtype=float))), 4)
