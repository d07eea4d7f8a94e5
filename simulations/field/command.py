"""`paperdesk sweep`, and `paperdesk evaluate` where it runs a study or reads a field."""

from contextlib import AbstractContextManager
from pathlib import Path

from ...agents.models.served.access import Access
from ...tools.errors import InputError
from ..console import Interrupted, console
from ..evaluation.command import PAGE_FILE
from ..evaluation.rendering import page_of, show
from ..evaluation.session_report import Settings
from ..pages import print_json
from .document import FieldReport
from .plan import FILE, Field, read_field, study_of, sweep_of
from .progress import Progress
from .report import evaluate_field
from .runner import Runner, run_field
from .sections import field_paper


def is_field(folder: Path) -> bool:
    """Whether a folder holds a field (and not a session)."""
    return (folder / FILE).exists()


def sweep_command(
    file: Path,
    folder: Path,
    settings: Settings,
    *,
    runner: AbstractContextManager[Runner],
    access: Access,
    json: bool,
) -> int:
    """Run a sweep, or go on with it, and print what it comes to; the exit code (1 where a session failed)."""
    return _run_and_show(sweep_of(file), folder, settings, runner=runner, access=access, json=json)


def study_command(
    session: Path,
    folder: Path,
    settings: Settings,
    *,
    ablations: bool,
    placebos: bool,
    repeats: int,
    models: list[str],
    runner: AbstractContextManager[Runner],
    access: Access,
    json: bool,
) -> int:
    """Run the study around a session, or go on with it, and print what it comes to; the exit code."""
    from ..stages import stored_config

    field = study_of(
        stored_config(session), ablations=ablations, placebos=placebos, repeats=repeats, models=tuple(models)
    )
    return _run_and_show(field, folder, settings, runner=runner, access=access, json=json)


def field_command(folder: Path, settings: Settings, *, html: Path | None, json: bool) -> None:
    """Print what a field has come to so far, and write its page."""
    with console(quiet=True) as screen:
        report = evaluate_field(read_field(folder), folder, settings, screen.say)
        page = html or folder / PAGE_FILE
        page.write_text(page_of(field_paper(report)), encoding="utf-8")
        screen.say(f"page written to {page}")
    _show(report, json=json)


def continued(field: Field, folder: Path) -> Field:
    """The field with what an earlier run in the folder has done.

    Raises:
        InputError: the folder holds another field.
    """
    if not is_field(folder):
        return field
    before = read_field(folder)
    if {m.name: m.config for m in before.members} != {m.name: m.config for m in field.members}:
        raise InputError(f"{folder} holds another field: name another folder with --out, or remove it.")
    return field.model_copy(update={"status": before.status})


def _run_and_show(
    field: Field,
    folder: Path,
    settings: Settings,
    *,
    runner: AbstractContextManager[Runner],
    access: Access,
    json: bool,
) -> int:
    field = continued(field, folder)
    try:
        with console(quiet=True) as screen, runner as ready:
            screen.say(f"{len(field.members)} sessions in {folder}, {ready.about}")
            progress = Progress(field)
            field = run_field(
                field,
                folder,
                ready,
                tell=lambda name, status, now: screen.say(progress.line(name, status, now)),
                access=access,
            )
    except Interrupted:
        raise Interrupted("Interrupted: the same command goes on where this one stopped.") from None
    field_command(folder, settings, html=None, json=json)
    return 1 if any(status.state == "failed" for status in field.status.values()) else 0


def _show(report: FieldReport, *, json: bool) -> None:
    if json:
        print_json(report)
    else:
        show(field_paper(report))
