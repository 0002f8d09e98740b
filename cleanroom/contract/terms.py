"""The terms of a room, as people write them in TOML: shape and validation.

Rule: what `example-room.toml` can say and nothing else; unknown keys are refused. Keys and
signatures live in `document`, not here.
"""

import datetime as dt
import re
import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from cleanroom.contract.fields import NAME, Name, Strict, first_fault, with_port
from cleanroom.contract.models import ModelTerms
from cleanroom.contract.types import Kind, SqlType
from cleanroom.errors import ContractInvalid

Filled = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]
Address = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_.\-\[\]:]+:\d{1,5}$"), AfterValidator(with_port)
]


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


class Role(StrEnum):
    INPUT = "input"
    COMPUTING = "computing"
    RESULT = "result"


class RoomTerms(Strict):
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    version: Annotated[int, Field(ge=1, strict=True)]
    purpose: Filled
    lawful_basis: Filled
    retention_days: Annotated[int, Field(ge=1, le=36500, strict=True)]
    expires: dt.date


class CoordinatorTerms(Strict):
    address: Address


class MemberTerms(Strict):
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    address: Address | None = None

    @property
    def attends(self) -> bool:
        """Whether it runs a process; one that only asks doesn't."""
        return bool({Role.INPUT, Role.COMPUTING} & set(self.roles))

    @model_validator(mode="after")
    def _listens_if_computing(self) -> Self:
        if len(set(self.roles)) != len(self.roles):
            raise ValueError("a role is named twice")
        if (Role.COMPUTING in self.roles) != (self.address is not None):
            raise ValueError("computing members, and only they, need an address")
        return self


class PrivacyTerms(Strict):
    """How results are released.

    Attributes:
        group_count: whether the computing members may see how many groups, or different rows,
            are opened. Hidden, they handle as many as there may be, and only the recipient
            learns which of them are filled.
        untested_cells: whether queries may run on ciphertexts where min_group is above 1: nobody
            can count the persons behind a cell before the recipient has opened all of them.
        min_contributors: owners besides the recipient that a federated table has to have for
            queries on ciphertexts: the totals of each are hidden among those of the others.
    """

    release: Literal["dp", "sdc", "gated"] = "dp"
    min_group: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] = 10
    round_to: Annotated[int, Field(ge=1, le=1000, strict=True)] = 1
    group_count: Literal["hidden", "open"] = "hidden"
    untested_cells: Literal["refused", "opened"] = "refused"
    min_contributors: Annotated[int, Field(ge=1, le=1000, strict=True)] = 3
    epsilon: Annotated[float, Field(gt=0, le=20, allow_inf_nan=False)] = 1.0
    delta: Annotated[float, Field(gt=0, lt=1e-4, allow_inf_nan=False)] = 1e-9


