"""Rules of a member's own policy, on top of the contract's.

Rule: whatever stands here only adds refusals. Its remedies never tell what else the table says.
"""

from collections.abc import Iterator

from cleanroom.plan.contributors import too_few
from cleanroom.plan.plan import Plan
from cleanroom.plan.training import TrainPlan
from cleanroom.policy.conditions import Limit, breaches, restricted
from cleanroom.policy.matter import Asked, Matter, Rule
from cleanroom.policy.model import Code, Violation


def _erased(matter: Matter[Asked]) -> Iterator[Violation]:
    for table in sorted(matter.spent.erased & set(matter.plan.tables)):
        message = f"table {table} was erased at {matter.own.member}"
        remedy = "Leave it out, or agree on a new contract, with the table under a new name."
        yield Violation(Code.TABLE_ERASED, matter.own.member, message, remedy, f"tables.{table}")


def _recipient(matter: Matter[Asked]) -> Iterator[Violation]:
    own, asker = matter.own, matter.plan.recipient
    if own.policy.recipients is not None and asker not in own.policy.recipients:
        message = f"{own.member} takes no part in what {asker} asks"
        yield _refused(matter, Code.RECIPIENT_REFUSED, message, "", "recipients")


def _purpose(matter: Matter[Asked]) -> Iterator[Violation]:
    own, purpose = matter.own, matter.plan.purpose
    if own.policy.purposes is not None and purpose not in own.policy.purposes:
        message = f"{own.member} takes no part in what is asked for {purpose or 'no purpose'}"
        yield _refused(matter, Code.PURPOSE_REFUSED, message, "", "purposes")


def _rights(matter: Matter[Asked]) -> Iterator[Violation]:
    columns = matter.own.policy.columns
    for use in sorted(set(matter.plan.uses)):
        name = f"{use.table}.{use.column}"
        if name in columns and use.right in columns[name].without:
            message = f"column {name} used as '{use.right}'"
            rule = f"columns.{name}.without"
            yield _refused(
                matter, Code.COLUMN_USE_NOT_ALLOWED, message, "Leave that use out", rule
            )


def _group_size(matter: Matter[Plan]) -> Iterator[Violation]:
    plan, least = matter.plan, matter.own.policy.min_group
    exact = plan.protocol == "mpc" and plan.noise is None
    if least is not None and exact and plan.root.min_group < least:
        message = f"groups of {plan.root.min_group} persons asked, at least {least} needed"
        smallest = f"Ask with min_group = {least}"
        yield _refused(matter, Code.GROUP_TOO_SMALL, message, smallest, "min_group")


def _cells(matter: Matter[Plan]) -> Iterator[Violation]:
    """Refuse cells that nobody tests: all of them, or where only this member wants them tested."""
    plan, own, cells = matter.plan, matter.own.policy, matter.plan.ciphertexts
    if cells is None or plan.noise is not None:
        return
    tested = own.min_group is not None and own.min_group > matter.terms.privacy.min_group
    key = "min_group" if tested and matter.terms.privacy.untested_cells == "refused" else ""
    if key or own.untested_cells == "refused":
        message = f"on ciphertexts {plan.recipient} opens cells before anybody counts their persons"
        least = f" and min_group = {own.min_group}" if key else ""
        smallest = f"Ask with protocol 'mpc'{least}" if cells.private is None else ""
        yield _refused(matter, Code.CELLS_NOT_TESTED, message, smallest, key or "untested_cells")


def _contributors(matter: Matter[Plan]) -> Iterator[Violation]:
    least = matter.own.policy.min_contributors
    for table, others in too_few(matter.plan, matter.terms, least or 0):
        message = (
            f"on ciphertexts the totals of {table} would hide among those of {len(others)} owners, "
            f"at least {least} needed"
        )
        smallest = "Leave nobody out" if matter.plan.without else "Ask with protocol 'mpc'"
        yield _refused(matter, Code.TOO_FEW_CONTRIBUTORS, message, smallest, "min_contributors")


def _noise(matter: Matter[Plan]) -> Iterator[Violation]:
    noise, most = matter.plan.noise, matter.own.policy.query_epsilon
    if noise is not None and most is not None and noise.epsilon > most:
        message = f"epsilon {noise.epsilon:g} asked; {most:g} allowed for one query"
        smallest = f"Ask with epsilon = {most:g}"
        yield _refused(matter, Code.EPSILON_TOO_LARGE, message, smallest, "query_epsilon")


def _filters(matter: Matter[Plan | TrainPlan]) -> Iterator[Violation]:
    columns = matter.own.policy.columns
    for base, column, found in restricted(matter):
        if (own := columns.get(".".join(base))) is not None:
            limit = Limit(own.filter_by, own.min_width)
            for code, message, smallest, key in breaches(base, column, limit, found):
                where = f"columns.{'.'.join(base)}.{key}"
                yield _refused(matter, code, message, smallest.removesuffix("."), where)


def _trained(matter: Matter[TrainPlan]) -> Iterator[Violation]:
    plan, policy = matter.plan, matter.own.policy
    if policy.min_contributors is not None and len(plan.others) < policy.min_contributors:
        message = f"a training on the rows of {len(plan.others)} owners besides {plan.recipient}"
        smallest = "Leave nobody out" if plan.without else ""
        yield _refused(matter, Code.TOO_FEW_CONTRIBUTORS, message, smallest, "min_contributors")
    if policy.min_group is not None and not plan.noise and plan.min_group < policy.min_group:
        message = f"a training on at least {plan.min_group} persons of each owner"
        yield _refused(matter, Code.GROUP_TOO_SMALL, message, "", "min_group")


def _refused(matter: Matter[Asked], code: Code, what: str, smallest: str, key: str) -> Violation:
    member = matter.own.member
    change = f"have {member} change its own policy"
    remedy = f"{smallest}, or {change}." if smallest else f"{change[0].upper()}{change[1:]}."
    return Violation(code, member, what, remedy, f"policy.{key}")


RULES: tuple[Rule[Asked], ...] = (_erased, _recipient, _purpose, _rights)
OF_QUERIES: tuple[Rule[Plan], ...] = (_group_size, _cells, _contributors, _noise, _filters)
OF_TRAININGS: tuple[Rule[TrainPlan], ...] = (_trained, _filters)
