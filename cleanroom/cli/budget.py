"""`cleanroom budget`: what an owner's privacy budgets have left."""

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cleanroom.cli.rows import Format, write
from cleanroom.cli.words import printable

if TYPE_CHECKING:
    import pyarrow as pa

    from cleanroom.budget.ledger import Spent
    from cleanroom.contract.terms import Terms

Config = Annotated[
    Path, typer.Option("--config", envvar="CLEANROOM_CONFIG", help="The owner's TOML file.")
]
Form = Annotated[Format, typer.Option("--format", help="How to write the list.")]


def budget(config: Config, form: Form = Format.TABLE) -> None:
    """Show what recipients may still learn of this owner's tables; nothing is charged."""
    from cleanroom.config import MemberConfig
    from cleanroom.party.spending import Spending
    from cleanroom.session.member import Membership
    from cleanroom.storage.state import State

    if form is Format.PARQUET:
        raise typer.BadParameter("the list is small: table, csv or json")
    read = MemberConfig.load(config)
    member = Membership.load(read.identity, read.contract)
    terms = member.contract.terms
    with State.open(read.state, read.keys, terms.room.name) as state:
        budgets = Spending(member.name, terms, state).budgets()
    write(_listed(budgets, terms.privacy.delta), form, None)
    if not budgets:
        typer.echo(why_none(member.name, terms), err=True)


def why_none(member: str, terms: "Terms") -> str:
    """Say why a member has no budgets."""
    if not any(terms.tables_of(member)):
        return f"{member} owns no tables, so it has no budgets"
    if terms.privacy.release == "dp":
        return f"no recipient has a right to what {member}'s rows would tell, so nothing is spent"
    release = f"release = '{terms.privacy.release}' adds no noise to answers"
    return f"{release}, and nobody has the right 'train': there is nothing to spend"


def _listed(budgets: "tuple[Spent, ...]", delta: float) -> "pa.Table":
    """Return one line a budget; epsilons at the contract's delta, rounded up.

    What is left may be spent at once; parts of it add up in rho, not in epsilon.
    """
    import pyarrow as pa

    from cleanroom.budget.zcdp import epsilon

    lines = []
    for one in budgets:
        left = max(one.allowed - one.spent, Fraction(0))
        lines.append(
            {
                "table": one.scope.table,
                "recipient": one.scope.recipient,
                "purpose": printable(one.scope.purpose),
                "epsilon": float(epsilon(one.allowed, delta)),
                "spent": float(epsilon(one.spent, delta)),
                "left": float(epsilon(left, delta)),
                "delta": delta,
                "rho left": float(left),
            }
        )
    names = ("table", "recipient", "purpose", "epsilon", "spent", "left", "delta", "rho left")
    return pa.table({name: [line[name] for line in lines] for name in names})
