"""A report as people write it in TOML: headings, what is asked under each, and its chart.

Rule: what a member asks again each month is one file; unknown keys are refused.
"""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, ValidationError, model_validator

from cleanroom.contract.fields import Name, Strict, first_fault, unreadable
from cleanroom.errors import ConfigInvalid
from cleanroom.recipient.charts import Bars, Grid
from cleanroom.recipient.reports import Section
from cleanroom.recipient.result import Result

if TYPE_CHECKING:
    from cleanroom.recipient.room import Room

Told: TypeAlias = Callable[[str, str], None]
Filled = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


class BarsTerms(Strict):
    """As `Bars`."""

    kind: Literal["bars"]
    label: str
    value: str


class GridTerms(Strict):
    """As `Grid`."""

    kind: Literal["grid"]
    down: str
    across: str
    value: str


class SectionTerms(Strict):
    """One question: a query, a template of the contract with its values, or a gate."""

    heading: Filled
    text: Annotated[str, Field(max_length=2000)] = ""
    sql: Annotated[str, Field(min_length=1, max_length=20_000)] | None = None
    template: Name | None = None
    values: Mapping[str, Any] = Field(default_factory=dict)
    gate: Name | None = None
    purpose: str = ""
    chart: Annotated[BarsTerms | GridTerms, Field(discriminator="kind")] | None = None

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if sum(asked is not None for asked in (self.sql, self.template, self.gate)) != 1:
            raise ValueError("needs one of sql, template and gate")
        if self.values and self.template is None:
            raise ValueError("values: belong to a template")
        return self

    def ask(self, room: "Room", told: Told) -> Result:
        """Ask the question; raises as `Room.sql`, `Room.template` and `Room.gate`."""
        asked: dict[str, Any] = {"purpose": self.purpose, "on_progress": told}
        if self.sql is not None:
            return room.sql(self.sql, **asked)
        if self.template is not None:
            return room.template(self.template, self.values, **asked)
        return room.gate(str(self.gate), **asked)

    def drawn(self) -> Bars | Grid | None:
        """Return the chart that the result gets."""
        match self.chart:
            case BarsTerms(label=label, value=value):
                return Bars(label, value)
            case GridTerms(down=down, across=across, value=value):
                return Grid(down, across, value)
        return None


class ReportFile(Strict):
    """What is asked, under which title."""

    title: Filled
    sections: Annotated[tuple[SectionTerms, ...], Field(min_length=1, max_length=100)]

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a TOML file.

        Raises:
            ConfigInvalid: naming the first field that doesn't hold.
        """
        try:
            return cls.model_validate(tomllib.loads(Path(path).read_text(encoding="utf-8")))
        except tomllib.TOMLDecodeError as error:
            raise ConfigInvalid(f"{path}: not TOML: {error}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise unreadable(path, error) from None
        except ValidationError as error:
            raise ConfigInvalid(f"{path}: {first_fault(error)}") from None

    def ask(self, room: "Room", on_progress: Told | None = None) -> tuple[Section, ...]:
        """Ask every question of a room, one after the other, for `Room.report`.

        Raises:
            CleanroomError: as what is asked.
        """
        told = on_progress or (lambda _stage, _member: None)
        return tuple(
            Section(one.heading, one.ask(room, told), one.drawn(), one.text)
            for one in self.sections
        )
