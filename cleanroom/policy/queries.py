"""Rules of queries: how few persons, cells and owners a result may be of, and how it is released.

Rule: a kind of release that isn't computed yet is refused, never replaced by a weaker one.
"""

from collections.abc import Iterator

from cleanroom.contract.terms import Terms
from cleanroom.plan.contributors import too_few
from cleanroom.plan.plan import Plan
from cleanroom.policy.budgets import budget, charged_alike
from cleanroom.policy.gates import gates_alone
from cleanroom.policy.matter import Matter, Rule
from cleanroom.policy.model import Code, Violation


def unavailable(terms: Terms) -> tuple[Violation, ...]:
    """Return why no query at all can run under these terms; empty if some can."""
    on_shares = len(terms.computing) == 3
    noisy = terms.privacy.release == "dp"
    opens = noisy or terms.opens_cells
    runs = on_shares or (opens and any(_hides(terms, name) for name in terms.tables))
    found = () if terms.gates or terms.propagations else tuple(gates_alone(terms))
    return (*found, *(() if runs else _nobody_computes()))


def _hides(terms: Terms, table: str) -> bool:
    """Whether the owners of a table can be as many as totals on ciphertexts have to be of."""
    members = terms.tables[table].members
    return members is None or len(members) >= terms.privacy.min_contributors


def _group_size(matter: Matter[Plan]) -> Iterator[Violation]:
    plan, least, rule = matter.plan, matter.terms.privacy.min_group, "privacy.min_group"
    if plan.protocol == "he" or plan.noise is not None:
        return
    if plan.root.min_group < least:
        message = f"groups of {plan.root.min_group} persons asked, at least {least} needed"
        yield Violation(Code.GROUP_TOO_SMALL, "", message, f"Ask with min_group = {least}.", rule)
    elif least > 1 and not plan.root.input.persons:
        message = "the plan counts no persons before it opens a group"
        remedy = "Compile the query with this release."
        yield Violation(Code.GROUP_TOO_SMALL, "", message, remedy, rule)


def _cells(matter: Matter[Plan]) -> Iterator[Violation]:
    plan, terms = matter.plan, matter.terms
    if plan.ciphertexts is None or terms.opens_cells or plan.noise is not None:
        return
    asked = ", ".join(terms.privacy.tested)
    if plan.ciphertexts.private is None:
        opens, otherwise = "every cell", "Ask with protocol 'mpc', or have"
    else:
        opens, otherwise = "totals of rows that nobody else knows", "Have"
    message = (
        f"on ciphertexts {plan.recipient} opens {opens} before anybody can count the "
        f"persons behind it, or change it; the contract asks for {asked}"
    )
    remedy = f"{otherwise} all members sign a contract with untested_cells = 'opened'."
    yield Violation(Code.CELLS_NOT_TESTED, "", message, remedy, "privacy.untested_cells")


def _contributors(matter: Matter[Plan]) -> Iterator[Violation]:
    plan, least = matter.plan, matter.terms.privacy.min_contributors
    for table, others in too_few(plan, matter.terms, least):
        message = (
            f"on ciphertexts the totals of {table} would hide among those of {len(others)} owners "
            f"besides {plan.recipient}: {', '.join(others)}; min_contributors asks for {least}"
        )
        otherwise = "Ask with protocol 'mpc', or have"
        if plan.without:
            otherwise = "Leave nobody out, or have"
        elif plan.ciphertexts is not None and plan.ciphertexts.private is not None:
            otherwise = "Have"
        remedy = f"{otherwise} all members sign a contract with min_contributors = {len(others)}."
        rule = "privacy.min_contributors"
        yield Violation(Code.TOO_FEW_CONTRIBUTORS, ", ".join(others), message, remedy, rule)


def _rows(matter: Matter[Plan]) -> Iterator[Violation]:
    least = matter.terms.privacy.min_group
    if matter.plan.root.repeated is not None and least > 1:
        message = f"row output: a row is a group of one person, min_group asks for {least}"
        remedy = "Ask for groups, with GROUP BY, or have all sign a contract with min_group = 1."
        yield Violation(Code.ROWS_NOT_RELEASED, "", message, remedy, "privacy.min_group")


def _group_count(matter: Matter[Plan]) -> Iterator[Violation]:
    plan = matter.plan
    if matter.terms.privacy.group_count == "hidden" and not (plan.root.hidden or plan.noise):
        message = "the plan shows the computing members how many groups are released"
        remedy = "Compile the query with group_count = 'hidden'."
        yield Violation(Code.GROUP_COUNT_OPENED, "", message, remedy, "privacy.group_count")


def _available(matter: Matter[Plan]) -> Iterator[Violation]:
    if matter.terms.privacy.release != "dp":
        yield from gates_alone(matter.terms)
    elif matter.plan.noise is None:
        message = "exact totals, where release = 'dp' asks for noise"
        remedy = "Ask a query, or train a 'private_' kind."
        yield Violation(Code.NOISE_MISSING, "", message, remedy, "privacy.release")


def _noise(matter: Matter[Plan]) -> Iterator[Violation]:
    """Refuse what would tell more of a person than the contract allows in all."""
    asked, privacy = matter.plan.noise, matter.terms.privacy
    if asked is not None and (asked.epsilon > privacy.epsilon or asked.delta > privacy.delta):
        message = f"epsilon {asked.epsilon:g} asked; {privacy.epsilon:g} allowed in all"
        remedy = f"Ask with an epsilon up to {privacy.epsilon:g}, less what is spent."
        yield Violation(Code.EPSILON_TOO_LARGE, "", message, remedy, "privacy.epsilon")


def computing(matter: Matter[Plan]) -> Iterator[Violation]:
    """Refuse to compute on shares where nobody does."""
    if matter.plan.protocol == "mpc" and len(matter.terms.computing) != 3:
        yield from _nobody_computes()


def _nobody_computes() -> Iterator[Violation]:
    message = "no members compute on shares in this room (trainings don't need them)"
    remedy = "All members sign a contract in which three members have the role 'computing'."
    yield Violation(Code.NOBODY_COMPUTES, "", message, remedy, "members")


RULES: tuple[Rule[Plan], ...] = (
    _group_size,
    _cells,
    _contributors,
    _group_count,
    _rows,
    _available,
    _noise,
    computing,
    charged_alike,
    budget,
)
