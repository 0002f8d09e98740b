"""Rules of scorings.

Rule: the model's owner names who may score which table, and rows are limited because scores tell
of the weights: those of one row more than there are features determine them.
"""

from collections.abc import Iterator

from cleanroom.policy.gates import gates_alone
from cleanroom.policy.matter import Matter, Rows, Rule
from cleanroom.policy.model import Code, Violation


def _gated(matter: Matter[Rows]) -> Iterator[Violation]:
    yield from gates_alone(matter.terms)


def _model(matter: Matter[Rows]) -> Iterator[Violation]:
    plan = matter.plan.plan
    model = matter.terms.models.get(plan.model)
    allowed = model.scores.get(plan.recipient, ()) if model else ()
    if plan.table not in allowed:
        message = (
            f"model {plan.model} may not score {plan.table} for {plan.recipient}; "
            f"allowed: {', '.join(allowed) or 'nothing'}"
        )
        remedy = "Have all members sign a contract whose model names that table under 'scores'."
        rule = f"models.{plan.model}.scores"
        yield Violation(Code.MODEL_NOT_ALLOWED, plan.owner, message, remedy, rule)


def _rows(matter: Matter[Rows]) -> Iterator[Violation]:
    plan, n, before = matter.plan.plan, matter.plan.n, matter.spent.counted
    where = f"models.{plan.model}"
    if n > plan.max_rows:
        message = f"{n} rows to score; {plan.model} scores {plan.max_rows} at most in a session"
        remedy, rule = f"Score at most {plan.max_rows} rows.", f"{where}.max_rows"
        yield Violation(Code.TOO_MANY_ROWS, plan.owner, message, remedy, rule)
    elif before + n > plan.max_rows_per_day:
        message = (
            f"{n} rows to score after {before} today; {plan.model} scores "
            f"{plan.max_rows_per_day} at most a day for one member"
        )
        remedy, rule = "Ask again tomorrow (UTC).", f"{where}.max_rows_per_day"
        yield Violation(Code.TOO_MANY_ROWS, plan.owner, message, remedy, rule)


RULES: tuple[Rule[Rows], ...] = (_gated, _model, _rows)
