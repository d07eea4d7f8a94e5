"""What `paperdesk models bench` prints."""

import time
from functools import partial

from ..agents.models.core import ModelInputError
from ..agents.models.open import open_model
from .console import console
from .model_bench import Bench, bench_model, default_requests
from .pages import facts, print_json, print_tables, size_text


def print_bench(spec: str, *, threads: int, repeats: int, json: bool) -> None:
    """Measure a model on the analysts' requests.

    Raises:
        ModelInputError: it cannot be opened, or there is nothing to repeat.
        ModelError: it broke while it answered.
    """
    if repeats < 1:
        raise ModelInputError(f"A benchmark needs at least one repeat, not {repeats}.")
    with console() as screen:
        screen.say("preparing the analysts' questions")
        found = bench_model(
            spec,
            partial(open_model, spec, threads=threads),
            default_requests(repeats),
            threads=threads,
            clock=time.perf_counter,
            say=screen.say,
        )
    if json:
        print_json(found)
    else:
        print_tables(facts(_measured(found)))


def _measured(found: Bench) -> list[tuple[str, str]]:
    def speed(value: float | None) -> str:
        return f"{value:,.0f} a second" if value is not None else "not told"

    failures = ", ".join(f"{count} {kind}" for kind, count in found.failures.items())
    valid = f"{found.validity_rate:.1%} ({found.valid} of {found.asked} objects)"
    return [
        ("model", f"{found.model} ({found.backend}, {found.threads} threads)"),
        ("opening", f"{found.load_seconds:.1f} s"),
        ("prompt tokens", f"{speed(found.prompt_tokens_per_second)}; {found.prompt_tokens:,} a request"),
        ("generated tokens", speed(found.generated_tokens_per_second)),
        ("signals", f"{found.signals_per_minute:,.1f} a minute, with claims"),
        ("valid", f"{valid}; {failures}" if failures else valid),
        ("memory", size_text(found.memory_bytes) if found.memory_bytes is not None else "not told"),
    ]
