"""`cleanroom demo`: the main job on one machine, told step by step."""

import typer


def demo() -> None:
    """Three hospitals and an analyst on this machine: a join and totals, beside plaintext."""
    from cleanroom.demo.show import run

    if not run():
        raise typer.Exit(1)
