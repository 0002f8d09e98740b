"""`cleanroom advise`: which technique fits, which don't and why; no contract or room is needed."""

from typing import Annotated

import typer

Wanted = Annotated[
    str,
    typer.Argument(
        metavar="TASK", help="totals, joins, rows, model, joined-model or scores, of all owners."
    ),
]


def advise(
    task: Wanted,
    owners: Annotated[int, typer.Option(min=1, max=1000, help="Other members with rows.")],
    rows: Annotated[int, typer.Option(min=1, max=1 << 24, help="Rows of each.")],
    computing: Annotated[
        bool, typer.Option(help="Three members compute, no two of which collude.")
    ] = True,
    hidden: Annotated[bool, typer.Option(help="Owners mustn't see what is looked for.")] = False,
    small_groups: Annotated[
        bool, typer.Option(help="The recipient may see groups of few persons.")
    ] = False,
    exact: Annotated[bool, typer.Option(help="Answers have to be exact.")] = True,
    trusted: Annotated[bool, typer.Option(help="The recipient follows the protocol.")] = True,
) -> None:
    """Say which technique fits a need, at about which cost, and why the others don't."""
    from cleanroom.advice import Needs, Task
    from cleanroom.advice import advise as advised
    from cleanroom.cards.shelf import card

    if task not in set(Task):
        raise typer.BadParameter(f"one of {', '.join(Task)}")
    needs = Needs(Task(task), owners, rows, computing, hidden, small_groups, exact, trusted)
    found = advised(needs)
    for name in found.fits:
        cost = found.costs.get(name)
        about = "" if cost is None else f"; about {cost.seconds:.1f} s for a GROUP BY"
        typer.echo(f"fits: {name}, {card(name).title}{about}")
    if not found.fits:
        typer.echo("nothing here fits")
    for name, reasons in found.rejected.items():
        typer.echo(f"not {name}: {'; '.join(reasons)}")
    typer.echo("'cleanroom explain NAME' says what each assumes, leaks and doesn't cover.")
