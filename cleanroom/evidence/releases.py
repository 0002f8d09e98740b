"""How results leave a room, what was spent of budgets, and what was run: parts of reports."""

from collections.abc import Iterator
from fractions import Fraction

from cleanroom.contract.terms import Terms
from cleanroom.evidence.facts import Facts
from cleanroom.evidence.markdown import code, plain, table


def rules(terms: Terms) -> Iterator[str]:
    """Say each rule of the contract's privacy section, with its number."""
    privacy = terms.privacy
    yield f"release: {privacy.release}"
    for key in privacy.without_effect():
        yield f"{key}: without effect on queries under this release"
    if privacy.release == "gated":
        more = ", and what propagations tell of own accounts," if terms.propagations else ""
        yield f"nothing but the rows of gates{more} is opened"
        return
    if privacy.release == "dp":
        yield (
            f"epsilon: {privacy.epsilon:g} and delta: {privacy.delta:g} for each table, recipient "
            f"and purpose in all"
        )
        asked = privacy.query_epsilon
        yield f"query_epsilon: {'a tenth of epsilon' if asked is None else f'{asked:g}'}"
    else:
        yield f"min_group: {privacy.min_group} distinct persons behind a released cell"
        among = "members besides the recipient among whom these are"
        yield f"min_members: {privacy.min_members} {among}"
        yield f"redact: counts up to {privacy.redact} are withheld"
        yield f"round_to: {privacy.round_to}, {privacy.rounding}"
        yield f"top_two: the two largest contributors have at most {privacy.top_two} % of a sum"
        yield f"p_percent: {privacy.p_percent}"
        yield f"complementary: {privacy.complementary}, further groups where totals would tell one"
        yield f"epsilon: {privacy.epsilon:g} and delta: {privacy.delta:g} for noisy trainings"
        yield f"group_count: {privacy.group_count}; untested_cells: {privacy.untested_cells}"
    yield f"overlap of sets of rows between questions: {privacy.overlap}"
    yield f"max_comparisons: {privacy.max_comparisons}"
    yield f"min_contributors: {privacy.min_contributors} owners besides the recipient"


def budgets(facts: Facts) -> str:
    """Return epsilon granted and spent for each table, recipient and purpose."""
    from cleanroom.budget.zcdp import epsilon

    if facts.budgets is None:
        return "No ledger was read."
    delta = facts.terms.privacy.delta
    rows = []
    for one in facts.budgets:
        left = max(one.allowed - one.spent, Fraction(0))
        found = (epsilon(rho, delta) for rho in (one.allowed, one.spent, left))
        scope = code(one.scope.table), code(one.scope.recipient), plain(one.scope.purpose)
        rows.append((*scope, *(f"{float(each):.4g}" for each in found)))
    if not rows:
        return f"{plain(facts.member)} owns no tables, so it has no budgets."
    head = ("table", "recipient", "purpose", "epsilon granted", "epsilon spent", "epsilon left")
    return f"At delta = {delta:g}.\n\n{table(head, rows)}"


def ran(facts: Facts) -> str:
    """Return how often what was run and refused, as the member's log has it."""
    if facts.ran is None:
        return "No log was read."
    rows = []
    for one in facts.ran:
        refused = ", ".join(f"{plain(code_)}: {n}" for code_, n in sorted(one.refused.items()))
        scope = plain(one.kind), code(one.recipient), plain(one.purpose or "the room's")
        rows.append((*scope, str(one.done), refused or "none"))
    if not rows:
        return "Nothing was asked yet."
    return table(("what", "recipient", "purpose", "run", "refused, by code"), rows)
