"""Rules of what one recipient asks over time: comparisons of a column, and sets of rows.

Rule: an owner counts for its own tables alone, durably, and a question counts once it may run.
"""

from collections.abc import Iterator

from cleanroom.contract.terms import Terms
from cleanroom.plan.plan import Plan
from cleanroom.plan.restrictions import Base
from cleanroom.plan.rowsets import RowSet
from cleanroom.plan.training import TrainPlan
from cleanroom.policy.matter import Matter, Rule
from cleanroom.policy.model import Code, Violation
from cleanroom.policy.own import Own

MOST_SETS = 1000  # of one table and recipient


def compared(plan: Plan | TrainPlan, terms: Terms, member: str) -> tuple[Base, ...]:
    """Return the member's columns that a question compares with those of others."""
    mine = set(terms.tables_of(member))
    found = {(use.table, use.column) for use in plan.uses if use.right == "compare"}
    return tuple(sorted(base for base in found if base[0] in mine))


def watched(plan: Plan | TrainPlan, terms: Terms, own: Own) -> tuple[RowSet, ...]:
    """Return the sets of the member's rows that may not overlap with others asked about."""
    if "refused" not in (terms.privacy.overlap, own.policy.overlap):
        return ()
    mine = set(terms.tables_of(own.member))
    return tuple(one for one in plan.row_sets if one.table in mine)


def _comparisons(matter: Matter[Plan | TrainPlan]) -> Iterator[Violation]:
    own, agreed = matter.own, matter.terms.privacy.max_comparisons
    limits = [(agreed, "privacy")]
    if own.policy.max_comparisons is not None:
        limits.append((own.policy.max_comparisons, "policy"))
    for base in compared(matter.plan, matter.terms, own.member):
        before = matter.spent.comparisons.get(base, 0)
        for most, where in limits:
            if before >= most:
                message = (
                    f"column {'.'.join(base)} was compared in {before} questions of "
                    f"{matter.plan.recipient}; at most {most}"
                )
                remedy = "Leave that comparison out; only a new contract or policy grants more."
                code, rule = Code.COMPARISONS_EXHAUSTED, f"{where}.max_comparisons"
                yield Violation(code, own.member, message, remedy, rule)
                break


def _overlap(matter: Matter[Plan | TrainPlan]) -> Iterator[Violation]:
    own, asker = matter.own, matter.plan.recipient
    agreed = matter.terms.privacy.overlap == "refused"
    rule = "privacy.overlap" if agreed else "policy.overlap"
    for one in watched(matter.plan, matter.terms, own):
        earlier = matter.spent.row_sets.get(one.table, ())
        if not one.whole:
            message = (
                f"an aggregate chooses among the rows of {one.table}: by CASE, FILTER, a product, "
                "an outer join or a second mention"
            )
            remedy = "Ask for both sides at once: GROUP BY the condition."
        elif not one.proven_apart(*earlier):
            message = f"rows of {one.table} may overlap with others that {asker} asked about"
            remedy = (
                "Ask about the same rows as before, and for both sides at once: "
                "GROUP BY the condition."
            )
        elif len(earlier) >= MOST_SETS and one not in earlier:
            message = f"{asker} asked about {len(earlier)} sets of rows of {one.table}"
            remedy = "Ask about one of these again."
        else:
            continue
        yield Violation(Code.ROWS_OVERLAP, own.member, message, remedy, rule)


RULES: tuple[Rule[Plan | TrainPlan], ...] = (_comparisons, _overlap)
