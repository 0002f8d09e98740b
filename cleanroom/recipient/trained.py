"""What a training gave its recipient: the model, how it got there, everybody's signatures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cleanroom.errors import ConfigInvalid
from cleanroom.learning.evaluation import Evaluation
from cleanroom.learning.families import Model
from cleanroom.learning.membership import Attacked
from cleanroom.plan.training import TrainPlan
from cleanroom.recipient.answers import Stats
from cleanroom.session.receipt import Receipt

if TYPE_CHECKING:
    import pandas as pd

    from cleanroom.recipient.joined_job import JoinedPlan


@dataclass(frozen=True)
class Trained:
    """A model, at its recipient alone.

    Attributes:
        model: predicts from raw columns: a dict or DataFrame of the features.
        plan: what was trained on which rows; a JoinedPlan, if owners joined them.
        evaluation: on persons held out, if some were; its figures are among the metrics.
        rounds: for each what is known of it: its number, loss and metrics. None on joined rows,
            where no loss is opened.
        receipt: what every member signed about the session that ended the training.
        stats: seconds, rounds, bytes_sent of that session.
        left: owners that left on the way, without whom it went on.
        attacked: how well an attacker tells who trained the model, if the job has a limit on that.
    """

    model: Model
    plan: "TrainPlan | JoinedPlan"
    evaluation: Evaluation | None
    rounds: tuple[Mapping[str, float], ...]
    receipt: Receipt
    stats: Stats
    left: tuple[str, ...] = ()
    attacked: Attacked | None = None

    @property
    def metrics(self) -> dict[str, float]:
        """Return what is known of the last round, of the model's fit, and of the test."""
        last = dict(self.rounds[-1]) if self.rounds else {}
        last.pop("round", None)
        figures = {} if self.evaluation is None else self.evaluation.figures
        told = {} if self.attacked is None else {"membership": self.attacked.rate}
        return {**last, **getattr(self.model, "figures", {}), **figures, **told}

    @property
    def curve(self) -> "pd.DataFrame":
        """Return loss and metrics of each round."""
        import pandas as pd

        return pd.DataFrame(list(self.rounds))

    def files(self) -> dict[str, str]:
        """Return what is worth keeping beside the model, as texts by file name."""
        from cleanroom.recipient.card import card

        kept = {"card.md": card(self), "receipt.json": self.receipt.to_json()}
        return kept | ({"curve.csv": self.curve.to_csv(index=False)} if self.rounds else {})

    def draw(self, file: Path | str) -> bool:
        """Draw the curve as a PNG; return False if matplotlib isn't installed, or nothing is known.

        Raises:
            ConfigInvalid: if it can't be written.
        """
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError:
            return False
        names = [name for name in self.curve.columns if name != "round"]
        if not names:
            return False
        figure = Figure(figsize=(5, 2.2 * len(names)), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
        for axis, name in zip(axes, names, strict=True):
            axis.plot(self.curve["round"], self.curve[name], marker=".")
            axis.set_ylabel(name)
        axes[-1].set_xlabel("round")
        try:
            figure.savefig(file, dpi=120)
        except OSError as error:
            raise ConfigInvalid(f"cannot write {file}: {error.strerror}") from None
        return True

    def save(self, file: Path | str) -> None:
        """Write the model, as the file's name ends: .json, .safetensors or .onnx.

        `models.files.load_model` reads the first two.

        Raises:
            ConfigInvalid: if it can't be written, or has no such form.
        """
        from cleanroom.models.files import save_model

        file = Path(file)
        if file.suffix != ".onnx":
            save_model(self.model, file, {"job": self.plan.name, "plan": self.plan.hash})
            return
        from cleanroom.models.onnx_file import to_onnx

        content = to_onnx(self.model)
        try:
            file.write_bytes(content)
        except OSError as error:
            raise ConfigInvalid(f"cannot write {file}: {error.strerror}") from None

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value:.6g}" for name, value in self.metrics.items())
        return f"Trained({type(self.model).__name__}, {shown})"
