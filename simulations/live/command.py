"""`paperdesk trade`: from options to a session, with an end that can be gone on from."""

import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from ...agents.models.served.access import Access
from ...tools.broker.registry import BrokerSettings
from ...tools.errors import InputError
from ..config import load_config
from ..console import Interrupted, console, runs_folder
from .allocator import share_one_arena
from .settings import TradeConfig
from .trade import trade


def run_trade(
    broker: str | None,
    out: Path | None,
    file: Path | None,
    choices: dict[str, Any],
    other: dict[str, Any],
    *,
    adopt: bool,
    live: bool,
    api_key_env: str,
) -> None:
    """Start a live session, or go on with the one in `out`.

    Raises:
        InputError: a choice is refused, or one is given for a session that has made its choices.
        Interrupted: a person, or the machine as it shuts down, stopped it; the message says how to go on.
    """
    share_one_arena()
    folder = out or runs_folder()
    given = broker is not None or file is not None or any(value is not None for value in choices.values())
    config = None
    if given or not folder.exists():
        if broker is None:
            raise InputError("No broker is named: give --broker, such as --broker alpaca.")
        config = TradeConfig(
            session=load_config(file, choices),
            broker=broker,
            **{name: value for name, value in other.items() if value is not None},
        )
    try:
        with _told_to_stop(), console() as screen:
            trade(
                config,
                folder,
                listener=screen.listen,
                say=screen.say,
                access=Access(api_key_env=api_key_env),
                settings=BrokerSettings(live=live),
                adopt=adopt,
                approver=screen,
            )
    except (KeyboardInterrupt, Interrupted):
        how = f"`paperdesk trade --out {shlex.quote(str(folder))}` goes on from here; orders at the broker stand."
        raise Interrupted(f"Stopped: {how}") from None


@contextmanager
def _told_to_stop() -> Iterator[None]:
    """A request to end (SIGTERM) is as good as Ctrl-C: what is on record is whole."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
