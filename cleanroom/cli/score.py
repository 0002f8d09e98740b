"""`cleanroom score`: what a member that owns rows does with another's model."""

from typing import Annotated

import typer

from cleanroom.cli.answers import Delivery, with_progress
from cleanroom.cli.options import (
    Config,
    Deadline,
    Explain,
    FormOrSuffix,
    Output,
    Purpose,
    ReceiptFile,
)

Model = Annotated[str, typer.Argument(help="A model of the contract: member.model.")]
Table = Annotated[str, typer.Argument(help="A table whose rows this member holds.")]


def score(
    model: Model,
    table: Table,
    config: Config,
    explain: Explain = False,
    purpose: Purpose = "",
    form: FormOrSuffix = None,
    output: Output = None,
    receipt: ReceiptFile = None,
    deadline_s: Deadline = 600,
) -> None:
    """Score own rows under another member's model; neither is shown to the other."""
    from cleanroom.recipient.room import connect

    delivery = Delivery.of(form, output, receipt)
    with connect(config) as room:
        if explain:
            typer.echo(room.explain_score(model=model, table=table, purpose=purpose).text)
            return
        result = with_progress(
            lambda told: room.score(
                model=model,
                table=table,
                purpose=purpose,
                deadline_s=deadline_s,
                on_progress=told,
            )
        )
    delivery.deliver(result.to_arrow(), result)
