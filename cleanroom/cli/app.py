"""`cleanroom app`: what a member reads before it approves the code of a Flower app."""

import re
from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(help="The folder with the app's code.")]


def app(folder: Folder) -> None:
    """List the files of a Flower app, and the lines that approve them in a member's TOML file."""
    from cleanroom.cli.words import printable
    from cleanroom.flower.apps import read

    code = read(folder)
    for path, content in code.files.items():
        typer.echo(printable(f"# {path}: {len(content)} bytes"))
    typer.echo(printable(f"# ClientApp {code.client}, ServerApp {code.server}"))
    name = re.sub(r"[^a-z0-9_-]", "-", folder.resolve().name.lower())
    typer.echo(printable(f"[apps.{name}]\nfolder = '{folder.resolve()}'"))
    typer.echo(f'sha256 = "{code.sha256}"')
