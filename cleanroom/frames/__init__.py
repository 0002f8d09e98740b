"""Questions without SQL: lazy frames that become one SELECT, and the expressions in them.

Rule: a frame ends as text that is asked like any other, so nothing here decides what may be asked.
Trees are built of sqlglot's objects alone; names and values never become SQL as text.
"""

from cleanroom.frames.expression import Expression
from cleanroom.frames.frame import Frame
from cleanroom.frames.functions import col, count, lit, private, rank, row_number, when

__all__ = ["Expression", "Frame", "col", "count", "lit", "private", "rank", "row_number", "when"]
