"""`cleanroom identity`: make keys, and show the words that two members compare."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cleanroom.identity.identity import PublicIdentity

app = typer.Typer(help="A member's keys and fingerprint.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="The member's name in contracts, or 'coordinator'.")],
    folder: Annotated[Path, typer.Option(help="A new folder, for its owner's eyes alone.")],
    valid_days: Annotated[int, typer.Option(min=1, max=3650, help="Life of the keys.")] = 730,
) -> None:
    """Make a signing key and a certificate, and write them into a folder."""
    from cleanroom.identity.identity import PUBLIC_FILE, Identity

    identity = Identity.create(name, valid_days)
    identity.save(folder)
    _describe(identity.public)
    typer.echo(
        f"\nGive {folder / PUBLIC_FILE} to the other members and compare the six words with each "
        "of them over another channel.\nThe two .key files stay here: whoever has them is you."
    )


@app.command()
def show(
    source: Annotated[Path, typer.Argument(help="An identity's folder or its identity.json.")],
) -> None:
    """Show an identity's name, fingerprint and dates."""
    from cleanroom.identity.identity import PublicIdentity

    _describe(PublicIdentity.read(source))


def _describe(identity: "PublicIdentity") -> None:
    expired = " (expired)" if dt.datetime.now(dt.UTC) > identity.valid_until else ""
    typer.echo(f"name         {identity.name}")
    typer.echo(f"fingerprint  {identity.fingerprint}")
    days = f"{identity.valid_from:%Y-%m-%d} to {identity.valid_until:%Y-%m-%d}"
    typer.echo(f"valid        {days}{expired}")
