"""One ledger: what is charged, refused, remembered, and who may open it."""

import datetime as dt
from fractions import Fraction
from pathlib import Path

import kept
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.budget.ledger import Ledger, Scope
from cleanroom.errors import BudgetExhausted, RequestReplayed, StateRestored, StateUnavailable

SCOPE = Scope("hospital_a.patients", "university", "research")
OTHER = Scope("hospital_a.visits", "university", "research")
PLAN, TENTH = b"p" * 32, Fraction(1, 10)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    opened = Ledger(kept.state(tmp_path))
    opened.allow(SCOPE, Fraction(1))
    return opened


def test_charges_add_up_exactly_until_nothing_is_left(ledger: Ledger) -> None:
    for i in range(10):
        ledger.charge(f"s{i}", PLAN, SCOPE, TENTH)
    assert ledger.left(SCOPE) == 0
    with pytest.raises(BudgetExhausted, match="0 left"):
        ledger.charge("s10", PLAN, SCOPE, Fraction(1, 10**12))


def test_a_session_is_charged_once(ledger: Ledger) -> None:
    for _ in range(3):
        ledger.charge("s", PLAN, SCOPE, TENTH)
    assert ledger.left(SCOPE) == 1 - TENTH
    for plan, rho in ((b"q" * 32, TENTH), (PLAN, TENTH / 2)):
        with pytest.raises(RequestReplayed):
            ledger.charge("s", plan, SCOPE, rho)
    with pytest.raises(RequestReplayed):
        ledger.charge("s", PLAN, OTHER, TENTH)


def test_a_session_that_can_not_go_on_is_charged_once_and_then_refused(ledger: Ledger) -> None:
    ledger.charge_all("s", PLAN, {SCOPE: TENTH}, goes_on=False)
    with pytest.raises(RequestReplayed, match="charged before"):
        ledger.charge_all("s", PLAN, {SCOPE: TENTH}, goes_on=False)
    assert ledger.left(SCOPE) == 1 - TENTH


def test_tables_are_charged_together_or_not_at_all(ledger: Ledger) -> None:
    ledger.allow(OTHER, TENTH)
    with pytest.raises(BudgetExhausted, match="visits"):
        ledger.charge_all("s", PLAN, {SCOPE: TENTH, OTHER: 2 * TENTH})
    assert ledger.left(SCOPE) == 1
    ledger.charge_all("s", PLAN, {SCOPE: TENTH, OTHER: TENTH})
    assert (ledger.left(SCOPE), ledger.left(OTHER)) == (1 - TENTH, 0)


def test_what_nobody_allowed_is_nothing(ledger: Ledger) -> None:
    assert ledger.left(OTHER) == 0
    with pytest.raises(BudgetExhausted):
        ledger.charge("s", PLAN, OTHER, TENTH)
    for other in (SCOPE._replace(recipient="bank"), SCOPE._replace(purpose="advertising")):
        assert ledger.left(other) == 0


def test_new_limits_give_nothing_back(ledger: Ledger) -> None:
    ledger.charge("s", PLAN, SCOPE, TENTH)
    ledger.allow(SCOPE, TENTH / 2)
    assert ledger.left(SCOPE) == 0
    ledger.allow(SCOPE, Fraction(2))
    assert ledger.left(SCOPE) == 2 - TENTH
    assert [(one.scope, one.spent) for one in ledger.spent()] == [(SCOPE, TENTH)]


def test_everything_is_there_after_opening_again(tmp_path: Path, ledger: Ledger) -> None:
    ledger.charge("s", PLAN, SCOPE, TENTH)
    again = Ledger(kept.state(tmp_path))
    assert again.left(SCOPE) == 1 - TENTH
    again.charge("s", PLAN, SCOPE, TENTH)
    assert again.left(SCOPE) == 1 - TENTH


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.fractions(Fraction(1, 10**13), 1)), max_size=12))
def test_no_order_of_charges_spends_more(
    tmp_path_factory: pytest.TempPathFactory, charges: list[tuple[int, Fraction]]
) -> None:
    with kept.state(tmp_path_factory.mktemp("ledger")) as state:
        ledger = Ledger(state)
        ledger.allow(SCOPE, Fraction(1))
        paid: dict[int, Fraction] = {}
        for session, rho in charges:
            try:
                ledger.charge(f"{session}", PLAN, SCOPE, rho)
                paid.setdefault(session, rho)
            except (BudgetExhausted, RequestReplayed):
                pass
        assert sum(paid.values()) <= 1 - ledger.left(SCOPE) <= 1


@pytest.mark.parametrize("rho", [Fraction(0), Fraction(-1, 2), Fraction(10**7)])
def test_costs_that_mean_nothing_are_refused(ledger: Ledger, rho: Fraction) -> None:
    with pytest.raises(ValueError, match="cost"):
        ledger.charge("s", PLAN, SCOPE, rho)
    with pytest.raises(ValueError, match="name"):
        ledger.charge("", PLAN, SCOPE, TENTH)
    assert ledger.left(SCOPE) == 1


def test_a_full_ledger_charges_nothing(tmp_path: Path) -> None:
    """F81: and what it charged before stays charged."""
    with kept.state(tmp_path, max_bytes=96 << 10) as state:
        ledger = Ledger(state)
        ledger.allow(SCOPE, Fraction(1))
        confirmed: list[int] = []

        def fill() -> None:
            for i in range(2000):
                ledger.charge(f"session-{i}-{'x' * 200}", PLAN, SCOPE, Fraction(1, 10**6))
                confirmed.append(i)

        with pytest.raises(StateUnavailable, match="FULL"):
            fill()
        assert 1 - ledger.left(SCOPE) == Fraction(len(confirmed), 10**6) > 0


def test_a_state_out_of_a_backup_pays_nothing_until_its_owner_says_so(tmp_path: Path) -> None:
    with kept.state(tmp_path) as state:
        ledger = Ledger(state)
        ledger.allow(SCOPE, Fraction(1))
        with state.writing() as batch:
            batch.mark_restored("it came out of a backup")
        with pytest.raises(StateRestored, match="backup"):
            ledger.charge("s", PLAN, SCOPE, TENTH)
        with state.writing() as batch:
            batch.mark_restored("")
        ledger.charge("s", PLAN, SCOPE, TENTH)


def test_a_clock_that_is_set_back_renews_no_budget(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F66: no day is part of a budget."""
    ledger.charge("s", PLAN, SCOPE, Fraction(1))

    class Earlier(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> "Earlier":
            return cls(2001, 1, 1, tzinfo=tz)

    monkeypatch.setattr(dt, "datetime", Earlier)
    with pytest.raises(BudgetExhausted):
        ledger.charge("t", PLAN, SCOPE, Fraction(1, 10**12))
