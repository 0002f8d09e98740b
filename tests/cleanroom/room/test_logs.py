"""Log lines: allowed keys alone, and no text of a foreign error."""

import json

import pytest
import structlog

from cleanroom import logs


def test_only_allowed_keys_and_plain_values_pass(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    structlog.get_logger().info("ready", member="bank_a", rows=3, patient="Smith", where=object())
    line = json.loads(capsys.readouterr().err)
    assert line["member"] == "bank_a"
    assert line["rows"] == 3
    assert line["dropped"] == 1
    assert line["where"] == "object"
    assert "Smith" not in json.dumps(line)
    structlog.reset_defaults()


def test_where_keeps_lines_and_drops_the_message() -> None:
    try:
        int("Smith")
    except ValueError as error:
        found = logs.where(error)
    assert found[0] == "ValueError"
    assert "Smith" not in str(found)
