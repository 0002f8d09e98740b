"""Whom min_group counts behind rows of a linkage: a pair is one person, by whichever number."""

from pathlib import Path

import pandas as pd
import pytest
from in_memory import run_on_shares
from linking import terms_of

from cleanroom.contract.terms import Terms
from cleanroom.errors import UnsupportedQuery
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.query.frame import as_pandas
from cleanroom.sources.database import Database

JOINED = """SELECT b.sex, COUNT(*) AS n FROM hospital_a.patients a
    JOIN same_person l ON a.id = l.left_id JOIN hospital_b.patients b ON b.id = l.right_id
    GROUP BY b.sex"""
UNITED = """SELECT sex, COUNT(*) AS n FROM (
    SELECT id AS person, sex FROM hospital_a.patients
    UNION ALL SELECT l.left_id, b.sex FROM hospital_b.patients b
    JOIN same_person l ON b.id = l.right_id) p GROUP BY sex"""
BY_PERSON = """SELECT visits, COUNT(*) AS n FROM (
    SELECT l.{number}, COUNT(*) AS visits FROM hospital_b.patients b
    JOIN same_person l ON b.id = l.right_id GROUP BY l.{number}) v GROUP BY visits"""


def _told(sql: str, women: int, men: int, folder: Path, min_group: int = 10) -> dict[object, int]:
    """Return n of each group, where so many women and men are at both hospitals."""
    source = terms_of()
    source["privacy"]["min_group"] = min_group
    terms, databases = Terms.of(source), {}
    persons = range(women + men)
    for member in ("hospital_a", "hospital_b"):
        rows = pd.DataFrame(
            {
                "id": [f"{member[-1]}{(7 * i) % 31}" for i in persons],
                "nhs_number": None,
                "surname": [f"Name{'abcdefghij'[i // 10]}{'klmnopqrst'[i % 10]}" for i in persons],
                "given_name": "Kim",
                "born": "1970-01-01",
                "postcode": "SW1A 1AA",
                "sex": ["female"] * women + ["male"] * men,
            }
        )
        path = folder / f"{member}.parquet"
        rows.to_parquet(path)
        databases[member] = Database(terms, member, {f"{member}.patients": path})
    plan = compile_query(sql, terms, "0" * 64, "analyst")
    answer = as_pandas(finish(plan, run_on_shares(plan, databases).columns))
    return dict(answer.itertuples(index=False, name=None))


def test_who_is_joined_counts_once(tmp_path: Path) -> None:
    assert _told(JOINED, 10, 9, tmp_path) == {"female": 10}


def test_who_is_in_two_branches_counts_once(tmp_path: Path) -> None:
    assert _told(UNITED, 10, 9, tmp_path) == {"female": 20}


@pytest.mark.parametrize("number", ["left_id", "right_id"])
def test_either_number_names_the_person_of_a_group(number: str, tmp_path: Path) -> None:
    assert _told(BY_PERSON.format(number=number), 6, 6, tmp_path) == {1: 12}
    assert _told(BY_PERSON.format(number=number), 6, 3, tmp_path) == {}


def test_a_branch_of_two_persons_is_refused(tmp_path: Path) -> None:
    joined = "JOIN hospital_a.patients a ON a.sex = b.sex JOIN same_person l ON a.id = l.left_id"
    sql = UNITED.replace("JOIN same_person l ON b.id = l.right_id", joined)
    with pytest.raises(UnsupportedQuery, match="a branch of UNION ALL whose rows are of several"):
        _told(sql, 10, 9, tmp_path)
