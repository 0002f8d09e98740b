"""Which cards describe a plan: the protocols that it runs and the techniques that it takes."""

from collections.abc import Iterator
from typing import TypeAlias, assert_never

from cleanroom.cards.shelf import CARDS, card
from cleanroom.contract.columns import Right
from cleanroom.contract.terms import Terms
from cleanroom.plan.plan import Plan, linkages_of
from cleanroom.plan.profile import ProfilePlan
from cleanroom.plan.scoring import ScorePlan
from cleanroom.plan.training import TrainPlan
from protocols.card import Technique
from protocols.secagg.roster import LEAST_MEMBERS

AnyPlan: TypeAlias = Plan | ScorePlan | TrainPlan | ProfilePlan


def cards_of(plan: AnyPlan, terms: Terms) -> tuple[str, ...]:
    """Return the names of the cards that say what protects this plan."""
    match plan:
        case Plan():
            return tuple(_of_a_query(plan, terms))
        case ScorePlan():
            return ("scoring",)
        case TrainPlan():
            return (plan.kind,)
        case ProfilePlan():
            return ("profile",)
    assert_never(plan)


def cards_under(terms: Terms) -> tuple[str, ...]:
    """Return the names of all cards that plans under these terms may have."""
    return (*_on_shares(terms), *_on_ciphertexts(terms), *_others(terms), "log")


def lines(plan: AnyPlan, terms: Terms) -> list[str]:
    """Return a sheet's lines about protocols."""
    return [f"{name}: {card(name).title}" for name in cards_of(plan, terms)]


def _of_a_query(plan: Plan, terms: Terms) -> Iterator[str]:
    fit = plan.root.input.fit
    if plan.ciphertexts is not None:
        yield "he" if plan.ciphertexts.private is None else "private"
    else:
        yield "rep3" if fit is None else f"joined_{fit.kind}"
    if plan.propagation is not None:
        yield "propagation"
    elif plan.noise is not None:
        yield "noisy"
    elif plan.gate is not None:
        yield "gates"
    elif terms.privacy.release == "sdc" and plan.ciphertexts is None:
        yield "sdc"
    if any(linkages_of(plan.root.input.input)):
        yield "linkage"


def _on_shares(terms: Terms) -> Iterator[str]:
    if terms.computing:
        yield "rep3"
        if terms.privacy.release == "sdc":
            yield "sdc"
        if terms.gates:
            yield "gates"
        if terms.propagations:
            yield "propagation"
        if terms.linkages:
            yield "linkage"


def _on_ciphertexts(terms: Terms) -> Iterator[str]:
    release = terms.privacy.release
    opens_cells = release == "sdc" and terms.opens_cells
    if release == "dp":
        yield "noisy"
    if release == "dp" or opens_cells:
        yield "he"
    if opens_cells and _granted(terms) & {Right.PRIVATE_FILTER, Right.PRIVATE_WEIGHTS}:
        yield "private"


def _others(terms: Terms) -> Iterator[str]:
    if terms.privacy.release != "dp" and any(table.profile for table in terms.tables.values()):
        yield "profile"
    if any(model.scores for model in terms.models.values()):
        yield "scoring"
    if Right.TRAIN in _granted(terms):
        yield from _trainings(terms)


def _granted(terms: Terms) -> set[Right]:
    columns = [c for table in terms.tables.values() for c in table.columns.values()]
    return {right for c in columns for *_, rights in c.granted() for right in rights}


def _trainings(terms: Terms) -> Iterator[str]:
    together = any(len(terms.owners(name)) >= LEAST_MEMBERS for name in terms.tables)
    exact = terms.privacy.release == "sdc"
    for name, one in CARDS.items():
        if name.startswith("joined_"):
            fits = exact and bool(terms.computing)
        elif one.technique is Technique.FL:
            fits = exact and together
        else:
            fits = together and name.startswith("private_")
        if fits:
            yield name
