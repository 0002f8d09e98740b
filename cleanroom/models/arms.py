"""A job's arms compared on files: whoever has all owners' rows, of mock data or for a paper.

Rule: plans the job as a room does, and reads each owner's file as that owner would. INSECURE: the
rows of all owners meet in this process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cleanroom.contract.terms import Role, Terms
from cleanroom.errors import UnknownName, UnsupportedQuery
from cleanroom.learning.facts import Rows
from cleanroom.learning.families import Model
from cleanroom.learning.job import Job
from cleanroom.learning.own import own_rows
from cleanroom.models.comparing import Compared, compare, fit, together
from cleanroom.plan.training import TrainPlan
from cleanroom.query.training import compile_training
from cleanroom.sources.database import Database

SEEDS = (1, 2, 3, 4, 5)
HELD_OUT = 0.3  # of the persons, where the job holds none out
_NO_CONTRACT = "0" * 64
_PERSON_KEY = bytes(16)  # one for all jobs: so arms of two jobs are tested on the same persons


def compare_job(
    job: Job, terms: Terms, files: Mapping[str, Path], seeds: Sequence[int] = SEEDS
) -> Compared:
    """Train each owner alone, all federated, and the pooled rows; test all on the same rows.

    Args:
        files: owner -> its file of the job's table.

    Raises:
        UnknownName: naming an owner without a file, or a file without an owner.
        CleanroomError: as planning the job does, reading the rows, and `compare`.
    """
    held_out = job.job.holdout or HELD_OUT
    plan = _planned(job, terms, files, held_out)  # tells persons apart
    return compare(job.spec, plan.facts, _owned(plan, terms, files), seeds, held_out)


def pooled_job(job: Job, terms: Terms, files: Mapping[str, Path]) -> Model:
    """Return the model of the pooled rows, which a training in a room is measured against.

    Raises:
        UnknownName, CleanroomError: as `compare_job`.
    """
    plan = _planned(job, terms, files, 0.0)
    return fit(job.spec, plan.facts, [together(list(_owned(plan, terms, files).values()))])


def _planned(job: Job, terms: Terms, files: Mapping[str, Path], held_out: float) -> TrainPlan:
    """Plan a job as a room does, for whoever may receive results there."""
    recipients = [name for name, member in terms.members.items() if Role.RESULT in member.roles]
    if not recipients:
        raise UnknownName("no member of the contract has the role 'result'")
    asked = job.model_copy(update={"job": job.job.model_copy(update={"holdout": held_out})})
    plan = compile_training(asked, terms, _NO_CONTRACT, recipients[0])
    if len(plan.tables) != 1:
        raise UnsupportedQuery(f"arms over the tables {', '.join(plan.tables)}; one is compared")
    for name in sorted(set(plan.owners) ^ set(files)):
        what = "has no file" if name in plan.owners else "doesn't own rows of this job"
        raise UnknownName(f"{name} {what}", remedy=f"Name {', '.join(plan.owners)}.")
    return plan


def _owned(plan: TrainPlan, terms: Terms, files: Mapping[str, Path]) -> dict[str, Rows]:
    return {name: _rows(plan, terms, name, files[name]) for name in plan.owners}


def _rows(plan: TrainPlan, terms: Terms, owner: str, file: Path) -> Rows:
    (table,) = plan.tables
    only = terms.model_copy(update={"tables": {table: terms.tables[table]}, "models": {}})
    database = Database(only, owner, {table: file})
    try:
        found = database.run(plan.read_sql, _PERSON_KEY)
    finally:
        database.close()
    rows, _ = own_rows(replace(plan, held_out=0), owner, found)
    return rows
