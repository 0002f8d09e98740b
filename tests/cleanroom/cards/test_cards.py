"""Every protocol and technique has a card, and a card's claims name tests that are there."""

import pkgutil
import re
from pathlib import Path
from typing import get_args

import noisy
import pytest
import rooms
from typer.testing import CliRunner

import protocols
from cleanroom.cards.shelf import CARDS, card, status_table, text, with_foundations
from cleanroom.cli import app
from cleanroom.contract.privacy import PrivacyTerms
from cleanroom.contract.terms import Terms
from cleanroom.errors import UnknownName
from cleanroom.learning.families import FAMILIES
from cleanroom.learning.job import JOINED
from cleanroom.plan.used import AnyPlan, cards_of, cards_under
from cleanroom.policy.check import Ruled
from cleanroom.query.compile import compile_query
from protocols.card import Card, Technique

TREE = Path(__file__).parents[3]
PACKAGES = [package.name for package in pkgutil.iter_modules(protocols.__path__) if package.ispkg]


@pytest.mark.parametrize("name", [*PACKAGES, *FAMILIES, *JOINED, "scoring", "private", "masks"])
def test_it_has_a_card(name: str) -> None:
    assert CARDS[name].name == name


def test_the_five_technologies_that_guidance_names_have_a_status() -> None:
    for technique in (Technique.HE, Technique.MPC, Technique.FL, Technique.TEE, Technique.ZKP):
        assert f"| {technique.value} |" in status_table()
    assert status_table() in (TREE / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("one", CARDS.values(), ids=list(CARDS))
def test_it_says_everything_and_can_be_checked(one: Card) -> None:
    said = (*one.assumes, *one.honest, *one.leaks, *one.not_covered)
    assert all(len(line) > 5 and line.endswith(".") for line in said)
    for risk in (one.endpoint, one.metadata, one.inference):
        assert risk in text(one)
    for name in one.rests_on:
        assert name in CARDS
    assert one.tests or not one.implemented
    for test in one.tests:
        file, _, function = test.partition("::")
        code = (TREE / file).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {function}\(", code, re.MULTILINE), test


SUM = "SELECT channel, SUM(amt) FROM transactions GROUP BY channel"


@pytest.mark.parametrize(
    ("sql", "protocol", "cards"),
    [
        (SUM, "mpc", ("rep3", "sdc")),
        (SUM, "he", ("he",)),
        ("SELECT COUNT(*) FROM transactions WHERE channel = :sought", "he", ("private",)),
    ],
)
def test_a_plan_names_its_cards(sql: str, protocol: str, cards: tuple[str, ...]) -> None:
    terms = rooms.terms()
    plan = compile_query(sql, terms, "0" * 64, "analyst", protocol)
    assert cards_of(plan, terms) == cards


@pytest.mark.parametrize(("protocol", "below"), [("mpc", "rep3"), ("he", "he")])
def test_a_noisy_plan_says_so(protocol: str, below: str) -> None:
    terms = Terms.of(noisy.contract())
    plan = compile_query("SELECT COUNT(*) FROM claims", terms, "0" * 64, "analyst", protocol)
    assert cards_of(plan, terms) == (below, "noisy")
    assert {below, "noisy", "dp"} <= {one.name for one in with_foundations(cards_under(terms))}


def test_whatever_policy_rules_on_has_cards() -> None:
    """A scoring is ruled on with its number of rows, beside its plan."""
    ruled = {kind.__name__ for kind in get_args(Ruled)} - {"Rows"} | {"ScorePlan"}
    assert {kind.__name__ for kind in get_args(AnyPlan)} == ruled


RELEASED_BY = {"dp": "noisy", "sdc": "sdc", "gated": "gates"}


@pytest.mark.parametrize("release", get_args(PrivacyTerms.model_fields["release"].annotation))
def test_each_release_has_a_card(release: str) -> None:
    gate = {"sql": "SELECT id FROM alpha.people", "to": ["analyst"], "max_rows": 9}
    terms = Terms.of({**rooms.room(release=release), "gates": {"g": gate}})
    assert RELEASED_BY[release] in cards_under(terms)
    assert set(cards_under(terms)) <= CARDS.keys()


def test_foundations_come_with_what_rests_on_them() -> None:
    names = [one.name for one in with_foundations(["private_logistic"])]
    assert names == ["private_logistic", "dp", "secagg", "masks"]


def test_the_commands_read_cards_without_a_room() -> None:
    listed = CliRunner().invoke(app, ["cards"])
    assert [line.partition(":")[0] for line in listed.output.splitlines()] == list(CARDS)
    read = CliRunner().invoke(app, ["explain", "rep3"])
    assert read.output.strip() == text(card("rep3"))
    unknown = CliRunner().invoke(app, ["explain", "rep4"])
    assert isinstance(unknown.exception, UnknownName)
    query = CliRunner().invoke(app, ["explain", "SELECT 1"], env={"CLEANROOM_CONFIG": ""})
    assert query.exit_code == 2
