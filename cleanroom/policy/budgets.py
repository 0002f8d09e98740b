"""The rules of privacy budgets: what a plan costs of which, who pays, and whether it is left.

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


def charged_alike(matter: Matter[Plan | TrainPlan]) -> Iterator[Violation]:
    """Refuse noisy answers of some owners alone, unless no person is at two of them.

    Who isn't asked isn't charged: asked first of some and then of the others, a person at both
    would pay twice from budgets that hold for once. An owner that leaves a training before it has
    read its rows isn't charged either.
    """
    plan, terms = matter.plan, matter.terms
    may_leave = isinstance(plan, TrainPlan) and plan.least < len(plan.owners)
    if plan.noise is None or not (plan.without or may_leave):
        return
    for name in plan.tables:
        table = terms.tables.get(name)
        if table is None or table.members is None or table.owners_per_person == 1:
            continue
        if may_leave or set(table.members) & set(plan.without):
            message = (
                f"noisy answers of some owners of {name}, where a person may be at others too: "
                "only those who take part are charged"
            )
            asked = "Ask without min_owners" if not plan.without else "Leave nobody out"
            rule = f"tables.{name}.owners_per_person"
            remedy = f"{asked}, or have all sign owners_per_person = 1."
            yield Violation(Code.NOISE_NOT_ENOUGH, "", message, remedy, rule)
