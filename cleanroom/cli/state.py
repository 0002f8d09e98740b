"""`cleanroom state`: the keys, backups and erasures of what a process keeps."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cleanroom.cli.words import listed, printable

if TYPE_CHECKING:
    from cleanroom.config import MemberConfig
    from cleanroom.session.member import Membership
    from cleanroom.storage.safekeeping import Lock
    from cleanroom.storage.state import State

app = typer.Typer(help="What a process keeps: keys, backups, erasures.", no_args_is_help=True)

Config = Annotated[
    Path, typer.Option("--config", envvar="CLEANROOM_CONFIG", help="The process's TOML file.")
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key", help="The backup's key file; else a passphrase is asked."),
]
Table = Annotated[str, typer.Argument(help="A table of the contract.")]
NEW_VARIABLE, BACKUP_VARIABLE = "CLEANROOM_NEW_PASSPHRASE", "CLEANROOM_BACKUP_PASSPHRASE"


@app.command()
def show(config: Config) -> None:
    """Check every value that is kept, and say how the state stands."""
    from cleanroom.storage.backup import digest_of

    with _opened(config) as (read, _, state), state.reading() as view:
        typer.echo(f"state      {read.state}, whole")
        under = ", under a passphrase" if read.keys.locked else ""
        typer.echo(f"key        {read.keys.path}{under}")
        typer.echo(f"erased     {', '.join(sorted(view.erased())) or 'nothing'}")
        typer.echo(f"digest     {digest_of(view)}")
        if view.restored:
            typer.echo(f"charges    nothing, as {view.restored}; see 'cleanroom state confirm'")


@app.command(name="rotate-key")
def rotate_key(
    config: Config,
    passphrase: Annotated[
        bool | None,
        typer.Option(help="Whether the new key is under a passphrase, asked for; else as before."),
    ] = None,
) -> None:
    """Seal everything anew under new keys; the old key opens nothing of it any more."""
    from cleanroom.lifecycle.acts import rotate
    from cleanroom.storage.passphrase import Asked

    with _opened(config) as (read, _, state):
        keys = read.keys.kept_up()
        if passphrase is not None:
            new = Asked("New passphrase", NEW_VARIABLE)
            keys = read.keys.under(new) if passphrase else read.keys.in_the_clear
        rotate(state, keys)
    typer.echo(f"{read.state} is under a new key. Destroy all copies of the old {keys.path}.")


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The new backup.")],
    config: Config,
    key: KeyFile = None,
) -> None:
    """Back the state up, under a key of the backup's own."""
    from cleanroom.lifecycle.acts import backed_up
    from cleanroom.storage.backup import id_of

    with _opened(config) as (_, _, state):
        summary = backed_up(state, file, _lock(key))
    typer.echo(f"backup {id_of(file)}: {summary.rows} values, {summary.digest}")
    kept = f"{key} apart from it" if key else "the passphrase"
    typer.echo(f"Keep {kept}: nothing else opens {file}.")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")], config: Config, key: KeyFile = None
) -> None:
    """Make a new state of a backup; nothing can be charged to it until that is confirmed."""
    from cleanroom.storage.safekeeping import restore as restored

    read, member = _loaded(config)
    room = member.contract.terms.room.name
    summary = restored(file, _lock(key), read.state, read.keys, room)
    typer.echo(f"{summary.rows} values of {summary.made}, {summary.digest}")
    typer.echo(
        "What was charged, erased or forgotten since isn't in it: erase and forget again, make "
        "sure of the budgets, then 'cleanroom state confirm'."
    )


@app.command()
def confirm(
    reason: Annotated[str, typer.Option(help="Why budgets of a backup are right; it is kept.")],
    config: Config,
) -> None:
    """Let a state that came out of a backup pay again, openly."""
    from cleanroom.lifecycle.acts import confirmed

    with _opened(config) as (_, _, state):
        confirmed(state, reason)
    typer.echo("Confirmed, and written into the log.")


