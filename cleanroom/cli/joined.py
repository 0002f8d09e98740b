"""`cleanroom train-joined`: a regression on columns that owners join in secret."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cleanroom.cli.answers import with_progress
from cleanroom.cli.options import Config, Deadline, Explain, Purpose, ReceiptFile, Sql, text_of
from cleanroom.cli.rows import check_writable, write_text
from cleanroom.plan.grouping import ITERATIONS, FitKind


class Kind(StrEnum):
    """Which regression."""

    LOGISTIC = "logistic"
    LINEAR = "linear"


Target = Annotated[str, typer.Option(help="The column that is learnt.")]


def train_joined(
    sql: Sql,
    target: Target,
    config: Config,
    model: Annotated[Kind, typer.Option(help="Which regression.")] = Kind.LOGISTIC,
    iterations: Annotated[int, typer.Option(min=1, max=500, help="Fixed.")] = ITERATIONS,
    l2: Annotated[float, typer.Option(min=0, max=1000, help="As 1 / C in scikit-learn.")] = 1.0,
    explain: Explain = False,
    purpose: Purpose = "",
    output: Annotated[Path | None, typer.Option(help="JSON file for the model.")] = None,
    receipt: ReceiptFile = None,
    deadline_s: Deadline = 3600,
) -> None:
    """Fit a regression on rows that owners join on secret shares, each with its own columns."""
    from cleanroom.recipient.room import connect

    check_writable(output, receipt)
    kind: FitKind = "logistic" if model is Kind.LOGISTIC else "linear"
    text = text_of(sql)
    with connect(config) as room:
        if explain:
            sheet = room.explain_train_joined(
                text, target=target, model=kind, iterations=iterations, l2=l2, purpose=purpose
            )
            typer.echo(sheet.text)
            return
        found = with_progress(
            lambda told: room.train_joined(
                text,
                target=target,
                model=kind,
                iterations=iterations,
                l2=l2,
                purpose=purpose,
                deadline_s=deadline_s,
                on_progress=told,
            )
        )
    for name, value in found.coefficients.items():
        typer.echo(f"{name}: {value:.6g}")
    if output is not None:
        write_text(output, found.to_json())
    if receipt is not None and found.result is not None:
        write_text(receipt, found.result.receipt.to_json())
