"""The request for a plan: what its recipient signs, so that members compile the same plan.

Rule: the one place where a request is put together. Everything that a plan follows from is in it.
"""

import time
from typing import Any, TypeAlias, TypedDict

from cleanroom.engine import participants
from cleanroom.plan.plan import Plan, Protocol
from cleanroom.plan.profile import ProfilePlan
from cleanroom.plan.scoring import ScorePlan
from cleanroom.plan.training import TrainPlan
from cleanroom.session.about import Encryption, Profile, Scoring, Template, Training
from cleanroom.session.member import Membership
from cleanroom.session.statements import Request, new_session

Planned: TypeAlias = Plan | ProfilePlan | ScorePlan | TrainPlan


class About(TypedDict, total=False):
    """What a request says of its one session, besides the plan."""

    encryption: Encryption | None
    scoring: Scoring
    training: Training
    profile: Profile
    rehearsal: Protocol


def request_for(member: Membership, plan: Planned, deadline_s: int, about: About) -> Request:
    """Return a new request of this member for a plan."""
    return Request(
        session=new_session(),
        contract_hash=member.contract.hash,
        recipient=member.name,
        plan_hash=plan.hash,
        purpose=plan.purpose,
        issued_at=int(time.time()),
        deadline_s=deadline_s,
        **about,
        **_facts(plan, member),
    )


def _facts(plan: Planned, member: Membership) -> dict[str, Any]:
    """Return what a plan of this kind follows from, besides the contract, and who takes part."""
    match plan:
        case Plan():
            return {
                "sql": plan.sql,
                "members": participants(plan, member.contract.terms),
                "without": plan.without,
                "epsilon": None if plan.noise is None else plan.noise.epsilon,
                "min_group": plan.root.min_group if plan.protocol == "mpc" else 1,
                "template": _template(plan),
                "gate": plan.gate_name,
            }
        case TrainPlan():
            return {"sql": plan.job, "members": plan.owners, "without": plan.without}
        case ScorePlan():
            return {"sql": plan.text, "members": (plan.owner,)}
        case ProfilePlan():
            return {"sql": plan.text, "members": plan.owners}


def _template(plan: Plan) -> Template | None:
    if plan.template is None:
        return None
    return Template(name=plan.template.name, values=plan.template.values)
