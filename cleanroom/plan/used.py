"""Which cards describe a plan: the protocols that it runs and the techniques that it takes."""

from collections.abc import Iterator
from typing import TypeAlias, assert_never

from cleanroom.cards.shelf import card
from cleanroom.contract.terms import Terms
from cleanroom.plan.plan import Plan
from cleanroom.plan.scoring import ScorePlan
from cleanroom.plan.training import TrainPlan

AnyPlan: TypeAlias = Plan | ScorePlan | TrainPlan


def cards_of(plan: AnyPlan, terms: Terms) -> tuple[str, ...]:
    """Return the names of the cards that say what protects this plan."""
    match plan:
        case Plan():
            return tuple(_of_a_query(plan, terms))
        case ScorePlan():
            return ("scoring",)
        case TrainPlan():
            return (plan.kind,)
    assert_never(plan)


def lines(plan: AnyPlan, terms: Terms) -> list[str]:
    """Return a sheet's lines about protocols."""
    return [f"{name}: {card(name).title}" for name in cards_of(plan, terms)]


def _of_a_query(plan: Plan, terms: Terms) -> Iterator[str]:
    if plan.ciphertexts is not None:
        yield "he" if plan.ciphertexts.private is None else "private"
        return
    fit = plan.root.input.fit
    yield "rep3" if fit is None else f"joined_{fit.kind}"
    if terms.privacy.release == "sdc":
        yield "sdc"
