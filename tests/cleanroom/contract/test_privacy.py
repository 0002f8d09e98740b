"""Keys of the privacy section that do nothing under the release they stand beside."""

from typing import Any

import pytest

from cleanroom.contract.privacy import PrivacyTerms


@pytest.mark.parametrize(
    ("privacy", "idle"),
    [
        ({"release": "dp"}, ()),
        ({"release": "dp", "min_group": 1, "epsilon": 2.0, "query_epsilon": 0.5}, ()),
        ({"release": "dp", "round_to": 5, "min_group": 20}, ("min_group = 20", "round_to = 5")),
        (
            {"release": "dp", "redact": 7, "top_two": 80, "p_percent": 5, "min_members": 2},
            ("min_members = 2", "redact = 7", "top_two = 80", "p_percent = 5"),
        ),
        ({"release": "sdc", "round_to": 5, "redact": 7, "epsilon": 2.0}, ()),
        ({"release": "sdc", "query_epsilon": 0.5}, ("query_epsilon = 0.5",)),
        ({"release": "gated", "overlap": "refused"}, ("overlap = refused",)),
        (
            {"release": "gated", "min_group": 20, "epsilon": 2.0},
            ("min_group = 20", "epsilon = 2.0"),
        ),
    ],
)
def test_a_key_without_effect_is_named(privacy: dict[str, Any], idle: tuple[str, ...]) -> None:
    assert PrivacyTerms.model_validate(privacy).without_effect() == idle
