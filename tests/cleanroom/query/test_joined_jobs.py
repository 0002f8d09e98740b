"""Training jobs whose rows owners join: the query behind them, and keys that mean nothing there."""

from collections.abc import Mapping
from typing import Any

import cancer
import pytest

from cleanroom.errors import ConfigInvalid, UnsupportedQuery
from cleanroom.learning.job import Job
from cleanroom.query.compile import compile_query
from cleanroom.recipient.joined_job import JoinedJob, job_of
from cleanroom.sql.fitting import statement


def job(model: Mapping[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    terms = {"name": "benign", "purpose": "triage", "rows": cancer.SQL, "target": "benign"}
    return {"job": terms | changed, "model": {"kind": "joined_logistic", **(model or {})}}


@pytest.mark.parametrize("fit", ["logistic", "linear"])
def test_a_job_compiles_to_the_plan_of_its_query(fit: Any) -> None:
    asked = job_of(job({"kind": f"joined_{fit}", "iterations": 7, "l2": 2}))
    assert isinstance(asked, JoinedJob)
    assert job_of(asked) is asked
    text = statement(cancer.SQL, "benign", fit, 7, 2.0)
    hashes = {compile_query(t, cancer.terms(), "0" * 64, "analyst").hash for t in (asked.sql, text)}
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (job(holdout=0.2), "job: holdout means nothing where owners join rows"),
        (job(time="seen"), "job: time means nothing"),
        (job(min_owners=2), "job: min_owners means nothing"),
        (job(max_membership=0.1), "job: max_membership means nothing"),
        (job(without=["lab"]), "job: without means nothing"),
        (job(target=None), "job.target"),
        (job(epochs=3), "job.epochs: unknown key"),
        (job({"prepare": {}}), "model.prepare: unknown key"),
        (job({"iterations": 501}), "model.iterations"),
        (job({"l2": -1.0}), "model.l2"),
        (job({"kind": "joined_cox"}), "joined_linear or joined_logistic"),
    ],
)
def test_keys_without_a_meaning_are_refused_by_name(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        job_of(changed)
    assert named in refused.value.message


def test_rows_without_a_join_point_at_the_kind_that_takes_them() -> None:
    asked = job_of(job(rows="SELECT c.area, c.radius > 9 AS benign FROM clinic.sizes c"))
    assert isinstance(asked, JoinedJob)
    with pytest.raises(UnsupportedQuery, match=r"model\.kind = 'logistic' takes rows of one table"):
        compile_query(asked.sql, cancer.terms(), "0" * 64, "analyst")
    assert isinstance(job_of(job({"kind": "logistic"})), Job)
