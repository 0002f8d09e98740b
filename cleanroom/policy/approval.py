"""Rules of a member that has a person approve plans, or takes part in what was signed alone.

Rule: what all members signed with the contract needs no approval of its own. A person's decision
is of one plan hash; whatever changes the plan needs another.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cleanroom.contract.terms import Terms
from cleanroom.plan.plan import Plan
from cleanroom.plan.profile import ProfilePlan
from cleanroom.plan.training import TrainPlan
from cleanroom.policy.matter import Asked, Matter, Rows, Rule
from cleanroom.policy.model import Code, Violation
from cleanroom.policy.own import Kind, OwnPolicy

_NAMED = 12  # digits of a plan hash in messages
_LATER = "Meet the other points first: what is asked then is another plan, to be approved itself."


def kind_of(plan: Asked) -> Kind:
    """Return what a plan is, as `approval_for` names it."""
    match plan:
        case Plan():
            return "query" if plan.root.input.fit is None else "training"
        case TrainPlan():
            return "training"
        case _:
            return "scoring"


def hash_of(plan: Plan | TrainPlan | Rows | ProfilePlan) -> str:
    """Return the hash of a plan, whatever it runs."""
    return plan.plan.hash if isinstance(plan, Rows) else plan.hash


def needs_person(plan: Asked, policy: OwnPolicy) -> bool:
    """Whether a plan runs only if a person at this member approved it."""
    asked = policy.approval_for is None or kind_of(plan) in policy.approval_for
    return policy.approval == "person" and asked and not _offered(plan)


def _offered(plan: Asked) -> bool:
    """Whether the contract itself has it, so that all who signed approved it.

    Whoever leaves members out asks for something else: subtracted, the two tell of these members.
    """
    match plan:
        case ProfilePlan():
            return True
        case Plan(without=()):
            signed = plan.template, plan.gate, plan.propagation
            return any(one is not None for one in signed)
        case _:
            return False


def _offers(terms: Terms) -> Iterator[str]:
    """Yield what the contract itself offers, by name."""
    yield from (*terms.templates, *terms.gates, *terms.propagations)


def _approval(matter: Matter[Asked]) -> Iterator[Violation]:
    plan, member, approval = matter.plan, matter.own.member, matter.spent.approval
    if not needs_person(plan, matter.own.policy) or approval.given:
        return
    if approval.denied:
        why = f": {approval.reason}" if approval.reason else ""
        message = f"a person at {member} denied this plan{why}"
        remedy = f"Ask for something else, or talk to {member}."
        yield Violation(Code.APPROVAL_DENIED, member, message, remedy, "policy.approval")
        return
    named = approval.plan_hash[:_NAMED]
    message = f"a person at {member} has to approve this {kind_of(plan)}: plan {named}"
    remedy = f"Ask, have {member} run 'cleanroom approvals approve {named}', then ask again"
    remedy += ", as the commands do with --wait MINUTES."
    yield Violation(Code.APPROVAL_NEEDED, member, message, remedy, "policy.approval")


def _only(matter: Matter[Asked]) -> Iterator[Violation]:
    if matter.own.policy.only == "templates" and not _offered(matter.plan):
        member, offered = matter.own.member, tuple(_offers(matter.terms))
        message = f"{member} takes part in what the contract itself offers alone"
        names = ", ".join(offered) or "none"
        remedy = f"Ask one of these ({names}), or have {member} change its own policy."
        yield Violation(Code.TEMPLATES_ONLY, member, message, remedy, "policy.only")


def later(found: Sequence[Violation]) -> tuple[Violation, ...]:
    """Return violations of which none asks for the approval of a plan that couldn't run anyway."""
    if all(one.code is Code.APPROVAL_NEEDED for one in found):
        return tuple(found)
    return tuple(
        replace(one, remedy=_LATER) if one.code is Code.APPROVAL_NEEDED else one for one in found
    )


RULES: tuple[Rule[Asked], ...] = (_only, _approval)
