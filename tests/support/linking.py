"""Two hospitals whose patients are linked, a laboratory that computes too, and an analyst."""

import copy
from typing import Any

from benchmarks import febrl

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


def febrl_terms(rows: int, **linkage: object) -> dict[str, Any]:
    """Return terms for the registers of FEBRL's fourth set; its true persons are columns too."""
    terms = copy.deepcopy(TERMS)
    terms["tables"] = {name: febrl.table(rows) for name in febrl.TABLES}
    terms["linkages"]["same_person"] = {**febrl.linkage(fuzzy=False), **linkage}
    return terms
