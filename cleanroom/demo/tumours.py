"""Data, contract and job of the demo's training: scikit-learn's breast cancer set, three hospitals.

Each row is a tumour, measured under a microscope, and whether it was malignant. The hospitals
differ: the first sees the smallest tumours, the last the largest.
"""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from cleanroom.errors import DataMismatch

HOSPITALS = ("hospital_a", "hospital_b", "hospital_c")
TABLE = "tumours"
L2 = 1.0
# The largest value of each measurement that a hospital may hold.
BOUNDS = {
    "radius": 50,
    "texture": 50,
    "perimeter": 300,
    "area": 4000,
    "smoothness": 1,
    "compactness": 1,
    "concavity": 1,
    "concave_points": 1,
    "symmetry": 1,
    "fractal_dimension": 1,
}
ROWS = f"SELECT {', '.join(BOUNDS)}, malignant FROM {TABLE}"  # noqa: S608 -- constants alone


def contract() -> dict[str, Any]:
    """Return the terms that the hospitals and the analyst sign."""
    rights = {"rights": {"analyst": ["train"]}}
    numbers = {
        name: {"type": "DECIMAL(12,6)", "bounds": [0, bound], **rights}
        for name, bound in BOUNDS.items()
    }
    columns = {
        "patient": {"type": "INTEGER", "bounds": [0, 99999]},
        **numbers,
        "malignant": {"type": "BOOLEAN", **rights},
    }
    return {
        "room": {
            "name": "tumours",
            "version": 1,
            "purpose": "tell malignant tumours by their measurements",
            "lawful_basis": "public benchmark data",
            "retention_days": 1,
            "expires": dt.date.today() + dt.timedelta(days=1),
        },
        "coordinator": {"address": "127.0.0.1:7300"},
        "members": {
            **{name: {"roles": ["input"]} for name in HOSPITALS},
            "analyst": {"roles": ["result"]},
        },
        "privacy": {"release": "sdc", "min_group": 10},
        "tables": {
            TABLE: {
                "members": list(HOSPITALS),
                "person": "patient",
                "max_rows_per_person": 1,
                "max_rows": 1024,
                "columns": columns,
            },
        },
    }


def job() -> dict[str, Any]:
    """Return the training job, as its TOML file would have it."""
    asked = {"name": "tumours", "purpose": "tell malignant tumours by their measurements"}
    return {
        "job": {**asked, "rows": ROWS, "target": "malignant"},
        "model": {"kind": "logistic", "l2": L2},
    }


def tables() -> dict[str, dict[str, pd.DataFrame]]:
    """Return each hospital's rows.

    Raises:
        DataMismatch: if scikit-learn isn't there.
    """
    try:
        from sklearn.datasets import load_breast_cancer
    except ImportError:
        remedy = "Install with pip install 'pets-cleanroom[demo]'."
        what = "the demo's training needs the package scikit-learn"
        raise DataMismatch(what, remedy=remedy) from None
    raw = load_breast_cancer()
    rows = pd.DataFrame(raw.data[:, : len(BOUNDS)].round(6), columns=list(BOUNDS))
    rows["malignant"] = raw.target == 0
    rows = rows.sort_values("area", kind="stable").reset_index(drop=True)
    rows.insert(0, "patient", rows.index)
    cuts = np.array_split(np.arange(len(rows)), len(HOSPITALS))
    return {TABLE: {name: rows.iloc[at] for name, at in zip(HOSPITALS, cuts, strict=True)}}
