"""The privacy section of a contract: how results are released, for every recipient alike.

Rule: numbers and choices that all members sign; what they do to a result stands where it is
released.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cleanroom.contract.fields import Strict

_NO_GROUP = ("min_group", 1)  # promises nobody anything


class PrivacyTerms(Strict):
    """How results are released.

    Attributes:
        min_group: distinct persons behind every released cell; 1 turns it off.
        min_members: members besides the recipient among whom these persons are, where a table
            has several owners.
        redact: counts up to this are withheld; 0 withholds none. Under "sdc".
        round_to: what counts are rounded to, after that. Under "sdc".
        rounding: to the nearest multiple, halves up; or to the midpoint of each run of `round_to`.
        top_two: the most that the two largest contributors may have of a sum, in percent; 100
            turns it off. Under "sdc".
        p_percent: how closely, in percent, the second largest contributor may be able to estimate
            the largest one's part of a sum; 0 turns it off. Under "sdc".
        complementary: whether further groups are withheld where those that are could be told from
            totals. Under "sdc".
        overlap: whether one recipient may ask about sets of rows that overlap without being equal.
        max_comparisons: questions of one recipient that compare a column with another owner's.
        group_count: whether the computing members may see how many groups, or different rows,
            are opened. Hidden, they handle as many as there may be, and only the recipient
            learns which of them are filled.
        untested_cells: whether queries may run on ciphertexts where min_group is above 1: nobody
            can count the persons behind a cell before the recipient has opened all of them.
        min_contributors: owners besides the recipient that a federated table has to have for
            queries on ciphertexts: the totals of each are hidden among those of the others.
        epsilon, delta: what may be learnt of a person from one table in all, by one recipient,
            for one purpose. Under "dp".
        query_epsilon: what a query costs of it, unless it asks for another; None: a tenth.
    """

    release: Literal["dp", "sdc", "gated"] = "dp"
    min_group: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] = 10
    min_members: Annotated[int, Field(ge=1, le=1000, strict=True)] = 1
    redact: Annotated[int, Field(ge=0, le=1000, strict=True)] = 0
    round_to: Annotated[int, Field(ge=1, le=1000, strict=True)] = 1
    rounding: Literal["nearest", "midpoint"] = "nearest"
    top_two: Annotated[int, Field(ge=1, le=100, strict=True)] = 100
    p_percent: Annotated[int, Field(ge=0, le=100, strict=True)] = 0
    complementary: Literal["on", "off"] = "on"
    overlap: Literal["allowed", "refused"] = "allowed"
    max_comparisons: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] = 1000
    group_count: Literal["hidden", "open"] = "hidden"
    untested_cells: Literal["refused", "opened"] = "refused"
    min_contributors: Annotated[int, Field(ge=1, le=1000, strict=True)] = 3
    epsilon: Annotated[float, Field(gt=0, le=20, allow_inf_nan=False)] = 1.0
    delta: Annotated[float, Field(gt=0, lt=1e-4, allow_inf_nan=False)] = 1e-9
    query_epsilon: Annotated[float, Field(gt=0, le=20, allow_inf_nan=False)] | None = None

    def weaker_than_default(self) -> str:
        """Return the first key that protects persons less than its default; empty if none does."""
        default = PrivacyTerms()
        weaker = {
            "min_group": self.min_group < default.min_group,
            "untested_cells": self.untested_cells != default.untested_cells,
            "min_contributors": self.min_contributors < default.min_contributors,
            "epsilon": self.epsilon > default.epsilon,
            "delta": self.delta > default.delta,
        }
        return next((key for key, is_weaker in weaker.items() if is_weaker), "")

    def without_effect(self) -> tuple[str, ...]:
        """Return, as "key = value", what differs from its default but does nothing to queries.

        Under "dp" and "gated" no group is tested or changed before it is opened. Under "sdc"
        `epsilon` and `delta` are for noisy trainings.
        """
        of_cells = (
            *("min_group", "min_members", "redact", "round_to", "rounding", "top_two"),
            *("p_percent", "complementary", "group_count", "untested_cells"),
        )
        over_time = ("overlap", "max_comparisons", "min_contributors")
        noise = ("epsilon", "delta", "query_epsilon")
        idle = {
            "dp": of_cells,
            "sdc": ("query_epsilon",),
            "gated": (*of_cells, *over_time, *noise),
        }[self.release]
        default = PrivacyTerms()
        found = ((key, getattr(self, key)) for key in idle)
        changed = [(key, value) for key, value in found if value != getattr(default, key)]
        return tuple(f"{key} = {value}" for key, value in changed if (key, value) != _NO_GROUP)

    @property
    def tested(self) -> tuple[str, ...]:
        """What groups have to pass, or is done to them, before they are opened."""
        asked = [("min_group", 1), ("min_members", 1)]
        if self.release == "sdc":
            asked += [("redact", 0), ("round_to", 1), ("top_two", 100), ("p_percent", 0)]
        found = ((name, getattr(self, name), off) for name, off in asked)
        return tuple(f"{name} = {value}" for name, value, off in found if value != off)

    @property
    def asked_epsilon(self) -> float:
        """What a question costs that doesn't ask for another epsilon."""
        return self.query_epsilon or self.epsilon / 10

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.rounding == "midpoint" and self.round_to == 1:
            raise ValueError("rounding: to midpoints needs round_to above 1")
        if self.query_epsilon is not None and self.query_epsilon > self.epsilon:
            raise ValueError("query_epsilon: more than epsilon")
        return self
