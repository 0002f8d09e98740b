"""What a plan says of private parameters: the values that could be sought, never those that are.

Rule: public facts that the asking member and every owner derive alike from the query's text. What
is sought stays at the asking member, and travels as ciphertexts that the request names by a hash.
"""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cleanroom.plan.ciphertexts import CellKey

Takes: TypeAlias = Literal["value", "values", "weights"]
MAX_VALUES = 1 << 16  # that the private parameters of one query tell apart
MAX_TOTALS = 32  # of one query; each is answered twice


@dataclass(frozen=True, slots=True)
class Parameter:
    """One private parameter: it tells values of one column apart.

    Attributes:
        name: in the query, without its colon.
        key: the column's codes, of all values that it may hold.
        sql_type: the column's type in the contract.
        low: the encoded value of code 0; of TEXT, `values` holds each code's.
        takes: one value, any number of values, or a weight for each value.
    """

    name: str
    table: str
    column: str
    key: CellKey
    sql_type: str
    low: int
    values: tuple[str, ...]
    takes: Takes

    @property
    def where(self) -> str:
        return f"{self.table}.{self.column}"


@dataclass(frozen=True, slots=True)
class Private:
    """The private parameters of a query, and how large what they choose may become.

    Attributes:
        parameters: the first is the most significant in the number of a combination of values.
        largest: no weight's absolute value is larger; 1 if rows are chosen, not weighed.
        scale: decimal places of weights, which are whole numbers of the last one.
        masses: for each total of each group, the most that its cells' absolute values over all
            owners add up to, by the declared bounds.
        proof: each total comes a second time, multiplied by a number below this that the
            coordinator doesn't know: a total that it changes passes once in so many times.
    """

    parameters: tuple[Parameter, ...]
    largest: int
    scale: int
    masses: tuple[int, ...]
    proof: int

    @property
    def weighs(self) -> bool:
        return any(parameter.takes == "weights" for parameter in self.parameters)

    @property
    def values(self) -> int:
        """How many combinations of values the weights tell apart."""
        return math.prod(parameter.key.choices for parameter in self.parameters)

    @property
    def answered(self) -> tuple[int, ...]:
        """The masses of all answers: first the totals, then the same once more for the proof."""
        return (*self.masses, *(mass * self.proof for mass in self.masses))

    @property
    def bits(self) -> int:
        """How many bits a total can tell, at most."""
        return (2 * self.largest * max(self.masses) + 1).bit_length()
