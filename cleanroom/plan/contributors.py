"""Among how many owners the totals of one are hidden. Pure: public facts of plan and contract."""

from collections.abc import Iterator

from cleanroom.contract.terms import Terms
from cleanroom.plan.plan import Plan


def owners(plan: Plan) -> tuple[str, ...]:
    """Return whose rows a plan reads, in the order of its leaves."""
    return tuple(dict.fromkeys(leaf.member for leaf in plan.leaves))


def can_leave_out(plan: Plan, terms: Terms, member: str) -> bool:
    """Whether the same query can be asked without a member, as when it is away."""
    if plan.ciphertexts is None or member not in owners(plan):
        return False
    federated = any(_is_federated(name, terms) for name in _tables(plan))
    rest = set(owners(plan)) - {member, plan.recipient}
    return federated and len(rest) >= terms.privacy.min_contributors


def too_few(plan: Plan, terms: Terms, least: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield federated tables that fewer others than `least` contribute to, and whom.

    Only on ciphertexts: there the recipient opens the totals of every cell. It knows its own
    rows, so only the others hide each other. A table named after its one owner promises no
    hiding place: whose totals a query opens is in its text.
    """
    if plan.ciphertexts is None:
        return
    others = tuple(member for member in owners(plan) if member != plan.recipient)
    for name in _tables(plan):
        few = 0 < len(others) < least
        if few and _is_federated(name, terms):
            yield name, others


def _tables(plan: Plan) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for leaf in plan.leaves for name in leaf.tables))


def _is_federated(name: str, terms: Terms) -> bool:
    return name in terms.tables and terms.tables[name].members is not None
