"""`cleanroom propagate`, `cleanroom reach`: what flows along payments to one's own accounts."""

from typing import TYPE_CHECKING, Annotated

import typer

from cleanroom.cli.answers import Delivery
from cleanroom.cli.mock import Mock
from cleanroom.cli.offered import run
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

if TYPE_CHECKING:
    from rich.console import RenderableType

    from cleanroom.contract.terms import Terms
    from cleanroom.recipient.asking import Progress
    from cleanroom.recipient.explanation import Explanation
    from cleanroom.recipient.result import Result
    from cleanroom.recipient.room import Room

Name = Annotated[str, typer.Argument(help="A propagation of the contract.")]


def propagate(
    name: Name,
    config: Config,
    rounds: Annotated[int, typer.Option(min=1, help="How often scores flow.")] = 2,
    explain: Explain = False,
    offline: Offline = False,
    mock: Mock = False,
    purpose: Purpose = "",
    form: FormOrSuffix = None,
    output: Output = None,
    receipt: ReceiptFile = None,
    deadline_s: Deadline = 600,
) -> None:
    """Let scores flow along all members' payments, and write those of one's own accounts."""

    def sheet(room: "Room") -> "Explanation":
        return room.explain_propagate(name, rounds=rounds, purpose=purpose, offline=offline)

    def ask(room: "Room", told: "Progress") -> "Result":
        return room.propagate(
            name, rounds=rounds, purpose=purpose, deadline_s=deadline_s, on_progress=told
        )

    run(config, sheet if explain else None, ask, Delivery.of(form, output, receipt), mock=mock)


def reach(
    name: Name,
    config: Config,
    hops: Annotated[int, typer.Option(min=1, help="Payments on the way, at most.")] = 2,
    explain: Explain = False,
    offline: Offline = False,
    mock: Mock = False,
    purpose: Purpose = "",
    form: FormOrSuffix = None,
    output: Output = None,
    receipt: ReceiptFile = None,
    deadline_s: Deadline = 600,
) -> None:
    """Write which of one's own accounts money reached from marked ones of any member."""

    def sheet(room: "Room") -> "Explanation":
        return room.explain_reach(name, hops=hops, purpose=purpose, offline=offline)

    def ask(room: "Room", told: "Progress") -> "Result":
        return room.reach(name, hops=hops, purpose=purpose, deadline_s=deadline_s, on_progress=told)

    run(config, sheet if explain else None, ask, Delivery.of(form, output, receipt), mock=mock)


def page(terms: "Terms") -> "RenderableType":
    """Return a contract's propagations for those who are to sign it."""
    from rich.table import Table

    table = Table(title="Propagations: scores of own accounts, along all members' payments")
    table.title_justify = "left"
    for heading in ("propagation", "for", "over", "at most"):
        table.add_column(heading, overflow="fold")
    for name, of in terms.propagations.items():
        over = f"{of.payments} between {of.accounts}, starting at {of.score}"
        most = f"{of.max_rounds} rounds, {of.per_day} times a day to each; damping {of.damping}"
        table.add_row(name, ", ".join(of.to), over, most)
    return table
