"""The terms of a room, as people write them in TOML: shape and validation.

Rule: what a contract's TOML file can say and nothing else; unknown keys are refused. Keys and
signatures live in `document`, not here.
"""

import datetime as dt
import re
import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from cleanroom.contract.columns import TableTerms
from cleanroom.contract.fields import NAME, Name, Strict, first_fault, with_port
from cleanroom.contract.linkages import SIDES, LinkageTerms
from cleanroom.contract.models import ModelTerms
from cleanroom.contract.offers import GateTerms, TemplateTerms
from cleanroom.contract.privacy import PrivacyTerms
from cleanroom.contract.propagations import PropagationTerms
from cleanroom.errors import ContractInvalid

Filled = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]
Address = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_.\-\[\]:]+:\d{1,5}$"), AfterValidator(with_port)
]


class Role(StrEnum):
    INPUT = "input"
    COMPUTING = "computing"
    RESULT = "result"


class RoomTerms(Strict):
    """What the room is for.

    Attributes:
        purposes: for which rights may be granted apart; then every request names one of them.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    version: Annotated[int, Field(ge=1, strict=True)]
    purpose: Filled
    lawful_basis: Filled
    retention_days: Annotated[int, Field(ge=1, le=36500, strict=True)]
    expires: dt.date
    purposes: Mapping[Name, Filled] = Field(default_factory=dict)

    def scope(self, purpose: str) -> str:
        """Return what a request's purpose counts as in budgets: without a name, the room's own."""
        return purpose or self.purpose

    def in_words(self, purpose: str) -> str:
        """Return what a request's purpose means, for people; one that isn't named as it is."""
        if not purpose:
            return self.purpose
        meaning = self.purposes.get(purpose)
        return purpose if meaning is None else f"{purpose}, {meaning}"


class CoordinatorTerms(Strict):
    address: Address


class MemberTerms(Strict):
    """One member.

    Attributes:
        acts_as: what data protection law calls it; a person who signs has to know.
    """

    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    address: Address | None = None
    acts_as: Literal["controller", "joint controller", "processor"] | None = None

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


class Terms(Strict):
    """Everything the members agree on."""

    room: RoomTerms
    coordinator: CoordinatorTerms
    members: Annotated[Mapping[Name, MemberTerms], Field(min_length=2)]
    privacy: PrivacyTerms = PrivacyTerms()
    tables: Annotated[Mapping[str, TableTerms], Field(min_length=1)]
    models: Mapping[str, ModelTerms] = Field(default_factory=dict)
    gates: Mapping[Name, GateTerms] = Field(default_factory=dict)
    linkages: Mapping[Name, LinkageTerms] = Field(default_factory=dict)
    propagations: Mapping[Name, PropagationTerms] = Field(default_factory=dict)
    templates: Mapping[Name, TemplateTerms] = Field(default_factory=dict)

    @classmethod
    def of(cls, source: "Path | str | Mapping[str, Any] | Terms") -> "Terms":
        """Read terms from a TOML file or a dict of the same shape; terms are returned as they are.

        Raises:
            ContractInvalid: naming the first field that doesn't hold, by its path.
        """
        if isinstance(source, Terms):
            return source
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
        """Whether cells may be opened as they are, which queries on ciphertexts do."""
        return not self.privacy.tested or self.privacy.untested_cells == "opened"

    @property
    def computing(self) -> tuple[str, ...]:
        """The computing members, in the order of the contract: ranks P0, P1, P2."""
        return tuple(n for n, m in self.members.items() if Role.COMPUTING in m.roles)

    @property
    def without_legal_role(self) -> tuple[str, ...]:
        """Members of which nobody said whether they act as controllers or processors."""
        return tuple(n for n, m in self.members.items() if m.acts_as is None)

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
        for column, terms in table.named_columns.items():
            for recipient, purpose, _ in terms.granted():
                rights = f"{where}.columns.{column}.rights"
                if column not in table.columns:
                    rights = f"{where}.member_rights"
                self._check_recipient(rights, recipient)
                if purpose and purpose not in self.room.purposes:
                    raise ValueError(f"{rights}.{recipient}: no purpose {purpose!r} of the room")

    @model_validator(mode="after")
    def _offers(self) -> Self:
        offers = {f"gates.{name}.to": gate.to for name, gate in self.gates.items()}
        for name, propagation in self.propagations.items():
            self._check_propagation(name, propagation)
            offers[f"propagations.{name}.to"] = propagation.to
        for name, template in self.templates.items():
            offers[f"templates.{name}.recipients"] = template.recipients
        for where, recipients in offers.items():
            for recipient in recipients:
                self._check_recipient(where, recipient)
        return self

    @model_validator(mode="after")
    def _linkages(self) -> Self:
        for name, linkage in self.linkages.items():
            where = f"linkages.{name}"
            if any(name in (table, table.partition(".")[2]) for table in self.tables):
                raise ValueError(f"{where}: a table has that name")
            if not self.computing:
                raise ValueError(f"{where}: linking needs three computing members")
            if self.privacy.release == "dp":
                what = "one person's row changes with whom others are linked"
                raise ValueError(f"{where}: not under release = 'dp': {what}")
            for side in SIDES:
                if (table := linkage.table(side)) not in self.tables:
                    raise ValueError(f"{where}.{side}: no table {table!r}")
                try:
                    linkage.check_table(side, self.tables[table])
                except ValueError as error:
                    raise ValueError(f"{where}.{error}") from None
            for recipient in linkage.to:
                self._check_recipient(f"{where}.to", recipient)
        return self

    def _check_propagation(self, name: str, propagation: PropagationTerms) -> None:
        if self.privacy.release == "dp":
            what = "exact scores, where release = 'dp' opens nothing without noise"
            raise ValueError(f"propagations.{name}: {what}")
        try:
            propagation.check(self.tables)
        except ValueError as error:
            raise ValueError(f"propagations.{name}.{error}") from None

    def _check_recipient(self, where: str, name: str) -> None:
        if Role.RESULT not in self._member(where, name).roles:
            raise ValueError(f"{where}: {name!r} has no role 'result'")

    @model_validator(mode="after")
    def _special_categories(self) -> Self:
        special = (
            f"tables.{name}.columns.{column}.special_category"
            for name, table in self.tables.items()
            for column, terms in table.columns.items()
            if terms.special_category
        )
        where, weaker = next(special, None), self.privacy.weaker_than_default()
        if where is not None and weaker:
            raise ValueError(f"{where}: then privacy.{weaker} may not be weaker than its default")
        return self

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
                self._check_recipient(f"{where}.scores", asker)
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
