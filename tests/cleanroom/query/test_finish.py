"""Where a recipient's last step runs: alone with the opened values."""

import duckdb
import pytest

from cleanroom.query import finish


def test_answers_are_computed_where_no_file_and_no_other_answer_is_read() -> None:
    finish.prepare()
    with finish._database().cursor() as one, finish._database().cursor() as other:
        one.execute("CREATE TEMP TABLE opened AS SELECT 1 AS x")
        with pytest.raises(duckdb.CatalogException):
            other.execute("SELECT * FROM opened")
        for sql in ("SELECT * FROM read_text('/etc/hostname')", "COPY opened TO '/tmp/opened.csv'"):
            with pytest.raises(duckdb.PermissionException):
                one.execute(sql)
        with pytest.raises(duckdb.InvalidInputException):
            one.execute("SET enable_external_access = true")
