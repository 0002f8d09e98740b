"""What a refusal says. Values only."""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """Why a plan is refused. Stable: audit records and clients depend on them."""

    PURPOSE_MISSING = "purpose-missing"
    PURPOSE_UNKNOWN = "purpose-unknown"
    PURPOSE_REFUSED = "purpose-refused"
    RECIPIENT_REFUSED = "recipient-refused"
    COLUMN_USE_NOT_ALLOWED = "column-use-not-allowed"
    PERSON_SINGLED_OUT = "person-singled-out"
    FILTER_NOT_ALLOWED = "filter-not-allowed"
    RANGE_TOO_NARROW = "range-too-narrow"
    COMPARISONS_EXHAUSTED = "comparisons-exhausted"
    ROWS_OVERLAP = "rows-overlap"
    NOT_A_RECIPIENT = "not-a-recipient"
    CONTRACT_EXPIRED = "contract-expired"
    GROUP_TOO_SMALL = "group-too-small"
    RULES_LEFT_OUT = "rules-left-out"
    CELLS_NOT_TESTED = "cells-not-tested"
    TOO_FEW_CONTRIBUTORS = "too-few-contributors"
    GROUP_COUNT_OPENED = "group-count-opened"
    ROWS_NOT_RELEASED = "rows-not-released"
    NOBODY_COMPUTES = "nobody-computes"
    GATES_ALONE = "gates-alone"
    GATE_ALTERED = "gate-altered"
    GATE_NOT_FOR_RECIPIENT = "gate-not-for-recipient"
    GATE_ASKED_TOO_OFTEN = "gate-asked-too-often"
    PROPAGATION_ALTERED = "propagation-altered"
    PROPAGATION_NOT_FOR_RECIPIENT = "propagation-not-for-recipient"
    PROPAGATION_TOO_FAR = "propagation-too-far"
    PROPAGATION_ASKED_TOO_OFTEN = "propagation-asked-too-often"
    LINKAGE_NOT_FOR_RECIPIENT = "linkage-not-for-recipient"
    MODEL_NOT_ALLOWED = "model-not-allowed"
    TOO_MANY_ROWS = "too-many-rows"
    NOISE_MISSING = "noise-missing"
    NOISE_NOT_ENOUGH = "noise-not-enough"
    EPSILON_TOO_LARGE = "epsilon-too-large"
    BUDGET_EXHAUSTED = "budget-exhausted"
    TABLE_ERASED = "table-erased"
    PROFILE_NOT_ALLOWED = "profile-not-allowed"
    TEMPLATES_ONLY = "templates-only"
    APPROVAL_NEEDED = "approval-needed"
    APPROVAL_DENIED = "approval-denied"


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach, in words fit to show to the analyst: names and limits, never data.

    Attributes:
        party: the data owners whose rows the breach concerns, or empty for all members.
        remedy: the smallest change that would pass.
        rule: the key that forbids it: of the contract, or under 'policy' of the party's own file.
    """

    code: Code
    party: str
    message: str
    remedy: str
    rule: str

    def __str__(self) -> str:
        who = f" {self.party}" if self.party else ""
        return f"DENIED{who}: {self.message}. Rule: {self.rule}. Remedy: {self.remedy}"
