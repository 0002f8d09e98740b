"""What commands that ask an offer of the contract share: explain it, or ask it and deliver.

Rule: nothing of one kind of offer.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cleanroom.cli.answers import Delivery, with_progress
from cleanroom.cli.mock import room_of
from cleanroom.cli.words import printable

if TYPE_CHECKING:
    from cleanroom.recipient.asking import Progress
    from cleanroom.recipient.explanation import Explanation
    from cleanroom.recipient.result import Result
    from cleanroom.recipient.room import Room


def run(
    config: Path,
    sheet: "Callable[[Room], Explanation] | None",
    ask: "Callable[[Room, Progress], Result]",
    delivery: Delivery,
    *,
    mock: bool,
) -> None:
    """Say who would learn what, if a sheet is wanted, or ask and write the rows."""
    with room_of(config, mock=mock) as room:
        if sheet is not None:
            typer.echo(printable(sheet(room).text))
            return
        result = with_progress(lambda told: ask(room, told))
    delivery.deliver(result.to_arrow(), result)
