"""The sheet of a noisy plan: how far its totals may be off, and what they cost."""

from collections.abc import Iterator

from cleanroom.plan.noise import QueryNoise
from cleanroom.plan.plan import OpenedColumn, Plan


def room(plan: Plan, noise: QueryNoise) -> Iterator[str]:
    """Say what the question promises, and what it takes from each owner's budget."""
    yield (
        f"release dp: epsilon {noise.epsilon:g}, delta {noise.delta:g}, for every person, of whom "
        f"up to {noise.rows} rows are counted here, all owners' together"
    )
    tables = ", ".join(plan.tables)
    yield f"each owner's budget of {tables} for {plan.recipient} is charged, and never given back"


def error_of(plan: Plan, column: OpenedColumn) -> float | None:
    """Return the standard error of an opened column, in its own units; None if it is exact."""
    noise = plan.noise
    if noise is None or column.name not in (total.name for total in noise.totals):
        return None
    return noise.deviation(column.name) / float(10**column.scale)


def shown(plan: Plan, column: OpenedColumn) -> str:
    """Say how far an opened column may be off."""
    error = error_of(plan, column)
    if error is None:
        return "" if plan.noise is None else ", which is public"
    return f", noisy: standard error {error:.4g}"


def steps(plan: Plan, noise: QueryNoise) -> Iterator[str]:
    """Say who adds noise, on shares."""
    yield f"add the {noise.cells} cells that there may be, with totals of 0"
    yield (
        f"each computing member adds its own noise to every total; that of {noise.counted} of "
        f"{noise.sharers} suffices, and nobody knows all of it"
    )
    yield f"open all {noise.cells} cells to {plan.recipient}"


def encrypted(noise: QueryNoise) -> str:
    """Say who adds noise, on ciphertexts."""
    return (
        f"each owner: add its own noise to every total; that of {noise.counted} of "
        f"{noise.sharers} suffices"
    )


def sizes(plan: Plan) -> Iterator[str]:
    """Say what sizes tell."""
    for number, leaf in enumerate(plan.leaves):
        yield f"shares of [{number}] have {leaf.max_rows} rows, however many {leaf.member} holds"
    yield "how long each step takes: all members"
