"""What the sheet of a propagation says besides that of any query: what flows, and to whom."""

from collections.abc import Iterator

from cleanroom.contract.terms import Terms
from cleanroom.plan.graphs import Propagate
from cleanroom.plan.plan import Plan


def room(plan: Plan, node: Propagate, terms: Terms) -> Iterator[str]:
    """Yield what takes the place of a release's rules."""
    flow, of = node.flow, terms.propagations[node.flow.name]
    yield f"propagation {flow.name}, over columns that all members signed; for {', '.join(of.to)}"
    what = "scores of" if flow.kind == "propagate" else "which are reached of"
    yield f"{plan.recipient} gets {what} the accounts that it keeps itself, and of no others"


def steps(node: Propagate) -> Iterator[str]:
    """Yield what runs on secret shares."""
    flow = node.flow
    yield "merge accounts and payments by source, place them by target; keep both secret orders"
    yield "end the session if two members keep one account"
    often = "once" if flow.rounds == 1 else f"{flow.rounds} times"
    if flow.kind == "propagate":
        part = flow.damping[0] / flow.damping[1]
        yield f"{often}: score = {1 - part:g} score + {part:g} of what flows in,"
        yield "    the sum over payments of the weight times the source's score"
    else:
        yield f"{often}: mark every account that was paid by a marked one"
    yield "open one slot for each padded row of the recipient's accounts, in a random order"


def leaks(plan: Plan, node: Propagate, terms: Terms) -> Iterator[str]:
    """Yield what is learnt besides the result, and what follows from it."""
    of, who = terms.propagations[node.flow.name], plan.recipient
    yield "whether two members keep one account (the session then fails): all members, coordinator"
    if node.flow.kind == "propagate":
        yield (
            "by subtraction, what flowed into each of its accounts: where one payer that others "
            f"keep had a score, that score: {who}"
        )
    told = "score" if node.flow.kind == "propagate" else "mark"
    yield (
        f"a member that makes up payments to its accounts learns the {told} of each payer that it "
        "names, and by changes of its own rows where money goes round to it through others' "
        f"accounts: whoever asks, {of.per_day} times a day; nothing proves that rows are true"
    )
