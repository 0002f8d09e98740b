"""Templates: values that become literals, and queries that claim to be one."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import rooms
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from cleanroom.contract.terms import Terms
from cleanroom.errors import TemplateRefused
from cleanroom.plan.question import Question
from cleanroom.plan.sheet import Sheet
from cleanroom.plan.template import TemplateUse
from cleanroom.query.compile import compile_question
from cleanroom.sql.templates import filled, use_of

SQL = (
    "SELECT state, COUNT(*) AS n FROM alpha.people WHERE score >= :least AND income < :most "
    "AND born < :before AND active = :active AND state = :state GROUP BY state LIMIT :rows"
)
PARAMETERS: dict[str, dict[str, Any]] = {
    "least": {"type": "INTEGER", "bounds": [-50, 50]},
    "most": {"type": "DECIMAL(10,2)", "bounds": [-1000, 100000]},
    "before": {"type": "DATE", "bounds": ["1950-01-01", "1999-12-31"]},
    "active": {"type": "BOOLEAN"},
    "state": {"type": "TEXT", "values": ["nsw", "it's", "') OR 1=1 --"]},
    "rows": {"type": "INTEGER", "bounds": [1, 10]},
}
VALUES: dict[str, object] = {
    "least": -3,
    "most": Decimal("2.5"),
    "before": dt.date(1980, 2, 3),
    "active": True,
    "state": "') OR 1=1 --",
    "rows": 5,
}
ALL = "SELECT COUNT(*) FROM alpha.people"
ONE = "SELECT COUNT(*) FROM alpha.people WHERE income - :x > 3"
PRIVATE = "SELECT COUNT(*) FROM transactions WHERE channel IN (:sought) AND amt > :least"


def agreed(**changes: Any) -> Terms:
    template = {"sql": SQL, "recipients": ["analyst"], "parameters": PARAMETERS, **changes}
    offered = {"people": template, "all": {"sql": ALL, "recipients": ["analyst"]}}
    return Terms.of({**rooms.room(), "templates": offered})


def test_values_become_literals_whatever_their_text() -> None:
    use = use_of("people", VALUES, agreed())
    assert dict(use.values) == {
        "active": "true",
        "before": "1980-02-03",
        "least": "-3",
        "most": "2.50",
        "rows": "5",
        "state": "') OR 1=1 --",
    }
    expected = (
        "SELECT state, COUNT(*) AS n FROM alpha.people WHERE score >= (-3) AND income < 2.50 "
        "AND born < CAST('1980-02-03' AS DATE) AND active = TRUE "
        "AND state = ''') OR 1=1 --' GROUP BY state LIMIT 5"
    )
    assert filled(use, agreed()) == sqlglot.parse_one(expected, read="duckdb").sql("duckdb")


def test_text_from_a_command_line_gives_the_same_use() -> None:
    texts = {**{name: str(value) for name, value in VALUES.items()}, "active": "True"}
    assert use_of("people", texts, agreed()) == use_of("people", VALUES, agreed())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("least", 51),
        ("least", "-51"),
        ("least", "1 OR 1=1"),
        ("least", 2.5),
        ("least", True),
        ("least", None),
        ("least", "9" * 5000),
        ("most", "1e400"),
        ("most", float("nan")),
        ("most", "0.001"),
        ("most", Decimal("100000.01")),
        ("before", "2000-01-01"),
        ("before", "yesterday"),
        ("active", 1),
        ("active", "yes"),
        ("state", "vic"),
        ("state", ["nsw"]),
    ],
)
def test_a_value_that_was_not_signed_is_refused_and_not_told(name: str, value: object) -> None:
    with pytest.raises(TemplateRefused, match=f"a value of '{name}' isn't allowed") as caught:
        use_of("people", {**VALUES, name: value}, agreed())
    assert str(PARAMETERS[name].get("bounds", [""])[0]) in caught.value.remedy
    assert str(value) not in caught.value.message


@given(st.one_of(st.integers(), st.text(), st.floats(), st.booleans(), st.dates(), st.decimals()))
def test_no_value_changes_more_than_its_literal(value: object) -> None:
    terms = agreed(sql=ONE, parameters={"x": PARAMETERS["most"]})
    try:
        text = filled(use_of("people", {"x": value}, terms), terms)
    except TemplateRefused:
        return
    assert without_values(text) == without_values(ONE)


def without_values(sql: str) -> str:
    def one(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Paren) and isinstance(node.this, exp.Neg):
            node = node.this.this
        return exp.Literal.number(0) if isinstance(node, exp.Literal | exp.Placeholder) else node

    return sqlglot.parse_one(sql, read="duckdb").transform(one).sql("duckdb")


def test_names_are_those_of_the_template() -> None:
    with pytest.raises(TemplateRefused, match=r"no template 'peopel'") as caught:
        use_of("peopel", VALUES, agreed())
    assert caught.value.remedy == "The contract has people, all."
    with pytest.raises(TemplateRefused, match="no value for 'least'"):
        use_of("people", {n: v for n, v in VALUES.items() if n != "least"}, agreed())
    with pytest.raises(TemplateRefused, match="no parameter 'other'"):
        use_of("people", {**VALUES, "other": 1}, agreed())
    unused = agreed(sql=ALL, parameters={"x": PARAMETERS["least"]})
    with pytest.raises(TemplateRefused, match="its query has no :x"):
        filled(use_of("people", {"x": 1}, unused), unused)


def test_a_private_parameter_is_not_the_templates() -> None:
    terms = agreed(sql=PRIVATE, parameters={"least": PARAMETERS["least"]})
    with pytest.raises(TemplateRefused, match="no parameter 'sought'") as caught:
        use_of("people", {"least": 1, "sought": ["web"]}, terms)
    assert "private parameter" in caught.value.remedy
    use = use_of("people", {"least": 1}, terms)
    text = filled(use, terms)
    assert "$sought" in text  # as DuckDB writes :sought
    plan = compile_question(question(text, use, "he"), terms, "0" * 64)
    assert plan.ciphertexts is not None
    assert [p.name for p in plan.ciphertexts.private.parameters] == ["sought"]


# --- what an owner compiles ------------------------------------------------------------------


def question(sql: str, use: TemplateUse | None, protocol: str = "mpc") -> Question:
    return Question(sql, "analyst", protocol, template=use)


def test_the_plan_says_of_which_template_it_is() -> None:
    terms, use = agreed(), use_of("people", VALUES, agreed())
    named = compile_question(question(filled(use, terms), use), terms, "0" * 64)
    asked = compile_question(question(filled(use, terms), None), terms, "0" * 64)
    assert named.template == use
    assert named.hash != asked.hash
    assert "template people with active = true" in Sheet.of(named, terms).text


def test_a_query_that_claims_to_be_a_template_is_refused() -> None:
    terms, use = agreed(), use_of("people", VALUES, agreed())
    text = filled(use, terms)
    other = use_of("people", {**VALUES, "least": 2}, terms)
    false = [
        (ALL, use),
        (text + " ", use),
        (text, other),
        (text, TemplateUse("all")),
        (text, replace(use, values=use.values[::-1])),
        (text, replace(use, values=(("least", "51"), *use.values[1:]))),
        (text.replace("2.50", "2.5"), replace(use, values=changed(use, "most", "2.5"))),
        (text, TemplateUse("none", use.values)),
    ]
    for sql, claimed in false:
        with pytest.raises(TemplateRefused):
            compile_question(question(sql, claimed), terms, "0" * 64)


def test_a_template_is_for_those_that_it_names() -> None:
    terms = agreed()
    use = use_of("people", VALUES, terms)
    other = Question(filled(use, terms), "alpha", template=use)
    with pytest.raises(TemplateRefused, match="isn't offered to alpha"):
        compile_question(other, terms, "0" * 64)


def changed(use: TemplateUse, name: str, value: str) -> tuple[tuple[str, str], ...]:
    return tuple((n, value if n == name else v) for n, v in use.values)
