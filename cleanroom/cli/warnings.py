"""What whoever signs a contract should know before: promises that it doesn't keep.

Rule: from terms to sentences; the contract is valid all the same.
"""

from collections.abc import Iterator

from cleanroom.cli import gates, templates
from cleanroom.contract.terms import Terms
from cleanroom.policy.queries import unavailable


def warnings(terms: Terms) -> Iterator[str]:
    """Yield what can't run, is refused to whom it is for, or has no effect."""
    for reason in unavailable(terms):
        yield f"no query can run yet: {reason.message}. {reason.remedy}"
    for key in terms.privacy.without_effect():
        yield f"{key} has no effect on queries under release = '{terms.privacy.release}'"
    for name in terms.gates:
        yield from (f"gate {name}: {fault}" for fault in gates.faults(name, terms))
    for name in terms.templates:
        yield from (f"template {name}: {fault}" for fault in templates.faults(name, terms))
