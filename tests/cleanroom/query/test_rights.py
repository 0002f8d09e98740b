"""Every way to touch a column is recorded, so that policy can rule on it."""

import pytest
import rooms

from cleanroom.query.compile import compile_query


def rights(sql: str) -> set[str]:
    plan = compile_query(sql, rooms.terms(), "0" * 64, "analyst")
    return {f"{use.table}.{use.column} {use.right}" for use in plan.uses}


PLAIN = "SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid"


def test_a_join_on_plain_columns_needs_join_alone() -> None:
    assert rights(PLAIN) == {"alpha.people.id join", "beta.claims.pid join"}


@pytest.mark.parametrize(
    ("sql", "needed"),
    [
        (
            "SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c "
            "ON CASE WHEN p.id IN (20, 33) THEN p.id END = c.pid",
            "alpha.people.id filter",
        ),
        (PLAIN + " AND p.score // 51 = c.level * 0", "alpha.people.score filter"),
        (PLAIN + " WHERE p.income > c.pid * 0 + 20000", "beta.claims.pid filter"),
        ("SELECT MIN(-score) FROM alpha.people", "alpha.people.score filter"),
        ("SELECT MIN(abs(score - 7)) FROM alpha.people", "alpha.people.score filter"),
        ("SELECT COUNT(1 // (score - 3)) FROM alpha.people", "alpha.people.score filter"),
        ("SELECT SUM(score // 7) FROM alpha.people", "alpha.people.score filter"),
        (
            "SELECT COUNT(*) FROM alpha.people GROUP BY CASE WHEN id = 3 THEN 1 ELSE 0 END",
            "alpha.people.id filter",
        ),
        (
            "SELECT SUM(CASE WHEN born = DATE '1990-01-31' THEN income END) FROM alpha.people",
            "alpha.people.born filter",
        ),
    ],
)
def test_an_expression_that_could_single_out_values_needs_filter_too(
    sql: str, needed: str
) -> None:
    assert needed in rights(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT year(born) // 10, COUNT(*) FROM alpha.people GROUP BY 1",
        "SELECT SUM(score * 2 + 1), MIN(income), COUNT(score) FROM alpha.people",
    ],
)
def test_plain_use_needs_no_filter(sql: str) -> None:
    assert not any(use.endswith(" filter") for use in rights(sql))


@pytest.mark.parametrize(
    ("share", "needed"),
    [("0", {"min"}), ("0.1", {"min"}), ("0.11", set()), ("0.9", set()), ("0.91", {"max"}),
     ("1", {"max"}), ("0.00001", {"min"})],
)  # fmt: skip
def test_a_quantile_at_the_ends_is_an_extreme(share: str, needed: set[str]) -> None:
    """F58: percentiles 0 and 100 are no way around the rights 'min' and 'max'."""
    found = rights(f"SELECT state, QUANTILE_DISC(score, {share}) FROM alpha.people GROUP BY state")
    assert {f"alpha.people.score {right}" for right in ("quantile", *needed)} == {
        use for use in found if ".score " in use
    }


@pytest.mark.parametrize(
    ("sql", "needed"),
    [
        (
            "SELECT COUNT(*) FROM alpha.people p WHERE p.income > (SELECT AVG(amount)"
            " FROM beta.claims c WHERE c.pid = p.id AND c.kind = 'car')",
            {"amount sum", "amount count", "amount compare", "pid join", "kind filter"},
        ),
        (
            "SELECT COUNT(*) FROM alpha.people GROUP BY state"
            " HAVING COUNT(*) > (SELECT MAX(level) FROM beta.claims WHERE kind = 'car')",
            {"level max", "level compare", "kind filter"},
        ),
        (
            "SELECT COUNT(*) FROM alpha.people WHERE id IN"
            " (SELECT pid FROM beta.claims GROUP BY pid HAVING SUM(level) > 3)",
            {"pid join", "level sum", "level filter"},
        ),
    ],
)
def test_values_of_a_subquery_need_rights_of_their_own(sql: str, needed: set[str]) -> None:
    assert {f"beta.claims.{use}" for use in needed} <= rights(sql)
