"""F63: text that would run something elsewhere is refused wherever text is taken, and soon."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import rooms

from cleanroom.contract.terms import Terms
from cleanroom.errors import CleanroomError
from cleanroom.learning.job import Job
from cleanroom.query.compile import compile_query
from cleanroom.query.scoring import compile_scoring
from cleanroom.query.sought import weights_of
from cleanroom.query.training import compile_training
from cleanroom.recipient.regression import Model
from cleanroom.sql.fitting import statement
from cleanroom.sql.templates import use_of

TERMS = rooms.terms()
TARGET = "/tmp/cleanroom-injected"  # noqa: S108 - what nothing may ever make
TEXTS = [
    f"@pd.io.common.os.system('touch {TARGET}')",
    "__class__.__mro__[1].__subclasses__()",
    f"a.to_csv('{TARGET}')",
    f"(lambda: open('{TARGET}', 'w'))()",
    f"__import__('os').system('touch {TARGET}')",
    f"`touch {TARGET}`",
    f"$(touch {TARGET})",
    "{{ 7 * 7 }} ${7 * 7} %(x)s {0.__class__}",
    f"read_csv('{TARGET}')",
    "read_text('/etc/passwd')",
    "getenv('HOME')",
    "(SELECT content FROM read_text('/etc/passwd'))",
    f"1; COPY (SELECT 1) TO '{TARGET}'",
    f"1; ATTACH '{TARGET}'; --",
    "1 UNION ALL SELECT * FROM duckdb_secrets() --",
    "regexp_matches('" + "a" * 50 + "', '(a+)+$')",
    "query('SELECT 1')",
    "(" * 100_000,
    "[" * 100_000 + "]" * 100_000,
    "NOT " * 20_000 + "true",
    "-" * 100_000 + "1",
    "CASE WHEN true THEN " * 5_000 + "1",
    "/*" * 50_000,
    "'" + "x" * 10_000_000,
    "\0\x1b]0;x\x07",
    "\ud800",
]


def _job(rows: str) -> Job:
    job = {"name": "j", "purpose": "p", "rows": rows, "target": "amt"}
    return Job.of({"job": job, "model": {"kind": "linear"}})


def _private(value: str) -> object:
    sql = "SELECT COUNT(*) FROM transactions WHERE channel = :sought"
    private = compile_query(sql, TERMS, "h", "analyst", "he").ciphertexts.private
    return weights_of(private, {"sought": value})


def _regression(table: str, target: str, feature: str, where: str | None = None) -> object:
    model = Model.of(TERMS, table, target, [feature])
    return compile_query(model.sql(where), TERMS, "h", "analyst")


def _offering() -> Terms:
    which = {"which": {"type": "TEXT", "values": ["web"]}}
    sql = "SELECT COUNT(*) FROM transactions WHERE channel = :which"
    offered = {"one": {"sql": sql, "recipients": ["analyst"], "parameters": which}}
    return Terms.of({**rooms.room(), "templates": offered})


def _query(sql: str, **more: object) -> object:
    return compile_query(sql, TERMS, "h", "analyst", **more)


DOORS: dict[str, Callable[[str], object]] = {
    "a query": _query,
    "SELECT": lambda text: _query(f"SELECT {text} FROM alpha.people"),
    "WHERE": lambda text: _query(f"SELECT COUNT(*) FROM alpha.people WHERE {text}"),
    "GROUP BY": lambda text: _query(f"SELECT COUNT(*) FROM alpha.people GROUP BY {text}"),
    "LIMIT": lambda text: _query(f"SELECT COUNT(*) FROM alpha.people LIMIT {text}"),
    "FROM": lambda text: _query(f"SELECT COUNT(*) FROM {text}"),
    "a weight's bound": lambda text: _query(
        f"SELECT WEIGHTED_SUM(channel, :w, {text}) FROM transactions", protocol="he"
    ),
    "a member left out": lambda text: _query(
        "SELECT COUNT(*) FROM transactions", protocol="he", without=(text,)
    ),
    "a job's rows": lambda text: compile_training(_job(text), TERMS, "h", "analyst"),
    "a job's condition": lambda text: compile_training(
        _job(f"SELECT amt, other FROM transactions WHERE {text}"), TERMS, "h", "analyst"
    ),
    "a joined fit": lambda text: _query(statement(text, "y", "logistic", 5, 1.0)),
    "a joined fit's target": lambda text: _query(
        statement("SELECT score, id FROM alpha.people", text, "logistic", 5, 1.0)
    ),
    "a regression's table": lambda text: _regression(text, "amt", "other"),
    "a regression's target": lambda text: _regression("transactions", text, "other"),
    "a regression's feature": lambda text: _regression("transactions", "amt", text),
    "a regression's condition": lambda text: _regression("transactions", "amt", "other", text),
    "a private value": _private,
    "a template's value": lambda text: use_of("one", {"which": text}, _offering()),
    "a template": lambda text: use_of(text, {}, _offering()),
    "a model": lambda text: compile_scoring(text, "transactions", TERMS, "h", "analyst"),
}


@pytest.mark.parametrize("door", DOORS)
def test_text_is_refused_by_name_and_runs_nothing(door: str) -> None:
    for text in TEXTS:
        began = time.perf_counter()
        with pytest.raises(CleanroomError) as caught:
            DOORS[door](text)
        assert time.perf_counter() - began < 5, text[:40]
        assert len(str(caught.value)) < 2_000
        assert str(caught.value).isprintable()
    assert not Path(TARGET).exists()
