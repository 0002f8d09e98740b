"""What the sheet of a gate says besides that of any query: which rows open, and to whom."""

from collections.abc import Iterator

from cleanroom.contract.offers import GateTerms
from cleanroom.contract.terms import Terms
from cleanroom.plan.gated import Gated
from cleanroom.plan.plan import Plan


def for_whom(gate: GateTerms) -> str:
    """Return who may ask a gate."""
    return ", ".join((*gate.to, *(("each owner for its own part",) if gate.owners else ())))


def room(plan: Plan, asked: Gated, terms: Terms) -> Iterator[str]:
    """Yield what takes the place of a release's rules."""
    gate = terms.gates[asked.name]
    yield f"gate {asked.name}, in the text that all members signed; for {for_whom(gate)}"
    whole = "all matching rows" if not asked.own else "matching rows that one of its own is part of"
    yield f"{plan.recipient} gets {whole}, {gate.max_rows} at most"


def leaks(plan: Plan, asked: Gated, terms: Terms) -> Iterator[str]:
    """Yield what is learnt of rows that stay closed."""
    gate, who = terms.gates[asked.name], plan.recipient
    if gate.max_chosen is not None:
        what = f"more than {gate.max_chosen} rows that the gate's own conditions leave"
        yield f"whether a member has {what} (the gate then fails): all members"
    yield f"whether more than {gate.max_rows} rows match, and nothing else about these: {who}"
    yield (
        "an owner that changes its own rows and asks again learns by what then opens to it "
        f"whether these match, {gate.per_day} times a day: nothing proves that rows are true"
    )
