"""What a training gave its recipient: the model, how it got there, everybody's signatures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cleanroom.errors import ConfigInvalid
from cleanroom.learning.families import Model
from cleanroom.recipient.asking import Stats
from cleanroom.session.receipt import Receipt

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Trained:
    """A model, at its recipient alone.

    Attributes:
        model: predicts from raw columns: a dict or DataFrame of the features.
        curve: for each round what is known of it: loss and metrics.
        receipt: what every member signed about the session that ended the training.
        stats: seconds, rounds, bytes_sent of that session.
        left: owners that left on the way, without whom it went on.
    """

    model: Model
    rounds: tuple[Mapping[str, float], ...]
    receipt: Receipt
    stats: Stats
    left: tuple[str, ...] = ()

    @property
    def metrics(self) -> dict[str, float]:
        """Return what is known of the last round."""
        last = dict(self.rounds[-1]) if self.rounds else {}
        last.pop("round", None)
        return last

    @property
    def curve(self) -> "pd.DataFrame":
        """Return loss and metrics of each round."""
        import pandas as pd

        return pd.DataFrame(list(self.rounds))

    def save(self, file: Path | str) -> None:
        """Write the model as JSON, which `cleanroom.load_model` reads.

        Raises:
            ConfigInvalid: if it can't be written.
        """
        try:
            Path(file).write_text(self.model.to_json(), encoding="utf-8")
        except OSError as error:
            raise ConfigInvalid(f"cannot write {file}: {error.strerror}") from None

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value:.6g}" for name, value in self.metrics.items())
        return f"Trained({type(self.model).__name__}, {shown})"
