"""What stops a training.

Rule: an error names columns, steps and limits; never a value of a row.
"""

from cleanroom.errors import CleanroomError


class TrainingImpossible(CleanroomError):
    """These rows don't determine such a model; the message names the columns."""

    code = "training-impossible"


class StepRefused(CleanroomError):
    """An owner refuses a step: it isn't one of the training that was agreed on."""

    code = "step-refused"
    remedy = "Ask for the agreed steps in their order, with the software that all members run."


class ModelWithheld(CleanroomError):
    """A check before the release found that the model tells too much of who trained it."""

    code = "model-withheld"
    remedy = "Train fewer rounds or smaller models, stop earlier, regularise, or add noise."
