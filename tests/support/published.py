"""The queries that papers on relational MPC measure, over seeded rows of three owners.

The SQL is the papers' (`published.sql`) but for dialect: dates for TIMESTAMPDIFF, a tie-break for
LIMIT, `score` and `uid` for columns that the papers call CS and ID. Where a paper opens persons,
the room needs the right `reveal` and min_group = 1; the same question, counted, needs neither.
"""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rooms import OWNERS, Dice, room

from cleanroom.contract.columns import Right
from cleanroom.contract.terms import Terms

SEED = 414
RIGHTS = {"analyst": [right.value for right in Right]}
MAJOR = [f"{i:03d}" for i in (8, 38, 250, 276, 401, 414, 427, 428, 486, 518, 584, 599, 780, 995)]
MEDICATIONS = ["Aspirin 81 MG", "baby ASPIRIN", "Ibuprofen", "Metoprolol", "aspirine forte"]


def contract(min_group: int) -> dict[str, Any]:
    """Return the contract; every table is split over all three owners."""
    moment = _column("TIMESTAMP", bounds=["2018-01-01", "2021-01-01"])
    patient = _column("INTEGER", bounds=[0, 80])
    icd9 = _column("TEXT", values=["008.45", "414.01", "414.9", "427.31"])
    tables = {
        "cdiff_cohort_diagnoses": {
            "patient_id": patient,
            "icd9": icd9,
            "major_icd9": _column("TEXT", values=MAJOR),
            "timestamp_": moment,
        },
        "mi_cohort_diagnoses": {"patient_id": patient, "icd9": icd9, "timestamp_": moment},
        "mi_cohort_medications": {
            "patient_id": patient,
            "medication": _column("TEXT", max_bytes=40),
            "timestamp_": moment,
        },
        "scores": {
            "uid": _column("INTEGER", bounds=[0, 150]),
            "year": _column("INTEGER", bounds=[2015, 2025]),
            "score": _column("INTEGER", bounds=[300, 850]),
        },
        "passwords": {
            "uid": _column("INTEGER", bounds=[0, 60]),
            "pwd": _column("TEXT", max_bytes=64),
        },
        "trips": {
            "company": _column("INTEGER", bounds=[1, 12]),
            "price": _column("INTEGER", bounds=[0, 500]),
        },
    }
    agreed = room(min_group)
    agreed["tables"] = {
        name: {
            "members": list(OWNERS),
            "person": next(iter(columns)),
            "max_rows": 128,
            "columns": columns,
        }
        for name, columns in tables.items()
    }
    return agreed


def terms(min_group: int) -> Terms:
    return Terms.of(contract(min_group))


def _column(type_: str, **more: Any) -> dict[str, Any]:
    if type_ == "TIMESTAMP":
        more["bounds"] = [dt.date.fromisoformat(b) for b in more["bounds"]]
    return {"type": type_, "rights": RIGHTS, **more}


def rows() -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return every table's rows by owner; every moment is another one, so orders are total."""
    dice = Dice(SEED)
    makers = {
        "cdiff_cohort_diagnoses": lambda: {
            "patient_id": dice.below(40),
            "icd9": dice.pick(["008.45", "008.45", "427.31"]),
            "major_icd9": MAJOR[min(dice.below(14), dice.below(14))],
            "timestamp_": dice.moment("2019-01-01", 300),
        },
        "mi_cohort_diagnoses": lambda: {
            "patient_id": dice.below(60),
            "icd9": dice.pick(["414.01", "414.9", "427.31"]),
            "timestamp_": dice.moment("2018-01-01", 900),
        },
        "mi_cohort_medications": lambda: {
            "patient_id": dice.below(60),
            "medication": dice.pick(MEDICATIONS),
            "timestamp_": dice.moment("2018-01-01", 900),
        },
        "scores": lambda: {
            "uid": dice.below(70),
            "year": 2018 + dice.below(3),
            "score": 300 + dice.below(551),
        },
        "passwords": lambda: {"uid": dice.below(50), "pwd": f"{dice.below(9):064x}"},
        "trips": lambda: {
            "company": 1 + min(dice.below(12), dice.below(12)),
            "price": dice.below(90),
        },
    }
    sizes = dict(zip(OWNERS, (90, 70, 50), strict=True))
    return {
        name: {owner: [make() for _ in range(n)] for owner, n in sizes.items()}
        for name, make in makers.items()
    }


def queries() -> Iterator[tuple[str, str]]:
    """Yield (title, query) of published.sql."""
    text = (Path(__file__).parent / "published.sql").read_text(encoding="utf-8")
    for block in text.strip().split("\n\n"):
        title, _, sql = block.partition("\n")
        yield title.removeprefix("-- "), sql.strip()
