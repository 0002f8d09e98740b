"""A member's own policy: the `[policy]` table of its TOML file.

Rule: a member may be stricter than the contract that it signed, never laxer. What isn't said here
is as the contract has it. Nobody else is shown this table; a refusal names the key that refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from cleanroom.contract import types
from cleanroom.contract.columns import ColumnTerms, Right
from cleanroom.contract.fields import Name, Strict
from cleanroom.contract.terms import Role, Terms
from cleanroom.errors import ConfigInvalid

Kind: TypeAlias = Literal["query", "training", "scoring"]


class OwnColumn(Strict):
    """One of the member's own columns.

    Attributes:
        without: rights that no recipient has here, whatever the contract grants.
        filter_by, min_width: as in the contract's columns.
    """

    without: tuple[Right, ...] = ()
    filter_by: Literal["any", "equality", "range"] = "any"
    min_width: Annotated[Decimal, Field(gt=0, allow_inf_nan=False)] | None = None


class OwnPolicy(Strict):
    """What this member refuses beyond the contract.

    Attributes:
        recipients: the only ones that it takes part for. purposes: the only ones.
        query_epsilon: the most that one query may cost of a privacy budget.
        min_group, min_contributors, untested_cells, max_comparisons, overlap: as in the
            contract's `[privacy]`.
        columns: by 'member.table.column' or 'table.column'.
        approval: whether a person at this member approves plans before they run.
        approval_for: kinds of plans that a person approves; by default all but what the contract
            itself offers: templates, gates and propagations.
        only: 'templates' if this member takes part in nothing else than these.
    """

    recipients: tuple[Name, ...] | None = None
    purposes: tuple[Name, ...] | None = None
    min_group: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] | None = None
    min_contributors: Annotated[int, Field(ge=1, le=1000, strict=True)] | None = None
    untested_cells: Literal["refused"] | None = None
    max_comparisons: Annotated[int, Field(ge=0, le=1_000_000, strict=True)] | None = None
    overlap: Literal["refused"] | None = None
    query_epsilon: Annotated[float, Field(gt=0, le=20, allow_inf_nan=False)] | None = None
    columns: Mapping[str, OwnColumn] = Field(default_factory=dict)
    approval: Literal["automatic", "person"] = "automatic"
    approval_for: tuple[Kind, ...] | None = None
    only: Literal["templates"] | None = None

    def check(self, member: str, terms: Terms) -> None:
        """Refuse what means nothing under the contract, or is laxer than it.

        Raises:
            ConfigInvalid: naming the first such key.
        """
        for key, what in self._faults(member, terms):
            remedy = "A member may be stricter than the contract, never laxer; leave the key out."
            raise ConfigInvalid(f"policy.{key}: {what}", remedy=remedy)

    def _faults(self, member: str, terms: Terms) -> Iterator[tuple[str, str]]:
        for name in self.recipients or ():
            if name not in terms.members or Role.RESULT not in terms.members[name].roles:
                yield "recipients", f"{name!r} is no recipient of the contract"
        for name in self.purposes or ():
            if name not in terms.room.purposes:
                yield "purposes", f"the contract names no purpose {name!r}"
        yield from self._privacy_faults(terms)
        if self.approval_for is not None and self.approval == "automatic":
            yield "approval_for", "nothing is approved by a person; set approval = 'person'"
        yield from self._column_faults(member, terms)

    def _privacy_faults(self, terms: Terms) -> Iterator[tuple[str, str]]:
        for key in ("min_group", "min_contributors"):
            own, agreed = getattr(self, key), getattr(terms.privacy, key)
            if own is not None and own < agreed:
                yield key, f"{own} is laxer than the contract's {agreed}"
        if self.min_group is not None and terms.privacy.release == "dp":
            yield "min_group", "under release = 'dp' noise protects, and no group is tested"
        most, agreed = self.max_comparisons, terms.privacy.max_comparisons
        if most is not None and most > agreed:
            yield "max_comparisons", f"{most} is laxer than the contract's {agreed}"
        if self.query_epsilon is not None and self.query_epsilon > terms.privacy.epsilon:
            yield "query_epsilon", f"more than the contract's epsilon {terms.privacy.epsilon:g}"

    def _column_faults(self, member: str, terms: Terms) -> Iterator[tuple[str, str]]:
        for name, own in self.columns.items():
            table, _, column = name.rpartition(".")
            if table not in terms.tables_of(member) or column not in terms.tables[table].columns:
                yield f"columns.{name}", f"{member} holds no such column"
            elif what := _column_fault(own, terms.tables[table].columns[column]):
                yield f"columns.{name}.{what[0]}", what[1]


def _column_fault(own: OwnColumn, agreed: ColumnTerms) -> tuple[str, str] | None:
    """Return the key and the fault of a column that is laxer here, or means nothing."""
    has_ranges = agreed.sql_type.kind not in (types.Kind.TEXT, types.Kind.BOOLEAN)
    if (own.filter_by == "range") != (own.min_width is not None):
        return "min_width", "it belongs to filter_by = 'range', and the other way round"
    if own.filter_by == "range" and not has_ranges:
        return "filter_by", f"a {agreed.sql_type} has no ranges"
    if own.min_width and agreed.min_width and own.min_width < agreed.min_width:
        return "min_width", f"{own.min_width} is laxer than the contract's {agreed.min_width}"
    return None


@dataclass(frozen=True, slots=True)
class Own:
    """Whose policy it is: the member's name stands in its refusals."""

    member: str = ""
    policy: OwnPolicy = field(default_factory=OwnPolicy)


NONE = Own()
