"""Rules of profiles: what all signed that owners tell, to whoever may use some column at all."""

from collections.abc import Iterator

from cleanroom.plan.profile import ProfilePlan
from cleanroom.policy.gates import gates_alone
from cleanroom.policy.matter import Matter, Rule
from cleanroom.policy.model import Code, Violation


def _told(matter: Matter[ProfilePlan]) -> Iterator[Violation]:
    plan = matter.plan
    if plan.tells:
        return
    owners, rule = ", ".join(plan.owners), f"tables.{plan.table}.profile"
    if matter.terms.tables[plan.table].profile:
        message = f"{plan.recipient} may use no column of {plan.table}"
        remedy = "Have all members sign a contract that grants a right to one of them."
        yield Violation(Code.PROFILE_NOT_ALLOWED, owners, message, remedy, rule)
    else:
        message = f"the contract lets owners of {plan.table} tell nothing of their rows"
        remedy = f"Have all sign a contract with profile = ['rows', 'missing'] under {plan.table}."
        yield Violation(Code.PROFILE_NOT_ALLOWED, owners, message, remedy, rule)


def _exact(matter: Matter[ProfilePlan]) -> Iterator[Violation]:
    """Refuse counts without noise where everything is noisy, and where gates alone open."""
    if matter.terms.privacy.release == "dp":
        message = "release = 'dp', and a profile has no noise"
        remedy = "Ask noisy counts; types, bounds and rights are known without asking."
        yield Violation(Code.NOISE_MISSING, "", message, remedy, "privacy.release")
    yield from gates_alone(matter.terms)


RULES: tuple[Rule[ProfilePlan], ...] = (_told, _exact)
