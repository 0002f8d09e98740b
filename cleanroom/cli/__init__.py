"""The command `cleanroom`: one file for each group of commands, one line here to add it.

Rule: words in, words out. Commands call the library and print; they import it when they run, so
that help is instant. Errors of the room become one paragraph and exit code 2, never a traceback.
"""

import sys

import typer

from cleanroom.cli import (
    advise,
    approvals,
    audit,
    budget,
    cards,
    compare,
    contract,
    demo,
    gates,
    identity,
    joined,
    linkages,
    mock,
    profile,
    propagations,
    query,
    regress,
    report,
    run,
    score,
    state,
    templates,
    train,
    weights,
)
from cleanroom.cli import app as flower_app
from cleanroom.cli.words import printable
from cleanroom.errors import CleanroomError

app = typer.Typer(
    name="cleanroom",
    help="Organisations that may not show each other their rows compute together.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(identity.app, name="identity")
app.add_typer(contract.app, name="contract")
app.add_typer(state.app, name="state")
app.add_typer(report.app, name="report")
app.add_typer(approvals.app, name="approvals")
app.add_typer(audit.app, name="audit")
for command in (
    run.coordinator,
    run.party,
    query.query,
    query.explain,
    cards.cards,
    advise.advise,
    query.tables,
    profile.profile,
    templates.templates,
    query.status,
    gates.gates,
    gates.gate,
    linkages.linkages,
    linkages.link,
    propagations.propagate,
    propagations.reach,
    mock.mock,
    score.score,
    regress.regress,
    train.train,
    compare.compare,
    flower_app.app,
    joined.train_joined,
    weights.weights,
    budget.budget,
    demo.demo,
):
    app.command()(command)


def main() -> None:
    """Run the command line; exit 0, 2 for anything refused, 130 after Ctrl-C."""
    try:
        app()
    except CleanroomError as error:
        typer.echo(f"cleanroom: {printable(str(error))}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("cleanroom: stopped", err=True)
        sys.exit(130)
