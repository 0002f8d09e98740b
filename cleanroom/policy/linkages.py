"""Rules of linkages: whose queries may go from one owner's persons to another's.

Rule: a linkage is the contract's own offer to those whom it names. Both person columns need the
right 'join', for the purpose that is asked; the columns that it is found by need none, as nothing
that is asked is compared with them.
"""

from collections.abc import Iterator

from cleanroom.plan.plan import Plan, linkages_of
from cleanroom.policy.matter import Matter, Rule
from cleanroom.policy.model import Code, Violation


def _recipients(matter: Matter[Plan]) -> Iterator[Violation]:
    """Refuse a linkage to whom the contract doesn't name."""
    plan, terms = matter.plan, matter.terms
    for name in dict.fromkeys(one.name for one in linkages_of(plan.root.input.input)):
        to = terms.linkages[name].to if name in terms.linkages else ()
        if plan.recipient not in to:
            who = ", ".join(to) or "nobody"
            message = f"linkage {name} is not for {plan.recipient}, but for {who}"
            remedy = "Ask as one of them, or have all members sign another contract."
            rule = f"linkages.{name}.to"
            yield Violation(Code.LINKAGE_NOT_FOR_RECIPIENT, "", message, remedy, rule)


RULES: tuple[Rule[Plan], ...] = (_recipients,)
