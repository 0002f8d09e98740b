"""The ruling on a training. Pure: the same plan, terms and day always rule the same.

Rule: deny by default. Every feature and target needs the right 'train', every condition the right
'filter', and each owner's numbers are hidden among those of as many others as the contract asks.
How many persons an owner has is its own process's to check, when it has read its rows.
"""

import datetime as dt
from collections.abc import Iterator

from cleanroom.contract.terms import Terms
from cleanroom.plan.training import TrainPlan
from cleanroom.policy.check import columns, expiry, recipient, release
from cleanroom.policy.model import Code, Violation


def check_training(plan: TrainPlan, terms: Terms, today: dt.date) -> tuple[Violation, ...]:
    """Return every way in which the training breaks the contract; empty means it may run."""
    rules = (columns, recipient, expiry)
    found = [violation for rule in rules for violation in rule(plan, terms, today)]
    return (*found, *_owners(plan, terms), *release(terms))


def _owners(plan: TrainPlan, terms: Terms) -> Iterator[Violation]:
    asked = terms.privacy.min_contributors
    needed = plan.least - (plan.recipient in plan.owners)
    if len(plan.others) >= max(needed, asked):
        return
    message = (
        f"a training on the rows of {len(plan.others)} owners besides {plan.recipient}: "
        f"{', '.join(plan.others) or 'nobody'}; each is hidden among {max(needed, asked)} at least"
    )
    remedy = "Leave nobody out, or have a table of more members in the contract."
    yield Violation(Code.TOO_FEW_CONTRIBUTORS, ", ".join(plan.others), message, remedy)
