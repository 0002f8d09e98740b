"""`cleanroom compare`: what a federated model is worth beside each owner's own, on given files."""

from pathlib import Path
from typing import Annotated

import typer

from cleanroom.cli.rows import Format, check_writable, write

JobFile = Annotated[Path, typer.Argument(help="The job's TOML file.")]
TermsFile = Annotated[Path, typer.Option("--terms", help="The contract's terms, as TOML.")]


def compare(
    job: JobFile,
    terms: TermsFile,
    rows: Annotated[
        list[str], typer.Option("--rows", metavar="OWNER=FILE", help="An owner's rows; repeatable.")
    ],
    seeds: Annotated[int, typer.Option(min=1, max=100, help="How often everything runs.")] = 5,
    measure: Annotated[
        str | None, typer.Option(help="What to show: auc, auprc, precision_at_20, ... or r2.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="File for all scores: .csv, .json or .parquet.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="PNG of means and intervals.")] = None,
) -> None:
    """Compare each owner alone, federated and pooled: whoever runs this has all owners' rows."""
    import pyarrow as pa

    from cleanroom.cli.rows import format_of
    from cleanroom.contract.terms import Terms
    from cleanroom.learning.job import Job
    from cleanroom.models.arms import compare_job

    check_writable(output, plot)
    compared = compare_job(Job.of(job), Terms.of(terms), _files(rows), range(1, seeds + 1))
    table = compared.table(measure)
    write(pa.Table.from_pandas(table, preserve_index=False), Format.TABLE, None)
    if output is not None:
        scores = pa.Table.from_pandas(compared.scores, preserve_index=False)
        write(scores, format_of(output), output)
    if plot is not None:
        compared.plot(plot, measure)


def _files(rows: list[str]) -> dict[str, Path]:
    files = {}
    for one in rows:
        owner, equals, file = one.partition("=")
        if not equals or owner in files:
            raise typer.BadParameter(f"{one}: once for each owner, as OWNER=FILE")
        files[owner] = Path(file)
    return files
