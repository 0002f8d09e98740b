"""A frame of all rows of one table of the contract.

Rule: names are read as those in FROM are, by the same code.
"""

from sqlglot import exp

from cleanroom.contract.terms import Terms
from cleanroom.errors import UnknownName
from cleanroom.frames.block import Block, Column, Source, reference
from cleanroom.frames.values import identifier
from cleanroom.query.nesting import nest_of
from cleanroom.sql.names import nearest
from cleanroom.sql.scope import Scope


def block_of(name: str, terms: Terms) -> Block:
    """Return a SELECT of all columns of a table.

    Raises:
        UnknownName: naming the nearest table.
    """
    owner, dot, rest = str(name).rpartition(".")
    if not rest.isidentifier() or (dot and not owner.isidentifier()):
        known = nearest(str(name)[:64], terms.tables)
        raise UnknownName("no table of this name", remedy=known)
    table = exp.Table(this=identifier(rest), db=identifier(owner) if dot else None)
    rows = exp.Select(expressions=[exp.Star()], from_=exp.From(this=table.copy()))
    names, _ = Scope(terms, nest_of(terms)).enter(rows, {})
    (relation,) = names.relations
    columns, unlisted = (
        {name: Column(reference(name, relation.alias), bound) for name, bound in found.items()}
        for found in (relation.columns, relation.unlisted)
    )
    return Block((Source(relation.alias, table),), columns, unlisted)
