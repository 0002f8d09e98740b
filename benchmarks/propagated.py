"""What a propagation costs in a room of real processes: from the request to one bank's scores.

`plaintext` is SciPy's product of a sparse matrix, on the pooled rows.
"""

from typing import Any

import numpy as np
import pandas as pd

from benchmarks import tables
from benchmarks.graphs import PAYMENTS_OF_AN_ACCOUNT
from benchmarks.machine import machine
from benchmarks.measure import Asked, Line, Measured, line, timed
from benchmarks.rooms import cpu_seconds, status
from cleanroom import LocalRoom

SIZES = {"query_propagate": (200_000,)}
ROUNDS, _SUSPECTS = 2, 0.03  # the part of accounts that have a score
_SAME, _LEAST = 1e-4, 1e-6  # relative, down to this score


def query_propagate(asked: Asked) -> Line:
    """Ask for one bank's scores after two rounds along `rows` payments of three banks."""
    data = _rows(asked.rows)
    asks = tables.BANKS[0]
    plaintext_s, scores = timed(lambda: _pooled(data), asked.runs)
    with LocalRoom(_contract(asked.rows), data, recipient=asks) as room:
        room.propagate("risk", rounds=ROUNDS)
        before = cpu_seconds(room)
        results = [room.propagate("risk", rounds=ROUNDS) for _ in range(asked.runs)]
        cpu_s = (cpu_seconds(room) - before) / asked.runs
        peaks = [status(worker.pid, "VmHWM") for worker in room.workers.values()]
    sent = results[0].stats.bytes_sent // 3
    seconds = tuple(result.stats.seconds for result in results)
    rounds = results[0].stats.rounds
    measured = Measured(seconds, cpu_s, (sent, sent, sent), rounds, max(peaks), sum(peaks), results)
    limit_s = machine().limit_seconds(measured, over_network=True)
    expected = scores[data["accounts"][asks]["iban"]].sort_index()
    correct = all(_is_right(result.to_pandas(), expected) for result in results)
    return line(asked, measured, plaintext_s, limit_s, correct=correct)


def _rows(payments: int) -> dict[str, Any]:
    """Return accounts of three banks and payments that each holds of those to its own."""
    rng = np.random.default_rng(20240229)
    kept = max(payments // PAYMENTS_OF_AN_ACCOUNT // len(tables.BANKS), 1)
    names = [[f"{bank}-{i:010}" for i in range(kept)] for bank in tables.BANKS]
    everybody = np.array([*np.concatenate(names), *(f"elsewhere-{i:010}" for i in range(kept))])
    data: dict[str, Any] = {"accounts": {}, "payments": {}}
    for bank, mine in zip(tables.BANKS, names, strict=True):
        score = rng.integers(1, 10_001, kept) / 10_000 * (rng.random(kept) < _SUSPECTS)
        data["accounts"][bank] = pd.DataFrame({"iban": mine, "score": score})
        n = -(-payments // len(tables.BANKS))
        amount = np.maximum(1, rng.lognormal(9, 2, n).astype(int).clip(0, 99_999_999)) / 100
        ends = {"src": rng.choice(everybody, n), "dst": rng.choice(np.array(mine), n)}
        data["payments"][bank] = pd.DataFrame({**ends, "amount": amount})
    return data


def _pooled(data: dict[str, Any]) -> "pd.Series[float]":
    """Return all accounts' scores by their names."""
    from scipy.sparse import csr_matrix

    accounts, payments = (pd.concat(data[name].values()) for name in ("accounts", "payments"))
    index = pd.Index(accounts["iban"])
    source, target = index.get_indexer(payments["src"]), index.get_indexer(payments["dst"])
    amount = payments["amount"].to_numpy()
    weight = amount / np.bincount(target, amount, len(index))[target] * (source >= 0)
    size = (len(index), len(index))
    matrix = csr_matrix((weight, (target, np.maximum(source, 0))), shape=size)
    scores = accounts["score"].to_numpy()
    for _ in range(ROUNDS):
        scores = (scores + matrix @ scores) / 2
    return pd.Series(scores, index)


def _is_right(found: pd.DataFrame, expected: "pd.Series[float]") -> bool:
    near = np.abs(found["score"].to_numpy(float) - expected.to_numpy())
    same = near <= _SAME * np.maximum(expected.to_numpy(), _LEAST)
    return found["account"].tolist() == expected.index.tolist() and bool(same.all())


def _contract(rows: int) -> dict[str, Any]:
    agreed, banks = tables.contract(rows), list(tables.BANKS)
    members = {
        name: {**terms, "roles": [*terms["roles"], "result"]} if name in banks else terms
        for name, terms in agreed["members"].items()
    }
    name = {"type": "TEXT", "max_bytes": 20}
    score = {"type": "DECIMAL(5,4)", "bounds": [0, 1]}
    amount = {"type": "DECIMAL(12,2)", "bounds": [0, 1_000_000]}
    accounts = {"iban": name, "score": score}
    payments = {"src": name, "dst": name, "amount": amount}
    federated = {"members": banks, "max_rows": rows}
    risk = {
        **{"accounts": "accounts", "account": "iban", "score": "score"},
        **{"payments": "payments", "source": "src", "target": "dst", "amount": "amount"},
        **{"damping": 0.5, "max_rounds": ROUNDS, "to": banks, "per_day": 1000},
    }
    return {
        **agreed,
        "members": members,
        "tables": {
            "accounts": {**federated, "person": "iban", "columns": accounts},
            "payments": {**federated, "person": "dst", "columns": payments},
        },
        "propagations": {"risk": risk},
    }


PROPAGATED = {"query_propagate": query_propagate}
