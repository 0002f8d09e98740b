"""Flower's apps as a family of models: by name and hash, out of what this process approved.

Rule: cheap to import, so that listing the family needs neither Flower nor a sandbox.
"""

from collections.abc import Mapping

from cleanroom.flower.apps import APPROVED
from cleanroom.flower.conduct import conduct
from cleanroom.flower.model import ArraysModel
from cleanroom.flower.owner import AppOwner
from cleanroom.flower.spec import Spec
from cleanroom.learning.facts import Facts, Floats, Rows
from cleanroom.learning.step import Owner, Training

__all__ = ["ArraysModel", "Spec", "owner", "train"]


def train(
    spec: Spec, facts: Facts, resume: Mapping[str, Floats] | None = None
) -> Training[ArraysModel]:
    """Train by the app's ServerApp.

    Raises:
        AppRefused: if this process approved no such code.
    """
    app, code = APPROVED.find(spec.app, spec.sha256)
    return conduct(spec, facts, code, resume, app.limits, app.log)


def owner(spec: Spec, facts: Facts, rows: Rows) -> Owner:
    """Return an owner's side, with the app's code as it is now.

    Raises:
        AppRefused: if this process approved no such code, or it changed.
    """
    app, code = APPROVED.find(spec.app, spec.sha256)
    return AppOwner(spec, facts, rows, code, app.limits, app.log)
