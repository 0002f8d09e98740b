"""scikit-learn's breast cancer set, its columns spread over three owners who know one patient."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
from heads import head
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from cleanroom.contract.terms import Terms

OWNERS = ("clinic", "lab", "registry")
DATA = load_breast_cancer()
SIZES = ["radius", "texture", "perimeter", "area"]
SHAPES = ["smoothness", "compactness", "concavity", "points"]
FEATURES = [*SIZES, *SHAPES]
SQL = (
    "SELECT c.radius, c.texture, c.perimeter, c.area, l.smoothness, l.compactness, l.concavity, "
    "l.points, r.benign FROM clinic.sizes c JOIN lab.shapes l ON c.id = l.patient "
    "JOIN registry.outcomes r ON r.pid = c.id"
)
_BOUNDS = [[5, 30], [5, 50], [40, 200], [100, 3000], [0, 0.2], [0, 0.5], [0, 0.5], [0, 0.3]]
_LAST = dt.date(2021, 1, 1)
_RIGHTS = {"analyst": ["join", "filter", "train"]}


def frames() -> dict[str, pd.DataFrame]:
    """Return the tables, each in its own order; the lab lacks 40 patients, the registry 29 others.

    A clinic patient's id is 3 times their place in the set.
    """
    rng = np.random.default_rng(11)
    ids = 3 * np.arange(len(DATA.target))
    values = pd.DataFrame(np.round(DATA.data[:, :8], 5), columns=FEATURES)
    sizes = values[SIZES].round(2).assign(id=ids)
    shapes = values[SHAPES].assign(patient=ids)
    outcomes = pd.DataFrame({"pid": ids, "benign": DATA.target == 1})
    outcomes["stage"] = np.where(outcomes.index % 3 == 0, "ii", "i")
    outcomes["note"], outcomes["seen"] = "-", "2020-02-02"
    return {
        "clinic.sizes": sizes.sample(frac=1, random_state=1),
        "lab.shapes": shapes.drop(rng.choice(300, 40, replace=False)).iloc[::-1],
        "registry.outcomes": outcomes.drop(300 + rng.choice(269, 29, replace=False)),
    }


def joined() -> pd.DataFrame:
    """Return what no owner has: the rows that the join finds."""
    clinic, lab, registry = frames().values()
    both = clinic.merge(lab, left_on="id", right_on="patient")
    return both.merge(registry, left_on="id", right_on="pid")


def pooled_fit() -> tuple[LogisticRegression, StandardScaler]:
    """Return scikit-learn's own model of the joined rows."""
    rows = joined()
    scaler = StandardScaler().fit(rows[FEATURES].to_numpy())
    model = LogisticRegression(tol=1e-10, max_iter=9999)
    return model.fit(scaler.transform(rows[FEATURES].to_numpy()), rows["benign"]), scaler


def contract(min_group: int = 10) -> dict[str, Any]:
    """Return the contract as a dict of the shape of the TOML file."""
    person = {
        "type": "INTEGER",
        "bounds": [0, 3000],
        "rights": {"analyst": ["join", "filter"]},
    }
    columns = {
        name: {"type": f"DECIMAL(9,{2 if name in SIZES else 5})", "bounds": bounds}
        for name, bounds in zip(FEATURES, _BOUNDS, strict=True)
    }
    columns = {name: {**column, "rights": _RIGHTS} for name, column in columns.items()}
    outcomes = {
        "pid": person,
        "benign": {"type": "BOOLEAN", "rights": _RIGHTS},
        "stage": {"type": "TEXT", "values": ["i", "ii", "unknown"], "rights": _RIGHTS},
        "note": {"type": "TEXT", "max_bytes": 5, "rights": _RIGHTS},
        "seen": {"type": "DATE", "bounds": [dt.date(2020, 1, 1), _LAST], "rights": _RIGHTS},
    }

    def table(key: str, found: dict[str, Any]) -> dict[str, Any]:
        return {"person": key, "max_rows_per_person": 1, "max_rows": 600, "columns": found}

    owners = {
        name: {"roles": ["input", "computing"], "address": f"127.0.0.1:{7401 + i}"}
        for i, name in enumerate(OWNERS)
    }
    return {
        **head("cancer", 7400),
        "members": {**owners, "analyst": {"roles": ["result"]}},
        "privacy": {"release": "sdc", "min_group": min_group},
        "tables": {
            "clinic.sizes": table("id", {"id": person, **{n: columns[n] for n in SIZES}}),
            "lab.shapes": table("patient", {"patient": person, **{n: columns[n] for n in SHAPES}}),
            "registry.outcomes": table("pid", outcomes),
        },
    }


def terms(min_group: int = 10) -> Terms:
    return Terms.of(contract(min_group))
