"""Reports say what contract, ledger and log say, leave blank what these can't, and obey no text."""

import datetime as dt
import re
from fractions import Fraction
from html.parser import HTMLParser

import pytest
import rooms

from cleanroom.audit.record import Kind, Record
from cleanroom.budget.ledger import Scope, Spent
from cleanroom.budget.zcdp import rho_within
from cleanroom.contract.document import Contract
from cleanroom.evidence.dpia import dpia
from cleanroom.evidence.facts import Facts
from cleanroom.evidence.history import ran
from cleanroom.evidence.markdown import plain
from cleanroom.evidence.ropa import ropa
from cleanroom.page import page

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def facts(contract: Contract) -> Facts:
    granted = rho_within(0.75, 1e-9)
    spent = Spent(
        Scope("alpha.people", "analyst", contract.terms.room.purpose),
        granted,
        Fraction(granted) / 4,
    )
    session, other = "a" * 32, "b" * 32
    about = {"who": "analyst", "protocol": "mpc"}
    log = (
        Record.now(Kind.RULED, session=session, accepted=True, codes=(), **about),
        Record.now(Kind.FINISHED, session=session, **about),
        Record.now(Kind.FINISHED, session=session, **about),
        Record.now(Kind.RULED, session=other, accepted=False, codes=("group-too-small",), **about),
        Record.now(Kind.STARTED),
    )
    return Facts(contract, NOW, "alpha", (spent,), ran(log))


def test_the_assessment_names_all_that_takes_part(facts: Facts) -> None:
    text, terms = dpia(facts), facts.terms
    names = [*terms.members, *terms.tables, *(card.name for card in facts.cards)]
    names += [column for table in terms.tables.values() for column in table.columns]
    for name in names:
        assert f"`{name}`" in text
    for card in facts.cards:
        for line in (*card.assumes, *card.leaks, *card.not_covered, card.endpoint, card.inference):
            assert plain(line) in text
    assert "epsilon: 0.75" in text
    assert "| 0.75 |" in text
    assert "min_group: 10" in text
    assert "| mpc | `analyst` | the room's | 1 | group-too-small: 1 |" in text
    assert {"rep3", "sdc", "logistic", "private_logistic", "masks"} <= set(names)
    assert facts.contract.hash in text


def test_what_nobody_may_use_is_pointed_out(facts: Facts) -> None:
    assert "`gamma.members`.`city`: nobody may use it" in dpia(facts)


def test_the_law_s_questions_that_no_contract_answers_are_blanks(facts: Facts) -> None:
    for text in (dpia(facts), ropa(facts)):
        assert "TO BE FILLED IN:** controller, joint controller or processor" in text
    record = ropa(facts)
    for field in (
        "Names and contacts",
        "Purposes",
        "Categories of persons",
        "Categories of personal data",
        "Recipients",
        "Transfers to third countries",
        "Time limits for erasure",
        "Security measures",
    ):
        assert f"## {field}" in record
    assert "data protection officer: **TO BE FILLED IN:**" in record
    assert "`rate` (special category)" in record


def test_a_processor_s_record_says_on_whose_behalf(contract: Contract) -> None:
    assert "on behalf of: `alpha`" in ropa(Facts(contract, NOW, "beta"))


def test_without_records_it_says_that_there_are_none(contract: Contract) -> None:
    text = dpia(Facts(contract, NOW))
    assert "No ledger was read." in text
    assert "No log was read." in text


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_obeys_no_text_and_loads_nothing(facts: Facts) -> None:
    for text in (dpia(facts), ropa(facts)):
        seen = _Seen()
        html = page(text, f"Report {facts.terms.room.purpose}")
        seen.feed(html)
        tags = {tag for tag, _ in seen.tags}
        assert not tags & {"script", "a", "img", "link", "iframe", "b"}
        assert [tag for tag, _ in seen.tags].count("h1") == 1
        assert "<script>alert(1)</script> | [x](javascript:alert(1)) &lt;b&gt; `code`" in seen.text
        assert ("html", {"lang": "en"}) in seen.tags
        assert all(attrs == {"scope": "col"} for tag, attrs in seen.tags if tag == "th")
        assert not re.search(r"<[^>]*(src|href)=|url\(", html)


@pytest.mark.parametrize("text", ["1. x", "- x", "+ x", "# x", "> x", "12) x", "=x", "a\u202eb"])
def test_no_text_begins_something(text: str) -> None:
    body = page(f"* {plain(text)}\n", "t").partition("<main>")[2]
    assert body.count("<li>") == 1
    assert not re.search("<(h1|blockquote|ol)", body)
    assert "\u202e" not in body


def test_every_table_of_the_contract_is_there(facts: Facts) -> None:
    headings = re.findall(r"^## 4\. The processing: table `(\S+)`$", dpia(facts), re.MULTILINE)
    assert headings == list(rooms.terms().tables)
