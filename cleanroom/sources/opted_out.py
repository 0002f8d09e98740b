"""Tables without the rows of persons who opted out.

Rule: the list is the owner's own file, one person a line, as the person columns of its tables
hold them; nobody else learns who is on it. It is heeded when rows are loaded: a changed list means
other rows, and so a new epoch.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

from cleanroom.contract.terms import Terms
from cleanroom.errors import ConfigInvalid
from cleanroom.identity.files import read_bounded
from cleanroom.sources.database import Database

MAX_BYTES = 16 << 20


def load(
    terms: Terms,
    member: str,
    tables: Mapping[str, Path],
    erased: Collection[str] = (),
    *,
    opt_outs: Path | None,
    whole: bool = False,
) -> Database:
    """Load a member's tables, and leave out who opted out.

    Raises:
        DataMismatch: as `Database`, or if a line can't be a person of one of the tables.
        ConfigInvalid: if the list can't be read, or is too long.
    """
    persons = () if opt_outs is None else listed(opt_outs)
    database = Database(terms, member, tables, erased, whole=whole)
    for table in sorted(set(tables) - set(erased)) if persons else ():
        database.leave_out(table, persons)
    return database


def listed(path: Path) -> tuple[str, ...]:
    """Return the persons of a file, one a line; blanks around it don't count.

    Raises:
        ConfigInvalid: if it can't be read, or is too long.
    """
    try:
        lines = read_bounded(path, MAX_BYTES, ConfigInvalid).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ConfigInvalid(f"{path} is no text in UTF-8") from None
    return tuple(person for line in lines if (person := line.strip()))
