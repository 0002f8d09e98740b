"""The sheet of a scoring: who learns what of whose, and how much scores tell of a model."""

from collections.abc import Iterator

from sqlglot import parse_one

from cleanroom.contract.terms import Terms
from cleanroom.plan import used
from cleanroom.plan.cost import Cost
from cleanroom.plan.scoring import ScorePlan
from cleanroom.plan.sheet import PROTOCOLS, Sheet, block, unquoted
from protocols.he.parameters import parameters_of

CIPHERTEXT_BYTES = 236_000
S_PER_SESSION = 0.1
S_PER_COLUMN = 0.006  # of a block: encrypted by one member, weighed by the other
S_PER_BLOCK = 0.02


def sheet_of_scoring(plan: ScorePlan, terms: Terms) -> Sheet:
    """Write the sheet of a scoring, for as many rows as it may have."""
    opened, leaks, cost = tuple(_opened(plan)), tuple(_leaks(plan)), _cost(plan)
    read = unquoted(parse_one(plan.read_sql, dialect="duckdb"))
    blocks = (
        ("Scoring", [plan.text]),
        ("Room", list(_room(plan, terms))),
        ("Opened", list(opened)),
        ("Also learned", list(leaks)),
        ("Column rights that this needs", [f"{u.table}.{u.column}: {u.right}" for u in plan.uses]),
        ("Runs at the rows' owner, on plain rows", [read]),
        ("Runs on ciphertexts", list(_steps(plan))),
        (PROTOCOLS, used.lines(plan, terms)),
        ("Estimate at the largest sizes", [_estimate(plan, cost)]),
        ("Plan", [plan.hash]),
    )
    text = "\n\n".join(block(title, lines) for title, lines in blocks)
    return Sheet(text, plan.hash, opened, leaks, cost)


def _room(plan: ScorePlan, terms: Terms) -> Iterator[str]:
    room = terms.room
    yield f"{room.name}, version {room.version}: {room.in_words(plan.purpose)}"
    yield f"rows of {plan.recipient}, which receives their scores; model of {plan.owner}"
    yield f"contract {plan.contract_hash}"


def _opened(plan: ScorePlan) -> Iterator[str]:
    features = ", ".join(feature.name for feature in plan.features)
    linear = f"the {plan.kind} model {plan.model} of {features}"
    yield f"score = {linear}, to {plan.score_decimals} decimals, for each row, to {plan.recipient}"


def _leaks(plan: ScorePlan) -> Iterator[str]:
    yield f"that {plan.table} is scored, and how many rows: {plan.owner} and the coordinator"
    yield "ciphertexts, encrypted once more from end to end, and no key: the coordinator"
    unit = f"in units of 10^-{plan.decimals}"
    yield f"the linear scores, exactly, {unit}: {plan.recipient}, if it alters its software"
    n = len(plan.features)
    yield (
        f"the model's {n} weights and intercept, from the scores of any {n + 1} rows that differ "
        f"enough, which {plan.recipient} may choose: {plan.recipient}"
    )
    yield (
        f"at most {plan.max_rows} rows are scored in a session and {plan.max_rows_per_day} a day, "
        f"as {plan.owner}'s ledger has counted"
    )


def _steps(plan: ScorePlan) -> Iterator[str]:
    parameters = parameters_of(plan.parameters)
    n = parameters.degree - 1
    yield f"{plan.recipient}: encrypt {len(plan.features)} columns under its own key of this"
    yield f"    session, {n} rows at a time, {parameters.name}, 128 bits"
    yield f"{plan.owner}: weigh and add up the columns, add the intercept, flood with noise"
    yield f"{plan.recipient}: check that each answer is to its own rows, decrypt all at once"
    if plan.kind == "logistic":
        yield f"{plan.recipient}: 1 / (1 + exp(-x)) of each linear score"


def _cost(plan: ScorePlan) -> Cost:
    blocks = -(-plan.max_rows // (parameters_of(plan.parameters).degree - 1))
    columns = blocks * len(plan.features)
    seconds = S_PER_SESSION + columns * S_PER_COLUMN + blocks * S_PER_BLOCK
    return Cost(plan.max_rows, columns * CIPHERTEXT_BYTES, 0, seconds)


def _estimate(plan: ScorePlan, cost: Cost) -> str:
    megabytes = cost.bytes_per_party / 1e6
    return f"{cost.rows} rows: {megabytes:.1f} MB from {plan.recipient}, {cost.seconds:.1f} s"
