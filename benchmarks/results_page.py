"""`python -m benchmarks.results_page`: the desk on us8, judged, as docs/results.md.

Runs the study of the scorecard and one session of SmolLM2 in runs/results (what is there already is not run again), and
writes what `paperdesk evaluate` says of them, flattering or not. us8 lies beside the repository; without it there is no
page to write.
"""

import sys
from datetime import date
from pathlib import Path

from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.evaluation.command import evaluate_folder, paper_of
from paperdesk.simulations.evaluation.rendering import Paper, markdown_of
from paperdesk.simulations.evaluation.session_report import Settings
from paperdesk.simulations.field.command import continued
from paperdesk.simulations.field.member import run_member
from paperdesk.simulations.field.plan import study_of
from paperdesk.simulations.field.processes import Processes
from paperdesk.simulations.field.report import evaluate_field
from paperdesk.simulations.field.runner import run_field
from paperdesk.simulations.field.sections import field_paper

ROOT = Path(__file__).parents[1]
US8 = ROOT / "../shared/data/us8"
RUNS = ROOT / "runs" / "results"
WINDOW = (date(2024, 1, 2), date(2025, 8, 8))
HEAD = """# Results: the desk on us8

Seven large US companies and a fund, real prices, filings and releases, {start} to {end}, a decision a month: what
[`paperdesk evaluate`](evaluation.md) says, word for word. The universe is small and was chosen with hindsight (all
seven are large today), the window is short, and twenty decisions are few: nothing here could show skill, and nothing
here does. The same command on a market of yours is the point of it.

`python -m benchmarks.results_page` writes this page. In the session of SmolLM2 both analysts think with the
[adapter that comes along](training.md#the-shipped-adapter), all others with the plain model.
"""


def config(model: str) -> SessionConfig:
    """The session that is judged."""
    return SessionConfig(market=str(US8.resolve()), model=model, start=WINDOW[0], end=WINDOW[1])


def scorecard() -> Paper:
    """The study around the scorecard's session."""
    folder = RUNS / "scorecard"
    field = continued(study_of(config("scorecard"), ablations=True, placebos=True, repeats=5), folder)
    field = run_field(field, folder, Processes(2), tell=lambda name, status, _: say(f"{name}: {status.state}"))
    return field_paper(evaluate_field(field, folder, Settings(), say))


def smollm2() -> Paper:
    """The session of SmolLM2."""
    folder = RUNS / "smollm2"
    status = run_member(config("smollm2"), folder)
    if status.state != "done":
        raise SystemExit(status.error)
    return paper_of(evaluate_folder(folder, Settings()))


def say(text: str) -> None:
    """On standard error."""
    sys.stderr.write(f"{text}\n")


PAPERS = {"scorecard": scorecard, "smollm2": smollm2}
"""Parts of the page, by the name under which each can be asked for alone."""


def main(names: list[str]) -> None:
    """Write docs/results.md: the named parts, all without a name."""
    if not US8.is_dir():
        raise SystemExit(f"The page is about the data set in {US8}, which is not there.")
    pages = [markdown_of(paper()) for name, paper in PAPERS.items() if name in (names or PAPERS)]
    text = HEAD.format(start=WINDOW[0], end=WINDOW[1]) + "\n" + "\n".join(pages)
    # Where the session lay says nothing to a reader, and differs from machine to machine.
    for place, name in ((str(US8.resolve()), "us8"), (str(RUNS), "runs/results")):
        text = text.replace(place, name)
    (ROOT / "docs" / "results.md").write_text(text.rstrip() + "\n", encoding="utf-8")
    say("written to docs/results.md")


if __name__ == "__main__":
    main(sys.argv[1:])
