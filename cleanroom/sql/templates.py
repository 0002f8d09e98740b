"""A template of the contract with values: from terms to one query's text, the same everywhere.

Rule: a value is read as its parameter's type, held against what all members signed, and put into
the parsed query as a literal. No text that somebody passes ever becomes SQL.
"""

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from sqlglot import exp

from cleanroom.contract.offers import ParameterTerms, TemplateTerms
from cleanroom.contract.terms import Terms
from cleanroom.contract.types import Bound, Kind, SqlType
from cleanroom.errors import TemplateRefused
from cleanroom.plan.question import Question
from cleanroom.plan.template import TemplateUse
from cleanroom.sql.parse import parse

_TRUTHS = {"true": True, "false": False}
_WHOLE = re.compile(r"-?\d{1,19}")
_MOST_CHARACTERS = 64  # of a value that isn't one of a list


def use_of(name: str, given: Mapping[str, object], terms: Terms) -> TemplateUse:
    """Return a template's use with these values, each written in the one way of its type.

    Args:
        given: parameter -> value, as Python has it or as text.

    Raises:
        TemplateRefused: naming the template, parameter, or what a value may be.
    """
    template = _template(name, terms)
    _check_names(name, template, given)
    values = ((p, _written(p, template.parameters[p], given[p])) for p in sorted(given))
    return TemplateUse(name, tuple(values))


def filled(use: TemplateUse, terms: Terms) -> str:
    """Return the query that a template is with values. Other `:name`s stay as they are.

    Raises:
        TemplateRefused: as `use_of`, and for values that aren't written in the one way.
        UnsupportedQuery: if the template isn't one SELECT.
    """
    values = dict(use.values)
    if use_of(use.name, values, terms) != use:
        raise TemplateRefused(f"template {use.name}: values are written in another way")
    template = _template(use.name, terms)
    select = parse(template.sql)
    found = set()
    for place in list(select.find_all(exp.Placeholder)):
        if (parameter := str(place.this)) in values:
            found.add(parameter)
            place.replace(_literal(template.parameters[parameter], values[parameter]))
    if unused := sorted(values.keys() - found):
        raise TemplateRefused(f"template {use.name}: its query has no :{unused[0]}")
    return select.sql(dialect="duckdb")


def check_use(question: Question, terms: Terms) -> None:
    """Return if a query that names a template is that template with those values.

    Raises:
        TemplateRefused: if it isn't, or is offered to others alone.
    """
    if (use := question.template) is None:
        return
    if filled(use, terms) != question.sql:
        raise TemplateRefused(f"the query isn't template {use.name} with these values")
    if question.recipient not in terms.templates[use.name].recipients:
        raise TemplateRefused(f"template {use.name} isn't offered to {question.recipient}")


def _template(name: str, terms: Terms) -> TemplateTerms:
    if name not in terms.templates:
        remedy = f"The contract has {', '.join(terms.templates) or 'none'}."
        raise TemplateRefused(f"no template {name[:64]!r}", remedy=remedy)
    return terms.templates[name]


def _check_names(name: str, template: TemplateTerms, given: Mapping[str, object]) -> None:
    known = list(template.parameters)
    if missing := [parameter for parameter in known if parameter not in given]:
        what = f"template {name}: no value for {missing[0]!r}"
        raise TemplateRefused(what, remedy=f"It is {template.parameters[missing[0]]}.")
    for parameter in given:
        if parameter not in template.parameters:
            what = f"template {name}: no parameter {str(parameter)[:40]!r}"
            remedy = f"Its parameters: {', '.join(known) or 'none'}."
            if any(p.this == parameter for p in parse(template.sql).find_all(exp.Placeholder)):
                remedy = "It is private to whoever asks: pass it as a private parameter."
            raise TemplateRefused(what, remedy=remedy)


def _written(name: str, parameter: ParameterTerms, given: object) -> str:
    """Return a value as text in the one way of its type, if the contract allows it."""
    sql_type = SqlType.parse(parameter.type)
    if sql_type.kind is Kind.TEXT:
        if given in (parameter.values or ()):
            return str(given)
        raise _refused(name, parameter)
    try:
        encoded = sql_type.encode(_read(sql_type, given))
    except (ValueError, InvalidOperation, OverflowError):
        raise _refused(name, parameter) from None
    low, high = (sql_type.encode(bound) for bound in parameter.bounds or (False, True))
    if not low <= encoded <= high:
        raise _refused(name, parameter)
    return _text(sql_type.decode(encoded))


def _read(sql_type: SqlType, given: object) -> object:
    """Read text where the type itself doesn't."""
    if not isinstance(given, str) or len(given) > _MOST_CHARACTERS:
        return given
    match sql_type.kind:
        case Kind.INTEGER if _WHOLE.fullmatch(given):
            return int(given)
        case Kind.BOOLEAN:
            return _TRUTHS.get(given.lower(), given)
        case _:
            return given


def _text(value: Bound) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dt.datetime():
            return value.isoformat(sep=" ")
        case dt.date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case _:
            return str(value)


def _literal(parameter: ParameterTerms, value: str) -> exp.Expr:
    kind = SqlType.parse(parameter.type).kind
    match kind:
        case Kind.TEXT:
            return exp.Literal.string(value)
        case Kind.BOOLEAN:
            return exp.Boolean(this=_TRUTHS[value])
        case Kind.DATE | Kind.TIMESTAMP:
            return exp.cast(exp.Literal.string(value), kind.value)
        case _ if value.startswith("-"):
            return exp.Paren(this=exp.Neg(this=exp.Literal.number(value[1:])))
        case _:
            return exp.Literal.number(value)


def _refused(name: str, parameter: ParameterTerms) -> TemplateRefused:
    """Say what a value may be, and not what it was."""
    return TemplateRefused(f"a value of {name!r} isn't allowed", remedy=f"It is {parameter}.")
