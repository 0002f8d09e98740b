"""The sheet of a plan with private parameters: what is hidden from whom, and what still shows."""

from collections.abc import Iterator

from cleanroom.plan.ciphertexts import Ciphertexts
from cleanroom.plan.plan import Plan
from cleanroom.plan.private import Parameter, Private
from protocols.he.parameters import parameters_of

_TAKES = {
    "value": "one value",
    "values": "some values, how many stays hidden",
    "weights": "a weight for each value",
}


def steps(
    plan: Plan, cells: Ciphertexts, private: Private, owners: tuple[str, ...]
) -> Iterator[str]:
    """Say what happens to weights and totals, one step a line."""
    parameters = parameters_of(cells.parameters)
    n = -(-private.values // parameters.degree)
    for one in private.parameters:
        yield f":{one.name} is {_TAKES[one.takes]} of {one.where}, which has {_choices(one)}"
    kind = f"up to {private.largest} in the last of {private.scale} places"
    weights = f"weights {kind}" if private.weighs else "weights 0 and 1"
    yield f"{plan.recipient}: encrypt {weights} of {private.values} values into {n} ciphertext(s)"
    yield f"    under a key of this session, {parameters.name}, 128 bits"
    yield f"each owner: {len(cells.totals) * cells.cells} totals for each of the values, twice: as"
    yield f"    they are and times a secret number below {private.proof}, multiplied by the weights"
    yield "each owner: add masks that cancel in the sum of all, and noise that hides the rest"
    yield f"the coordinator: add the answers of {', '.join(owners)}"
    yield f"{plan.recipient}: decrypt it, and check that each owner's answers are in it once and"
    yield f"    unchanged: changes of a total pass once in {private.proof}"


def leaks(
    plan: Plan, cells: Ciphertexts, private: Private, owners: tuple[str, ...]
) -> Iterator[str]:
    """Say what somebody learns besides the totals."""
    where = " and ".join(parameter.where for parameter in private.parameters)
    yield (
        f"that something is sought in {where}, but neither what nor how much: "
        f"{', '.join(owners)} and the coordinator"
    )
    if private.weighs:
        yield (
            f"under such weights one total may hold those of several values side by side, in "
            f"{private.bits} bits: {plan.recipient}"
        )
    parameters = parameters_of(cells.parameters)
    most = sum(parameters.coefficient_bits[:-1]) - parameters.flood_bits
    yield (
        f"owners can't see which weights are encrypted: one that cheats may make each total "
        f"another combination of the values' totals, of {most} bits at most: {plan.recipient}"
    )
    yield (
        f"one bit of what is sought, by cheating so that the query fails if it is: "
        f"{', '.join(owners)} and the coordinator"
    )


def _choices(parameter: Parameter) -> str:
    null = " and NULL" if parameter.key.nullable else ""
    return f"{parameter.key.size} possible values{null}"
