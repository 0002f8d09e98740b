"""Rules of disclosure control: what the contract has done to results before they are opened.

Rule: the computing members do it; here a plan is refused that has less done than all signed.
"""

from collections.abc import Iterator

from cleanroom.plan.plan import Plan
from cleanroom.policy.matter import Matter, Rule
from cleanroom.policy.model import Code, Violation


def _left_out(matter: Matter[Plan]) -> Iterator[Violation]:
    plan, privacy = matter.plan, matter.terms.privacy
    alone = plan.protocol == "he" or plan.root.input.fit is not None
    if privacy.release != "sdc" or alone:
        return
    for rule in privacy.tested:
        name, _, _ = rule.partition(" ")
        if name != "min_group" and rule not in plan.root.rules:
            message = f"the plan leaves out {rule}"
            remedy = "Compile the query with this contract."
            yield Violation(Code.RULES_LEFT_OUT, "", message, remedy, f"privacy.{name}")


RULES: tuple[Rule[Plan], ...] = (_left_out,)
