"""An answer from question to paper: asked while a line tells how far it is, then written.

Rule: what every command that asks a room has; which question it is, each says for itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

import typer

from cleanroom.cli.rows import Format, check_writable, format_of, write, write_text

if TYPE_CHECKING:
    import pyarrow as pa

    from cleanroom.recipient.asking import Progress
    from cleanroom.recipient.result import Result

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where an answer goes, known to be possible before anybody is asked."""

    form: Format
    output: Path | None
    receipt: Path | None

    @classmethod
    def of(cls, form: Format | None, output: Path | None, receipt: Path | None) -> Self:
        """Return what the options say.

        Raises:
            BadParameter, ConfigInvalid: if it isn't possible.
        """
        form = form or format_of(output)
        if form is Format.PARQUET and output is None:
            raise typer.BadParameter("Parquet needs --output FILE")
        check_writable(output, receipt)
        return cls(form, output, receipt)

    def deliver(self, rows: "pa.Table", result: "Result", note: str = "") -> None:
        """Write rows and receipt, and below a table on the screen what they cost.

        Args:
            note: a line on its own, below the table.
        """
        write(rows, self.form, self.output)
        if self.receipt is not None:
            write_text(self.receipt, result.receipt.to_json())
        if self.form is Format.TABLE and self.output is None:
            typer.echo(f"{note}\n{summary(result)}" if note else summary(result))
        elif result.withheld:
            typer.echo(str(result.withheld), err=True)
        elif result.more:
            typer.echo("more rows match than open", err=True)


def summary(result: "Result") -> str:
    """Say in a line what a query cost and withheld."""
    stats = result.stats
    withheld, noise = "", _noise(result)
    if result.withheld:
        withheld = f"; {result.withheld}"
    if result.more:
        withheld += f"; more rows match than the {stats.rows} that open"
    if result.without:
        withheld += f"; without {', '.join(result.without)}"
    if result.stored is not None:
        return f"{stats.rows} rows kept since {result.stored:%Y-%m-%d %H:%M} UTC, at no cost{noise}"
    return (
        f"{stats.rows} rows in {stats.seconds:.2f} s, {stats.rounds} rounds, "
        f"{stats.bytes_sent / 1e6:.1f} MB sent by all members{withheld}{noise}"
    )


def _noise(result: "Result") -> str:
    if "epsilon" not in result.privacy:
        return ""
    errors = result.privacy["standard_errors"].items()
    shown = ", ".join(f"{text} {error:.4g}" for text, error in errors)
    return f"\nnoisy, epsilon {result.privacy['epsilon']:g}; standard errors: {shown}"


def with_progress(ask: "Callable[[Progress], T]") -> T:
    """Ask while a line says how far the members are."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("asking") as line:
        try:
            return ask(lambda stage, member: line.update(f"{member}: {stage}"))
        except KeyboardInterrupt:
            console.print("The session was cancelled at every member.")
            raise
