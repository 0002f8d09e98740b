"""Columns and tables of a contract: types, bounds, and who may do what with which column.

Rule: what stands below one `[tables.NAME]`; whether its members and recipients exist is checked
in `terms`.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, ValidationInfo, field_validator, model_validator

from cleanroom.contract.fields import Name, Strict
from cleanroom.contract.types import Kind, SqlType


class Right(StrEnum):
    """What a recipient's query may do with a column. No right: not used at all."""

    JOIN = "join"
    GROUP = "group"
    FILTER = "filter"
    COMPARE = "compare"
    SUM = "sum"
    AVG = "avg"
    COUNT = "count"
    MIN = "min"
    MAX = "max"
    QUANTILE = "quantile"
    PRIVATE_FILTER = "private_filter"
    PRIVATE_WEIGHTS = "private_weights"
    TRAIN = "train"
    SCORE = "score"
    REVEAL = "reveal"


Rights: TypeAlias = tuple[Right, ...]
Granted: TypeAlias = Mapping[str, Rights | Mapping[Name, Rights]]
MEMBER = "member"  # names who holds a row of a federated table, in SQL

# What card schemes forbid to keep once a payment is authorised (PCI DSS, requirement 3.3).
_NEVER_KEPT = re.compile(
    r"(.*_)?(cvv2?|cvc2?|cav2|csc|card_(verification|security)_(code|value|number)|"
    r"track_?[123]?_data|track_?[12]|magstripe|magnetic_stripe|pin_?block)"
)


class ColumnTerms(Strict):
    """One protected column.

    Attributes:
        bounds: smallest and largest value, in the column's own type; they set bit widths and
            prove that sums don't wrap.
        values: all values a TEXT column may hold; it then travels as a small code.
        filter_by: how a query may restrict the column, besides the right to: with = and IN alone,
            or by ranges alone, of at least `min_width`.
        min_width: in the column's own units; of a DATE days, of a TIMESTAMP seconds.
        special_category: data that the law protects more, as of health; the contract's privacy
            may then be no weaker than the defaults.
        rights: recipient -> what it may do with this column: for every purpose, or for each.
    """

    type: str
    bounds: tuple[Any, Any] | None = None
    nullable: bool = False
    max_bytes: Annotated[int, Field(ge=1, le=256, strict=True)] | None = None
    values: Annotated[tuple[str, ...], Field(min_length=1, max_length=65536)] | None = None
    filter_by: Literal["any", "equality", "range"] = "any"
    min_width: Annotated[Decimal, Field(gt=0, allow_inf_nan=False)] | None = None
    special_category: Annotated[bool, Field(strict=True)] = False
    rights: Granted = Field(default_factory=dict)

    @field_validator("type")
    @classmethod
    def _known(cls, text: str) -> str:
        SqlType.parse(text)
        return text

    @field_validator("bounds")
    @classmethod
    def _in_own_type(
        cls, bounds: tuple[Any, Any] | None, info: ValidationInfo
    ) -> tuple[Any, Any] | None:
        """Give both bounds the one form of the column's type, however they were written."""
        if bounds is None or "type" not in info.data:
            return bounds
        sql_type = SqlType.parse(info.data["type"])
        if sql_type.kind in (Kind.TEXT, Kind.BOOLEAN):
            return bounds
        low, high = (sql_type.decode(sql_type.encode(bound)) for bound in bounds)
        return low, high

    @cached_property
    def sql_type(self) -> SqlType:
        return SqlType.parse(self.type)

    @cached_property
    def range(self) -> tuple[int, int]:
        """Smallest and largest encoded value; for TEXT with values, the codes."""
        if self.sql_type.kind is Kind.TEXT:
            if self.values is None:
                raise ValueError("TEXT without declared values has no numeric range")
            return 0, len(self.values) - 1
        if self.bounds is None:
            return self.sql_type.widest()
        low, high = (self.sql_type.encode(bound) for bound in self.bounds)
        return low, high

    def rights_of(self, recipient: str, purpose: str = "") -> Rights:
        """Return what a recipient may do with this column for one of the room's purposes."""
        rights = self.rights.get(recipient, ())
        return rights if isinstance(rights, tuple) else rights.get(purpose, ())

    def granted(self) -> Iterator[tuple[str, str, Rights]]:
        """Yield recipient, purpose ("" for every one) and rights, as they are written."""
        for recipient, rights in self.rights.items():
            if isinstance(rights, tuple):
                yield recipient, "", rights
            else:
                yield from ((recipient, purpose, some) for purpose, some in rights.items())

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.sql_type.kind is Kind.TEXT:
            self._check_text()
        else:
            if self.max_bytes is not None or self.values is not None:
                raise ValueError("max_bytes and values are for TEXT columns")
            if self.bounds is not None and self.sql_type.kind is Kind.BOOLEAN:
                raise ValueError("a BOOLEAN needs no bounds")
            low, high = self.range
            if low > high:
                raise ValueError("bounds must ascend")
        if (self.filter_by == "range") != (self.min_width is not None):
            raise ValueError("min_width belongs to filter_by = 'range', and the other way round")
        if self.filter_by == "range" and self.sql_type.kind in (Kind.TEXT, Kind.BOOLEAN):
            raise ValueError(f"filter_by: a {self.sql_type} has no ranges")
        for recipient, purpose, rights in self.granted():
            if len(set(rights)) != len(rights):
                where = f"{recipient}.{purpose}" if purpose else recipient
                raise ValueError(f"a right of {where} is named twice")
        return self

    def _check_text(self) -> None:
        if self.bounds is not None:
            raise ValueError("TEXT takes max_bytes or values, not bounds")
        if self.values is None and self.max_bytes is None:
            raise ValueError("TEXT needs max_bytes, or values")
        for value in self.values or ():
            if "\0" in value or not value:
                raise ValueError("a declared value is empty or holds a NUL")
            if self.max_bytes is not None and len(value.encode()) > self.max_bytes:
                raise ValueError("a declared value is longer than max_bytes")
        if self.values is not None and len(set(self.values)) != len(self.values):
            raise ValueError("a declared value is named twice")


