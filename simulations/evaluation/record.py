"""A finished session as the evaluation reads it: from its journal, with its market opened again."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...agents.models.core import Fingerprint
from ...memory.journal import Journal
from ...memory.journal.events import (
    AuditIssued,
    BarClosed,
    DecisionOpened,
    DeskChanged,
    OrderFilled,
    ProposalMade,
    SessionStarted,
    SignalIssued,
    SignalResolved,
    ToolCalled,
)
from ...tools.broker.protocol import Fill
from ...tools.errors import InputError
from ...tools.frozen import content_hash
from ...tools.market.view import Market
from ..account import accounts_of
from ..config import SessionConfig
from ..masking import market_of
from ..stages import stored_config
from ..window import Window, window_of
from .baselines import OpenAccount, Track
from .contamination import Contamination, Sitting, contamination, real_day
from .metrics import daily_returns, trading_of

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class SessionRecord:
    """What a session did, and the ground on which it did it."""

    folder: Path
    head: str
    config: SessionConfig
    market: Market
    window: Window
    mind: Fingerprint
    """With which it began."""
    sittings: tuple[Sitting, ...]
    """That mind, and those that a fork went on with."""
    bars: tuple[BarClosed, ...]
    fills: tuple[Fill, ...]
    opened: tuple[DecisionOpened, ...]
    signals: tuple[SignalIssued, ...]
    audits: tuple[AuditIssued, ...]
    proposals: tuple[ProposalMade, ...]
    """The last one of each decision."""
    resolved: tuple[SignalResolved, ...]
    gathered: Mapping[tuple[str, str, int], str]
    """What each agent was given on a ticker at a decision: a hash of figures and texts, without names and dates."""

    @cached_property
    def track(self) -> Track:
        """The desk's equity and trading."""
        equity = {pd.Timestamp(bar.session): bar.equity for bar in self.bars}
        return Track("desk", pd.Series(equity, name="desk"), trading_of(self.fills))

    @cached_property
    def returns(self) -> Vector:
        """(T,) daily returns of the desk."""
        return daily_returns(self.track.equity).to_numpy(dtype=float)

    @property
    def days(self) -> tuple[date, ...]:
        """All sessions of the ledger."""
        return tuple(bar.session for bar in self.bars)

    @cached_property
    def exposure(self) -> Vector:
        """(T + 1,) share of equity that is not cash, at each close."""
        return np.array([1 - bar.cash / bar.equity for bar in self.bars])

    @property
    def contamination(self) -> Contamination:
        """Whether one of its minds may remember the window."""
        return contamination(self.sittings, generated=self.market.generated, mask=self.config.mask)

    @property
    def open_account(self) -> OpenAccount:
        """Makes new accounts like the desk's, for baselines."""
        return accounts_of(self.config, self.market, self.window)


def read_session(folder: Path, market: Market | None = None) -> SessionRecord:
    """A finished session.

    Args:
        folder: of the session.
        market: the session's, where it is open already.

    Raises:
        InputError: there is no session, it is not finished, or its market is not what it was.
    """
    config = stored_config(folder)
    kinds: defaultdict[str, list[Any]] = defaultdict(list)
    given: defaultdict[tuple[str, str, int], list[Any]] = defaultdict(list)
    with Journal.open_readonly(folder) as journal:
        if not journal.is_finished:
            raise InputError(f"The session in {folder} is not finished: resume it before evaluating it.")
        head = journal.head
        for record in journal.events():
            if isinstance(record.event, ToolCalled):
                call = record.event
                given[call.agent, call.ticker, call.decision or 0].append(_said(call))
            else:
                kinds[record.event.kind].append(record.event)
    started: SessionStarted = kinds["session_started"][0]
    market = market or market_of(config)
    if market.fingerprint != started.market_fingerprint:
        raise InputError(
            f"The market of the session in {folder} has changed since: evaluate it on the data that it was run on."
        )
    filled: list[OrderFilled] = kinds["order_filled"]
    mind, window = Fingerprint.model_validate(started.model), window_of(config, market)
    last = {proposal.decision: proposal for proposal in kinds["proposal_made"]}
    return SessionRecord(
        folder=folder,
        head=head,
        config=config,
        market=market,
        window=window,
        mind=mind,
        sittings=((mind, real_day(market, window.sessions[0])), *_later(market, kinds["desk_changed"])),
        bars=tuple(kinds["bar_closed"]),
        fills=tuple(event.fill for event in filled),
        opened=tuple(kinds["decision_opened"]),
        signals=tuple(kinds["signal_issued"]),
        audits=tuple(kinds["audit_issued"]),
        proposals=tuple(last.values()),
        resolved=tuple(kinds["signal_resolved"]),
        gathered={seat: content_hash(said) for seat, said in given.items()},
    )


def _later(market: Market, changes: Iterable[DeskChanged]) -> Iterator[Sitting]:
    for one in changes:
        if one.mind is not None:
            yield Fingerprint.model_validate(one.mind), real_day(market, one.at)


def _said(call: ToolCalled) -> list[Any]:
    """What a tool's answer says, to nine digits: masking moves levels by a factor and leaves ratios up to rounding."""
    return [
        [item.measure, item.unit, None if item.value is None else f"{item.value:.9g}", item.text]
        for item in call.evidence
    ]
