"""What an owner tells of its own rows in a profile: rough counts, of enough persons."""

import json
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleanroom.errors import MessageInvalid
from cleanroom.plan.profile import SHARES, ProfilePlan

MAX_BYTES = 1 << 20
FEW, MOST = 0, -1  # missing of none, or too few persons to tell; of all, or all but too few


class Told(BaseModel):
    """What one owner tells.

    Attributes:
        rows: the next power of two; None if that isn't told, or fewer than `min_group` persons
            stand behind it.
        missing: column -> FEW, MOST, or the first of SHARES that the share of NULLs is below;
            None as for rows.
        min_group: that the owner applied, its own policy's if that is larger.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    rows: int | None = None
    missing: dict[str, int] | None = Field(default=None, max_length=4096)
    min_group: int = Field(ge=1)

    def to_bytes(self) -> bytes:
        return json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def of(cls, data: bytes, plan: ProfilePlan) -> "Told":
        """Read what an owner of a plan told.

        Raises:
            MessageInvalid: if it isn't that.
        """
        try:
            told = cls.model_validate_json(data)
        except ValidationError:
            raise MessageInvalid("not what a profile tells") from None
        shares = {FEW, MOST, *SHARES}
        missing = told.missing or {}
        if not set(missing) <= set(plan.columns) or not set(missing.values()) <= shares:
            raise MessageInvalid("not what this profile tells")
        if told.rows is not None and (told.rows < 1 or told.rows & (told.rows - 1)):
            raise MessageInvalid("a number of rows that isn't rough")
        return told


def tell(plan: ProfilePlan, found: Mapping[str, NDArray[Any]], min_group: int) -> Told:
    """Return what an owner tells.

    Args:
        found: what the plan's `read_sql` gave.
        min_group: the larger one of the plan's and the owner's own.
    """
    counted = {name: int(values[0]) for name, values in found.items()}
    n = counted["rows"]
    if n == 0 or counted["persons"] < min_group:
        return Told(min_group=min_group)
    missing = {
        name: _share(
            counted[f"missing_{i}"] / n,
            counted[f"persons_without_{i}"] < min_group,
            counted[f"persons_with_{i}"] < min_group,
        )
        for i, name in enumerate(plan.columns)
    }
    return Told(
        rows=1 << (n - 1).bit_length() if "rows" in plan.tells else None,
        missing=missing if "missing" in plan.tells else None,
        min_group=min_group,
    )


def _share(share: float, few_without: bool, few_with: bool) -> int:
    if few_without:
        return FEW
    if few_with:
        return MOST
    return next((most for most in SHARES if 100 * share < most), MOST)
