"""The sheet of a training: who learns what of whose rows, and at most how often."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlglot import parse_one

from cleanroom.budget.zcdp import UNITS
from cleanroom.contract.terms import Terms
from cleanroom.learning.facts import Column
from cleanroom.learning.opens import ATTACKED, HELD_OUT, OPENS
from cleanroom.plan import sheet_on_conditions as on_conditions
from cleanroom.plan import used
from cleanroom.plan.cost import Cost
from cleanroom.plan.sheet import PROTOCOLS, Sheet, block, unquoted
from cleanroom.plan.training import Noise, TrainPlan

S_PER_SESSION = 0.5
S_PER_STEP = 0.03
WORD_BYTES = 8


def sheet_of_training(plan: TrainPlan, terms: Terms) -> Sheet:
    """Write the sheet of a training."""
    opened, leaks, cost = tuple(_opened(plan)), tuple(_leaks(plan)), _cost(plan)
    read = unquoted(parse_one(plan.read_sql, dialect="duckdb"))
    blocks = (
        ("Training", [f"{plan.name}: {plan.reason}", plan.sql, plan.job]),
        ("Room", list(_room(plan, terms))),
        ("Opened", list(opened)),
        ("Also learned", list(leaks)),
        ("Column rights that this needs", list(_rights(plan, terms))),
        (on_conditions.TITLE, list(on_conditions.conditions(plan, terms))),
        ("Known of the rows beforehand", list(_facts(plan))),
        ("Runs at its owner, on plain rows", [f"{', '.join(plan.owners)}: {read}", *_code(plan)]),
        ("Runs on masked numbers", list(_steps(plan))),
        (PROTOCOLS, used.lines(plan, terms)),
        ("Estimate at the largest sizes", [_estimate(plan, cost)]),
        ("Plan", [plan.hash]),
    )
    text = "\n\n".join(block(title, lines) for title, lines in blocks)
    return Sheet(text, plan.hash, opened, leaks, cost)


def _room(plan: TrainPlan, terms: Terms) -> Iterator[str]:
    room = terms.room
    yield f"{room.name}, version {room.version}: {room.in_words(plan.purpose)}"
    yield f"rows of {', '.join(plan.owners)}; model to {plan.recipient}"
    if plan.without:
        yield f"without {', '.join(plan.without)}"
    yield f"contract {plan.contract_hash}"


def _rights(plan: TrainPlan, terms: Terms) -> Iterator[str]:
    for use in plan.uses:
        column = terms.tables[use.table].named_columns[use.column]
        granted = column.rights_of(plan.recipient, plan.purpose)
        refused = "" if use.right in granted else " - which the contract doesn't grant"
        yield f"{use.table}.{use.column}: {use.right}{refused}"


def _opened(plan: TrainPlan) -> Iterator[str]:
    if plan.noise is not None:
        yield from _noisy(plan, plan.noise)
        return
    yield f"the {plan.kind} model, its loss and metrics of each round, to {plan.recipient}"
    yield (
        f"what each step asks for, summed over all owners that take part: {plan.max_steps} sums "
        f"at most, of {plan.max_words} numbers at most, to {plan.recipient}"
    )
    tests = (HELD_OUT,) if plan.held_out else ()
    if json.loads(plan.job)["job"].get("max_membership") is not None:
        tests = (*tests, ATTACKED)
    for sums in (*OPENS.get(plan.kind, ()), *tests):
        yield f"over all owners: {sums}; to {plan.recipient}"


def _noisy(plan: TrainPlan, noise: Noise) -> Iterator[str]:
    yield f"the {plan.kind} model and noisy sums over all owners, to {plan.recipient}"
    yield (
        f"all of it together epsilon = {noise.epsilon:g}, delta = {noise.delta:g} for a person "
        f"whose rows lie at {noise.owners} of the owners, where {noise.rows} of them count, with "
        f"the noise of {noise.honest} owners alone; more for one with rows at more owners"
    )
    yield (
        f"charged to each owner's ledger before the first sum: rho = {Decimal(noise.units) / UNITS}"
        f" for {', '.join(plan.tables)}"
    )


def _leaks(plan: TrainPlan) -> Iterator[str]:
    everybody = f"{', '.join(plan.owners)} and {plan.recipient}"
    yield f"job and plan: all owners and the coordinator; the model after each step: {everybody}"
    yield "that a training runs, sizes and times of messages, who leaves: the coordinator"
    yield f"{_leaving(plan)}: {everybody}"
    yield (
        f"what follows from the sums of several steps, which {plan.recipient} may choose if it "
        f"alters its software: {plan.recipient}"
    )
    if plan.min_group:
        yield f"whether an owner has fewer than {plan.min_group} persons: {everybody}"
    yield f"that an owner refuses a step or its own rows, and by which check: {everybody}"
    if plan.noise is None:
        yield from _differences(plan)
    app = _app(plan)
    if app:
        yield f"whatever the code of '{app['app']}' puts into updates, summed: {plan.recipient}"
        yield f"when an owner's app answers, and which rule ended it: {everybody}"
    if app.get("subsets"):
        yield (
            f"sums over any three owners or more; those that differ in one owner tell much about "
            f"that owner's part: {plan.recipient}"
        )


def _leaving(plan: TrainPlan) -> str:
    if plan.least == len(plan.owners):
        return "who leaves, which ends the training"
    return f"who leaves on the way, as {plan.least} at least have to stay"


def _differences(plan: TrainPlan) -> Iterator[str]:
    """Say whose sums follow from two trainings: with an owner and without."""
    if plan.recipient in plan.owners:
        yield f"sums of {', '.join(plan.others)} together, without its own: {plan.recipient}"
    if plan.without:
        together = "alone" if len(plan.without) == 1 else "together"
        yield (
            f"with the same sums over all owners, those of {', '.join(plan.without)} {together}: "
            f"{plan.recipient}"
        )
    if plan.least < len(plan.owners):
        yield (
            "an owner's answer to a step, should the same be asked with and without it, as it left "
            f"or {plan.recipient} says so falsely: {plan.recipient}"
        )


def _app(plan: TrainPlan) -> dict[str, Any]:
    """Return what the job says of a Flower app; nothing if none runs."""
    model: dict[str, Any] = json.loads(plan.job)["model"]
    return model if plan.kind == "flower" else {}


def _code(plan: TrainPlan) -> Iterator[str]:
    app = _app(plan)
    if app:
        yield f"{', '.join(plan.owners)}: the Flower app '{app['app']}', SHA-256 {app['sha256']},"
        yield "    in a process without network that reads these rows, its code and libraries"


def _facts(plan: TrainPlan) -> Iterator[str]:
    facts = plan.facts
    for column in facts.features:
        yield _known(column)
    if facts.target is not None:
        yield f"target {_known(facts.target)}; rows without it are left out"
    if facts.time is not None:
        yield f"time {_known(facts.time)}; rows without it are left out"
    yield f"at most {facts.max_rows} rows of each owner"
    if plan.held_out:
        share = plan.held_out / (1 << 32)
        yield f"{share:.0%} of the persons are held out, by a hash keyed with contract and rows"


def _known(column: Column) -> str:
    missing = ", may be missing" if column.nullable else ""
    if column.kind == "category":
        return f"{column.name}: one of {len(column.values)} values{missing}"
    return f"{column.name}: {column.low:g} to {column.high:g}{missing}"


def _steps(plan: TrainPlan) -> Iterator[str]:
    yield f"{plan.recipient}: ask every owner for the same sums, {plan.max_rounds} rounds at most"
    yield "each owner: compute them on its own rows, in fixed point, and mask them with secrets"
    yield "    that it shares with every other owner for this session"
    yield f"{plan.recipient}: add up, once {plan.least} owners or more have signed who takes part"


def _cost(plan: TrainPlan) -> Cost:
    rows = plan.facts.max_rows * len(plan.owners)
    seconds = S_PER_SESSION + plan.max_rounds * S_PER_STEP
    words = len(plan.facts.features) ** 2 * plan.max_rounds
    return Cost(rows, words * WORD_BYTES, plan.max_rounds, seconds)


def _estimate(plan: TrainPlan, cost: Cost) -> str:
    seconds = f"{cost.seconds:.1f} s and what owners compute"
    return f"{cost.rows} rows, {plan.max_rounds} rounds: {seconds}"
