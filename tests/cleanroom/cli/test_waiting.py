"""Asking again: only for an approval, and only for so long."""

import pytest

from cleanroom.cli.waiting import until_approved
from cleanroom.errors import ApprovalNeeded, PolicyDenied


class Clock:
    """Time that passes in pauses alone."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def pause(self, seconds: float) -> None:
        self.now_s += seconds

    def now(self) -> float:
        return self.now_s


def asked(error: type[PolicyDenied], times: int, minutes: int) -> tuple[int, float]:
    """Ask what fails a few times; return how often it was asked, and how long that took."""
    clock, left, asks = Clock(), times, 0

    def ask() -> int:
        nonlocal left, asks
        asks, left = asks + 1, left - 1
        if left >= 0:
            raise error("bank_b: not yet", party="bank_b")
        return asks

    return until_approved(ask, minutes, clock.pause, clock.now), clock.now_s


def test_it_asks_until_it_is_approved(capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(ApprovalNeeded, 6, 10) == (7, 5 + 10 + 20 + 40 + 60 + 60)
    assert capsys.readouterr().err == "waiting: bank_b: not yet\n"
    assert asked(ApprovalNeeded, 0, 0) == (1, 0)


@pytest.mark.parametrize(("error", "minutes"), [(ApprovalNeeded, 0), (ApprovalNeeded, 2)])
def test_it_gives_up_when_the_time_is_over(error: type[PolicyDenied], minutes: int) -> None:
    with pytest.raises(ApprovalNeeded):
        asked(error, 10**6, minutes)


def test_another_refusal_ends_it_at_once() -> None:
    with pytest.raises(PolicyDenied, match="not yet"):
        asked(PolicyDenied, 10**6, 60)
