"""What one ruling is about: what is asked, and everything that the answer follows from.

Rule: values only, so that the same matter is always ruled on alike.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Generic, Protocol, TypeAlias, TypeVar

from cleanroom.budget.ledger import Scope
from cleanroom.contract.terms import Terms
from cleanroom.plan.plan import Use
from cleanroom.plan.restrictions import Base
from cleanroom.plan.rowsets import RowSet
from cleanroom.plan.scoring import ScorePlan
from cleanroom.policy.model import Violation
from cleanroom.policy.own import Own


class Asked(Protocol):
    """What every plan says, whatever it runs."""

    @property
    def recipient(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def uses(self) -> tuple[Use, ...]: ...
    @property
    def tables(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Rows:
    """A scoring, and of how many rows: that is no part of its plan."""

    plan: ScorePlan
    n: int

    @property
    def recipient(self) -> str:
        return self.plan.recipient

    @property
    def purpose(self) -> str:
        return self.plan.purpose

    @property
    def uses(self) -> tuple[Use, ...]:
        return self.plan.uses

    @property
    def tables(self) -> tuple[str, ...]:
        return (self.plan.table,)


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person at a member decided about one plan.

    Attributes:
        given: it may run now. denied: it may not, for this reason if one was given.
    """

    plan_hash: str = ""
    given: bool = False
    denied: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """What an owner's durable state says, as far as one plan is concerned.

    Attributes:
        left: what may still be charged, in rho; a budget that isn't named has nothing left.
        counted: for this recipient earlier today (UTC): rows that the model scored, or how often
            the gate or propagation was asked.
        erased: the contract's tables that were erased there.
        approval: what a person decided, where one has to.
        comparisons: questions of this recipient that compared a column.
        row_sets: for each table, those that this recipient asked about, if they may not overlap.
    """

    left: Mapping[Scope, Fraction] = field(default_factory=dict)
    counted: int = 0
    erased: frozenset[str] = frozenset()
    approval: Approval = Approval()
    comparisons: Mapping[Base, int] = field(default_factory=dict)
    row_sets: Mapping[str, tuple[RowSet, ...]] = field(default_factory=dict)


P_co = TypeVar("P_co", bound=Asked, covariant=True)


@dataclass(frozen=True, slots=True)
class Matter(Generic[P_co]):
    """A plan, and what a party rules on it by."""

    plan: P_co
    terms: Terms
    own: Own
    spent: Spent
    today: dt.date


P = TypeVar("P", bound=Asked)
Rule: TypeAlias = Callable[[Matter[P]], Iterator[Violation]]
