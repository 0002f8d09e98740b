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
    most = terms.gates[asked.name].max_rows
    yield f"whether more than {most} rows match, and nothing else about these: {plan.recipient}"
    yield (
        "an owner that changes its own rows and has the gate asked again learns by what then "
        "opens to it whether these match: nothing proves that rows are true"
    )
