"""`cleanroom score`: what a member that owns rows does with another's model."""

from functools import partial
from typing import Annotated

import typer

from cleanroom.cli.answers import Delivery, with_progress
from cleanroom.cli.options import (
    Config,
    Deadline,
    Explain,
    FormOrSuffix,
    Offline,
    Output,
    Purpose,
    ReceiptFile,
)
from cleanroom.cli.waiting import Wait, until_approved
from cleanroom.cli.words import printable

Model = Annotated[str, typer.Argument(help="A model of the contract: member.model.")]
Table = Annotated[str, typer.Argument(help="A table whose rows this member holds.")]


def score(
    model: Model,
    table: Table,
    config: Config,
    explain: Explain = False,
    offline: Offline = False,
    purpose: Purpose = "",
    form: FormOrSuffix = None,
    output: Output = None,
    receipt: ReceiptFile = None,
    deadline_s: Deadline = 600,
    wait: Wait = 0,
) -> None:
    """Score own rows under another member's model; neither is shown to the other."""
    from cleanroom.recipient.room import connect

    delivery = Delivery.of(form, output, receipt)
    with connect(config) as room:
        explained = partial(room.explain_score, model=model, table=table, purpose=purpose)
        if explain:
            typer.echo(printable(explained(offline=offline).text))
            return
        ask = partial(
            room.score, model=model, table=table, purpose=purpose, deadline_s=deadline_s
        )
        result = until_approved(
            lambda: with_progress(lambda told: ask(on_progress=told)), explained, wait
        )
    delivery.deliver(result.to_arrow(), result)
