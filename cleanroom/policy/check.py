"""The ruling on a plan. Pure: the same plan, terms and day always rule the same.

Rule: deny by default. A column without a right for the recipient isn't used at all, and a kind
of release that isn't computed yet is refused, never replaced by a weaker one.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

from cleanroom.contract.terms import Role, Terms
from cleanroom.plan.contributors import too_few
from cleanroom.plan.plan import Plan, Use
from cleanroom.policy.model import Code, Violation
from protocols.rep3.rounding import Rule as Rounded


class Asked(Protocol):
    """What every plan says, whatever it runs."""

    @property
    def recipient(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def uses(self) -> tuple[Use, ...]: ...


Rule: TypeAlias = Callable[[Plan, Terms, dt.date], Iterator[Violation]]


def check(plan: Plan, terms: Terms, today: dt.date) -> tuple[Violation, ...]:
    """Return every way in which the plan breaks the contract; empty means it may run."""
    return tuple(violation for rule in RULES for violation in rule(plan, terms, today))


def unavailable(terms: Terms) -> tuple[Violation, ...]:
    """Return why no query at all can run under these terms; empty if some can."""
    on_shares = len(terms.computing) == 3
    noisy = terms.privacy.release == "dp"
    opens = noisy or terms.opens_cells
    runs = on_shares or (opens and any(_hides(terms, name) for name in terms.tables))
    return (*(() if noisy else release(terms)), *(() if runs else _nobody_computes()))


def _hides(terms: Terms, table: str) -> bool:
    """Whether the owners of a table can be as many as totals on ciphertexts have to be of."""
    members = terms.tables[table].members
    return members is None or len(members) >= terms.privacy.min_contributors


def purpose(plan: Asked, terms: Terms, today: dt.date) -> Iterator[Violation]:
    """Refuse what isn't asked for one of the contract's purposes, if it names some."""
    del today
    names = ", ".join(terms.room.purposes)
    if plan.purpose in terms.room.purposes or not (plan.purpose or names):
        return
    if not plan.purpose:
        message, remedy = "no purpose is named", f"Ask for one of the contract's: {names}."
        yield Violation(Code.PURPOSE_MISSING, "", message, remedy)
    else:
        message = f"the contract names no purpose {plan.purpose!r}"
        remedy = f"Ask for one of the contract's: {names}." if names else "Ask without a purpose."
        yield Violation(Code.PURPOSE_UNKNOWN, "", message, remedy)


def columns(plan: Asked, terms: Terms, today: dt.date) -> Iterator[Violation]:
    """Refuse every use of a column without that right."""
    del today
    for use in sorted(set(plan.uses)):
        table = terms.tables.get(use.table)
        column = table.named_columns.get(use.column) if table else None
        allowed = column.rights_of(plan.recipient, plan.purpose) if column else ()
        if use.right in allowed:
            continue
        owners = ", ".join(terms.owners(use.table)) if table else ""
        message = (
            f"column {use.table}.{use.column} used as '{use.right}' without that right "
            f"for {_asker(plan)}; allowed: {', '.join(allowed) or 'nothing'}"
        )
        remedy = "Leave that use out, or have all members sign a contract that grants the right."
        yield Violation(Code.COLUMN_USE_NOT_ALLOWED, owners, message, remedy)


def _asker(plan: Asked) -> str:
    return f"{plan.recipient} and {plan.purpose}" if plan.purpose else plan.recipient


def recipient(plan: Asked, terms: Terms, today: dt.date) -> Iterator[Violation]:
    """Refuse who may not ask."""
    del today
    member = terms.members.get(plan.recipient)
    if member is None or Role.RESULT not in member.roles:
        message = f"{plan.recipient} has no role 'result'"
        yield Violation(Code.NOT_A_RECIPIENT, "", message, "Ask as a member with that role.")


def expiry(plan: Asked, terms: Terms, today: dt.date) -> Iterator[Violation]:
    """Refuse everything once the contract has expired."""
    del plan
    if today > terms.room.expires:
        message = f"the contract expired on {terms.room.expires}"
        yield Violation(Code.CONTRACT_EXPIRED, "", message, "All members sign a new version.")


def _group_size(plan: Plan, terms: Terms, today: dt.date) -> Iterator[Violation]:
    del today
    least = terms.privacy.min_group
    if plan.protocol == "he" or plan.noise is not None:
        return
    if plan.root.min_group < least:
        message = f"groups of {plan.root.min_group} persons asked, at least {least} needed"
        yield Violation(Code.GROUP_TOO_SMALL, "", message, f"Ask with min_group = {least}.")
    elif least > 1 and not plan.root.input.persons:
        message = "the plan counts no persons before it opens a group"
        yield Violation(Code.GROUP_TOO_SMALL, "", message, "Compile the query with this release.")


def _rounding(plan: Plan, terms: Terms, today: dt.date) -> Iterator[Violation]:
    del today
    privacy, found = terms.privacy, plan.root.rounding
    wanted = Rounded(privacy.round_to, privacy.rounding == "midpoint", privacy.redact)
    off = privacy.release != "sdc" or wanted == Rounded()
    if off or plan.protocol == "he" or plan.root.input.fit is not None:
        return
    if found is None or found.rule != wanted:
        message = "the plan opens counts that are not rounded as the contract says"
        remedy = "Compile the query with the contract's round_to, rounding and redact."
        yield Violation(Code.COUNTS_NOT_ROUNDED, "", message, remedy)


def _cells(plan: Plan, terms: Terms, today: dt.date) -> Iterator[Violation]:
    del today
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
    yield Violation(Code.CELLS_NOT_TESTED, "", message, remedy)


def _contributors(plan: Plan, terms: Terms, today: dt.date) -> Iterator[Violation]:
    del today
    least = terms.privacy.min_contributors
    for table, others in too_few(plan, terms):
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
        yield Violation(Code.TOO_FEW_CONTRIBUTORS, ", ".join(others), message, remedy)


def _rows(plan: Plan, terms: Terms, today: dt.date) -> Iterator[Violation]:
    del today
    least = terms.privacy.min_group
    if plan.root.repeated is not None and least > 1:
        message = f"row output: a row is a group of one person, min_group asks for {least}"
        remedy = "Ask for groups, with GROUP BY, or have all sign a contract with min_group = 1."
        yield Violation(Code.ROWS_NOT_RELEASED, "", message, remedy)


def _group_count(plan: Plan, terms: Terms, today: dt.date) -> Iterator[Violation]:
    del today
    if terms.privacy.group_count == "hidden" and not (plan.root.hidden or plan.noise):
        message = "the plan shows the computing members how many groups are released"
        remedy = "Compile the query with group_count = 'hidden'."
        yield Violation(Code.GROUP_COUNT_OPENED, "", message, remedy)


def _available(plan: Plan, terms: Terms, today: dt.date) -> Iterator[Violation]:
    del today
    if terms.privacy.release != "dp":
        yield from release(terms)
    elif plan.noise is None:
        message = "exact totals, where release = 'dp' asks for noise"
        yield Violation(Code.NOISE_MISSING, "", message, "Ask a query, or train a 'private_' kind.")


def _noise(plan: Plan, terms: Terms, today: dt.date) -> Iterator[Violation]:
    """Refuse what would tell more of a person than the contract allows in all."""
    del today
    if plan.noise is None:
        return
    asked, privacy = plan.noise, terms.privacy
    if asked.epsilon > privacy.epsilon or asked.delta > privacy.delta:
        message = f"epsilon {asked.epsilon:g} asked; {privacy.epsilon:g} allowed in all"
        remedy = f"Ask with an epsilon up to {privacy.epsilon:g}, less what is spent."
        yield Violation(Code.EPSILON_TOO_LARGE, "", message, remedy)


def _computing(plan: Plan, terms: Terms, today: dt.date) -> Iterator[Violation]:
    del today
    if plan.protocol == "mpc" and len(terms.computing) != 3:
        yield from _nobody_computes()


def release(terms: Terms) -> Iterator[Violation]:
    privacy = terms.privacy
    remedy = "All members sign a contract with release = 'sdc'."
    if privacy.release != "sdc":
        message = f"release = '{privacy.release}' is not available in this version"
        yield Violation(Code.RELEASE_NOT_AVAILABLE, "", message, remedy)
    later = {"min_members": 1, "top_two": 100, "p_percent": 0}
    for name, off in later.items():
        if (asked := getattr(privacy, name)) != off:
            message = f"{name} = {asked} is not available in this version"
            yield Violation(Code.RELEASE_NOT_AVAILABLE, "", message, remedy)


def _nobody_computes() -> Iterator[Violation]:
    message = "no members compute on shares in this room (trainings don't need them)"
    remedy = "All members sign a contract in which three members have the role 'computing'."
    yield Violation(Code.NOBODY_COMPUTES, "", message, remedy)


OF_ALL: tuple[Callable[[Asked, Terms, dt.date], Iterator[Violation]], ...] = (
    purpose,
    columns,
    recipient,
    expiry,
)
RULES: tuple[Rule, ...] = (
    *OF_ALL,
    _group_size,
    _rounding,
    _cells,
    _contributors,
    _group_count,
    _rows,
    _available,
    _noise,
    _computing,
)
