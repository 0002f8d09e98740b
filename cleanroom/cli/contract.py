"""`cleanroom contract`: draft, sign, merge, verify and read what the members agree on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cleanroom.cli.words import listed, printable

if TYPE_CHECKING:
    from cleanroom.contract.document import Contract
    from cleanroom.identity.identity import PublicIdentity

app = typer.Typer(help="The terms, and everybody's signature under them.", no_args_is_help=True)

Document = Annotated[Path, typer.Argument(metavar="CONTRACT", help="A contract's file.")]


@app.command()
def new(
    terms: Annotated[Path, typer.Argument(metavar="ROOM.TOML", help="The terms of the room.")],
    identity: Annotated[
        list[Path], typer.Option(help="An identity.json; once for every member and coordinator.")
    ],
    output: Annotated[Path, typer.Option(help="The contract's file.")],
) -> None:
    """Put terms and public identities together into a contract to sign."""
    from cleanroom.contract.document import Contract
    from cleanroom.contract.terms import Terms
    from cleanroom.errors import ContractInvalid

    contract = Contract.draft(Terms.of(terms), _identities(identity))
    contract.check_draft()
    if output.exists():
        raise ContractInvalid(
            f"{output} exists already and is not overwritten", remedy="Name another file."
        )
    contract.save(output)
    typer.echo(_line(contract))
    _warn(contract)
    typer.echo(f"Every member now reads it with 'cleanroom contract show {output}' and signs it.")


@app.command()
def sign(
    contract: Document,
    identity: Annotated[Path, typer.Option(help="The folder of the member's own identity.")],
    output: Annotated[Path | None, typer.Option(help="Write here instead of in place.")] = None,
) -> None:
    """Add a member's signature to a contract."""
    from cleanroom.contract.document import Contract
    from cleanroom.identity.identity import Identity

    draft = Contract.load(contract)
    draft.check_draft()
    _know_who_answers(draft)
    signed = draft.signed_by(Identity.load(identity))
    signed.save(output or contract)
    typer.echo(_line(signed))
    _warn(signed)


@app.command()
def merge(
    contracts: Annotated[list[Path], typer.Argument(metavar="CONTRACT...", help="Copies.")],
    output: Annotated[Path, typer.Option(help="The file with all signatures.")],
) -> None:
    """Bring the signatures on several copies of one contract together."""
    from cleanroom.contract.document import Contract

    merged, *others = [Contract.load(path) for path in contracts]
    for other in others:
        merged = merged.merged(other)
    merged.save(output)
    typer.echo(_line(merged))


@app.command()
def verify(contract: Document) -> None:
    """Check terms, identities and every signature; exit code 2 if one doesn't hold."""
    from cleanroom.contract.document import Contract

    loaded = Contract.load(contract)
    loaded.check()
    typer.echo(_line(loaded))
    typer.echo(f"The contract holds until {loaded.terms.room.expires}.")


@app.command()
def show(contract: Document) -> None:
    """Read a contract: who takes part, with which keys, and who may learn what."""
    from cleanroom.cli.show import pages
    from cleanroom.cli.words import wide_console
    from cleanroom.contract.document import Contract

    loaded = Contract.load(contract)
    console = wide_console()
    for page in pages(loaded):
        console.print(page)
        console.print()


def _warn(contract: "Contract") -> None:
    from cleanroom.cli.warnings import warnings

    for warning in warnings(contract.terms):
        typer.echo(printable(f"Warning: {warning}"), err=True)


def _know_who_answers(contract: "Contract") -> None:
    """Refuse to sign before it is said who acts as controller and who as processor."""
    from cleanroom.errors import ContractInvalid

    for name in contract.terms.without_legal_role:
        remedy = "Say controller, joint controller or processor in the terms, and draft them again."
        raise ContractInvalid(f"members.{name}.acts_as: missing", party=name, remedy=remedy)


def _identities(paths: list[Path]) -> dict[str, "PublicIdentity"]:
    from cleanroom.errors import ContractInvalid
    from cleanroom.identity.identity import PublicIdentity

    found: dict[str, PublicIdentity] = {}
    for path in paths:
        identity = PublicIdentity.read(path)
        if identity.name in found:
            raise ContractInvalid(f"identities.{identity.name}: given twice")
        found[identity.name] = identity
    return found


def _line(contract: "Contract") -> str:
    room = contract.terms.room
    missing = [name for name in contract.terms.members if name not in contract.signatures]
    state = f"not yet signed by {listed(missing)}" if missing else "signed by all members"
    return f"room {room.name}, version {room.version}, {state}\nhash {contract.hash}"
