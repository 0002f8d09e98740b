"""`cleanroom regress`: least squares over all owners' rows, from exact sums."""

from typing import Annotated

import typer

from cleanroom.cli.answers import Delivery, with_progress
from cleanroom.cli.options import (
    By,
    Config,
    Deadline,
    FormOrSuffix,
    Output,
    Purpose,
    ReceiptFile,
    Without,
    named,
)

Table = Annotated[str, typer.Argument(help="A table of the contract.")]
Target = Annotated[str, typer.Argument(help="The column to explain.")]
Features = Annotated[list[str], typer.Argument(help="The columns that explain it.")]


def regress(
    table: Table,
    target: Target,
    features: Features,
    config: Config,
    where: Annotated[str | None, typer.Option(help="An SQL condition on the rows.")] = None,
    protocol: By = None,
    without: Without = None,
    purpose: Purpose = "",
    form: FormOrSuffix = None,
    output: Output = None,
    receipt: ReceiptFile = None,
    deadline_s: Deadline = 600,
) -> None:
    """Fit a linear regression, exactly as on pooled rows; only its sums are opened."""
    import pyarrow as pa

    from cleanroom.recipient.room import connect

    delivery = Delivery.of(form, output, receipt)
    with connect(config) as room:
        fit = with_progress(
            lambda told: room.linear_regression(
                table,
                target,
                features,
                where=where,
                protocol=named(protocol),
                without=without or (),
                purpose=purpose,
                deadline_s=deadline_s,
                on_progress=told,
            )
        )
    rows = fit.to_pandas().rename_axis("feature").reset_index()
    note = f"{fit.rows} rows fitted, R^2 {fit.r_squared:.6g}"
    delivery.deliver(pa.Table.from_pandas(rows, preserve_index=False), fit.result, note)
