"""Which template of the contract a query is, with which values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """A template's name, and what stands for each of its parameters.

    Attributes:
        values: (parameter, value as the contract writes values of its type), by name.
    """

    name: str
    values: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(f"{name} = {value}" for name, value in self.values)
        return f"{self.name} with {shown}" if shown else self.name
