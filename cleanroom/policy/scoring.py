"""The ruling on a scoring. Pure: the same plan, rows, terms and day always rule the same.

Rule: deny by default, from both sides. The model's owner names who may score which table, each
column needs the right 'score', and rows are limited because scores tell of the weights: those of
one row more than there are features determine them.
"""

import datetime as dt
from collections.abc import Iterator

from cleanroom.contract.terms import Terms
from cleanroom.plan.scoring import ScorePlan
from cleanroom.policy.check import OF_ALL
from cleanroom.policy.model import Code, Violation


def check_scoring(
    plan: ScorePlan, rows: int, before: int, terms: Terms, today: dt.date
) -> tuple[Violation, ...]:
    """Return every way in which the scoring breaks the contract; empty means it may run.

    Args:
        rows: to be scored.
        before: rows that this model scored for this recipient earlier today, as far as the
            caller knows.
    """
    found = [violation for rule in OF_ALL for violation in rule(plan, terms, today)]
    return (*found, *_model(plan, terms), *_rows(plan, rows, before))


def _model(plan: ScorePlan, terms: Terms) -> Iterator[Violation]:
    model = terms.models.get(plan.model)
    allowed = model.scores.get(plan.recipient, ()) if model else ()
    if plan.table not in allowed:
        message = (
            f"model {plan.model} may not score {plan.table} for {plan.recipient}; "
            f"allowed: {', '.join(allowed) or 'nothing'}"
        )
        remedy = "Have all members sign a contract whose model names that table under 'scores'."
        yield Violation(Code.MODEL_NOT_ALLOWED, plan.owner, message, remedy)


def _rows(plan: ScorePlan, rows: int, before: int) -> Iterator[Violation]:
    if rows > plan.max_rows:
        message = f"{rows} rows to score; {plan.model} scores {plan.max_rows} at most in a session"
        yield Violation(Code.TOO_MANY_ROWS, plan.owner, message, "Score fewer rows.")
    elif before + rows > plan.max_rows_per_day:
        message = (
            f"{rows} rows to score after {before} today; {plan.model} scores "
            f"{plan.max_rows_per_day} at most a day for one member"
        )
        yield Violation(Code.TOO_MANY_ROWS, plan.owner, message, "Ask again tomorrow (UTC).")
