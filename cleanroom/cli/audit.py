"""`cleanroom audit`: read, judge and hand on what a process has logged; all of it offline."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cleanroom.cli.rows import Format, write
from cleanroom.cli.words import printable

if TYPE_CHECKING:
    import pyarrow as pa

    from cleanroom.audit.record import Record
    from cleanroom.session.member import Membership
    from cleanroom.storage.state import State

app = typer.Typer(help="What was done, and whether anybody changed that.", no_args_is_help=True)

Config = Annotated[
    Path, typer.Option("--config", envvar="CLEANROOM_CONFIG", help="TOML file of the process.")
]
Session = Annotated[str | None, typer.Option(help="Of this session alone.")]


@app.command()
def verify(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="An exported log; else the process's own.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            envvar="CLEANROOM_CONFIG",
            help="A process that holds others to their logs; beside a file only if it is typed.",
        ),
    ] = None,
    contract: Annotated[Path | None, typer.Option(help="The contract it must be under.")] = None,
    against: Annotated[
        list[Path] | None, typer.Option(help="Exported logs of members that hold this one to its.")
    ] = None,
    receipt: Annotated[
        list[Path] | None, typer.Option(help="Receipts that the log must know of.")
    ] = None,
) -> None:
    """Judge a log: edits, deletions, another order, other histories, a tail that was cut off.

    Exit code 1 if anything is found, each with its place.
    """
    from cleanroom.audit.judging import Case

    source = context.get_parameter_source("config")
    if file is not None and source is not None and source.name == "ENVIRONMENT":
        config = None
    if file is None and config is None:
        raise typer.BadParameter("name an exported log, or a process by --config")
    case = Case.of_file(file) if file is not None else Case.of_process(_required(config))
    if file is not None and config is not None:
        case.hold_to_process(config)
    if contract is not None:
        case.demand(contract)
    for path in against or ():
        case.hold_to_export(path)
    for path in receipt or ():
        case.hold_to_receipt(path)
    findings = case.judged()
    for found in findings.found:
        typer.echo(printable(f"{case.party}: {found}"))
    if findings.found:
        raise typer.Exit(1)
    typer.echo(f"{case.party}: {findings.records} records, sound; {case.held_by}")


@app.command()
def show(
    config: Config,
    session: Session = None,
    kind: Annotated[str | None, typer.Option(help="Of this kind alone, such as 'ruled'.")] = None,
    who: Annotated[str | None, typer.Option(help="About this member alone.")] = None,
    since: Annotated[dt.datetime | None, typer.Option(help="From this moment on, in UTC.")] = None,
    last: Annotated[int, typer.Option(help="At most so many, the latest.")] = 100,
    form: Annotated[Format, typer.Option("--format", help="How to write them.")] = Format.TABLE,
) -> None:
    """Show what this process logged."""
    from cleanroom.audit.log import Log
    from cleanroom.audit.record import Kind, Record

    if form is Format.PARQUET:
        raise typer.BadParameter("the list is small: table, csv or json")
    if kind is not None and kind not in set(Kind):
        raise typer.BadParameter(f"no kind of record: {kind}; there are {', '.join(Kind)}")
    keep = _filter(session, kind, who, since)
    with _opened(config)[1] as state:
        contents = enumerate(Log(state).contents())
        records = [(i, record) for i, one in contents if keep(record := Record.of(one))]
    write(_listed(records[-last:] if last > 0 else []), form, None)


@app.command()
def export(file: Path, config: Config, session: Session = None) -> None:
    """Write the log into a file that anybody with the contract can verify."""
    from cleanroom.audit import bundle
    from cleanroom.cli.rows import check_writable
    from cleanroom.errors import ConfigInvalid

    check_writable(file)
    if file.exists():
        raise ConfigInvalid(f"{file} exists", remedy="Name a new file: no export is overwritten.")
    keep = None if session is None else _filter(session, None, None, None)
    member, opened = _opened(config)
    with opened as state:
        n = bundle.export(file, member, state, keep)
    typer.echo(f"{n} records of {member.name} in {file}")


@app.command()
def accept(member: str, config: Config) -> None:
    """Hold a member to its log no longer: go on with it as it is. This is logged.

    For a member that lost its newest state for good: every other member and the coordinator say so,
    in any order, and start their processes again.
    """
    from cleanroom.audit import held, remembered
    from cleanroom.audit.log import append
    from cleanroom.audit.record import Kind, Record
    from cleanroom.contract.document import COORDINATOR

    me, opened = _opened(config)
    if member == me.name or member not in (*me.contract.terms.members, COORDINATOR):
        raise typer.BadParameter(f"{member} is no other member of the room")
    with opened as state, state.writing() as batch:
        given_up = {
            one.checkpoint.party: one.checkpoint.root for one in held.stored(batch, me.contract)
        }
        held.accept(batch, member)
        remembered.drop(batch, member)
        append(batch, Record.now(Kind.ACCEPTED, who=member, digest=given_up.get(member)))
    typer.echo(f"{me.name} goes on with {member}'s log as it is; start the process again.")


@app.command()
def epoch(config: Config) -> None:
    """Say openly that this owner's rows are new ones, before its process loads them."""
    from cleanroom.audit.epochs import begin_epoch

    member, opened = _opened(config)
    with opened as state, state.writing() as batch:
        new = begin_epoch(batch)
    typer.echo(f"epoch {new} of {member.name} begins when its process is started again")


def _required(config: Path | None) -> Path:
    if config is None:
        raise typer.BadParameter("name the process's file by --config")
    return config


def _opened(config: Path) -> "tuple[Membership, State]":
    from cleanroom.config import MemberConfig
    from cleanroom.session.member import Membership
    from cleanroom.storage.state import State

    read = MemberConfig.load(config)
    member = Membership.load(read.identity, read.contract)
    return member, State.open(read.state, read.keys, member.contract.terms.room.name)


def _filter(
    session: str | None, kind: str | None, who: str | None, since: dt.datetime | None
) -> "Callable[[Record], bool]":
    start = 0 if since is None else int(since.replace(tzinfo=dt.UTC).timestamp() * 1000)

    def keep(record: "Record") -> bool:
        asked = ((session, record.session), (kind, record.kind), (who, record.who))
        return record.at >= start and all(want in (None, found) for want, found in asked)

    return keep


def _listed(records: "list[tuple[int, Record]]") -> "pa.Table":
    import pyarrow as pa

    rows = [dict(_cells(i, record)) for i, record in records]
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["record"]
    return pa.table({name: [row.get(name) for row in rows] for name in names})


def _cells(index: int, record: "Record") -> "Iterator[tuple[str, object]]":
    at = dt.datetime.fromtimestamp(record.at / 1000, dt.UTC)
    yield "record", index
    yield "time", f"{at:%Y-%m-%d %H:%M:%S}"
    for name, value in record.model_dump(mode="json", exclude_none=True).items():
        if name not in ("at", "nonce"):
            yield name, ", ".join(value) if isinstance(value, list) else value
