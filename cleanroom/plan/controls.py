"""What is done to groups before they are opened, beyond min_group. Values only."""

from collections.abc import Sequence
from dataclasses import dataclass

from cleanroom.errors import OverflowPossible
from protocols.rep3.rounding import Rule


@dataclass(frozen=True, slots=True)
class Complement:
    """Further groups are withheld until no total tells one that is.

    Attributes:
        lines: the one or two keys along which totals may be known; None: one withheld group
            withholds all.
        persons: sum columns that say how many persons of a class a group has; the fewest count.
        least: how many the withheld groups of a line hold together.
    """

    lines: tuple[str, ...] | None
    persons: tuple[str, ...]
    least: int


@dataclass(frozen=True, slots=True)
class Held:
    """A group passes if at least `least` of these counts aren't zero: rows of each member."""

    least: int
    counts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dominance:
    """A group passes if no one or two contributors have too much of any of these sums.

    Contributors are persons: of the i-th class of persons and each of `sums`, NAME, a sum column
    dominated_i_NAME is 1 where the group's sum of it is dominated, else 0.

    Attributes:
        signed: those of `sums` that may be negative; contributions count without their sign.
        top_two, p_percent: as in `protocols.rep3.dominance`.
        most: public bound on the number of groups.
        owned: for each sum and table, sums of each member's own part of it; none may be more
            than `top_two` percent of all these together, without their signs.
    """

    sums: tuple[str, ...]
    signed: tuple[str, ...]
    top_two: int
    p_percent: int
    most: int
    owned: tuple[tuple[str, ...], ...] = ()

    def broken(self, parts: Sequence[int]) -> bool:
        """INSECURE: return whether plain contributions in ascending order break a rule."""
        second, first = (0, 0, *parts)[-2:]
        rest = sum(parts) - first - second
        two = self.top_two < 100 and 100 * (first + second) > self.top_two * sum(parts)
        return two or 100 * rest < self.p_percent * first


@dataclass(frozen=True, slots=True)
class Rounding:
    """How counts are told.

    Attributes:
        counts: the sum columns that are counts; HAVING and orders see them rounded, too.
        base, midpoint, redact: as in `protocols.rep3.rounding`. A redacted count is opened as
            -1, and is 0 in HAVING and orders.
    """

    counts: tuple[str, ...]
    base: int
    midpoint: bool
    redact: int

    @property
    def rule(self) -> Rule:
        return Rule(self.base, self.midpoint, self.redact)

    def told(self, count: int) -> int:
        """INSECURE: return what is told of a plain count, -1 if nothing is."""
        if self.redact and count <= self.redact:
            return -1
        if self.midpoint:
            return -(-count // self.base) * self.base - (self.base // 2 if count else 0)
        return (count + self.base // 2) // self.base * self.base

    def check(self, most: int, meaning: str) -> None:
        """Refuse a count that may be too large to be rounded.

        Raises:
            OverflowPossible: naming it and the limit.
        """
        if self.base > 1 and most > self.rule.most:
            what = f"{meaning} may reach {most}; up to {self.rule.most} can be rounded"
            raise OverflowPossible(f"{what} to multiples of {self.base}")
