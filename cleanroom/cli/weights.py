"""`cleanroom weights`: what a linkage's fields weigh, learnt from files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cleanroom.errors import ConfigInvalid, UnknownName

if TYPE_CHECKING:
    import pandas as pd

Linkage = Annotated[str, typer.Argument(help="The linkage; its fuzzy part says which levels.")]
Left = Annotated[Path, typer.Argument(help="Rows of its left side: .csv or .parquet.")]
Right = Annotated[Path, typer.Argument(help="Rows of its right side, mostly the same persons.")]
TermsFile = Annotated[Path, typer.Option("--terms", help="The contract's terms, as TOML.")]


def weights(linkage: Linkage, left: Left, right: Right, terms: TermsFile) -> None:
    """Learn a linkage's weights from rows that may meet: public, synthetic, or one's own twice.

    Nobody has to say which rows belong together. Prints the lines for the contract.
    """
    from cleanroom.contract.terms import Terms
    from cleanroom.linkage.weights import learn_weights

    linkages = Terms.of(terms).linkages
    if linkage not in linkages:
        known = ", ".join(linkages) or "none"
        raise UnknownName(f"no linkage {linkage!r} in the contract; it has {known}")
    learnt = learn_weights(linkage, linkages[linkage], {"left": _rows(left), "right": _rows(right)})
    typer.echo(learnt.toml())


def _rows(file: Path) -> "pd.DataFrame":
    """Read a file's rows, of CSV as text.

    Raises:
        ConfigInvalid: if it isn't one of the two kinds, or can't be read.
    """
    import pandas as pd
    import pyarrow as pa

    try:
        if file.suffix.lower() == ".parquet":
            return pd.read_parquet(file)
        return pd.read_csv(file, dtype="str", keep_default_na=False, na_values=[""])
    except (OSError, pa.ArrowException, pd.errors.ParserError, UnicodeDecodeError) as error:
        remedy = "Name a CSV file with a header, or a Parquet file."
        raise ConfigInvalid(f"cannot read {file}", remedy=remedy) from error
