"""Asking again until a person at a member has decided."""

import itertools
import time
from collections.abc import Callable
from typing import Annotated, TypeVar

import typer

from cleanroom.cli.words import printable
from cleanroom.errors import ApprovalNeeded

T = TypeVar("T")
PAUSES_S = (5, 10, 20, 40)  # then a minute each
MINUTES = 7 * 24 * 60  # at most

Wait = Annotated[
    int,
    typer.Option(
        "--wait",
        min=0,
        max=MINUTES,
        metavar="MINUTES",
        help="Ask again for so long if a person at a member has to approve it first.",
    ),
]


def until_approved(
    ask: Callable[[], T],
    minutes: int,
    pause: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> T:
    """Ask until nothing but an approval is missing any more, or the time is over.

    Raises:
        ApprovalNeeded: if it is still missing then.
        CleanroomError: as `ask`.
    """
    ends = now() + 60 * minutes
    pauses, told = itertools.chain(PAUSES_S, itertools.repeat(60)), False
    while True:
        try:
            return ask()
        except ApprovalNeeded as error:
            if now() + (pause_s := next(pauses)) > ends:
                raise
            if not told:
                typer.echo(printable(f"waiting: {error.message}"), err=True)
        told = True
        pause(pause_s)
