"""Three banks with accounts and payments between them, and a supervisor who keeps none."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from heads import head

from cleanroom.contract.terms import Terms
from cleanroom.local.given import as_file, by_member
from cleanroom.sources.database import Database

BANKS = ("bank_a", "bank_b", "bank_c")
Data = dict[str, dict[str, pd.DataFrame]]


def contract(max_rows: int = 200, **changes: Any) -> dict[str, Any]:
    """Return a contract as a dict; `changes` are of its propagation."""
    bank = {"roles": ["input", "computing", "result"]}
    banks = {name: {**bank, "address": f"127.0.0.1:{7601 + i}"} for i, name in enumerate(BANKS)}
    name = {"type": "TEXT", "max_bytes": 18}
    risk = {
        **{"accounts": "accounts", "account": "iban", "score": "score"},
        **{"payments": "payments", "source": "src", "target": "dst", "amount": "amount"},
        **{"max_rounds": 4, "to": list(BANKS), "per_day": 5},
    }
    return {
        **head("flows", 7600),
        "members": {**banks, "supervisor": {"roles": ["result"]}},
        "privacy": {"release": "sdc", "min_group": 10},
        "tables": {
            "accounts": {
                "members": list(BANKS),
                "person": "iban",
                "max_rows": max_rows,
                "columns": {
                    "iban": name,
                    "score": {"type": "DECIMAL(5,4)", "bounds": [0, 1]},
                },
            },
            "payments": {
                "members": list(BANKS),
                "person": "dst",
                "max_rows": 4 * max_rows,
                "columns": {
                    "src": name,
                    "dst": name,
                    "amount": {"type": "DECIMAL(12,2)", "bounds": [0, 1_000_000]},
                },
            },
        },
        "propagations": {"risk": {**risk, **changes}},
    }


def terms(max_rows: int = 200, **changes: Any) -> Terms:
    return Terms.of(contract(max_rows, **changes))


def rows(seed: int = 0, accounts: int = 40, payments: int = 120) -> Data:
    """Return accounts of each bank and payments to them, some from accounts of nobody here.

    Each bank also holds payments to an account that it doesn't keep, which count for nothing.
    """
    draw = np.random.default_rng(seed)
    names = {bank: [f"{bank}-iban-{i:05}" for i in range(accounts)] for bank in BANKS}
    everybody = [*(one for kept in names.values() for one in kept), "elsewhere-1", "elsewhere-2"]
    found: Data = {"accounts": {}, "payments": {}}
    for bank, kept in names.items():
        flagged = draw.random(accounts) < 0.1
        score = np.where(flagged, draw.integers(1, 10_001, accounts) / 10_000, 0)
        found["accounts"][bank] = pd.DataFrame({"iban": kept, "score": score})
        target = [kept[i] for i in draw.integers(0, accounts, payments - 1)]
        foreign = names["bank_a" if bank != "bank_a" else "bank_b"][0]
        amount = draw.integers(0, 1_000_000, payments) / 100
        source = [everybody[i] for i in draw.integers(0, len(everybody), payments)]
        found["payments"][bank] = pd.DataFrame(
            {"src": source, "dst": [*target, foreign], "amount": amount}
        )
    return found


def pooled_scores(data: Data, rounds: int, damping: float = 0.5) -> dict[str, float]:
    """Return every account's score, from all rows, as numpy computes it."""
    place, score, source, target, amount = _pooled(data)
    paid = np.bincount(target, amount, len(score))
    known = source >= 0
    source, target, weight = source[known], target[known], (amount / paid[target])[known]
    for _ in range(rounds):
        flowed = np.bincount(target, weight * score[source], len(score))
        score = (1 - damping) * score + damping * flowed
    return dict(zip(place, score.tolist(), strict=True))


def pooled_reach(data: Data, hops: int) -> set[str]:
    """Return the accounts that money of marked ones reached."""
    place, score, source, target, amount = _pooled(data)
    marked = score > 0
    for _ in range(hops):
        counts = (source >= 0) & (amount > 0)
        marked[target[counts][marked[source[counts]]]] = True
    return {name for name, one in zip(place, marked, strict=True) if one}


def _pooled(data: Data) -> tuple[dict[str, int], Any, Any, Any, Any]:
    accounts = pd.concat(data["accounts"].values(), ignore_index=True)
    place = {name: i for i, name in enumerate(accounts["iban"])}
    parts = []
    for bank, part in data["payments"].items():
        parts.append(part[part["dst"].isin(set(data["accounts"][bank]["iban"]))])
    kept = pd.concat(parts)
    kept = kept[kept["amount"] > 0]
    source = np.array([place.get(name, -1) for name in kept["src"]])
    target = np.array([place[name] for name in kept["dst"]])
    return place, accounts["score"].to_numpy(), source, target, kept["amount"].to_numpy()


def stored(
    data: Mapping[str, Any], folder: Path, agreed: Terms | None = None
) -> dict[str, Database]:
    """Return the rows at their owners."""
    agreed, found = agreed or terms(), {}
    for member, tables in by_member(agreed, data).items():
        paths = {
            name: as_file(part, folder / f"{member}-{name}.parquet", name, columns)
            for name, part in tables.items()
            for columns in [tuple(agreed.tables[name].columns)]
        }
        if paths:
            found[member] = Database(agreed, member, paths)
    return found
