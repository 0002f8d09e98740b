"""Queries that leave members out, such as one whose process is away.

Rule: only parts of federated tables can be left out, so that the query still means the same of
the others' rows; and only on ciphertexts, where policy asks for a minimum of contributors.
"""

from collections.abc import Collection

from cleanroom.contract.terms import Terms
from cleanroom.errors import UnknownName, UnsupportedQuery
from cleanroom.plan.plan import Protocol
from cleanroom.sql.bind import Query


def check_left_out(query: Query, members: Collection[str], protocol: Protocol) -> None:
    """Check that each of these members holds a part of what is asked, and others do, too.

    Raises:
        UnsupportedQuery: if the query runs on shares, or no owner would be left.
        UnknownName: naming who holds no part.
    """
    if protocol == "mpc":
        what = f"leaving out {', '.join(members)} with protocol 'mpc'"
        raise UnsupportedQuery(what, remedy="Ask with protocol 'he', or of all members' rows.")
    federated = [table for table in query.tables if "." not in table.name]
    for name in members:
        if not any(name in table.owners for table in federated):
            what = f"{name[:64]!r} can't be left out: it holds no part of a table that is asked"
            raise UnknownName(what, remedy="Leave out members that share these tables.")
    for table in federated:
        if not set(table.owners) - set(members):
            what = f"{table.name} without {', '.join(members)}: no owner is left"
            raise UnsupportedQuery(what, remedy="Leave fewer members out.")


def terms_without(terms: Terms, members: Collection[str]) -> Terms:
    """Return the terms with federated tables of the other members; tables of nobody are gone."""
    tables = {}
    for name, table in terms.tables.items():
        if table.members is not None:
            rest = tuple(member for member in table.members if member not in members)
            table = table.model_copy(update={"members": rest})
        if table.members != ():
            tables[name] = table
    return terms.model_copy(update={"tables": tables})
