"""A training job, as people write it in TOML: from which rows what is learnt, and its limits.

Rule: public, and the same bytes at every member. Unknown keys are refused; what the model's own
keys mean is its family's.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from cleanroom.contract.fields import Name, Strict, first_fault, unreadable
from cleanroom.errors import ConfigInvalid, MessageInvalid
from cleanroom.learning.families import FAMILIES

MAX_BYTES = 64 << 10
MAX_ROUNDS = 10_000
JOINED = ("joined_linear", "joined_logistic")  # jobs of another form: see recipient/joined_job.py
_WITHOUT_TARGET = ("kmeans", "pca")
_WITH_TIME = ("cox", "flower")
JobName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Filled = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]
Select = Annotated[str, Field(min_length=1, max_length=20_000)]
Label = Annotated[str, Field(min_length=1, max_length=127)]


class JobTerms(Strict):
    """What is learnt from which rows.

    Attributes:
        purpose: in any words; where the contract names purposes, one of these names.
        rows: one SELECT over a federated table, which every owner runs on its own rows. Its
            columns are the features, but for target and time.
        target: the column that is learnt; none for clusters and components.
        time: the column that says how long until the event that `target` flags, for survival.
        holdout: which part of the persons is held out of the training, to test the model on.
        max_membership: a model is withheld if an attacker tells a larger part than this of the rows
            that trained it from others, at 1 % false alarms; needs a holdout.
        max_rounds: a limit beside the model's own.
        patience_s: after so long without an answer an owner counts as one that left.
        min_owners: how many owners have to stay to the end, more than two thirds in any case; the
            training goes on without others. All, unless it is named: see the sheet for the price.
        without: owners that are left out from the start.
    """

    name: JobName
    purpose: Filled
    rows: Select
    target: Label | None = None
    time: Label | None = None
    holdout: Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False, strict=True)] = 0.0
    max_membership: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    max_rounds: Annotated[int, Field(ge=1, le=MAX_ROUNDS, strict=True)] = MAX_ROUNDS
    patience_s: Annotated[int, Field(ge=1, le=86_400, strict=True)] = 600
    min_owners: Annotated[int, Field(ge=1, le=1000, strict=True)] | None = None
    without: Annotated[tuple[Name, ...], Field(max_length=1000)] = ()

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.time is not None and self.time == self.target:
            raise ValueError("time and target are two columns")
        if self.max_membership is not None and not self.holdout:
            raise ValueError("max_membership compares with persons held out: name a holdout")
        return self


class Job(Strict):
    """A whole job.

    Attributes:
        model: `kind`, and what else that family of models takes.
    """

    job: JobTerms
    model: Mapping[str, Any]

    @classmethod
    def of(cls, source: "Job | Path | str | Mapping[str, Any]") -> Self:
        """Read a job from a TOML file or a dict of the same shape.

        Raises:
            ConfigInvalid: naming the first key that doesn't hold.
        """
        values = source.model_dump() if isinstance(source, Job) else values_of(source)
        return cls.checked(values, where_of(source))

    @classmethod
    def checked(cls, values: Mapping[str, Any], where: str) -> Self:
        """Return the job of a file's values.

        Args:
            where: what a fault's message begins with.

        Raises:
            ConfigInvalid: naming the first key that doesn't hold.
        """
        try:
            job = cls.model_validate(values)
        except ValidationError as error:
            raise ConfigInvalid(f"{where}{first_fault(error)}", remedy=_keys(values)) from None
        if len(job.text) > MAX_BYTES:
            raise ConfigInvalid(f"{where}a job of more than {MAX_BYTES} characters")
        return job

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what `text` gave at another member.

        Raises:
            MessageInvalid: if it isn't exactly that.
        """
        try:
            job = cls.model_validate(json.loads(text if len(text) <= MAX_BYTES else ""))
        except (ValidationError, ValueError, RecursionError):
            raise MessageInvalid("the request holds no training job") from None
        if job.text != text:
            raise MessageInvalid("a training job in another form than the canonical one")
        return job

    @property
    def spec(self) -> BaseModel:
        """What the family trains, with every default filled in."""
        return FAMILIES[self.model["kind"]].spec.model_validate(dict(self.model))

    @property
    def text(self) -> str:
        """The one line that stands for this job in a request."""
        whole = self.model_dump(mode="json")
        return json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @model_validator(mode="after")
    def _known(self) -> Self:
        kind = self.model.get("kind")
        if not isinstance(kind, str) or kind not in FAMILIES:
            joins = f"or, in a room whose owners join rows, {' or '.join(JOINED)}"
            raise ValueError(f"model.kind: one of {', '.join(sorted(FAMILIES))}; {joins}")
        try:
            spec = self.spec
        except ValidationError as error:
            raise ValueError(f"model.{first_fault(error)}") from None
        if self.job.target is not None and kind in _WITHOUT_TARGET:
            raise ValueError(f"job.target: {kind} learns none; leave it out, and don't SELECT it")
        if self.job.time is not None and kind not in _WITH_TIME:
            raise ValueError(f"job.time: {kind} knows none; SELECT it as a feature, or not at all")
        object.__setattr__(self, "model", spec.model_dump(mode="json"))
        return self


def values_of(source: Path | str | Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a TOML file says, or a dict as it is.

    Raises:
        ConfigInvalid: if the file can't be read.
    """
    if not isinstance(source, Path | str):
        return source
    try:
        return tomllib.loads(Path(source).read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigInvalid(f"{source}: not TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(str(source), error) from None


def where_of(source: object) -> str:
    """Return what a fault's message begins with: the file's name, if it is one."""
    return f"{source}: " if isinstance(source, Path | str) else ""


def kind_of(values: Any) -> Any:
    """Return the kind of model of a job that nobody has checked; None if it says none."""
    model = values.get("model") if isinstance(values, Mapping) else None
    return model.get("kind") if isinstance(model, Mapping) else None


def _keys(values: Any) -> str:
    """Say which keys a job takes, as far as its kind of model is known."""
    told = f"[job] takes {', '.join(JobTerms.model_fields)}"
    kind = kind_of(values)
    if isinstance(kind, str) and kind in FAMILIES:
        told += f"; [model] of kind {kind} takes {', '.join(FAMILIES[kind].spec.model_fields)}"
    return f"{told}."
