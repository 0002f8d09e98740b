"""What a question asks, however it is written: the same for any order, names and layout of it.

Rule: forms are texts that only serve to be compared. Equal forms ask for the same totals of the
same rows; questions of different forms may still be the same, and then cost twice.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from cleanroom.sql.bind import Query
from cleanroom.sql.expr import COMPARISONS, Expr
from cleanroom.sql.parts import Attached, Part

Form: TypeAlias = "str | Sequence[Form]"
_ANY_ORDER = ("and", "or", "+", "*", "=", "<>")
_NESTED = ("and", "or", "+", "*")


def digest(form: Form) -> str:
    """Return a name for a form, of 64 characters."""
    return hashlib.sha256(_text(form).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Canonical:
    """Writes the forms of one query's expressions."""

    query: Query

    def text(self, expr: Expr) -> str:
        """Return an expression's form as one text."""
        return _text(self._expr(expr))

    def rows(self) -> Form:
        """Return the form of the rows that the totals are of."""
        return self._part(self.query.part)

    def _part(self, part: Part) -> Form:
        tables = sorted(map(self._table, part.tables))
        attached = _sorted(self._attached(joined) for joined in part.attached)
        return [tables, self._conditions(part.where), attached]

    def _attached(self, joined: Attached) -> Form:
        return [joined.kind, self._part(joined.part), self._conditions(joined.on)]

    def _conditions(self, conditions: Iterable[Expr]) -> list[Form]:
        there = (c for c in conditions if not (c.op == "literal" and c.value is True))
        return _distinct(self._expr(condition) for condition in there)

    def _table(self, index: int) -> str:
        """Name a table; several mentions of one are numbered as they stand."""
        names = [table.facts.shape if table.facts else table.name for table in self.query.tables]
        return f"{names[index]}#{names[:index].count(names[index])}"

    def _expr(self, expr: Expr) -> Form:
        match expr.op:
            case "column":
                table, name = expr.reference
                return ["column", self._table(table), name]
            case "literal":
                kind = "number" if expr.domain.is_number else str(expr.domain.kind)
                return ["literal", kind, _literal(expr.value)]
        args = [self._expr(arg) for arg in self._operands(expr)]
        if expr.op in (">", ">="):
            return [COMPARISONS[expr.op], "", *reversed(args)]
        if expr.op in ("and", "or"):
            args = _distinct(args)
        elif expr.op in _ANY_ORDER:
            args = _sorted(args)
        elif expr.op == "in":
            args = [args[0], *_distinct(args[1:])]
        return [expr.op, "" if expr.value is None else str(expr.value), *args]

    def _operands(self, expr: Expr) -> Iterable[Expr]:
        """Return operands; those of a nested AND, OR, sum or product are put together."""
        for arg in expr.args:
            if expr.op in _NESTED and arg.op == expr.op:
                yield from self._operands(arg)
            else:
                yield arg


def _literal(value: object) -> str:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return format(Decimal(value).normalize(), "f")
    return repr(value)


def _text(form: Form) -> str:
    return json.dumps(form, separators=(",", ":"))


def _sorted(forms: Iterable[Form]) -> list[Form]:
    return sorted(forms, key=_text)


def _distinct(forms: Iterable[Form]) -> list[Form]:
    found = {_text(form): form for form in forms}
    return [found[text] for text in sorted(found)]
