"""Rules of gates, and of everything else where a room opens gates alone.

Rule: a gate is the contract's own text, asked by name, for whom it names. All members signed what
chooses its rows, so no group is tested and no right is asked for it; what is shown needs the right
'reveal', as rows do.
"""

from collections.abc import Iterator

from cleanroom.contract.terms import Terms
from cleanroom.plan.plan import Plan
from cleanroom.policy.matter import Matter, Rule
from cleanroom.policy.model import Code, Violation

_NEW_CONTRACT = "have all members sign another contract."


def gates_alone(terms: Terms) -> Iterator[Violation]:
    """Refuse what isn't a gate, where nothing else is opened."""
    if terms.privacy.release == "gated":
        names = ", ".join((*terms.gates, *terms.propagations))
        more = " and propagations" if terms.propagations else ""
        message = f"release = 'gated' opens nothing but the rows of gates{more}"
        remedy = f"Ask one of the contract's: {names}." if names else _NEW_CONTRACT.capitalize()
        yield Violation(Code.GATES_ALONE, "", message, remedy, "privacy.release")


def _as_signed(matter: Matter[Plan]) -> Iterator[Violation]:
    """Refuse a gate in any form but the one that all members signed."""
    plan, root = matter.plan, matter.plan.root
    gate = matter.terms.gates.get(plan.gate_name)
    opened = 0 if root.top is None else root.top.limit
    if gate is None or plan.sql != gate.sql:
        message = "a gate with another text than the one that all members signed"
    elif plan.ciphertexts is not None or not root.hidden or not 0 < opened <= gate.max_rows:
        message = "a gate that doesn't hide how many rows match, up to its max_rows"
    else:
        return
    remedy = f"Ask the gate by its name, or {_NEW_CONTRACT}"
    yield Violation(Code.GATE_ALTERED, "", message, remedy, f"gates.{plan.gate_name}")


def _recipients(matter: Matter[Plan]) -> Iterator[Violation]:
    """Refuse a gate to whom it doesn't name, but an owner its own part."""
    plan, name = matter.plan, matter.plan.gate_name
    gate = matter.terms.gates.get(name)
    if gate is None or plan.gate is None or plan.recipient in gate.to:
        return
    if not (gate.owners and plan.gate.own):
        who = ", ".join((*gate.to, *(("each owner its own part",) if gate.owners else ())))
        message = f"gate {name} is not for {plan.recipient}, but for {who}"
        remedy = f"Ask as one of them, or {_NEW_CONTRACT}"
        yield Violation(Code.GATE_NOT_FOR_RECIPIENT, "", message, remedy, f"gates.{name}.to")


def _often(matter: Matter[Plan]) -> Iterator[Violation]:
    """Refuse whoever asked as often today as all members allowed."""
    name = matter.plan.gate_name
    gate = matter.terms.gates.get(name)
    if gate is not None and matter.spent.counted >= gate.per_day:
        asked = f"{matter.plan.recipient} asked gate {name} {matter.spent.counted} times today"
        message = f"{asked}; {gate.per_day} are allowed"
        remedy, rule = "Ask again tomorrow (UTC).", f"gates.{name}.per_day"
        yield Violation(Code.GATE_ASKED_TOO_OFTEN, matter.own.member, message, remedy, rule)


RULES: tuple[Rule[Plan], ...] = (_as_signed, _recipients, _often)
