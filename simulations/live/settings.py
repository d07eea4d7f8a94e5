"""What can be chosen about live trading, beside the choices of any session."""

from datetime import date, timedelta
from pathlib import Path

from pydantic import Field

from ...tools.frozen import Frozen
from ..config import SessionConfig


class TradeConfig(Frozen):
    """All choices of a live session. The market has to be a folder that somebody keeps up to date."""

    session: SessionConfig
    broker: str
    """Name of a broker: `paperdesk brokers list`."""
    until: date | None = None
    """Last session; without it the desk goes on until it is stopped."""
    dry_run: bool = False
    """Decide and judge, and send nothing."""
    open_delay_seconds: float = Field(default=60.0, ge=0)
    """From the open to the first order, so that there are quotes."""
    send_minutes: float = Field(default=60.0, gt=0)
    """After the open, how long orders may still be sent; what could not be sent by then is not sent at all."""
    poll_seconds: float = Field(default=30.0, gt=0)
    """Between two questions about orders, or about data that have not arrived."""
    data_delay_minutes: float = Field(default=15.0, ge=0)
    """From the close until the market folder is read."""
    max_clock_skew_seconds: float = Field(default=30.0, gt=0)
    """Difference of the venue's clock and ours beyond which nothing is sent."""
    adopt: bool = False
    """Take over the positions that the venue counts where they differ from the journal's. A person's decision."""
    refresh: str | None = None
    """A command that brings the market folder up to date, run after every close."""

    @property
    def open_delay(self) -> timedelta:
        """The same as a span."""
        return timedelta(seconds=self.open_delay_seconds)

    @property
    def poll(self) -> timedelta:
        """The same as a span."""
        return timedelta(seconds=self.poll_seconds)


HEARTBEAT = "heartbeat.json"
"""When the desk was last alive and what it was doing; in the session's folder."""
REPORTS = "reports"
"""Folder of the daily reports, in the session's folder."""
KILL_SWITCH = "KILL"
"""The kill switch where the policy names none: once this file is in the session's folder, nothing is sent."""


def kill_switch_of(folder: Path) -> Path:
    """The kill switch of a session whose policy names none."""
    return folder / KILL_SWITCH
