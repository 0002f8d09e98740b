"""`cleanroom demo`: the main job on one machine, told step by step; with a name, an example."""

from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(help="aml, lift, linkage or analyst; hospitals without.")]
Data = Annotated[Path | None, typer.Option(help="Folder with files instead of made-up rows.")]
Output = Annotated[Path, typer.Option(help="Folder that figures are written to.")]


def demo(name: Name = "", data: Data = None, output: Output = Path()) -> None:
    """Three hospitals and an analyst on this machine, or one of the examples, beside plaintext."""
    from cleanroom.demo import examples, show

    right = examples.run(name, data, output) if name else show.run()
    if not right:
        raise typer.Exit(1)
