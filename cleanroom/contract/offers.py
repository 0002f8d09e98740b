"""Queries that all members sign with the contract: gates and templates.

Rule: text that nobody can alter afterwards. What it means is compiled where queries are.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from cleanroom.contract.fields import Name, Strict
from cleanroom.contract.types import Kind, SqlType

Sql = Annotated[str, Field(min_length=1, max_length=20_000, pattern=r"\S")]
Recipients = Annotated[tuple[Name, ...], Field(min_length=1)]


class GateTerms(Strict):
    """Rows that are opened where a secret condition holds, and nothing about any other.

    Attributes:
        sql: a query over persons; its HAVING is the condition.
        to: recipients of all these rows.
        max_rows: how many rows are handed out, however many there are.
        owners: whether each owner may have the rows of persons that it holds itself.
        per_day: how often each recipient may ask on one day (UTC): who asks again after it changed
            its own rows learns more of others' rows each time.
        max_chosen: rows of one member that the gate's own conditions may leave of what it reads;
            with more the gate fails. Sizes follow from it instead of from the table's max_rows.
        max_joined: rows that one of its joins may have; with more the gate fails.
    """

    sql: Sql
    to: tuple[Name, ...] = ()
    max_rows: Annotated[int, Field(ge=1, le=1 << 16, strict=True)]
    owners: bool = False
    per_day: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] = 10
    max_chosen: Annotated[int, Field(ge=1, le=1 << 24, strict=True)] | None = None
    max_joined: Annotated[int, Field(ge=1, le=1 << 24, strict=True)] | None = None

    @model_validator(mode="after")
    def _for_somebody(self) -> Self:
        if not self.to and not self.owners:
            raise ValueError("to: nobody may have its rows")
        return self


class ParameterTerms(Strict):
    """A value that whoever uses a template chooses.

    Attributes:
        values, bounds: what it may be, one of the two; a BOOLEAN needs neither.
    """

    type: str
    values: Annotated[tuple[str, ...], Field(min_length=1, max_length=65536)] | None = None
    bounds: tuple[Any, Any] | None = None

    def __str__(self) -> str:
        if self.values is not None:
            few = ", ".join(self.values[:6]) + (", ..." if len(self.values) > 6 else "")
            return f"one of {few}"
        if self.bounds is not None:
            return f"{self.type} from {self.bounds[0]} to {self.bounds[1]}"
        return "true or false"

    @field_validator("type")
    @classmethod
    def _known(cls, text: str) -> str:
        SqlType.parse(text)
        return text

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        sql_type = SqlType.parse(self.type)
        is_text, is_boolean = sql_type.kind is Kind.TEXT, sql_type.kind is Kind.BOOLEAN
        if (self.values is not None) != is_text:
            raise ValueError("TEXT, and only TEXT, names its values")
        if (self.bounds is None) != (is_text or is_boolean):
            raise ValueError(f"type {sql_type} {'has no' if self.bounds else 'needs'} bounds")
        if self.bounds is not None:
            low, high = (sql_type.encode(bound) for bound in self.bounds)
            if low > high:
                raise ValueError("bounds must ascend")
        return self


class TemplateTerms(Strict):
    """A query with parameters, approved by all who sign.

    Attributes:
        sql: with `:name` where a parameter's value goes.
    """

    sql: Sql
    recipients: Recipients
    parameters: Annotated[Mapping[Name, ParameterTerms], Field(max_length=32)] = Field(
        default_factory=dict
    )
