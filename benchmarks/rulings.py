"""How long a member rules on a plan at worst: with a policy of its own and a long memory."""

import datetime as dt
import time
from dataclasses import replace
from typing import Any

from benchmarks.measure import (
    Asked,
    Line,
    Measured,
    line,
    peak_memory_bytes,
    reset_peak_memory,
    timed,
)
from benchmarks.tables import contract
from cleanroom.contract.terms import Terms
from cleanroom.plan.plan import Plan
from cleanroom.policy.asked import MOST_SETS
from cleanroom.policy.check import check
from cleanroom.policy.matter import Spent
from cleanroom.policy.own import Own, OwnPolicy
from cleanroom.query.compile import compile_query

_WANTED_S = 5e-3  # a plan
_COLUMNS = [f"c{i}" for i in range(40)]
_TABLE = "bank_a.wide"
_TODAY = dt.date(2026, 1, 1)


def policy_check_wide(asked: Asked) -> Line:
    """Rule `rows` times on a plan with conditions on 40 columns, after 1000 other questions."""
    terms = _terms()
    plan = _plan(terms)
    own, spent = _own(terms), _spent(plan)
    rights = [(use.right, terms.tables[use.table].columns[use.column]) for use in plan.uses]

    def looked_up() -> list[bool]:
        return [right in column.rights_of("analyst", "fraud") for right, column in rights]

    def ruled() -> tuple[Any, ...]:
        return check(plan, terms, own, spent, _TODAY)

    plaintext_s, _ = timed(lambda: [looked_up() for _ in range(asked.rows)], asked.runs)
    reset_peak_memory()
    started = time.process_time()
    seconds, found = timed(lambda: [ruled() for _ in range(asked.rows)][-1], asked.runs)
    cpu_s = (time.process_time() - started) / asked.runs
    peak = peak_memory_bytes()
    measured = Measured((seconds,) * asked.runs, cpu_s, (0, 0, 0), 0, peak, peak, (found,))
    return line(asked, measured, plaintext_s, _WANTED_S * asked.rows, correct=found == ())


def _terms() -> Terms:
    source = contract(1000)
    source["room"]["purposes"] = {"fraud": "Measurement"}
    source["privacy"].update(overlap="refused", max_comparisons=10)
    rights = {"analyst": {"fraud": ["filter", "sum", "group"]}}
    wide = {"filter_by": "range", "min_width": 10, "bounds": [0, 999]}
    column = {"type": "INTEGER", "rights": rights, **wide}
    person = {"type": "INTEGER", "bounds": [0, 2000]}
    source["tables"][_TABLE] = {
        "person": "person",
        "max_rows_per_person": 1,
        "max_rows": 1000,
        "columns": {"person": person, "key": {**person, "rights": rights}}
        | dict.fromkeys(_COLUMNS, column),
    }
    return Terms.of(source)


def _plan(terms: Terms) -> Plan:
    conditions = " AND ".join(f"{name} BETWEEN 100 AND 899" for name in _COLUMNS)
    sums = ", ".join(f"SUM({name})" for name in _COLUMNS)
    sql = " ".join(("SELECT key,", sums, "FROM", _TABLE, "WHERE", conditions, "GROUP BY key"))
    return compile_query(sql, terms, "0" * 64, "analyst", purpose="fraud")


def _own(terms: Terms) -> Own:
    limits = {f"{_TABLE}.{name}": {"filter_by": "range", "min_width": 20} for name in _COLUMNS}
    policy = OwnPolicy.model_validate({"purposes": ["fraud"], "columns": limits})
    policy.check("bank_a", terms)
    return Own("bank_a", policy)


def _spent(plan: Plan) -> Spent:
    """Return a memory of as many other sets of rows as there may be, apart in the last column."""
    (mine,) = plan.row_sets
    *rest, last = mine.chosen
    below = replace(last, low=0, high=99)
    sets = [replace(mine, shape=str(i), chosen=(*rest, below)) for i in range(MOST_SETS - 1)]
    return Spent(row_sets={_TABLE: tuple(sets)})


IN_PROCESS = {"policy_check_wide": policy_check_wide}
SIZES = {"policy_check_wide": (1, 100)}
