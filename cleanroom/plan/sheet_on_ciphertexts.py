"""The sheet of a plan on ciphertexts: who runs what, and who learns what besides the totals."""

from collections.abc import Iterator

from cleanroom.contract.terms import Terms
from cleanroom.plan import sheet_on_noise as on_noise
from cleanroom.plan import sheet_on_private as on_private
from cleanroom.plan.ciphertexts import CellKey, Ciphertexts
from cleanroom.plan.contributors import owners
from cleanroom.plan.plan import Plan
from protocols.he.parameters import parameters_of


def room(plan: Plan, terms: Terms) -> Iterator[str]:
    """Say who takes part, and how groups are released."""
    how = "encrypting" if _cells(plan).private is None else "answering"
    yield f"recipient {plan.recipient}; {how} {', '.join(owners(plan))}; computing nobody"
    if plan.without:
        yield f"left out, with their rows: {', '.join(plan.without)}"
    if plan.noise is not None:
        return
    rules = ", ".join(terms.privacy.tested)
    untested = f", exactly and untested, whatever the contract asks for: {rules}" if rules else ""
    yield f"release {terms.privacy.release}, every cell{untested}"


def steps(plan: Plan) -> Iterator[str]:
    """Say what happens to each owner's totals, one step a line."""
    cells = _cells(plan)
    if cells.private is not None:
        yield from on_private.steps(plan, cells, cells.private, owners(plan))
        return
    keys = ", ".join(map(_key, cells.keys))
    yield f"each owner: {len(cells.totals)} totals in each of {cells.cells} cells by ({keys})"
    for one in cells.histograms:
        yield f"each owner: the number of each of {one.size} values of {one.meaning} in each cell"
    if plan.noise is not None:
        yield on_noise.encrypted(plan.noise)
    parameters = parameters_of(cells.parameters)
    n = -(-cells.numbers // (parameters.degree - 1))
    yield f"each owner: add masks that cancel in the sum of all, encrypt into {n} ciphertext(s)"
    yield f"    under {plan.recipient}'s key of this session, {parameters.name}, 128 bits"
    yield f"the coordinator: add the ciphertexts of {', '.join(owners(plan))}"
    yield f"{plan.recipient}: check that each owner's are in the sum once, and decrypt it"


def leaks(plan: Plan, terms: Terms) -> Iterator[str]:
    """Say what else somebody learns."""
    cells, recipient, least = _cells(plan), plan.recipient, terms.privacy.min_group
    yield f"the query's text: {', '.join(owners(plan))} and the coordinator"
    if cells.private is not None:
        yield from on_private.leaks(plan, cells, cells.private, owners(plan))
    yield "ciphertexts of one size, whatever rows there are, and no key to them: the coordinator"
    if plan.root.input.keys:
        yield f"the totals of all cells, whatever HAVING and LIMIT leave: {recipient}"
    for one in cells.histograms:
        yield (
            f"the whole histogram: how often each of {one.size} values of {one.meaning} occurs "
            f"in each cell, over all owners: {recipient}"
        )
    if least > 1 and plan.noise is None:
        yield f"the totals of cells with fewer than {least} persons: {recipient}"
    if plan.noise is None:
        yield from _of_fewer(plan)


def _of_fewer(plan: Plan) -> Iterator[str]:
    """Say whose totals aren't hidden among those of all owners."""
    everybody, recipient = owners(plan), plan.recipient
    others = [name for name in everybody if name != recipient]
    if len(others) == 1:
        yield f"the totals of {others[0]} alone, as nobody else's hide them: {recipient}"
    elif len(others) < len(everybody):
        yield f"the totals of {', '.join(others)} together, without its own: {recipient}"
    if plan.without:
        left_out = ", ".join(plan.without)
        together = "alone" if len(plan.without) == 1 else "together"
        yield f"by the same query with {left_out}, the totals of {left_out} {together}: {recipient}"


def _cells(plan: Plan) -> Ciphertexts:
    if plan.ciphertexts is None:
        raise ValueError("the plan runs on shares")
    return plan.ciphertexts


def _key(key: CellKey) -> str:
    null = " and NULL" if key.nullable else ""
    return f"{key.name}: {key.size} values{null}"
