"""What a session asks of the query layer: a few functions, so that it knows no more of it."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from cleanroom.contract.terms import Terms
from cleanroom.execution.contribute import Contribution, Source
from cleanroom.execution.outcome import Opened, Outcome
from cleanroom.plan.plan import Plan
from cleanroom.plan.question import Question
from cleanroom.policy.check import Ruled, check
from cleanroom.policy.matter import Spent
from cleanroom.policy.own import Own
from protocols.context import Context
from protocols.rounds import Steps

if TYPE_CHECKING:
    import pyarrow as pa

Numbers: TypeAlias = NDArray[np.int64]
Triple: TypeAlias = tuple[Contribution, Contribution, Contribution]


class Violation(Interface):
    """One way in which a plan breaks the policy."""

    @property
    def code(self) -> str: ...
    @property
    def party(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def remedy(self) -> str: ...
    @property
    def rule(self) -> str: ...


Check: TypeAlias = Callable[[Ruled, Terms, Own, Spent, dt.date], Sequence[Violation]]


@dataclass(frozen=True, slots=True)
class Engine:
    """The query layer behind a session, at a party and at the recipient.

    Attributes:
        compile: a question under the terms of the contract with this hash.
        prepare: called while a recipient waits for what `finish` then takes.
        add_up, read: what an owner encrypts, and the sum over all owners as groups.
    """

    compile: Callable[[Question, Terms, str], Plan]
    check: Check
    contribute: Callable[[Plan, str, Source, bytes], Sequence[Triple]]
    compute: Callable[[Context, Plan, Mapping[int, Contribution]], Steps[Outcome]]
    reconstruct: Callable[[Plan, tuple[Outcome, Outcome, Outcome]], Opened]
    finish: Callable[[Plan, Mapping[str, NDArray[Any]]], "pa.Table"]
    prepare: Callable[[], None]
    add_up: Callable[[Plan, str, Source, bytes], Numbers]
    read: Callable[[Plan, Numbers], Opened]


def standard() -> Engine:
    """Return the query layer of this release."""
    from cleanroom.execution.cells import add_up, read
    from cleanroom.execution.compute import compute
    from cleanroom.execution.contribute import contribute
    from cleanroom.execution.outcome import reconstruct
    from cleanroom.query.compile import compile_question
    from cleanroom.query.finish import finish, prepare

    on_shares = contribute, compute, reconstruct
    return Engine(compile_question, check, *on_shares, finish, prepare, add_up, read)


def participants(plan: Plan, terms: Terms) -> tuple[str, ...]:
    """Return who takes part in a plan, in the order of the contract."""
    needed = {leaf.member for leaf in plan.leaves}
    if plan.ciphertexts is None:
        needed |= set(terms.computing)
    return tuple(member for member in terms.members if member in needed)
