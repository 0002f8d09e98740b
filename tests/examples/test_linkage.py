"""The example of linked patients: a small room of processes, all questions, rows and truth."""

from pathlib import Path

import pytest
from in_memory import run_on_shares

from cleanroom.contract.terms import Terms
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.query.frame import as_pandas
from cleanroom.sources.database import Database
from examples.linkage import run
from examples.linkage.data import Rows, load
from examples.linkage.pooled import IDS, Pooled, quality, same, told

PERSONS = 400
CONTRACT = run.HERE / "room.toml"
QUESTIONS = dict(run.questions())


@pytest.fixture(scope="module")
def rows() -> Rows:
    return load(None, PERSONS)


@pytest.fixture(scope="module")
def pooled(rows: Rows) -> Pooled:
    return Pooled(CONTRACT, rows)


@pytest.fixture(scope="module")
def databases(pooled: Pooled, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Database]:
    terms, folder = Terms.of(CONTRACT), tmp_path_factory.mktemp("rows")
    paths: dict[str, dict[str, Path]] = {}
    for table, frame in pooled.tables.items():
        path = folder / f"{table}.parquet"
        frame.to_parquet(path)
        paths.setdefault(table.partition(".")[0], {})[table] = path
    return {member: Database(terms, member, found) for member, found in paths.items()}


@pytest.mark.parametrize("title", list(QUESTIONS)[2:5])
def test_a_question_on_shares(title: str, pooled: Pooled, databases: dict[str, Database]) -> None:
    plan = compile_query(QUESTIONS[title], Terms.of(CONTRACT), "0" * 64, "researcher")
    opened = run_on_shares(plan, databases)
    answer = as_pandas(finish(plan, opened.columns))
    expected = told(pooled.answer(QUESTIONS[title]), run.COUNTS)
    assert same(answer, expected, run.COUNTS, opened.suppressed)
    assert len(answer) > 0


def test_the_demo_tells_readmissions_as_the_pooled_rows_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "questions", lambda: list(QUESTIONS.items())[:2])
    assert run.main(None, tmp_path, PERSONS)
    assert capsys.readouterr().out.count("equal: yes") == 3
    assert {path.name for path in tmp_path.iterdir()} == {
        "linkage-quality.png",
        "linkage-readmissions.png",
    }


def test_an_answer_that_differs_in_one_count_is_not_the_same(pooled: Pooled) -> None:
    exact = told(pooled.answer(QUESTIONS["deaths within 90 days, by procedure"]), run.COUNTS)
    wrong = exact.assign(stays=exact["stays"].where(exact.index > 0, exact["stays"] + 5))
    assert same(exact, exact, run.COUNTS, 0)
    assert not same(wrong, exact, run.COUNTS, 0)
    assert same(exact.iloc[1:], exact, run.COUNTS, 1)
    assert not same(exact.iloc[1:], exact, run.COUNTS, 0)


def test_the_truth_is_that_of_febrl_and_no_table_tells_it(rows: Rows, pooled: Pooled) -> None:
    truth = Pooled(CONTRACT, rows, true=True)
    for linkage, (left, right) in {
        "same_person": ("hospital_a", "hospital_b"),
        "death_of_a": ("hospital_a", "registry"),
    }.items():
        pairs = truth.linkages[linkage]
        whose = [
            pairs[side].map(rows.persons[owner])
            for side, owner in zip(IDS, (left, right), strict=True)
        ]
        assert len(pairs) > 0
        assert whose[0].equals(whose[1])
    judged = pooled.judged("same_person", truth, "hospital_a.patients")
    (every,) = quality(judged.assign(every="all"), "every").to_dict("records")
    assert every["persons"] == len(truth.linkages["same_person"])
    assert every["f1"] >= 0.998
    assert all("person" not in frame for frame in rows.tables.values())


def test_who_opted_out_is_in_nothing(rows: Rows, pooled: Pooled) -> None:
    for owner, numbers in rows.opted_out.items():
        assert 0 < len(numbers) < len(rows.persons[owner]) / 10
        for table in ("patients", "stays", "prescriptions"):
            assert not pooled.tables[f"{owner}.{table}"]["patient"].isin(numbers).any()
