"""Options that several commands share, spelt and explained once."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cleanroom.cli.rows import Format

if TYPE_CHECKING:
    from cleanroom.plan.plan import Protocol

Sql = Annotated[str, typer.Argument(help="A SELECT, or '-' to read it from standard input.")]
Config = Annotated[
    Path, typer.Option("--config", envvar="CLEANROOM_CONFIG", help="The recipient's TOML file.")
]
MaybeConfig = Annotated[
    Path | None,
    typer.Option("--config", envvar="CLEANROOM_CONFIG", help="The recipient's TOML file."),
]
Explain = Annotated[bool, typer.Option("--explain", help="Say who would learn what; nothing runs.")]
Offline = Annotated[
    bool, typer.Option("--offline", help="Ask no member: the ruling is the contract's alone.")
]
Form = Annotated[Format, typer.Option("--format", help="How to write the rows.")]
FormOrSuffix = Annotated[
    Format | None, typer.Option("--format", help="How to write the rows; by default as --output.")
]
Output = Annotated[Path | None, typer.Option(help="File to write, not the screen.")]
ReceiptFile = Annotated[Path | None, typer.Option(help="Where to keep the signed receipt.")]
Deadline = Annotated[int, typer.Option(min=1, max=86400, help="Seconds to wait.")]


class Way(StrEnum):
    """What a query runs on."""

    MPC = "mpc"
    HE = "he"


By = Annotated[
    Way | None,
    typer.Option("--protocol", help="On secret shares (mpc) or ciphertexts (he); or the cheaper."),
]
Without = Annotated[
    list[str] | None,
    typer.Option("--without", help="A member whose rows are left out, on ciphertexts; repeatable."),
]
Purpose = Annotated[
    str, typer.Option("--purpose", help="One that the contract names; needed if it names some.")
]
Epsilon = Annotated[
    float | None,
    typer.Option("--epsilon", help="What it may cost of the privacy budget; more is less noise."),
]
MinGroup = Annotated[
    int, typer.Option(min=1, help="Persons behind every cell, if more than the contract asks for.")
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Ask, and pay, again, where a noisy answer is kept.")
]


def text_of(sql: str) -> str:
    """Return a query's text, from standard input if it is '-'."""
    return sys.stdin.read() if sql == "-" else sql


def named(protocol: Way | None) -> "Protocol | None":
    """Return what the library calls a protocol."""
    match protocol:
        case None:
            return None
        case Way.MPC:
            return "mpc"
        case Way.HE:
            return "he"
