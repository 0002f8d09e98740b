"""SQL text to one sqlglot SELECT of bounded size.

Rule: limits come first, so that hostile text is refused before a recursive parser sees it.
"""

import logging
import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType  # type: ignore[attr-defined]

from cleanroom.errors import UnsupportedQuery

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # its warnings quote the query

MAX_BYTES = 64 * 1024
MAX_NESTING = 32
MAX_DEPTH = 150

_OPEN = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSE = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}
_FIRST = {TokenType.SELECT, TokenType.WITH, TokenType.FROM, TokenType.L_PAREN, TokenType.SEMICOLON}
_RESERVED = re.compile(r"#[A-Za-z]*\d+")
_PREFIX = {TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE}


def parse(sql: str) -> exp.Select:
    """Parse one SELECT statement.

    Raises:
        UnsupportedQuery: for too much text or nesting, a syntax error, or another statement.
    """
    _limit_text(sql)
    try:
        tokens = sqlglot.tokenize(sql, read="duckdb")
        _limit_nesting(tokens)
        _limit_statement(tokens)
        statements = sqlglot.parse(sql, read="duckdb")
    except SqlglotError as error:
        what = f"not SQL: {_first_line(error)}"
        raise UnsupportedQuery(what, remedy="Correct the query; its SQL is DuckDB's.") from None
    except RecursionError:
        raise UnsupportedQuery("the query is nested too deeply") from None
    if len(statements) != 1:
        what = f"{len(statements)} statements; exactly one SELECT is allowed"
        raise UnsupportedQuery(what, remedy="Ask one after the other.")
    statement = statements[0]
    if isinstance(statement, exp.SetOperation):
        remedy = "Ask one after the other, or aggregate FROM (... UNION ALL ...)."
        raise UnsupportedQuery(f"{construct(statement)} of answers", remedy=remedy)
    if not isinstance(statement, exp.Select):
        raise _no_select(construct(statement))
    _limit_depth(statement)
    _limit_names(statement)
    return statement


def construct(node: object) -> str:
    """Name a construct in messages."""
    if isinstance(node, exp.Anonymous):
        return f"function {str(node.this)[:40]}"
    if isinstance(node, exp.Command):
        return str(node.this)[:40].upper()
    return type(node).__name__.upper() if node is not None else "nothing"


def only(node: exp.Expr, *allowed: str) -> None:
    """Refuse a node that carries clauses beyond `allowed`."""
    for name, value in node.args.items():
        if value and name not in allowed and not (isinstance(value, list) and not any(value)):
            what = value[0] if isinstance(value, list) else value
            named = construct(what) if isinstance(what, exp.Expr) else name.strip("_").upper()
            raise UnsupportedQuery(f"{named} in {construct(node)}")


def _limit_statement(tokens: list[Token]) -> None:
    """Refuse what begins as no SELECT does, by its first word: 'SELEC x' may parse by chance."""
    if tokens and tokens[0].token_type not in _FIRST:
        raise _no_select(tokens[0].text[:40].upper())


def _no_select(what: str) -> UnsupportedQuery:
    shown = what if what.isprintable() else repr(what)
    message = f"statement {shown}; only SELECT statements are computed"
    return UnsupportedQuery(message, remedy="Ask with one SELECT statement.")


def _limit_text(sql: str) -> None:
    try:
        n_bytes = len(sql.encode("utf-8"))
    except UnicodeEncodeError:
        raise UnsupportedQuery("the query holds a lone surrogate, half of a character") from None
    if n_bytes > MAX_BYTES:
        raise UnsupportedQuery(f"the query is longer than {MAX_BYTES} bytes")


def _limit_nesting(tokens: list[Token]) -> None:
    depth, run = 0, 0
    for token in tokens:
        depth += (token.token_type in _OPEN) - (token.token_type in _CLOSE)
        run = run + 1 if token.token_type in _PREFIX else 0
        if depth > MAX_NESTING or run > MAX_NESTING:
            raise UnsupportedQuery(f"the query is nested deeper than {MAX_NESTING}")


def _limit_names(root: exp.Expr) -> None:
    """Refuse names that rewriting gives to columns of its own."""
    for name in root.find_all(exp.Identifier):
        if _RESERVED.fullmatch(name.name):
            raise UnsupportedQuery(f"the name {name.name}", remedy="Begin it with a letter.")


def _limit_depth(root: exp.Expr) -> None:
    stack: list[tuple[exp.Expr, int]] = [(root, 1)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise UnsupportedQuery(f"an expression is deeper than {MAX_DEPTH} operators")
        stack.extend((child, depth + 1) for child in node.iter_expressions())


def _first_line(error: SqlglotError) -> str:
    return str(error).splitlines()[0].split(". Line")[0][:200] if str(error) else "syntax error"
