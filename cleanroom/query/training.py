"""From a job to the plan of its training, the same at every member."""

from collections.abc import Iterator

from sqlglot import exp

from cleanroom.budget.zcdp import charged
from cleanroom.contract.terms import Terms
from cleanroom.contract.types import Kind
from cleanroom.errors import UnknownName, UnsupportedQuery
from cleanroom.learning.facts import Column, Facts
from cleanroom.learning.families import FAMILIES
from cleanroom.learning.job import JOINED, Job
from cleanroom.learning.private.spec import DpSpec
from cleanroom.learning.testing import attacked_by, measure_of
from cleanroom.plan.training import PERSON, Noise, TrainPlan, held_out
from cleanroom.query.leaf import rows_of
from cleanroom.query.left_out import check_left_out, terms_without
from cleanroom.query.nesting import nest_of
from cleanroom.query.placing import place
from cleanroom.query.restricting import facts_of
from cleanroom.query.rowsets import row_sets
from cleanroom.query.sources import Placement, person_of
from cleanroom.query.uses import trained_uses
from cleanroom.sql.bind import Query, bind
from cleanroom.sql.domain import Domain
from cleanroom.sql.encode import Encoding, integer, words
from cleanroom.sql.expr import Expr
from cleanroom.sql.names import nearest
from cleanroom.sql.parse import parse
from cleanroom.sql.render import cast, constant, function, sql_of
from protocols.secagg.roster import safe_threshold

MAX_WORDS = 1 << 22
FURTHER_STEPS = 64  # before the first round, and to test the model
MAX_FEATURES = 1024
MAX_RANGE = 1 << 40  # units of the last place: beyond, a column that varies may look constant


def compile_training(job: Job, terms: Terms, contract_hash: str, recipient: str) -> TrainPlan:
    """Plan a training.

    Raises:
        UnsupportedQuery: naming what can't be trained on, and the smallest change that can.
        UnknownName: naming the nearest table or column, or who can't be left out.
        OverflowPossible: if an expression's bounds can't be proven.
    """
    asked = job.job
    query, left_out = _bound(job, terms), tuple(sorted(set(asked.without)))
    if left_out:
        check_left_out(query, left_out, "he")
        terms = terms_without(terms, left_out)
        query = _bound(job, terms)
    placement = place(query)
    _check_source(str(job.model["kind"]), query, placement)
    columns = _columns(query)
    facts = _facts(job, columns, query, placement)
    found = set(placement.sources[0].members)
    owners = tuple(member for member in terms.members if member in found)
    persons = _tells_persons_apart(job, query, terms)
    if asked.holdout:
        measure_of(job.spec, facts)
    if asked.max_membership is not None:
        attacked_by(job.spec, facts, asked.max_membership)
    chosen = facts_of(query, placement)
    noise, (rounds, steps) = _noise(job, facts), _most_rounds(job)
    return TrainPlan(
        contract_hash=contract_hash,
        recipient=recipient,
        owners=owners,
        least=_least(job, terms, owners, recipient),
        name=asked.name,
        reason=asked.purpose,
        kind=str(job.model["kind"]),
        job=job.text,
        sql=asked.rows,
        facts=facts,
        held_out=held_out(asked.holdout),
        max_rounds=rounds,
        patience_s=asked.patience_s,
        max_steps=steps,
        max_words=MAX_WORDS,
        min_group=0 if noise else terms.privacy.min_group,
        uses=trained_uses(query, placement),
        restrictions=chosen.restrictions,
        linked=chosen.linked,
        row_sets=row_sets(query, chosen, left_out),
        read_sql=_read_sql(job, query, placement, columns, persons=persons),
        without=left_out,
        purpose=asked.purpose if terms.room.purposes else "",
        noise=noise,
    )


def _bound(job: Job, terms: Terms) -> Query:
    try:
        return bind(parse(job.job.rows), terms, nest_of(terms))
    except RecursionError:
        raise UnsupportedQuery("the query is nested too deeply") from None


def _check_source(kind: str, query: Query, placement: Placement) -> None:
    for what, remedy in _obstacles(kind, query, placement):
        raise UnsupportedQuery(f"{what} in the rows of a training", remedy=remedy)


def _obstacles(kind: str, query: Query, placement: Placement) -> Iterator[tuple[str, str]]:
    root = placement.root
    rows = "SELECT one row of features for each row of the table."
    if not query.rows:
        yield "GROUP BY, DISTINCT or an aggregate", rows
    if query.order or query.limit is not None or query.offset is not None:
        yield "ORDER BY or LIMIT", "Every row counts alike; leave it out."
    if any(source.is_view for source in placement.sources):
        yield "an aggregation inside another query", rows
    if len(placement.sources) > 1 or root.links or root.crossing or root.before:
        kinds = [joined for joined in JOINED if joined == f"joined_{kind}"] or JOINED
        takes = f"model.kind = {' or '.join(map(repr, kinds))} takes joins"
        yield "a join between owners", f"Name one federated table; {takes}."
    if len(query.outputs) > MAX_FEATURES:
        yield f"more than {MAX_FEATURES} columns", "SELECT fewer."


def _columns(query: Query) -> dict[str, Expr]:
    """Return every selected expression by its name."""
    found: dict[str, Expr] = {}
    for output in query.outputs:
        expr = output.expr
        if expr.op != "key":
            what = f"column {output.name!r}, which is the same in all rows,"
            raise UnsupportedQuery(f"{what} as a feature", remedy="Leave it out.")
        if output.name in found:
            what = f"two columns named {output.name!r} in the rows of a training"
            raise UnsupportedQuery(what, remedy="Give one another name with AS.")
        found[output.name] = query.keys[expr.position]
    return found


