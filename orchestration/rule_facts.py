"""What the desk tells the pre-trade rules: the account, the market and its own forecasts, as of the decision."""

from datetime import datetime

from ..tools.market.view import MarketView
from ..tools.rules import MarketFacts, RuleContext
from .context import DeskContext
from .state import DeskState

ADV_SESSIONS = 20
"""Sessions over which the average daily volume is taken."""
CURRENCY = "the market's"
"""A market has one currency, in which its account is kept; it need not say which."""


def rule_context(desk: DeskContext, state: DeskState) -> RuleContext:
    """What the rules may look at in this decision of a simulation."""
    view = desk.view(state["as_of"])
    portfolio = state["portfolio"]
    newest, edges = newest_evidence(desk), edges_bps(desk, state)
    return RuleContext(
        portfolio=portfolio,
        equity_previous_close=desk.previous_equity or portfolio.equity,
        equity_peak=max(desk.peak_equity, portfolio.equity),
        market={
            ticker: market_facts(desk, view, ticker, newest.get(ticker), edges.get(ticker)) for ticker in desk.universe
        },
        activity=desk.activity.at(state["as_of"]),
        live=None,
        currency=CURRENCY,
        in_flight=desk.broker.waiting(),  # the desk's day orders have ended; what the broker forces has not
        known_client_ids=frozenset(desk.sent),
        fractional=desk.settings.fractional,
        now=state["as_of"],
    )


def market_facts(
    desk: DeskContext, view: MarketView, ticker: str, newest: datetime | None, edge: float | None
) -> MarketFacts:
    """Last close, its age, volume and tradability of one name, and what it is; None where it is not known."""
    past = view.arrays(ticker, ADV_SESSIONS)
    traded = len(past.close) > 0
    row = int(past.rows[-1]) if traded else -1
    company = desk.market.companies.get(ticker)
    tradable = row == len(view.sessions) - 1
    adv = float(past.volume.sum() / len(past.volume)) if traded else None
    return MarketFacts(
        last_close=float(past.close[-1]) if traded else None,
        last_session=view.sessions[row] if traded else None,
        age_sessions=len(view.sessions) - 1 - row if traded else None,
        adv_shares=adv,
        tradable=tradable,
        currency=CURRENCY,
        asset_class="equity" if company else "fund",
        sector=company.sector or None if company else None,
        newest_evidence_at=newest,
        edge_bps=edge,
        cost_bps=desk.settings.cost_per_unit * 1e4,
        # Nobody knows who lent what in the past: a day's volume is taken for located where shares may be borrowed.
        borrowable_shares=adv if desk.settings.max_short and tradable else None,
    )


def newest_evidence(desk: DeskContext) -> dict[str, datetime]:
    """When the newest evidence of this decision on each name became available."""
    newest: dict[str, datetime] = {}
    for (_, ticker), items in desk.casebook.by_seat.items():
        if items:
            latest = max(item.available_at for item in items)
            newest[ticker] = max(latest, newest.get(ticker, latest))
    return newest


def edges_bps(desk: DeskContext, state: DeskState) -> dict[str, float]:
    """By name, what the proposal expects a purchase to earn over its holding period, less the cost of buying it."""
    proposal, settings = state["proposal"], desk.settings
    alpha = {view.ticker: view.alpha for view in proposal.views}
    return {
        name: ((earned + alpha.get(name, 0.0)) * settings.holding_sessions - settings.cost_per_unit) * 1e4
        for name, earned in proposal.reference.items()
    }
