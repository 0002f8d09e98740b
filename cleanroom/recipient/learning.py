"""From a job to its model: planned, begun or gone on with, conducted, and what it gave.

Rule: the order of things at the recipient; each of them is done elsewhere.
"""

from collections.abc import Mapping
from pathlib import Path

from cleanroom.errors import ConfigInvalid
from cleanroom.learning.errors import ModelWithheld
from cleanroom.learning.facts import Floats
from cleanroom.learning.families import FAMILIES, Model
from cleanroom.learning.job import Job
from cleanroom.learning.step import Training
from cleanroom.learning.testing import Tested, tested
from cleanroom.plan.training import TrainPlan
from cleanroom.recipient.asking import Progress
from cleanroom.recipient.checkpoints import Checkpoints
from cleanroom.recipient.client import Client
from cleanroom.recipient.course import Course, OnRound
from cleanroom.recipient.trained import Trained


def train(
    client: Client,
    job: Job,
    folder: Path | None,
    on_round: OnRound,
    progress: Progress,
    deadline_s: int,
    *,
    resume: bool,
) -> Trained:
    """Train a model; see `Room.train`."""
    plan = client.train_plan(job)
    checkpoints = None
    if folder is not None:
        key = client.kept_key(f"checkpoint {plan.hash}", plan.tables)
        checkpoints = Checkpoints(folder, plan.hash, key)
    if resume and checkpoints is None:
        raise ConfigInvalid("nothing to resume without a folder", remedy="Name the job's folder.")
    before = checkpoints.load() if resume and checkpoints is not None else None
    arrays = None if before is None else before.arrays
    training = _training(job, plan, arrays)
    rounds = [] if before is None else before.rounds
    course: Course[Tested[Model]] = Course(training, next(training), checkpoints, on_round, rounds)
    try:
        ended = client.train(plan, course, deadline_s, progress)
    except ModelWithheld:
        if checkpoints is not None:
            checkpoints.clear()  # it has the model's numbers
        raise
    finally:
        training.close()
    if checkpoints is not None:
        checkpoints.clear()
    return Trained(
        ended.model.model,
        plan,
        ended.model.evaluation,
        tuple(course.rounds),
        ended.receipt,
        ended.stats,
        ended.left,
        ended.model.attacked,
    )


def explained(client: Client, job: Job) -> TrainPlan:
    """Return the plan of a training that can begin.

    Raises:
        TrainingImpossible: naming what is known beforehand to determine no such model.
    """
    plan = client.train_plan(job)
    training = _training(job, plan, None)
    next(training)
    training.close()
    return plan


def _training(
    job: Job, plan: TrainPlan, arrays: Mapping[str, Floats] | None
) -> Training[Tested[Model]]:
    return tested(
        job.spec,
        plan.facts,
        FAMILIES[plan.kind].train(job.spec, plan.facts, arrays),
        plan.max_rounds,
        held_out=plan.held_out > 0,
        max_membership=job.job.max_membership,
    )
