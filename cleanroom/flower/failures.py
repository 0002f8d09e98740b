"""Why an app failed, in words that can't tell anything of an owner's rows.

Rule: what a sandbox says of its failure is looked up here, or is the name of one of Python's own
exceptions. An app that lies can choose among these, and nothing else.
"""

import builtins

FAILURES = {
    "file": "it reached for a file that isn't its own",
    "socket": "it opened a socket",
    "process": "it started a process",
    "forbidden": "it did what apps may not do",
    "component": "its component isn't of Flower's Message API",
    "reply": "it gave no reply with content",
    "records": "its reply has more than one ArrayRecord or MetricRecord",
    "config": "its reply has a ConfigRecord, which can't be added up",
    "dtype": "an array is of neither real numbers nor truth values",
    "message records": "a message has more than one ArrayRecord",
    "message bytes": "a message's ConfigRecord holds bytes",
    "arrays": "it ended without arrays, of a strategy or in context.state",
    "own": "an exception of its own",
}


def word(error: BaseException) -> str:
    """Return the word for an exception of the app."""
    name = type(error).__name__
    return name if getattr(builtins, name, None) is type(error) else "own"


def told(said: object) -> str:
    """Return what may be passed on of a word that came out of a sandbox."""
    if isinstance(said, str):
        if said in FAILURES:
            return FAILURES[said]
        known = getattr(builtins, said, None)
        if isinstance(known, type) and issubclass(known, BaseException):
            return f"it raised {said}"
    return FAILURES["own"]
