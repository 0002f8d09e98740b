"""The rule of privacy budgets: what a plan costs of which, and whether as much is left.

Rule: an owner's budgets are of its own tables, towards one recipient, for one purpose. Whether they
are charged, and durably, is its process's to see to.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Protocol

from cleanroom.budget.ledger import Scope
from cleanroom.budget.zcdp import UNITS, epsilon
from cleanroom.contract.terms import Terms
from cleanroom.plan.plan import Plan
from cleanroom.plan.training import TrainPlan
from cleanroom.policy.matter import Matter
from cleanroom.policy.model import Code, Violation


class Cost(Protocol):
    @property
    def units(self) -> int: ...


class Charged(Protocol):
    """What every plan says of its cost, a query's and a training's."""

    @property
    def hash(self) -> str: ...
    @property
    def recipient(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def tables(self) -> tuple[str, ...]: ...
    @property
    def noise(self) -> Cost | None: ...


def costs(plan: Charged, terms: Terms, member: str) -> Mapping[Scope, Fraction]:
    """Return what a plan costs of a member's budgets, in rho; nothing if its answers are exact."""
    if plan.noise is None:
        return {}
    purpose, rho = terms.room.scope(plan.purpose), Fraction(plan.noise.units, UNITS)
    mine = set(terms.tables_of(member))
    return {Scope(table, plan.recipient, purpose): rho for table in plan.tables if table in mine}


def budget(matter: Matter[Plan | TrainPlan]) -> Iterator[Violation]:
    """Refuse what costs more than is left."""
    terms, member = matter.terms, matter.own.member
    delta = terms.privacy.delta
    for scope, rho in costs(matter.plan, terms, member).items():
        left = matter.spent.left.get(scope, Fraction(0))
        if rho > left:
            asked, rest = epsilon(rho, delta), epsilon(left, delta)
            message = f"{scope.table}: epsilon {asked:.4g} asked, {rest:.4g} left"
            remedy = "Ask with a smaller epsilon; only a new contract grants more."
            yield Violation(Code.BUDGET_EXHAUSTED, member, message, remedy, "privacy.epsilon")
