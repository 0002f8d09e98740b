"""Rules of disclosure control: what the contract has done to results before they are opened.

Rule: the computing members do it; here a plan is refused that has less done than all signed.
"""

from collections.abc import Iterator

from cleanroom.plan.plan import Plan
from cleanroom.policy.matter import Matter, Rule
from cleanroom.policy.model import Code, Violation
from protocols.rep3.rounding import Rule as Rounded


def _rounding(matter: Matter[Plan]) -> Iterator[Violation]:
    plan, privacy = matter.plan, matter.terms.privacy
    wanted = Rounded(privacy.round_to, privacy.rounding == "midpoint", privacy.redact)
    off = privacy.release != "sdc" or wanted == Rounded()
    if off or plan.protocol == "he" or plan.root.input.fit is not None:
        return
    if plan.root.rounding is None or plan.root.rounding.rule != wanted:
        message = "the plan opens counts that are not rounded as the contract says"
        remedy = "Compile the query with the contract's round_to, rounding and redact."
        yield Violation(Code.COUNTS_NOT_ROUNDED, "", message, remedy, "privacy.round_to")


RULES: tuple[Rule[Plan], ...] = (_rounding,)
