"""`cleanroom approvals`: what a person at a member decides about plans."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cleanroom.cli.rows import Format, write
from cleanroom.cli.words import printable

if TYPE_CHECKING:
    from cleanroom.approval.book import Approvals
    from cleanroom.approval.entry import Entry
    from cleanroom.contract.document import Contract

app = typer.Typer(no_args_is_help=True, help="Decide on plans that wait for this member's person.")

Config = Annotated[
    Path, typer.Option("--config", envvar="CLEANROOM_CONFIG", help="The member's TOML file.")
]
Form = Annotated[Format, typer.Option("--format", help="How to write the list.")]
MAX_REASON = 500  # characters
Hash = Annotated[str, typer.Argument(help="The plan's hash, or its first 8 digits or more.")]


@app.command("list")
def list_(config: Config, form: Form = Format.TABLE) -> None:
    """List the plans that wait, and those that were decided on, the oldest first."""
    import pyarrow as pa

    if form is Format.PARQUET:
        raise typer.BadParameter("the list is small: table, csv or json")
    today = _today()
    with _opened(config) as (approvals, _):
        lines = [_line(entry, today) for entry in approvals.entries()]
    names = ("plan", "kind", "state", "recipient", "purpose", "asked", "left", "until")
    write(pa.table({name: [line[name] for line in lines] for name in names}), form, None)


@app.command()
def show(plan: Hash, config: Config) -> None:
    """Print who asks for a plan and its sheet, which this member's software compiles anew."""
    from cleanroom.approval.sheets import sheet_of

    with _opened(config) as (approvals, contract):
        entry = approvals.named(plan)
        sheet = sheet_of(entry, contract)
    purpose = f" for {entry.purpose}" if entry.purpose else ""
    asked = dt.datetime.fromtimestamp(entry.asked_at, dt.UTC)
    typer.echo(printable(f"{entry.recipient} asked{purpose} on {asked:%Y-%m-%d %H:%M} UTC"))
    typer.echo(f"{entry.state(_today())}\n\n{printable(sheet.text)}")


@app.command()
def approve(
    plan: Hash,
    config: Config,
    times: Annotated[int | None, typer.Option(min=1, help="How often; by default once.")] = None,
    until: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last day (UTC); then any number of times."),
    ] = None,
) -> None:
    """Let a plan run: this very query, under this contract, for this recipient and purpose."""
    day = None if until is None else until.date()
    if day is not None and day < _today():
        raise typer.BadParameter("--until is in the past")
    often = 1 if times is None and day is None else times
    with _opened(config) as (approvals, _):
        entry = approvals.approve(plan, often, day)
    limit = "" if often is None else (" once" if often == 1 else f" {often} times")
    last = "" if day is None else f" until {day}"
    typer.echo(f"approved {entry.plan_hash}:{limit}{last} for {entry.recipient}")


@app.command()
def deny(
    plan: Hash,
    config: Config,
    reason: Annotated[str, typer.Option(help="Told to whoever asks for the plan.")] = "",
) -> None:
    """Refuse a plan, until it is approved."""
    if len(reason) > MAX_REASON:
        raise typer.BadParameter(f"--reason has at most {MAX_REASON} characters")
    with _opened(config) as (approvals, _):
        entry = approvals.deny(plan, printable(reason))
    typer.echo(f"denied {entry.plan_hash} to {entry.recipient}")


@contextmanager
def _opened(config: Path) -> "Iterator[tuple[Approvals, Contract]]":
    from cleanroom.approval.book import Approvals
    from cleanroom.config import MemberConfig
    from cleanroom.session.member import Membership
    from cleanroom.storage.state import State

    read = MemberConfig.load(config)
    contract = Membership.load(read.identity, read.contract).contract
    with State.open(read.state, read.keys, contract.terms.room.name) as state:
        yield Approvals(state), contract


def _line(entry: "Entry", today: dt.date) -> dict[str, object]:
    asked = dt.datetime.fromtimestamp(entry.asked_at, dt.UTC)
    return {
        "plan": entry.plan_hash,
        "kind": entry.what,
        "state": str(entry.state(today)),
        "recipient": entry.recipient,
        "purpose": printable(entry.purpose),
        "asked": f"{asked:%Y-%m-%d %H:%M}",
        "left": "" if entry.times is None else str(entry.times),
        "until": "" if entry.until is None else entry.until.isoformat(),
    }


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
