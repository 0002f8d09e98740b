"""Rules of propagations: who asks, over how many rounds, how often.

Rule: a propagation is the contract's own offer, over columns that all members signed, so no right
is asked for them; whoever asks is told of its own accounts alone.
"""

from collections.abc import Iterator

from cleanroom.contract.propagations import PropagationTerms
from cleanroom.plan.graphs import Propagate
from cleanroom.plan.plan import Plan
from cleanroom.policy.matter import Matter, Rule
from cleanroom.policy.model import Code, Violation

_NEW_CONTRACT = "have all members sign another contract."


def _signed(matter: Matter[Plan]) -> tuple[Propagate, PropagationTerms] | None:
    """Return what is asked, and what all signed of it; None if they signed nothing of this name."""
    node = matter.plan.propagation
    terms = None if node is None else matter.terms.propagations.get(node.flow.name)
    return None if node is None or terms is None else (node, terms)


def _own_alone(matter: Matter[Plan]) -> Iterator[Violation]:
    """Refuse what opens anything but a bank's own accounts, or shows how many there are."""
    found, plan = _signed(matter), matter.plan
    if found is not None and found[0].own.member == plan.recipient and plan.root.hidden:
        return
    message = "a propagation that all members didn't sign, or not of the recipient's own accounts"
    remedy = f"Ask one of the contract's, or {_NEW_CONTRACT}"
    yield Violation(Code.PROPAGATION_ALTERED, "", message, remedy, "propagations")


def _recipient(matter: Matter[Plan]) -> Iterator[Violation]:
    if (found := _signed(matter)) is None or matter.plan.recipient in found[1].to:
        return
    name, to = found[0].flow.name, ", ".join(found[1].to)
    message = f"propagation {name} is not for {matter.plan.recipient}, but for {to}"
    remedy, rule = f"Ask as one of them, or {_NEW_CONTRACT}", f"propagations.{name}.to"
    yield Violation(Code.PROPAGATION_NOT_FOR_RECIPIENT, "", message, remedy, rule)


def _rounds(matter: Matter[Plan]) -> Iterator[Violation]:
    if (found := _signed(matter)) is None or found[0].flow.rounds <= found[1].max_rounds:
        return
    flow, most = found[0].flow, found[1].max_rounds
    message = f"propagation {flow.name} over {flow.rounds} rounds; {most} are allowed"
    remedy, rule = f"Ask for {most} or fewer.", f"propagations.{flow.name}.max_rounds"
    yield Violation(Code.PROPAGATION_TOO_FAR, "", message, remedy, rule)


def _often(matter: Matter[Plan]) -> Iterator[Violation]:
    """Refuse whoever asked as often today as all members allowed, over whatever rounds."""
    if (found := _signed(matter)) is None or matter.spent.counted < found[1].per_day:
        return
    name, most = found[0].flow.name, found[1].per_day
    asked = f"{matter.plan.recipient} asked propagation {name} {matter.spent.counted} times today"
    message, rule = f"{asked}; {most} are allowed", f"propagations.{name}.per_day"
    remedy, member = "Ask again tomorrow (UTC).", matter.own.member
    yield Violation(Code.PROPAGATION_ASKED_TOO_OFTEN, member, message, remedy, rule)


RULES: tuple[Rule[Plan], ...] = (_own_alone, _recipient, _rounds, _often)
