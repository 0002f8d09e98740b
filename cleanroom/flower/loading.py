"""The app's code becomes an object: runs in the sandbox, after it was locked.

Rule: the first place where the app's own code is executed.
"""

import importlib
import sys
from collections.abc import Mapping
from functools import reduce
from typing import Any

from flwr.app import Context, RecordDict
from flwr.supercore.task_identity import TaskIdentity

RUN = 1


def load(start: Mapping[str, Any]) -> object:
    """Import the component "module:attribute" from the copy of the app's folder."""
    sys.path.insert(0, start["code"])
    module, _, attribute = start["component"].partition(":")
    return reduce(getattr, attribute.split("."), importlib.import_module(module))


def context(start: Mapping[str, Any]) -> Context:
    """Return what an app gets to know; messages take their sender from here too."""
    node, own = start["node"], dict(start["node_config"])
    if start["data_file"]:
        own["data"] = f"{start['data']}/{start['data_file']}"
    TaskIdentity.run_id, TaskIdentity.task_id, TaskIdentity.node_id = RUN, RUN, node
    return Context(RUN, node, own, RecordDict(), dict(start["run_config"]))
