"""The root of a plan: what is opened of which groups, the only step that opens anything."""

from dataclasses import dataclass

from cleanroom.plan.conditions import Predicate
from cleanroom.plan.controls import Complement, Held, Rounding
from cleanroom.plan.nodes import Aggregate
from cleanroom.plan.ordering import Top


@dataclass(frozen=True, slots=True)
class Release:
    """Open columns to the recipient, for groups that pass; count the others.

    A group passes if each of its `counts` >= min_group: enough persons stand behind the group
    and behind each value. Of those only groups where `having` is TRUE are opened, and of these,
    if `top` is given, the first ones only. Groups that fail min_group are counted, and only that
    count is opened.

    Attributes:
        optional: classes of persons on a side that an outer join may leave without a row. None of
            them, of the group or behind a value, pass too, as long as another class suffices.
        repeated: for row output, the opened sum column that says how many equal rows a group is;
            after `top` only rows among the first ones count.
        most: public bound on the number of groups that there are; None if only rows bound it.
        held: of each table of several members, whose rows must be behind a group.
        complement: how groups that are withheld are protected from totals; None: not at all.
        rules: what the contract asks for besides, as `PrivacyTerms.tested` writes it.
        rounding: what is told of counts; None if they are told as they are.
        hidden: how many groups are opened is known to the recipient alone: `slots` are handed
            out, in a random order, of which the unused hold zeros.
        tells_more: instead of how many groups are too small, tell the recipient 1 if more pass
            than `top` leaves, else 0.
    """

    input: Aggregate
    min_group: int
    having: Predicate | None
    opened: tuple[str, ...]
    top: Top | None = None
    optional: tuple[int, ...] = ()
    repeated: str | None = None
    most: int | None = None
    held: tuple[Held, ...] = ()
    complement: Complement | None = None
    rounding: Rounding | None = None
    rules: tuple[str, ...] = ()
    hidden: bool = False
    tells_more: bool = False

    @property
    def slots(self) -> int | None:
        """Public bound on the number of groups that are opened."""
        limit = None if self.top is None else self.top.limit
        return min((b for b in (self.most, limit) if b is not None), default=None)
