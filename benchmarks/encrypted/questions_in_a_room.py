"""Private parameters and scorings in a room of real processes that is ready."""

from typing import Any

import numpy as np
import pandas as pd

from benchmarks import tables
from benchmarks.encrypted import by_hand
from benchmarks.encrypted.in_a_room import ask, contract, rows_of
from benchmarks.encrypted.questions import COLUMNS
from benchmarks.encrypted.rows import owners, pooled
from benchmarks.measure import Asked, Line, line, timed
from cleanroom import LocalRoom
from protocols.he.integers import I64

SQL = "SELECT COUNT(*) AS n, SUM(pence) AS total FROM payments WHERE g IN (:sought)"
_ROWS = 10**5
_SEED = 20240229
_DECIMALS, _BOUND = 4, 10  # of features and weights


def private_filter(asked: Asked) -> Line:
    """Count and total the rows of three owners that half of a column's `rows` values pick.

    The limit is the same by TenSEAL by hand in one process, which isn't blind.
    """
    three = owners(3, _ROWS, asked.rows)
    selector = np.random.default_rng(_SEED).integers(0, 2, asked.rows)
    sought, frame = np.flatnonzero(selector), pooled(three)
    plaintext_s, wanted = timed(
        lambda: frame[frame["g"].isin(sought)]["pence"].agg(["count", "sum"]), asked.runs
    )
    cells = [owner.cells(asked.rows).reshape(2, -1) for owner in three]
    by_hand_s, _ = timed(lambda: _both_by_hand(selector, cells), asked.runs)
    private = {"sought": sought.tolist()}
    terms = contract(three, asked.rows - 1, {"g": ["private_filter"]})
    with LocalRoom(terms, {"payments": rows_of(three)}) as room:
        measured = ask(room, lambda: room.sql(SQL, private=private), asked.runs, len(three))
    expected = pd.DataFrame({"n": [wanted["count"]], "total": [wanted["sum"]]})
    correct = all(tables.equal(result.to_pandas(), expected) for result in measured.results)
    return line(asked, measured, plaintext_s, by_hand_s, correct=correct)


def _both_by_hand(selector: I64, cells: list[I64]) -> tuple[int, int]:
    counts, totals = ([own[i] for own in cells] for i in (0, 1))
    return by_hand.filter_by_hand(selector, counts), by_hand.filter_by_hand(selector, totals)


def scores(asked: Asked) -> Line:
    """Score `rows` rows of ten columns under another member's model.

    The limit is the same in CKKS by TenSEAL by hand in one process, which isn't blind.
    """
    rng, names = np.random.default_rng(_SEED), [f"x{i}" for i in range(COLUMNS)]
    features = np.round(rng.uniform(-1, 1, (asked.rows, COLUMNS)), _DECIMALS)
    weights = np.round(rng.uniform(-1, 1, COLUMNS), _DECIMALS)
    plaintext_s, wanted = timed(lambda: features @ weights + 0.5, asked.runs)
    by_hand_s, _ = timed(
        lambda: by_hand.scores_by_hand(features, weights.tolist(), 0.5), asked.runs
    )
    rows = pd.DataFrame(features, columns=names)
    rows.insert(0, "person", range(asked.rows))
    model = {"weights": dict(zip(names, weights.tolist(), strict=True)), "intercept": 0.5}
    table, risk = "bank_a.accounts", "bank_b.risk"
    with LocalRoom(_scoring(asked.rows, names), {table: rows}, models={risk: model}) as room:
        once = ask(room, lambda: room.score(model=risk, table=table), asked.runs, 2)
    found = [result.to_pandas()["score"].to_numpy(float) for result in once.results]
    correct = all(np.allclose(one, wanted, atol=0.51 * 10**-_DECIMALS) for one in found)
    return line(asked, once, plaintext_s, by_hand_s, correct=correct)


def _scoring(rows: int, names: list[str]) -> dict[str, Any]:
    """Return a contract under which bank_a has its rows scored by bank_b."""
    number = {"type": f"DECIMAL(9,{_DECIMALS})", "bounds": [-1, 1]}
    columns: dict[str, Any] = {
        "person": {"type": "INTEGER", "bounds": [0, rows]},
        **{name: {**number, "rights": {"bank_a": ["score"]}} for name in names},
    }
    feature = {"bounds": [-1, 1], "decimals": _DECIMALS}
    model = {
        "kind": "linear",
        "features": dict.fromkeys(names, feature),
        "weight_decimals": _DECIMALS,
        "score_decimals": _DECIMALS,
        "max_weight": _BOUND,
        "max_rows": rows,
        "max_rows_per_day": 1000 * rows,
        "scores": {"bank_a": ["bank_a.accounts"]},
    }
    return {
        **tables.contract(rows),
        "members": {"bank_a": {"roles": ["input", "result"]}, "bank_b": {"roles": ["input"]}},
        "privacy": {"release": "sdc", "min_group": 1},
        "tables": {
            "bank_a.accounts": {"person": "person", "max_rows": rows, "columns": columns},
        },
        "models": {"bank_b.risk": model},
    }