class ColumnTerms(Strict):
    """One protected column.

    Attributes:
        bounds: smallest and largest value, in the column's own type; they set bit widths and
            prove that sums don't wrap.
        values: all values a TEXT column may hold; it then travels as a small code.
        rights: recipient -> what a query for it may do with this column.
    """

    type: str
    bounds: tuple[Any, Any] | None = None
    nullable: bool = False
    max_bytes: Annotated[int, Field(ge=1, le=256, strict=True)] | None = None
    values: Annotated[tuple[str, ...], Field(min_length=1, max_length=65536)] | None = None
    rights: Mapping[str, tuple[Right, ...]] = Field(default_factory=dict)

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
        for recipient, rights in self.rights.items():
            if len(set(rights)) != len(rights):
                raise ValueError(f"a right of {recipient} is named twice")
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
        max_rows: public bound on one member's rows.
    """

    members: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    person: Name
    max_rows_per_person: Annotated[int, Field(ge=1, strict=True)] | None = None
    max_rows: Annotated[int, Field(ge=1, le=1 << 24, strict=True)]
    columns: Annotated[Mapping[Name, ColumnTerms], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_person(self) -> Self:
        if self.person not in self.columns:
            raise ValueError(f"person: no column {self.person!r}")
        if self.columns[self.person].nullable:
            raise ValueError(f"columns.{self.person}: the person column may not be nullable")
        if self.members is not None and len(set(self.members)) != len(self.members):
            raise ValueError("members: a member is named twice")
        return self


class Terms(Strict):
    """Everything the members agree on."""

    room: RoomTerms
    coordinator: CoordinatorTerms
    members: Annotated[Mapping[Name, MemberTerms], Field(min_length=2)]
    privacy: PrivacyTerms = PrivacyTerms()
    tables: Annotated[Mapping[str, TableTerms], Field(min_length=1)]
    models: Mapping[str, ModelTerms] = Field(default_factory=dict)

    @classmethod
    def of(cls, source: Path | str | Mapping[str, Any]) -> "Terms":
        """Read terms from a TOML file or a dict of the same shape.

        Raises:
            ContractInvalid: naming the first field that doesn't hold, by its path.
        """
        try:
            if not isinstance(source, Mapping):
                source = tomllib.loads(Path(source).read_text(encoding="utf-8"))
            return cls.model_validate(source)
        except tomllib.TOMLDecodeError as error:
            raise ContractInvalid(f"not TOML: {error}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise ContractInvalid(f"cannot read {source}: {type(error).__name__}") from None
        except ValidationError as error:
            raise ContractInvalid(first_fault(error)) from None

    @property
    def opens_cells(self) -> bool:
        """Whether cells of few persons may be opened, as they are of queries on ciphertexts."""
        return self.privacy.min_group == 1 or self.privacy.untested_cells == "opened"

    @property
    def computing(self) -> tuple[str, ...]:
        """The computing members, in the order of the contract: ranks P0, P1, P2."""
        return tuple(n for n, m in self.members.items() if Role.COMPUTING in m.roles)

    def owners(self, table: str) -> tuple[str, ...]:
        """Return the members that hold rows of `table`."""
        return self.tables[table].members or (table.partition(".")[0],)

    def tables_of(self, member: str) -> Iterator[str]:
        """Yield the tables of which `member` holds rows."""
        return (table for table in self.tables if member in self.owners(table))

    def models_of(self, member: str) -> Iterator[str]:
        """Yield the models whose weights `member` holds."""
        return (model for model in self.models if model.partition(".")[0] == member)

    @model_validator(mode="after")
    def _roles(self) -> Self:
        if len(self.computing) not in (0, 3):
            raise ValueError(f"members: three must compute, or none; {len(self.computing)} do")
        addresses = [self.coordinator.address]
        addresses += [m.address for m in self.members.values() if m.address is not None]
        if len(set(addresses)) != len(addresses):
            raise ValueError("members: two share an address")
        if "coordinator" in self.members:
            raise ValueError("members.coordinator: the name is taken by the coordinator")
        return self

    @model_validator(mode="after")
    def _tables(self) -> Self:
        for name, table in self.tables.items():
            self._check_table(name, table)
        return self

    def _check_table(self, name: str, table: TableTerms) -> None:
        where = f"tables.{name}"
        owner, dot, rest = name.partition(".")
        parts = (owner, rest) if dot else (owner,)
        if not all(re.fullmatch(NAME, part) for part in parts):
            raise ValueError(f"{where}: a name is 'member.table', or 'table' with members")
        if bool(dot) == (table.members is not None):
            raise ValueError(f"{where}: either 'member.table', or a federated table with members")
        for member in table.members or (owner,):
            if member not in self.members:
                raise ValueError(f"{where}: no member {member!r}")
            if Role.INPUT not in self.members[member].roles:
                raise ValueError(f"{where}: member {member!r} has no role 'input'")
        for column, terms in table.columns.items():
            for recipient in terms.rights:
                if recipient not in self.members:
                    raise ValueError(f"{where}.columns.{column}.rights: no member {recipient!r}")
                if Role.RESULT not in self.members[recipient].roles:
                    raise ValueError(
                        f"{where}.columns.{column}.rights: {recipient!r} has no role 'result'"
                    )

    @model_validator(mode="after")
    def _models(self) -> Self:
        for name, model in self.models.items():
            where = f"models.{name}"
            owner, _, rest = name.partition(".")
            if not all(re.fullmatch(NAME, part) for part in (owner, rest)):
                raise ValueError(f"{where}: a name is 'member.model'")
            if Role.INPUT not in self._member(where, owner).roles:
                raise ValueError(f"{where}: member {owner!r} has no role 'input'")
            for asker, tables in model.scores.items():
                if Role.RESULT not in self._member(f"{where}.scores", asker).roles:
                    raise ValueError(f"{where}.scores: {asker!r} has no role 'result'")
                if asker == owner:
                    raise ValueError(f"{where}.scores: {asker!r} holds the model itself")
                for table in tables:
                    self._check_scored(f"{where}.scores.{asker}", model, asker, table)
        return self

    def _check_scored(self, where: str, model: ModelTerms, asker: str, table: str) -> None:
        if table not in self.tables or asker not in self.owners(table):
            raise ValueError(f"{where}: {asker!r} holds no table {table!r}")
        try:
            model.check_table(table, self.tables[table])
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None

    def _member(self, where: str, name: str) -> MemberTerms:
        if name not in self.members:
            raise ValueError(f"{where}: no member {name!r}")
        return self.members[name]
