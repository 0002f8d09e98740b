"""A contract as its readers need it: who takes part, with which keys, who may learn what.

Rule: from a contract to things that rich prints; nothing here decides anything.
"""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cleanroom.cli import gates, linkages, propagations, templates
from cleanroom.cli.warnings import warnings
from cleanroom.cli.words import listed, printable
from cleanroom.contract.columns import ColumnTerms, Right, Rights, TableTerms
from cleanroom.contract.document import COORDINATOR, Contract
from cleanroom.contract.models import ModelTerms
from cleanroom.contract.terms import Role, Terms
from cleanroom.errors import CleanroomError
from cleanroom.plan.rules import rules_of

# What a recipient is shown through a right, and what only steers the computation.
SHOWN = {
    Right.GROUP: "the values, as names of groups, of",
    Right.SUM: "sums of",
    Right.AVG: "averages of",
    Right.COUNT: "counts of",
    Right.MIN: "the smallest value of a group in",
    Right.MAX: "the largest value of a group in",
    Right.QUANTILE: "medians and other quantiles of",
    Right.TRAIN: "models trained on",
    Right.REVEAL: "single rows, of gates or where no smallest group is agreed, with values of",
}
UNSEEN = {
    Right.JOIN: "to match rows by",
    Right.FILTER: "to choose rows by",
    Right.COMPARE: "to compare with another owner's column",
    Right.PRIVATE_FILTER: "to choose rows by, hidden from the owners",
    Right.PRIVATE_WEIGHTS: "to weigh rows by, hidden from the owners",
}

PROFILED = {"rows": "how many rows it has", "missing": "how often values are missing"}


def pages(contract: Contract) -> Iterator[RenderableType]:
    """Yield the parts of a contract, to be printed one below the other."""
    yield _room(contract)
    yield _members(contract)
    yield _keys(contract)
    for name in contract.terms.tables:
        yield _table(contract.terms, name)
    for name, model in contract.terms.models.items():
        yield _model(name, model)
    if contract.terms.templates:
        yield templates.page(contract.terms)
    if contract.terms.gates:
        yield gates.page(contract.terms)
    if contract.terms.propagations:
        yield propagations.page(contract.terms)
    if contract.terms.linkages:
        yield linkages.page(contract.terms)
    yield _learning(contract.terms)


def _room(contract: Contract) -> RenderableType:
    room = contract.terms.room
    grid = _grid()
    grid.add_row("room", f"{room.name}, version {room.version}")
    grid.add_row("purpose", _text(room.purpose))
    for purpose, meaning in room.purposes.items():
        grid.add_row("", _text(f"{purpose}: {meaning}"))
    grid.add_row("lawful basis", _text(room.lawful_basis))
    grid.add_row("kept for", f"{room.retention_days} days")
    grid.add_row("expires", str(room.expires))
    grid.add_row("release", _release(contract.terms))
    grid.add_row("on ciphertexts", _on_ciphertexts(contract.terms))
    grid.add_row("over time", _over_time(contract.terms))
    for warning in warnings(contract.terms):
        grid.add_row("warning", _text(warning))
    grid.add_row("hash", contract.hash)
    grid.add_row("state", _state(contract))
    return grid


def _over_time(terms: Terms) -> str:
    compared = f"at most {terms.privacy.max_comparisons} questions of a recipient compare a column"
    if terms.privacy.overlap == "allowed":
        return f"{compared}; questions may be about rows that overlap"
    return f"{compared}; no two questions are about rows that may overlap without being the same"


def _on_ciphertexts(terms: Terms) -> str:
    least = terms.privacy.min_contributors
    return f"totals of a federated table are of at least {least} owners besides the recipient"


def _members(contract: Contract) -> RenderableType:
    table = _titled("Members", "member", "roles", "acts as", "listens at", "signed")
    for name, member in contract.terms.members.items():
        roles, address = ", ".join(member.roles), member.address or "nowhere"
        acts_as = member.acts_as or "nobody said"
        table.add_row(name, roles, acts_as, address, _signed(contract, name))
    address = contract.terms.coordinator.address
    table.add_row(COORDINATOR, "relay", "", address, _signed(contract, COORDINATOR))
    return table


def _keys(contract: Contract) -> RenderableType:
    table = _titled("Keys (compare the words over another channel)", "member", "words", "until")
    for name, identity in contract.identities.items():
        try:
            table.add_row(name, identity.fingerprint, f"{identity.valid_until:%Y-%m-%d}")
        except CleanroomError:
            table.add_row(name, "malformed", "")
    return table


def _signed(contract: Contract, name: str) -> str:
    if name == COORDINATOR and name not in contract.signatures:
        return "need not"
    return "yes" if name in contract.signatures else "no"


def _table(terms: Terms, name: str) -> RenderableType:
    declared = terms.tables[name]
    owners, limit = listed(terms.owners(name)), f"at most {declared.max_rows} rows of each"
    title = f"Table {name} of {owners}, {limit}; a person is one {declared.person}{_held(declared)}"
    table = _titled(title, "column", "type", "values", "may be used for")
    for column, of in declared.named_columns.items():
        uses = [_granted(*each) for each in of.granted()]
        flows = terms.propagations.items()
        uses += [f"propagation {flow}" for flow, use in flows if (name, column) in use.columns]
        if of.filter_by == "equality":
            uses.append("rows chosen by it with = and IN alone")
        elif of.filter_by == "range":
            uses.append(f"rows chosen by it in ranges of at least {of.min_width} alone")
        table.add_row(column, of.type, _domain(of), "\n".join(uses) or "nothing")
    return table


