"""Asking again: only for an approval, only for so long, and only once it is there."""

from dataclasses import dataclass

import pytest

from cleanroom.cli.waiting import until_approved
from cleanroom.errors import ApprovalNeeded, PolicyDenied


@dataclass
class Person:
    """Decides after some time, which passes in pauses alone.

    Attributes:
        asked, explained: how often each was.
    """

    approves_at_s: float
    now_s: float = 0.0
    asked: int = 0
    explained: int = 0

    @property
    def accepted(self) -> bool:
        return self.now_s >= self.approves_at_s

    def ask(self) -> str:
        self.asked += 1
        if not self.accepted:
            raise ApprovalNeeded("bank_b: not yet", party="bank_b")
        return "answer"

    def explain(self) -> "Person":
        self.explained += 1
        return self

    def pause(self, seconds: float) -> None:
        self.now_s += seconds

    def wait(self, minutes: int) -> str:
        return until_approved(self.ask, self.explain, minutes, self.pause, lambda: self.now_s)


def test_it_is_asked_again_once_it_is_approved(capsys: pytest.CaptureFixture[str]) -> None:
    person = Person(approves_at_s=160)
    assert person.wait(10) == "answer"
    assert (person.asked, person.explained, person.now_s) == (2, 6, 5 + 10 + 20 + 40 + 60 + 60)
    assert capsys.readouterr().err == "waiting: bank_b: not yet\n"
    assert Person(0).wait(0) == "answer"


@pytest.mark.parametrize("minutes", [0, 2])
def test_it_gives_up_when_the_time_is_over(
    minutes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    person = Person(approves_at_s=10**6)
    with pytest.raises(ApprovalNeeded):
        person.wait(minutes)
    assert person.asked == 1
    said = capsys.readouterr().err
    assert said.endswith("nobody decided within --wait 2\n" if minutes else "")
    assert bool(said) == (minutes > 0)
    assert person.now_s <= 60 * minutes


def test_another_refusal_ends_it_at_once() -> None:
    def refused() -> str:
        raise PolicyDenied("no", party="bank_b")

    person = Person(0)
    with pytest.raises(PolicyDenied, match="no"):
        until_approved(refused, person.explain, 60, person.pause, lambda: person.now_s)
    assert person.explained == 0
