"""What a sheet says of a question's conditions, and of what owners keep of them.

Rule: facts of the plan and the contract. A member's own policy isn't among them: whoever asks
learns of it what a refusal names.
"""

from collections.abc import Iterator

from cleanroom.contract.terms import Terms
from cleanroom.plan.plan import Plan
from cleanroom.plan.restrictions import Restriction
from cleanroom.plan.training import TrainPlan

TITLE = "How rows are chosen, and what is remembered of it"


def conditions(plan: Plan | TrainPlan, terms: Terms) -> Iterator[str]:
    """Yield how rows are chosen by each column, and what owners keep of it."""
    for one in plan.restrictions:
        if one.how != "computed":
            yield f"{one.table}.{one.column}: {_how(one)}"
    asker, privacy = plan.recipient, terms.privacy
    if any(use.right == "compare" for use in plan.uses):
        most = f"{asker} may ask {privacy.max_comparisons} such questions for each"
        yield f"that columns are compared: kept by their owners; {most}"
    if privacy.overlap == "refused":
        yield "a hash of all conditions, and their constants: kept by each owner"
    yield "members may refuse more than the contract does; their own policies are shown to nobody"


def _how(one: Restriction) -> str:
    match one.how:
        case "equality":
            n = len(one.values)
            return "one value" if n == 1 else f"{n} values"
        case "range":
            return "a range"
        case _:
            return one.what
