"""The contract of this study, which depends on which features there are."""

from typing import Any

import pandas as pd

from examples.aml.world import BANKS
from examples.lift.features import FOLDS, SPREAD

NOT_FEATURES = ("id", "bank", "case_id", "fold", "laundering")


_ID = {"type": "INTEGER", "bounds": [0, 2**20 - 1]}
_AMOUNT = {"type": "DECIMAL(12,2)", "bounds": [0, 10**9]}
_FLOW = {
    "accounts": "accounts",
    "account": "id",
    "payments": "credits",
    "source": "src",
    "target": "dst",
    "amount": "amount",
    "damping": 1,
    "max_rounds": 1,
    "to": list(BANKS),
}


def contract(rows: pd.DataFrame, *, flows: bool = False) -> dict[str, Any]:
    """Return the terms for banks whose accounts have these columns.

    The unit that is tested or trained on as a whole is a case: all accounts of one pattern. A room
    of real banks would name customers.
    """
    train = {"supervisor": ["train", "filter"]}
    features = [c for c in rows if c not in NOT_FEATURES]
    accounts = {
        "id": _ID,
        "case_id": _ID,
        "fold": {"type": "INTEGER", "bounds": [0, FOLDS - 1], "rights": train},
        "laundering": {"type": "BOOLEAN", "rights": train},
        **{str(name): _number(rows[name], train) for name in features},
    }
    return {
        "room": {
            "name": "lift-study",
            "version": 1,
            "purpose": "What joint features add to the detection of money laundering",
            "lawful_basis": "None: all rows are made up",
            "retention_days": 1,
            "expires": "2099-12-31",
        },
        "coordinator": {"address": "localhost:7700"},
        "members": {
            **{
                bank: {"roles": ["input", "computing", "result"], "address": f"localhost:{port}"}
                for bank, port in zip(BANKS, (7701, 7702, 7703), strict=True)
            },
            "supervisor": {"roles": ["result"]},
        },
        "privacy": {"release": "sdc", "min_group": 1},
        "tables": {"accounts": _table("case_id", len(rows), accounts)} | _credits(flows),
        **(
            {"propagations": {n: {**_FLOW, "score": f"share_{n}"} for n in SPREAD}} if flows else {}
        ),
    }


def _number(values: pd.Series, rights: dict[str, list[str]]) -> dict[str, Any]:
    places = 6 if str(values.name).startswith("payers_") else 3
    most = 1 if values.max() <= 1 else 10 ** len(str(int(values.max())))
    return {"type": f"DECIMAL(15,{places})", "bounds": [0, most], "rights": rights}


def _table(person: str, rows: int, columns: dict[str, Any]) -> dict[str, Any]:
    return {"members": list(BANKS), "person": person, "max_rows": rows, "columns": columns}


def _credits(there: bool) -> dict[str, Any]:
    columns = {"src": _ID, "dst": _ID, "amount": _AMOUNT}
    return {"credits": _table("dst", 1 << 16, columns)} if there else {}