@app.command()
def erase(
    table: Table,
    config: Config,
    output: Annotated[Path, typer.Option(help="Where to write the signed certificate.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Destroy all that is kept about a table, with its keys, and certify it."""
    from cleanroom.errors import CertificateInvalid
    from cleanroom.identity.files import replace
    from cleanroom.lifecycle.acts import erase as erased

    if not yes:
        typer.confirm(f"Destroy what is kept about {printable(table)}, for good?", abort=True)
    with _opened(config) as (read, member, state):
        certificate = erased(state, member.contract, member.identity, table)
    replace(output, certificate.to_bytes(), CertificateInvalid)
    typer.echo(f"{certificate.values} values erased; {table} takes part in nothing any more.")
    if file := read.tables.get(table):
        typer.echo(f"Your own file of its rows is yours to destroy: {file}")
    for name, day in certificate.backups.items():
        typer.echo(f"So is the key of the backup {name} of {day}.")


@app.command()
def forget(
    table: Table,
    config: Config,
    persons: Annotated[
        Path | None, typer.Option(help="A file with one person a line; else one is asked for.")
    ] = None,
) -> None:
    """Leave a person's rows of a table out of everything, from the next session on."""
    from cleanroom.lifecycle.forgotten import forget as forgotten
    from cleanroom.lifecycle.forgotten import own_table
    from cleanroom.sources.opted_out import listed, load

    named = listed(persons) if persons else (typer.prompt("Person"),)
    with _opened(config) as (read, member, state):
        terms, me = member.contract.terms, member.name
        with state.reading() as view:
            own_table(view, terms, me, table)
            erased_before = view.erased()
        rows = load(terms, me, read.tables, erased_before, opt_outs=read.opt_outs)
        removed = rows.leave_out(table, named)
        rows.close()
        forgotten(state, table, named)
    typer.echo(f"{removed} rows of {printable(table)} are left out, from the next session on.")


@app.command()
def certified(
    certificates: Annotated[list[Path], typer.Argument(help="Certificates of erasures.")],
    contract: Annotated[Path, typer.Option(help="The room's contract.")],
    table: Annotated[str, typer.Option(help="The table that all its owners were to erase.")],
) -> None:
    """Verify certificates, and name every owner whose certificate is missing."""
    from cleanroom.contract.document import Contract
    from cleanroom.errors import CertificateInvalid, UnknownName
    from cleanroom.lifecycle.certificate import Certificate, missing

    agreed = Contract.load(contract)
    if table not in agreed.terms.tables:
        known = f"The contract has {', '.join(agreed.terms.tables)}."
        raise UnknownName(f"no table {table!r} in the contract", remedy=known)
    read = [Certificate.read(path) for path in certificates]
    for path, one in zip(certificates, read, strict=True):
        one.check(agreed)
        if one.table != table:
            what, remedy = f"{path} is of {one.table}, not {table}", "Name the table it is of."
            raise CertificateInvalid(what, party=one.member, remedy=remedy)
    for one in read:
        typer.echo(printable(f"{one.member} erased {one.table} at {one.when}: {one.values} values"))
    if names := missing(agreed, table, read):
        what = f"no certificate for {table} of {listed(names)}"
        raise CertificateInvalid(what, party=", ".join(names))


def _loaded(config: Path) -> "tuple[MemberConfig, Membership]":
    from cleanroom.config import MemberConfig
    from cleanroom.session.member import Membership

    read = MemberConfig.load(config)
    return read, Membership.load(read.identity, read.contract)


@contextmanager
def _opened(config: Path) -> "Iterator[tuple[MemberConfig, Membership, State]]":
    from cleanroom.storage.state import State

    read, member = _loaded(config)
    with State.open(read.state, read.keys, member.contract.terms.room.name) as state:
        yield read, member, state


def _lock(key: Path | None) -> "Lock":
    from cleanroom.storage.passphrase import Asked
    from cleanroom.storage.safekeeping import Lock

    return Lock(key, Asked("The backup's passphrase", BACKUP_VARIABLE))
