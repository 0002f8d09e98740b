"""`cleanroom train`: a model from all owners' rows, by a job file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cleanroom.cli.options import Config, Offline
from cleanroom.cli.rows import check_writable, write_text
from cleanroom.cli.waiting import Wait, until_approved
from cleanroom.cli.words import printable

if TYPE_CHECKING:
    from cleanroom.recipient.joined_job import AnyJob
    from cleanroom.recipient.room import Room
    from cleanroom.recipient.trained import Trained

JobFile = Annotated[Path, typer.Argument(help="The job's TOML file.")]


def train(
    job: JobFile,
    config: Config,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say who would learn what; nothing runs.")
    ] = False,
    offline: Offline = False,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for model, card, curve, receipt; by default the job's name."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="A further file of the model: .safetensors or .onnx.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last finished round.")
    ] = False,
    deadline_s: Annotated[int, typer.Option(min=1, max=86400, help="Seconds to wait.")] = 21600,
    wait: Wait = 0,
) -> None:
    """Train a model on all owners' rows, which stay where they are."""
    from cleanroom.learning.job import Job
    from cleanroom.recipient.joined_job import job_of
    from cleanroom.recipient.room import connect

    check_writable(model)
    _check_form(model)
    asked = job_of(job)
    folder = output or Path(asked.job.name)
    with connect(config) as room:
        if explain:
            typer.echo(printable(room.explain_training(asked, offline=offline).text))
            return
        if resume and isinstance(asked, Job):
            tell_if_anew(folder)
        trained = until_approved(
            lambda: _with_progress(room, asked, folder, deadline_s, resume=resume),
            lambda: room.explain_training(asked),
            wait,
        )
    trained.save(folder / "model.json")
    kept = trained.files()
    for name, text in kept.items():
        write_text(folder / name, text)
    drawn = ["curve.png"] if trained.draw(folder / "curve.png") else []
    typer.echo(_summary(trained))
    typer.echo(f"{folder}/: {', '.join(['model.json', *drawn, *kept])}")
    if model is not None:
        trained.save(model)
        typer.echo(model)


def tell_if_anew(folder: Path) -> None:
    """Say that a training begins anew where it can't go on."""
    from cleanroom.recipient.checkpoints import NAME

    if not (folder / NAME).exists():
        typer.echo(f"{folder} holds no training that has not ended: begins anew.", err=True)


def _check_form(model: Path | None) -> None:
    """Refuse a form of model file that there isn't, before anybody trains.

    Raises:
        ConfigInvalid: naming the file.
    """
    from cleanroom.errors import ConfigInvalid

    if model is not None and model.suffix not in (".json", ".safetensors", ".onnx"):
        remedy = "Name a file that ends in .safetensors, .onnx or .json."
        raise ConfigInvalid(f"{model} ends in no form of a model", remedy=remedy)


def _with_progress(
    room: "Room", job: "AnyJob", folder: Path, deadline_s: int, *, resume: bool
) -> "Trained":
    """Train while a bar says how far it is, and what the last round gave."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from cleanroom.learning.job import Job

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TextColumn("{task.fields[told]}"), console=console) as bar:
        task = bar.add_task("asking", total=None, told="")

        def on_progress(stage: str, member: str) -> None:
            bar.update(task, description=f"{member}: {stage}")

        def on_round(number: int, report: Mapping[str, float]) -> None:
            told = " ".join(f"{name} {value:.6g}" for name, value in report.items())
            bar.update(task, description="round", completed=number, told=told)

        try:
            return room.train(
                job,
                folder=folder,
                resume=resume,
                deadline_s=deadline_s,
                on_progress=on_progress,
                on_round=on_round,
            )
        except KeyboardInterrupt:
            further = "; --resume goes on" if isinstance(job, Job) else ""
            console.print(f"The session was cancelled at every member{further}.")
            raise


def _summary(trained: "Trained") -> str:
    """Say in a few lines what a training gave; of joined rows that is the model alone."""
    from cleanroom.recipient.joined import JoinedModel

    stats, figures, n = trained.stats, trained.metrics, len(trained.rounds)
    took = f"{n} rounds in {stats.seconds:.2f} s, {stats.rounds} sums"
    if isinstance(trained.model, JoinedModel):
        figures = dict(trained.model.coefficients)
        took = f"no curve, as no loss is opened; {stats.rounds} rounds in {stats.seconds:.2f} s"
    left = f"; without {', '.join(trained.left)}, which left" if trained.left else ""
    lines = [f"{name}: {value:.6g}" for name, value in figures.items()]
    return "\n".join([*lines, f"{took}, {stats.bytes_sent / 1e6:.1f} MB sent by all members{left}"])
