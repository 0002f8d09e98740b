"""The compiled plan: what every party derives by itself and whose hash all compare."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cleanroom.plan.ciphertexts import Ciphertexts
from cleanroom.plan.gated import Gated
from cleanroom.plan.graphs import Propagate
from cleanroom.plan.leaf import Leaf
from cleanroom.plan.linking import Linkage
from cleanroom.plan.nodes import Join, Node, Union
from cleanroom.plan.noise import QueryNoise
from cleanroom.plan.release import Release
from cleanroom.plan.restrictions import Linked, Restriction
from cleanroom.plan.rowsets import RowSet
from cleanroom.plan.template import TemplateUse

Protocol: TypeAlias = Literal["mpc", "he"]
FORMAT = 3  # raise it when the meaning of a plan changes: parties of two releases then differ


@dataclass(frozen=True, slots=True)
class OpenedColumn:
    """How the recipient turns an opened column into SQL values.

    Attributes:
        kind: "code" looks `values` up, "bytes" strips trailing zero bytes of big-endian text,
            "number" is low + bits, or a signed sum column.
        sql_type: DuckDB type of the decoded column.
        scale: for DECIMAL.
        meaning: for the sheet, in SQL: 'SUM(amount)'.
    """

    name: str
    kind: Literal["number", "code", "bytes"]
    sql_type: str
    meaning: str
    scale: int = 0
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """One way in which the query touches a column; policy rules on these."""

    table: str
    column: str
    right: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All that parties need to agree on before anything runs.

    Attributes:
        final_sql: what the recipient runs over the opened table `opened`: names, AVG, ORDER BY.
        ciphertexts: how it runs on ciphertexts; None if it runs on secret shares.
        restrictions, linked: how rows are chosen by which columns, and which must be equal.
        row_sets: the rows of each table that it is about.
        without: members whose parts of federated tables are left out, in alphabetical order.
        noise: that stands on every total; None where totals are exact.
        purpose: for which of the contract's purposes it is asked; "" where it names none.
        template: the contract's template that it is, with values; None if it is of none.
        gate: whose text this is; None for a query of the recipient's own.
    """

    contract_hash: str
    recipient: str
    sql: str
    uses: tuple[Use, ...]
    root: Release
    opened: tuple[OpenedColumn, ...]
    final_sql: str
    ciphertexts: Ciphertexts | None = None
    restrictions: tuple[Restriction, ...] = ()
    linked: tuple[Linked, ...] = ()
    row_sets: tuple[RowSet, ...] = ()
    without: tuple[str, ...] = ()
    noise: QueryNoise | None = None
    purpose: str = ""
    template: TemplateUse | None = None
    gate: Gated | None = None
    format: int = FORMAT

    def canonical(self) -> bytes:
        """Return the bytes that the plan hash covers: every field, sorted keys, no spaces."""
        return json.dumps(_plain(self), sort_keys=True, separators=(",", ":")).encode()

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.canonical()).hexdigest()

    @property
    def protocol(self) -> Protocol:
        """What runs it: three-party computation on shares, or homomorphic encryption."""
        return "mpc" if self.ciphertexts is None else "he"

    @property
    def tables(self) -> tuple[str, ...]:
        """The contract's tables that it reads."""
        return tuple(dict.fromkeys(table for leaf in self.leaves for table in leaf.tables))

    @property
    def gate_name(self) -> str:
        """The gate that it asks; "" if none."""
        return "" if self.gate is None else self.gate.name

    @property
    def propagation(self) -> Propagate | None:
        """What it propagates along payments; None if it is about anything else."""
        below = self.root.input.input
        return below if isinstance(below, Propagate) else None

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """The leaves from left to right; a leaf's place here names it in messages."""
        return tuple(leaves_of(self.root.input))


def leaves_of(node: Node) -> Iterator[Leaf]:
    """Yield the leaves below a node from left to right."""
    if isinstance(node, Leaf):
        yield node
    for child in children(node):
        yield from leaves_of(child)


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below a node, from left to right."""
    match node:
        case Leaf():
            return ()
        case Union(inputs):
            return inputs
        case Join() | Linkage():
            return node.left, node.right
        case Propagate(own, others, payments):
            return own, *others, *payments
        case _:
            return (node.input,)


def linkages_of(node: Node) -> Iterator[Linkage]:
    """Yield the linkages below a node from left to right."""
    if isinstance(node, Linkage):
        yield node
    for child in children(node):
        yield from linkages_of(child)


def count_leaves(node: Node) -> int:
    """Return how many leaves are below a node."""
    return sum(1 for _ in leaves_of(node))


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value):
        fields = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"": type(value).__name__, **fields}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