def _facts(job: Job, columns: dict[str, Expr], query: Query, placement: Placement) -> Facts:
    def named(name: str | None) -> Column | None:
        if name is None:
            return None
        if name not in columns:
            raise UnknownName(f"no column {name!r} in the rows", remedy=nearest(name, columns))
        return _column(name, columns[name].domain, nullable=False)

    apart = (job.job.target, job.job.time)
    features = tuple(
        _column(name, expr.domain, nullable=expr.domain.nullable)
        for name, expr in columns.items()
        if name not in apart
    )
    if not features:
        raise UnsupportedQuery("a training without features", remedy="SELECT some.")
    target, time = named(job.job.target), named(job.job.time)
    rows = max(table.terms.max_rows for table in query.tables)
    return Facts(features, target, len(placement.sources[0].members), rows, time)


def _column(name: str, domain: Domain, *, nullable: bool) -> Column:
    if domain.kind is Kind.TEXT and domain.values:
        return Column(name, "category", 0, len(domain.values) - 1, domain.values, nullable)
    if domain.kind in (Kind.INTEGER, Kind.DECIMAL, Kind.BOOLEAN, Kind.DATE):
        unit = 10**domain.scale
        if domain.high - domain.low >= MAX_RANGE:
            remedy = "Declare tight bounds in the contract: they keep its values apart."
            what = f"column {name!r} of so wide a range in a training"
            raise UnsupportedQuery(what, remedy=remedy)
        return Column(name, "number", domain.low / unit, domain.high / unit, (), nullable)
    what = f"column {name!r} of type {domain.kind or 'DOUBLE'} in a training"
    remedy = "Declare the values of a TEXT in the contract; CAST a TIMESTAMP to DATE."
    raise UnsupportedQuery(what, remedy=remedy)


def _least(job: Job, terms: Terms, owners: tuple[str, ...], recipient: str) -> int:
    """Return how many owners have to stay: all, unless the job says fewer.

    Never fewer than hide each other as the contract asks, nor than lying about who left allows.
    """
    needed = terms.privacy.min_contributors + (recipient in owners)
    return max(safe_threshold(len(owners)), needed, job.job.min_owners or len(owners))


def _most_rounds(job: Job) -> tuple[int, int]:
    """Return how many rounds a training may take at most, and steps in all of them."""
    family, spec = FAMILIES[str(job.model["kind"])], job.spec
    rounds = min(job.job.max_rounds, family.rounds(spec)) + 1  # the last one's end begins another
    return rounds, FURTHER_STEPS + rounds * family.steps(spec)


def _noise(job: Job, facts: Facts) -> Noise | None:
    """Return what privacy the job promises.

    Raises:
        TrainingImpossible: if no noise can be drawn for it, or the target doesn't suit.
    """
    cost = FAMILIES[str(job.model["kind"])].cost
    if cost is None:
        return None
    dp = DpSpec.model_validate(job.model["dp"])
    person = dp.max_rows_per_person, dp.owners_per_person
    return Noise(dp.epsilon, dp.delta, *person, dp.honest, charged(cost(job.spec, facts)))


def _tells_persons_apart(job: Job, query: Query, terms: Terms) -> bool:
    """Whether the rows of one person must be known as such: held out, or counted, together."""
    (table,) = query.tables if len(query.tables) == 1 else (None,)
    single = table is not None and table.terms.max_rows_per_person == 1
    counted = terms.privacy.min_group > 1 or "dp" in job.model
    return job.job.holdout > 0 or (counted and not single)


def _read_sql(
    job: Job, query: Query, placement: Placement, columns: dict[str, Expr], *, persons: bool
) -> str:
    source = placement.sources[0]
    select, write = rows_of(query, source)
    if persons:
        person = _hashed(write(person_of(query, source.core[0])))
        select.select(exp.alias_(person, PERSON), copy=False)
    features = 0
    for name, expr in columns.items():
        match name:
            case job.job.target | job.job.time:
                role = "target" if name == job.job.target else "time"
                known = exp.Not(this=exp.Is(this=write(expr), expression=exp.Null()))
                select.where(known, copy=False)
            case _:
                role, features = f"feature_{features}", features + 1
        select.select(exp.alias_(_number(write(expr), expr.domain), role), copy=False)
    return sql_of(select)


def _number(value: exp.Expr, domain: Domain) -> exp.Expr:
    """Write a value as float64: the code of a category, the days since 1970 of a DATE."""
    missing: exp.Expr = cast(constant("nan"), "DOUBLE")
    match domain.kind:
        case Kind.TEXT:
            (value,) = words(value, domain, Encoding("code", domain), nullable=False)
            missing = constant(-1)
        case Kind.DATE:
            value = integer(value, domain, 0)
        case Kind.BOOLEAN:
            value = cast(value, "INTEGER")
    number = cast(value, "DOUBLE")
    return function("coalesce", number, missing) if domain.nullable else number


def _hashed(person: exp.Expr) -> exp.Expr:
    """Write 64 bits that tell a person apart, keyed with the plan's own key."""
    text, domain = cast(person, "VARCHAR"), Domain(Kind.TEXT)
    return words(text, domain, Encoding("hash", domain), nullable=False)[-1]
