"""The one ruling on whatever is asked of a member. Pure: the same matter always rules the same.

Rule: every plan comes through here, wherever it came from, and all that it breaks is found at
once. Whoever executes asks here and decides nothing itself.
"""

import datetime as dt
from typing import Any, TypeAlias

from cleanroom.contract.terms import Terms
from cleanroom.plan.plan import Plan
from cleanroom.plan.profile import ProfilePlan
from cleanroom.plan.training import TrainPlan
from cleanroom.policy import (
    approval,
    asked,
    common,
    conditions,
    disclosure,
    gates,
    linkages,
    owners,
    profile,
    propagations,
    queries,
    scoring,
    training,
)
from cleanroom.policy.matter import Matter, Rows, Rule, Spent
from cleanroom.policy.model import Violation
from cleanroom.policy.own import NONE, Own

Ruled: TypeAlias = Plan | TrainPlan | Rows | ProfilePlan


def check(
    plan: Ruled, terms: Terms, own: Own, spent: Spent, today: dt.date
) -> tuple[Violation, ...]:
    """Return every way in which a plan breaks contract or own policy; empty means it may run.

    Args:
        plan: of a query or a training; or a scoring's, with the number of rows.
        own: the policy of the member that rules, which only adds refusals.
        spent: what its durable state says at this moment.
        today: in UTC.
    """
    matter = Matter(plan, terms, own, spent, today)
    rules = (*common.RULES, *owners.RULES, *_rules_of(plan), *approval.RULES)
    return approval.later([violation for rule in rules for violation in rule(matter)])


def by_contract(plan: Ruled, terms: Terms, today: dt.date) -> tuple[Violation, ...]:
    """Return every way in which a plan breaks the contract, whatever members decide beyond it.

    As a member rules that has neither rows nor a policy of its own.
    """
    return check(plan, terms, NONE, Spent(), today)


def _rules_of(plan: Ruled) -> tuple[Rule[Any], ...]:
    match plan:
        case Plan() if plan.gate is not None:
            return (*gates.RULES, queries.computing)
        case Plan() if plan.propagation is not None:
            return (*propagations.RULES, queries.computing)
        case Plan():
            of_contract = (*queries.RULES, *disclosure.RULES, *conditions.RULES, *asked.RULES)
            return (*of_contract, *linkages.RULES, *owners.OF_QUERIES)
        case TrainPlan():
            return (*training.RULES, *conditions.RULES, *asked.RULES, *owners.OF_TRAININGS)
        case Rows():
            return scoring.RULES
        case ProfilePlan():
            return profile.RULES
