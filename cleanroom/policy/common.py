"""Rules of whatever is asked: for which purpose, which columns, by whom and until when.

Rule: deny by default. A column without a right for this recipient and purpose isn't used at all.
"""

from collections.abc import Iterator

from cleanroom.contract.terms import Role
from cleanroom.policy.matter import Asked, Matter, Rule
from cleanroom.policy.model import Code, Violation


def _purpose(matter: Matter[Asked]) -> Iterator[Violation]:
    plan, room = matter.plan, matter.terms.room
    names = ", ".join(room.purposes)
    if plan.purpose in room.purposes or not (plan.purpose or names):
        return
    remedy = f"Ask for one of the contract's: {names}." if names else "Ask without a purpose."
    code, message = Code.PURPOSE_MISSING, "no purpose is named"
    if plan.purpose:
        code, message = Code.PURPOSE_UNKNOWN, f"the contract names no purpose {plan.purpose!r}"
    yield Violation(code, "", message, remedy, "room.purposes")


def _columns(matter: Matter[Asked]) -> Iterator[Violation]:
    plan, terms = matter.plan, matter.terms
    for use in sorted(set(plan.uses)):
        table = terms.tables.get(use.table)
        column = table.named_columns.get(use.column) if table else None
        allowed = column.rights_of(plan.recipient, plan.purpose) if column else ()
        if use.right in allowed:
            continue
        owners = ", ".join(terms.owners(use.table)) if table else ""
        who = f"{plan.recipient} and {plan.purpose}" if plan.purpose else plan.recipient
        message = (
            f"column {use.table}.{use.column} used as '{use.right}' without that right "
            f"for {who}; allowed: {', '.join(allowed) or 'nothing'}"
        )
        remedy = "Leave that use out, or have all members sign a contract that grants the right."
        rule = f"tables.{use.table}.columns.{use.column}.rights"
        yield Violation(Code.COLUMN_USE_NOT_ALLOWED, owners, message, remedy, rule)


def _recipient(matter: Matter[Asked]) -> Iterator[Violation]:
    asker = matter.plan.recipient
    member = matter.terms.members.get(asker)
    if member is None or Role.RESULT not in member.roles:
        message, remedy = f"{asker} has no role 'result'", "Ask as a member with that role."
        yield Violation(Code.NOT_A_RECIPIENT, "", message, remedy, f"members.{asker}.roles")


def _expiry(matter: Matter[Asked]) -> Iterator[Violation]:
    expires = matter.terms.room.expires
    if matter.today > expires:
        message, remedy = f"the contract expired on {expires}", "All members sign a new version."
        yield Violation(Code.CONTRACT_EXPIRED, "", message, remedy, "room.expires")


RULES: tuple[Rule[Asked], ...] = (_purpose, _columns, _recipient, _expiry)
