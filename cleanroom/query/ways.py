"""The ways in which a query can run, and which one is taken if nobody asks for one.

Rule: a choice that is public and follows from contract and query alone. Whatever is chosen, the
answer is the same. Where more would be opened on ciphertexts than on shares, they are only taken
when they are asked for, or when nobody computes: with rules of release, which can't be tested,
with HAVING or LIMIT, which open the kept groups alone on shares, and for histograms; likewise
where too few owners contribute. Private parameters leave no other way.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cleanroom.contract.terms import Terms
from cleanroom.errors import CleanroomError, OverflowPossible, UnsupportedQuery
from cleanroom.plan.contributors import too_few
from cleanroom.plan.cost import cost_of
from cleanroom.plan.plan import Plan, Protocol


@dataclass(frozen=True, slots=True)
class Ways:
    """Each way is compiled when it is asked for.

    Attributes:
        compiled: the query's plan for a protocol.
    """

    compiled: Callable[[Protocol], Plan]
    terms: Terms

    def found(self, protocol: Protocol) -> Plan | CleanroomError:
        """Return the plan for a protocol, or why there is none.

        Raises:
            CleanroomError: if the query is wrong in any way, as with names that don't exist.
        """
        try:
            return self.compiled(protocol)
        except (UnsupportedQuery, OverflowPossible) as error:
            return error.again()

    def plan(self, protocol: Protocol | None) -> Plan:
        """Return the plan for a protocol, or that of the cheaper one.

        Raises:
            UnsupportedQuery, OverflowPossible: why there is none.
        """
        if protocol is not None:
            return _there(self.found(protocol))
        open_to: list[Protocol] = ["mpc"] if self.terms.computing else []
        privacy = self.terms.privacy
        if not privacy.tested or privacy.release == "dp" or not open_to:
            open_to.append("he")
        plans = [found for p in open_to if isinstance(found := self.found(p), Plan)]
        if not plans:
            alone = self.found("he")
            return _there(alone if _is_private(alone) else self.found(open_to[0]))
        least = self.terms.privacy.min_contributors
        plans = [plan for plan in plans if not any(too_few(plan, self.terms, least))] or plans
        modest = [plan for plan in plans if _opens_no_more(plan, plans[0])]
        return min(modest, key=lambda plan: cost_of(plan).seconds)

    def other(self, plan: Plan) -> Plan | CleanroomError:
        """Return the way that wasn't taken."""
        return self.found("he" if plan.protocol == "mpc" else "mpc")


def _opens_no_more(plan: Plan, shares: Plan) -> bool:
    """Whether the recipient sees no more, but for numbers of rows, than on shares."""
    chosen = shares.root.having is not None or shares.root.top is not None
    return plan is shares or (set(plan.uses) <= set(shares.uses) and not chosen)


def _is_private(found: Plan | CleanroomError) -> bool:
    """Whether a plan has private parameters, which nothing but ciphertexts hide."""
    ciphertexts = found.ciphertexts if isinstance(found, Plan) else None
    return ciphertexts is not None and ciphertexts.private is not None


def _there(found: Plan | CleanroomError) -> Plan:
    if isinstance(found, CleanroomError):
        raise found
    return found
