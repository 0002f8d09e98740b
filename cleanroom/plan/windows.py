"""What a window adds to rows that stand in partitions, in an order. Values only."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Numbering:
    """A sum column: a row's place in its partition, from 1.

    Attributes:
        kind: "row_number" differs in every row; rows that are equal in the order have the same
            "rank", the place of the first of them, and "dense_rank", which leaves no gaps.
        bound: no place is above it.
    """

    name: str
    kind: Literal["row_number", "rank", "dense_rank"]
    bound: int


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A nullable bits column: the value of `column` so many rows before, or after if negative.

    NULL if there is no such row in the partition.
    """

    name: str
    column: str
    distance: int


@dataclass(frozen=True, slots=True)
class PartitionTotal:
    """A sum column: how many rows of the partition have a value in a bits column, or their sum.

    Attributes:
        column: None counts all rows. A value is low + bits, and the result within +-`bound`.
    """

    name: str
    kind: Literal["count", "sum"]
    column: str | None
    bound: int
