"""A room whose answers are noisy: three owners that compute, and an analyst who owns nothing."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from heads import head

from cleanroom.contract.columns import Right
from cleanroom.contract.terms import Terms

OWNERS = ("alpha", "beta", "gamma")
KINDS = ["car", "home", "life"]
RIGHTS = {"analyst": [right.value for right in Right]}


def contract(person: Mapping[str, int] | None = None, **privacy: object) -> dict[str, Any]:
    """Return a contract as a dict of the shape of the TOML file.

    Args:
        person: of the table of claims, that all owners have a part of: how many rows a person
            has, at how many owners; by default one row at one.
    """
    computing = {
        name: {"roles": ["input", "computing"], "address": f"127.0.0.1:{7501 + i}"}
        for i, name in enumerate(OWNERS)
    }
    each = {"max_rows_per_person": 1, "owners_per_person": 1, **(person or {})}
    return {
        **head("noisy", 7500),
        "members": {**computing, "analyst": {"roles": ["result"]}},
        "privacy": {"release": "dp", "epsilon": 4.0, "query_epsilon": 2.0, **privacy},
        "tables": {
            "claims": {
                "members": list(OWNERS),
                "person": "pid",
                "max_rows": 1024,
                **each,
                "columns": {
                    "pid": _column("INTEGER", bounds=[0, 999_999]),
                    "kind": _column("TEXT", values=KINDS, nullable=True),
                    "paid": _column("BOOLEAN"),
                    "amount": _column("DECIMAL(6,2)", bounds=[0, 100]),
                    "level": _column("INTEGER", bounds=[0, 9], nullable=True),
                    "note": _column("TEXT", max_bytes=8),
                },
            },
            "alpha.people": _people("state", values=["nsw", "vic"]),
            "beta.people": _people("smokes", values=["yes", "no"], rows=2),
            "gamma.people": _people("city", max_bytes=6, rows=None),
        },
    }


def terms(person: Mapping[str, int] | None = None, **privacy: object) -> Terms:
    return Terms.of(contract(person, **privacy))


def rows(n: int = 900, seed: int = 7, persons: int | None = None) -> dict[str, Any]:
    """Return every table's rows: n claims of each owner, of so many persons or of one each."""
    dice = np.random.default_rng(seed)
    whose = np.arange(3 * n) if persons is None else dice.integers(0, persons, 3 * n)
    claims = pd.DataFrame(
        {
            "pid": whose,
            "kind": dice.choice(_kinds(), 3 * n, p=[0.5, 0.3, 0, 0.2]),
            "paid": dice.random(3 * n) < 0.4,
            "amount": dice.integers(0, 10_001, 3 * n) / 100,
            "level": pd.array(dice.integers(0, 10, 3 * n), dtype="Int64"),
            "note": "x",
        }
    )
    claims.loc[dice.random(3 * n) < 0.1, "level"] = pd.NA
    people = np.arange(300)
    twice = np.repeat(people[:200], 2)
    return {
        "claims": {owner: claims.iloc[i * n : (i + 1) * n] for i, owner in enumerate(OWNERS)},
        "alpha.people": _some(people, "state", dice.choice(["nsw", "vic"], people.size)),
        "beta.people": _some(twice, "smokes", dice.choice(["yes", "no"], twice.size)),
        "gamma.people": _some(people, "city", np.full(people.size, "perth")),
    }


def _column(type_: str, **more: object) -> dict[str, Any]:
    return {"type": type_, "rights": RIGHTS, **more}


def _people(column: str, rows: int | None = 1, **more: object) -> dict[str, Any]:
    limit = {} if rows is None else {"max_rows_per_person": rows}
    columns = {"pid": _column("INTEGER", bounds=[0, 999]), column: _column("TEXT", **more)}
    return {"person": "pid", "max_rows": 512, **limit, "columns": columns}


def _some(persons: "np.ndarray[Any, Any]", column: str, values: Any) -> pd.DataFrame:
    return pd.DataFrame({"pid": persons, column: values})


def _kinds() -> "np.ndarray[Any, Any]":
    return np.array([*KINDS, None], dtype=object)