def _held(table: TableTerms) -> str:
    """Say how many rows a person may have, which bounds what one may change of a total."""
    rows, owners = table.max_rows_per_person, table.owners_per_person
    found = "" if rows is None else f", of at most {rows} row{'s' * (rows > 1)} at an owner"
    return found if owners is None else f"{found}, at {owners} owner{'s' * (owners > 1)} at most"


def _granted(recipient: str, purpose: str, rights: Rights) -> str:
    return f"{recipient}{f' ({purpose})' if purpose else ''}: {', '.join(rights)}"


def _model(name: str, model: ModelTerms) -> RenderableType:
    owner = name.partition(".")[0]
    title = (
        f"Model {name} of {owner}, {model.kind}; scores to {model.score_decimals} decimals, of "
        f"at most {model.max_rows} rows in a session and {model.max_rows_per_day} a day"
    )
    table = _titled(title, "feature", "values", "NULL counts as")
    for feature, of in model.features.items():
        values = f"{of.bounds[0]} to {of.bounds[1]}, {of.decimals} decimals"
        table.add_row(feature, values, "not scored" if of.null is None else str(of.null))
    return table


def _domain(column: ColumnTerms) -> Text:
    null = " or NULL" if column.nullable else ""
    if column.values is not None:
        few = ", ".join(column.values[:6]) + (", ..." if len(column.values) > 6 else "")
        return _text(few + null)
    if column.bounds is not None:
        return _text(f"{column.bounds[0]} to {column.bounds[1]}{null}")
    return _text((f"at most {column.max_bytes} bytes" if column.max_bytes else "any") + null)


def _learning(terms: Terms) -> RenderableType:
    grid = _grid()
    grid.title, grid.title_justify = "Who may learn what", "left"
    for name, member in terms.members.items():
        if Role.RESULT in member.roles:
            grid.add_row(name, "\n".join(_recipient(terms, name)))
    if terms.computing:
        grid.add_row(
            ", ".join(terms.computing),
            "as computing members: queries and padded sizes; of others' rows two of "
            "three shares, which are random numbers as long as no two of them put theirs together",
        )
    grid.add_row(COORDINATOR, "who asks what and when, and sizes; no row, no share, no result")
    return grid


def _recipient(terms: Terms, recipient: str) -> Iterator[str]:
    shown = {right: found for right in SHOWN if (found := _with_right(terms, recipient, right))}
    scored = [
        f"scores of own rows of {listed(tables)} under {name}, and from enough of them the model"
        for name, model in terms.models.items()
        if (tables := model.scores.get(recipient))
    ]
    opened = [
        f"rows of gate {name}{'' if recipient in gate.to else ' that its own rows are part of'}"
        for name, gate in terms.gates.items()
        if _opens(name, terms, recipient)
    ]
    opened += [
        f"scores of its own accounts by propagation {name}, or which are reached"
        for name, of in terms.propagations.items()
        if recipient in of.to
    ]
    opened += _told(terms, recipient)
    if not shown and not scored and not opened:
        yield "nothing but numbers of rows"
    for right, columns in shown.items():
        yield f"may learn {SHOWN[right]} {listed(columns)}"
    yield from (f"may learn {what}" for what in (*scored, *opened))
    for right, words in UNSEEN.items():
        if columns := _with_right(terms, recipient, right):
            yield f"may use, unseen, {words} {listed(columns)}"
    for name, linkage in terms.linkages.items():
        if recipient in linkage.to:
            yield f"may use, unseen, linkage {name} of {linkage.left} and {linkage.right}"


def _opens(gate: str, terms: Terms, recipient: str) -> bool:
    try:
        return recipient in gates.opens_to(gate, terms)
    except CleanroomError:
        return False


def _told(terms: Terms, recipient: str) -> Iterator[str]:
    """Yield what owners tell of tables of which the recipient may use a column."""
    if terms.privacy.release != "sdc":
        return  # profiles have no noise, and are no gates
    for name, table in terms.tables.items():
        usable = any(to == recipient for of in table.columns.values() for to, _, _ in of.granted())
        told = [words for key, words in PROFILED.items() if key in table.profile]
        if usable and told:
            yield f"of each owner's part of {name}, roughly, {' and '.join(told)}"


def _with_right(terms: Terms, recipient: str, right: Right) -> list[str]:
    return [
        f"{name}.{column}{f' ({purpose})' if purpose else ''}"
        for name, table in terms.tables.items()
        for column, of in table.named_columns.items()
        for to, purpose, rights in of.granted()
        if to == recipient and right in rights
    ]


def _release(terms: Terms) -> str:
    privacy = terms.privacy
    group = f"every cell rests on at least {privacy.min_group} persons"
    if privacy.min_group > 1 and privacy.untested_cells == "opened":
        group += ", but for totals on ciphertexts, of which the recipient sees every cell"
    if privacy.group_count == "open":
        group += "; computing members see how many groups are released"
    match privacy.release:
        case "dp":
            spent = f"epsilon {privacy.epsilon:g}, delta {privacy.delta:g}"
            return (
                f"dp: noise within {spent} in all, for each person, table, recipient and purpose; "
                f"a question costs epsilon {privacy.asked_epsilon:g} unless it says otherwise; "
                "no smallest group is tested"
            )
        case "sdc":
            return "; ".join([f"sdc: {group}", *rules_of(privacy), "no noise"])
        case "gated":
            more = "; and what propagations tell of own accounts" if terms.propagations else ""
            return f"gated: only rows of gates open, where a secret condition holds{more}"


def _state(contract: Contract) -> str:
    try:
        contract.check()
    except CleanroomError as error:
        return printable(f"DOES NOT HOLD: {error.message}")
    return "holds: every member has signed"


def _titled(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(overflow="fold")
    return grid


def _text(content: str) -> Text:
    return Text(printable(content))
