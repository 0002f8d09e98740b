"""A room for trainings: three hospitals have patients, a university asks and owns nothing."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from heads import head

from cleanroom.contract.terms import Terms

SEED = 20261122
HOSPITALS = ("north", "south", "west")
ROWS = "SELECT age, bmi, smoker, outcome FROM patients WHERE age >= 18"
_TRAIN = {"university": ["train", "filter"]}


def contract(owners: tuple[str, ...] = HOSPITALS, **privacy: object) -> dict[str, Any]:
    """Return a contract as a dict of the shape of the TOML file; under dp of one-owner persons."""
    noisy = {"owners_per_person": 1} if privacy.get("release") == "dp" else {}
    columns = {
        "patient": {"type": "INTEGER", "bounds": [0, 99999]},
        "age": {"type": "INTEGER", "bounds": [0, 110], "rights": _TRAIN},
        "bmi": {"type": "DECIMAL(4,1)", "bounds": [10, 70], "rights": _TRAIN},
        "smoker": {"type": "BOOLEAN", "rights": _TRAIN},
        "ward": {
            "type": "TEXT",
            "values": ["a", "b", "c"],
            "nullable": True,
            "rights": {"university": ["train"]},
        },
        "outcome": {"type": "BOOLEAN", "nullable": True, "rights": _TRAIN},
        "name": {"type": "TEXT", "max_bytes": 20, "rights": {"university": ["count"]}},
    }
    return {
        **head("study", 7300),
        "members": {
            **{name: {"roles": ["input"]} for name in owners},
            "university": {"roles": ["result"]},
        },
        "privacy": {"release": "sdc", "min_group": 1, **privacy},
        "tables": {
            "patients": {
                "members": list(owners),
                "person": "patient",
                "max_rows_per_person": 1,
                **noisy,
                "max_rows": 4096,
                "columns": columns,
            },
        },
    }


def terms(**privacy: object) -> Terms:
    return Terms.of(contract(**privacy))


def job(model: dict[str, Any] | None = None, **changed: object) -> dict[str, Any]:
    """Return a job as a dict of the shape of the TOML file."""
    asked = {"name": "readmission", "purpose": "tests", "rows": ROWS, "target": "outcome"}
    return {"job": asked | changed, "model": model or {"kind": "logistic"}}


def patients(owners: tuple[str, ...] = HOSPITALS, n: int = 300) -> dict[str, pd.DataFrame]:
    """Return each hospital's rows; the first one's patients are older than the others'."""
    return {name: _patients(n + 10 * i, i) for i, name in enumerate(owners)}


def _patients(n: int, hospital: int) -> pd.DataFrame:
    dice = np.random.default_rng(SEED + hospital)
    age = dice.integers(10, 100 - 10 * min(hospital, 4), n)
    bmi, smoker = np.round(dice.normal(27, 5, n).clip(10, 70), 1), dice.integers(0, 2, n) == 1
    odds = np.exp(-6 + 0.04 * age + 0.08 * bmi + 0.9 * smoker)
    outcome = pd.array(dice.random(n) < odds / (1 + odds), dtype="boolean")
    outcome[::50] = pd.NA
    return pd.DataFrame(
        {
            "patient": 1000 * hospital + np.arange(n),
            "age": age,
            "bmi": bmi,
            "smoker": smoker,
            "ward": [None if i % 9 == 0 else "abc"[i % 3] for i in range(n)],
            "outcome": outcome,
            "name": "x",
        }
    )


def pooled(rows: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the rows that the job trains on: what no room ever has together."""
    everything = pd.concat(rows.values())
    known = everything[(everything["age"] >= 18) & everything["outcome"].notna()]
    return known[["age", "bmi", "smoker", "outcome"]].astype(float)


def as_toml(given: dict[str, Any], path: Path) -> Path:
    """Write a job, or a contract, as its TOML file."""
    lines = []
    for section, keys in given.items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {_toml(value)}" for key, value in keys.items()]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _toml(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case dt.date():
            return value.isoformat()
    return json.dumps(value)
