"""What a recipient is told before it asks: the sheet, and how every member rules on it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from cleanroom.engine import Violation
from cleanroom.errors import CleanroomError
from cleanroom.plan.sheet import Sheet, block
from cleanroom.recipient.rehearsing import MemberRuling, Verdict

_WORDS = {
    Verdict.ACCEPTED: "accepts",
    Verdict.REFUSED: "refuses",
    Verdict.FAILED: "can't rule",
    Verdict.ABSENT: "doesn't attend the room",
    Verdict.SILENT: "didn't answer",
}


@dataclass(frozen=True, slots=True)
class Explanation(Sheet):
    """A sheet with rulings. Nothing was read, charged or computed.

    Attributes:
        rulings: of each member that takes part; empty if nobody was asked.
        violations: of the contract alone, as this member finds them without asking.
    """

    rulings: tuple[MemberRuling, ...]
    violations: tuple[Violation, ...]

    @property
    def accepted(self) -> bool:
        """Whether every member accepted; if nobody was asked, whether the contract allows it."""
        if not self.rulings:
            return not self.violations
        return all(ruling.verdict is Verdict.ACCEPTED for ruling in self.rulings)

    @classmethod
    def of_rulings(cls, sheet: Sheet, rulings: Sequence[MemberRuling]) -> "Explanation":
        """Add to a sheet what its members said."""
        title = "Rulings of the members (nothing was run or charged)"
        return cls._with(sheet, title, list(_told(rulings)), tuple(rulings), ())

    @classmethod
    def of_contract(
        cls, sheet: Sheet, violations: Sequence[Violation], why: CleanroomError | None
    ) -> "Explanation":
        """Add to a sheet how the contract rules.

        Args:
            why: nobody could be asked; None if that wasn't wanted.
        """
        reason = "as asked" if why is None else f"{why.party or 'the room'}: {why.message}"
        lines = [f"nobody was asked ({reason}); members may be stricter, or away"]
        lines.append(f"the contract {'refuses' if violations else 'allows'} it")
        lines += _each(violations)
        title = "Ruling by the contract alone (nothing was run or charged)"
        return cls._with(sheet, title, lines, (), tuple(violations))

    @classmethod
    def _with(
        cls,
        sheet: Sheet,
        title: str,
        lines: list[str],
        rulings: tuple[MemberRuling, ...],
        violations: tuple[Violation, ...],
    ) -> "Explanation":
        shown = {field.name: getattr(sheet, field.name) for field in fields(sheet)}
        shown["text"] = f"{sheet.text}\n\n{block(title, lines)}"
        return cls(**shown, rulings=rulings, violations=violations)


def _told(rulings: Sequence[MemberRuling]) -> Iterator[str]:
    for ruling in rulings:
        fault = "" if ruling.fault is None else f": {ruling.fault}"
        yield f"{ruling.member} {_WORDS[ruling.verdict]}{fault}"
        yield from _each(ruling.violations)


def _each(violations: Sequence[Violation]) -> Iterator[str]:
    for one in violations:
        yield f"  {one.code}: {f'{one.party}: ' if one.party else ''}{one.message}"
        yield f"    Rule: {one.rule}"
        if one.remedy:
            yield f"    Remedy: {one.remedy}"
