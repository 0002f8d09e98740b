"""A room as one of its members holds it in Python: tables as frames, for those without SQL.

Rule: what a caller may call.
"""

from typing import TYPE_CHECKING

from cleanroom.recipient.standing import Standing

if TYPE_CHECKING:
    from cleanroom.frames.frame import Frame


class Tables(Standing):
    """The contract's tables as what questions are built of."""

    def table(self, name: str) -> "Frame":
        """Return a table as a lazy frame: `room.table("bank_a.accounts").filter(col("x") > 3)`.

        Nobody is asked before `collect` or `explain`.

        Raises:
            UnknownName: naming the nearest table.
        """
        from cleanroom.frames.frame import Asked, Frame
        from cleanroom.frames.table import block_of

        asked: Asked = self  # type: ignore[assignment]  # the room that this is a part of
        return Frame(asked, block_of(name, self.contract.terms))
