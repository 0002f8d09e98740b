"""The demo's training on a terminal: job, what is opened, each round, and the pooled fit beside."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from rich.console import Console
from rich.syntax import Syntax

from cleanroom.demo import tumours
from cleanroom.local.room import LocalRoom
from cleanroom.recipient.trained import Trained

EQUAL = 1e-6


def run(console: Console) -> bool:
    """Train over three hospitals; return whether the model equals the pooled one."""
    console.print("\n[bold]3. A model of three hospitals' rows, which stay where they are.[/]")
    rows, job = tumours.tables(), tumours.job()
    console.print(Syntax(_toml(job), "toml", background_color="default", word_wrap=True))
    with LocalRoom(tumours.contract(), rows) as room:
        for opened in room.explain_training(job).opened:
            console.print(f"opened: {opened}")
        with console.status("asking the hospitals") as line:

            def on_round(number: int, report: Mapping[str, float]) -> None:
                line.update(f"round {number}: loss {report.get('loss', float('nan')):.6f}")

            trained = room.train(job, on_round=on_round)
    return _compared(console, trained, pd.concat(rows[tumours.TABLE].values()))


def _compared(console: Console, trained: Trained, pooled: pd.DataFrame) -> bool:
    features = pooled[list(tumours.BOUNDS)]
    expected, target = _pooled_probabilities(features, pooled["malignant"]), pooled["malignant"]
    found = trained.model.predict({name: features[name].to_numpy() for name in tumours.BOUNDS})
    apart = float(np.abs(found / expected - 1).max())
    right = float(np.mean((found > 0.5) == target))
    console.print(
        f"{len(trained.rounds)} rounds, loss {trained.metrics['loss']:.6f}, "
        f"{100 * right:.1f} % told right, in {trained.stats.seconds:.2f} s."
    )
    equal = apart < EQUAL
    console.print(
        f"The same model of the pooled rows by scikit-learn: probabilities differ by {apart:.0e} "
        f"of themselves at most, [bold]equal: {'yes' if equal else 'NO'}[/]"
    )
    return equal


def _pooled_probabilities(features: pd.DataFrame, target: pd.Series) -> np.ndarray:
    """Fit as if one party had all rows."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaled = StandardScaler().fit_transform(features)
    fit = LogisticRegression(C=1 / tumours.L2, tol=1e-12, solver="newton-cholesky")
    probabilities: np.ndarray = fit.fit(scaled, target).predict_proba(scaled)[:, 1]
    return probabilities


def _toml(job: Mapping[str, Mapping[str, object]]) -> str:
    """Show a job as its TOML file."""
    lines = []
    for section, keys in job.items():
        lines.append(f"[{section}]")
        lines += [
            f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}"
            for key, value in keys.items()
        ]
    return "\n".join(lines)
