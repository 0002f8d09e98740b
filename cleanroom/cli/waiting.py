"""Asking again until a person at a member has decided."""

import itertools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from cleanroom.cli.words import printable
from cleanroom.errors import ApprovalNeeded

if TYPE_CHECKING:
    from cleanroom.recipient.explanation import Explanation

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
    explain: "Callable[[], Explanation]",
    minutes: int,
    pause: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> T:
    """Ask; while nothing but an approval is missing, and there is time, ask again.

    In between members only rule, as they do for `explain`: a question that runs in vain may count.

    Raises:
        ApprovalNeeded: if it is still missing in the end.
        CleanroomError: as `ask`.
    """
    ends, pauses = now() + 60 * minutes, itertools.chain(PAUSES_S, itertools.repeat(60))
    while True:
        try:
            return ask()
        except ApprovalNeeded as error:
            accepted = False
            while not accepted:
                if now() + (pause_s := next(pauses)) > ends:
                    if minutes:
                        typer.echo(f"nobody decided within --wait {minutes}", err=True)
                    raise
                if pause_s == PAUSES_S[0]:
                    typer.echo(printable(f"waiting: {error.message}"), err=True)
                pause(pause_s)
                accepted = explain().accepted