class TableTerms(Strict):
    """One table of one member, or a federated table of several.

    Attributes:
        members: who hold a part of a federated table; absent for 'member.table'.
        person: the column that names the privacy unit, whom min_group counts.
        max_rows_per_person: rows one person may have in one member's table; 1 makes `person` a key.
        owners_per_person: members among whose rows one person may be; None: among all. It is
            believed, not checked: nobody sees who has rows at two owners.
        max_rows: public bound on one member's rows; with more, its process doesn't start.
        profile: what recipients may be told of an owner's rows before they ask: how many, and
            how often values are missing, both roughly.
        member_rights: of a federated table, rights to the column `member`, which no owner's file
            has: it says whose row each is. Grouped by it, a query tells each member's own totals.
    """

    members: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    person: Name
    max_rows_per_person: Annotated[int, Field(ge=1, strict=True)] | None = None
    owners_per_person: Annotated[int, Field(ge=1, le=1000, strict=True)] | None = None
    max_rows: Annotated[int, Field(ge=1, le=1 << 24, strict=True)]
    profile: tuple[Literal["rows", "missing"], ...] = ()
    columns: Annotated[Mapping[Name, ColumnTerms], Field(min_length=1)]
    member_rights: Granted = Field(default_factory=dict)

    @property
    def member_column(self) -> ColumnTerms | None:
        """What SQL calls `member`: who holds a row; None unless the table is federated.

        A column that the contract declares under this name hides it.
        """
        if self.members is None or MEMBER in self.columns:
            return None
        return ColumnTerms(type="TEXT", values=self.members, rights=self.member_rights)

    @property
    def named_columns(self) -> Mapping[str, ColumnTerms]:
        """Every column that SQL may name."""
        if self.member_column is None:
            return self.columns
        return {**self.columns, MEMBER: self.member_column}

    @field_validator("columns")
    @classmethod
    def _may_be_kept(cls, columns: Mapping[str, ColumnTerms]) -> Mapping[str, ColumnTerms]:
        for column in columns:
            if _NEVER_KEPT.fullmatch(column):
                raise ValueError(f"{column}: card verification codes and tracks are never taken")
        return columns

    @model_validator(mode="after")
    def _has_person(self) -> Self:
        if self.person not in self.columns:
            raise ValueError(f"person: no column {self.person!r}")
        if self.columns[self.person].nullable:
            raise ValueError(f"columns.{self.person}: the person column may not be nullable")
        if self.members is not None and len(set(self.members)) != len(self.members):
            raise ValueError("members: a member is named twice")
        if self.member_rights and self.member_column is None:
            raise ValueError("member_rights: for federated tables that declare no column 'member'")
        return self
