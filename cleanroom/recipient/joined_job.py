"""A training job whose rows several owners join: its keys, and the fit on secret shares behind it.

Rule: what sets such a job apart from others. The fit itself is a query, which owners compile and
rule on like any; name and purpose stay with the recipient, for the model's card.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Field, ValidationError, model_validator

from cleanroom.contract.fields import Strict, first_fault
from cleanroom.errors import ConfigInvalid
from cleanroom.learning.job import (
    JOINED,
    Filled,
    Job,
    JobName,
    JobTerms,
    Label,
    Select,
    kind_of,
    values_of,
    where_of,
)
from cleanroom.plan.grouping import ITERATIONS, FitKind
from cleanroom.plan.plan import Plan
from cleanroom.plan.question import Question
from cleanroom.plan.sheet import Sheet
from cleanroom.recipient.asking import Progress
from cleanroom.recipient.checkpoints import job_folder
from cleanroom.recipient.client import Client
from cleanroom.recipient.joined import JoinedModel
from cleanroom.recipient.result import Result
from cleanroom.recipient.trained import Trained
from cleanroom.sql.fitting import MAX_ITERATIONS, MAX_L2, statement

if TYPE_CHECKING:
    from cleanroom.recipient.explanation import Explanation

_FITS: Mapping[str, FitKind] = {"joined_linear": "linear", "joined_logistic": "logistic"}


class JoinedTerms(Strict):
    """What is learnt from which rows.

    Attributes:
        purpose: as in jobs of any kind.
        rows: one SELECT with a join between owners; its columns are the features, but for target.
    """

    name: JobName
    purpose: Filled
    rows: Select
    target: Label

    @model_validator(mode="before")
    @classmethod
    def _meaningful(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            for key in JobTerms.model_fields:
                if key in given and key not in cls.model_fields:
                    raise ValueError(f"{key} means nothing where owners join rows; leave it out")
        return given


class JoinedSpec(Strict):
    """A regression on secret shares; iterations and l2 as in `Room.train_joined`."""

    kind: Literal["joined_linear", "joined_logistic"]
    iterations: Annotated[int, Field(ge=1, le=MAX_ITERATIONS, strict=True)] = ITERATIONS
    l2: Annotated[float, Field(ge=0, le=MAX_L2, allow_inf_nan=False, strict=True)] = 1.0

    @property
    def fit(self) -> FitKind:
        return _FITS[self.kind]


class JoinedJob(Strict):
    """A whole job."""

    job: JoinedTerms
    model: JoinedSpec

    @property
    def sql(self) -> str:
        """The query that fits the model."""
        spec = self.model
        return statement(self.job.rows, self.job.target, spec.fit, spec.iterations, spec.l2)


AnyJob: TypeAlias = Job | JoinedJob
Given: TypeAlias = AnyJob | Path | str | Mapping[str, Any]


def job_of(source: Given) -> AnyJob:
    """Read a job of any kind from a TOML file or a dict of the same shape.

    Raises:
        ConfigInvalid: naming the first key that doesn't hold.
    """
    if isinstance(source, Job | JoinedJob):
        return source
    values = values_of(source)
    if kind_of(values) not in JOINED:
        return Job.checked(values, where_of(source))
    try:
        return JoinedJob.model_validate(values)
    except ValidationError as error:
        keys = (", ".join(fields.model_fields) for fields in (JoinedTerms, JoinedSpec))
        remedy = "[job] takes {}; [model] of such a kind takes {}.".format(*keys)
        raise ConfigInvalid(f"{where_of(source)}{first_fault(error)}", remedy=remedy) from None


@dataclass(frozen=True)
class JoinedPlan:
    """What was fitted on which rows: a job, and the plan of its query."""

    asked: JoinedJob
    plan: Plan

    @property
    def name(self) -> str:
        return self.asked.job.name

    @property
    def hash(self) -> str:
        return self.plan.hash

    @property
    def owners(self) -> tuple[str, ...]:
        return tuple(sorted({leaf.member for leaf in self.plan.leaves}))


def train(
    client: Client,
    job: JoinedJob,
    folder: Path | None,
    progress: Progress,
    deadline_s: int,
    *,
    resume: bool,
) -> Trained:
    """Fit a model on joined rows; see `Room.train`. No round is told: no loss is opened."""
    if resume:
        what = f"resume: a {job.model.kind} training opens nothing to go on from"
        raise ConfigInvalid(what, remedy="Train without it, from the beginning.")
    plan = _plan(client, job)
    if folder is not None:
        job_folder(folder)
    result = Result(client.ask(plan, deadline_s, progress, None))
    model = JoinedModel.of(job.model.fit, result)
    return Trained(model, JoinedPlan(job, plan), None, (), result.receipt, result.stats)


def explained(client: Client, job: JoinedJob, *, offline: bool) -> "Explanation":
    """Return who would learn what from a fit, at which cost, and how members rule on it."""
    plan = _plan(client, job)
    return client.explained(plan, Sheet.of(plan, client.contract.terms), offline=offline)


def _plan(client: Client, job: JoinedJob) -> Plan:
    purpose = job.job.purpose if client.contract.terms.room.purposes else ""
    return client.ways(Question(job.sql, client.name, purpose=purpose)).plan("mpc")
