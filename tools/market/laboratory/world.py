"""Business and prices together, session by session: what happened in a laboratory, before anything is written down.

With an edge planted, the expected log return of a session, beyond what market and sector explain, is a function of
what was public at the close before it: `World.planted` holds it, edge by edge.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .business import Books, Business
from .cast import Cast, Vector, draw_cast
from .factors import Factors, Matrix, Specific, draw_factors, draw_specific
from .plan import EDGES, EdgeName, LaboratoryPlan
from .streams import MOODS, stream
from .timetable import EARLY_QUARTERS, NEVER, Timetable, draw_timetable

MOMENTUM_SESSIONS, MOMENTUM_SKIPPED = 252, 21
MOMENTUM_USUAL = 1.3
"""Usual daily size of a company's own return, earnings days included, over its `risk`."""
VALUE_MIDDLE, VALUE_UNIT = 0.065, 0.03
"""Earnings yield that counts as 0, and its unit."""
SCORE_LIMIT = 2.0
SPLIT_RATIOS = (2.0, 3.0, 4.0, 5.0, 10.0)
SPLIT_TARGET = 90.0
"""Price after a split, USD, as near as a ratio comes."""
REVERSE_BELOW, REVERSE_RATIO = 2.5, 0.1
SPLIT_NOTICE = 15
"""Sessions from a quarter's end to a split."""
_MOOD_BORDERS = (-1.2, -0.4, 0.4, 1.2)
_MOOD_SIZE = 1.1909
"""Standard deviation of a standard normal number once it is told in these five steps."""
QUOTE_LOADING = 0.6
"""Correlation of the chief's mood with the surprise."""

Moods = NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """Everything true of a market; T sessions, N companies, Q quarters."""

    plan: LaboratoryPlan
    cast: Cast
    table: Timetable
    factors: Factors
    business: Business
    specific: Specific
    quote_mood: Moods
    """(Q, N) -2..2: how the chief words the quarter; follows the surprise, loosely."""
    outlook_mood: Moods
    """(Q, N) -2..2: how the outlook is worded; independent of every figure."""
    planted: dict[EdgeName, Matrix]
    """(T + 1, N) expected log return of each session beyond market and sector, as known at the close before; the last
    row is the session after the market's last. 0 where the company is not traded."""
    returns: Matrix
    """(T, N) log total returns."""
    price: Matrix
    """(T, N) close in the shares of the first session, dividends paid out; also before listing and after delisting."""
    dividend: Matrix
    """(T, N) USD per share of the first session, by ex-date."""
    split: Matrix
    """(T, N) new shares per old share; 1 otherwise."""

    @property
    def traded(self) -> NDArray[np.bool_]:
        """(T, N) whether the company is on the exchange."""
        sessions = np.arange(self.table.count)[:, None]
        return np.asarray((sessions >= self.table.listed) & (sessions <= self.table.last))

    @property
    def shares_per_first(self) -> Matrix:
        """(T, N) shares on each session for one share of the first."""
        return np.asarray(np.cumprod(self.split, axis=0), dtype=np.float64)

    @property
    def close(self) -> Matrix:
        """(T, N) as traded, whole cents; NaN where the company is not on the exchange."""
        return np.where(self.traded, np.round(self.price / self.shares_per_first, 2), np.nan)

    @property
    def dividend_as_traded(self) -> Matrix:
        """(T, N) USD per share of its own day, by ex-date, in hundredths of a cent."""
        return np.where(self.traded, np.round(self.dividend / self.shares_per_first, 4), 0.0)


def build_world(plan: LaboratoryPlan, twin: World | None = None) -> World:
    """Everything true of a plan's market.

    Args:
        plan: what to make.
        twin: a world whose plan differs in its edges only: what was drawn for it is not drawn again.

    Raises:
        InputError: the exchange calendar does not cover these years, or the twin is none.
    """
    if twin is not None and twin.plan.model_copy(update={"edges": plan.edges}) != plan:
        raise InputError("the twin's plan differs in more than its edges; give one that does not, or none")
    cast = twin.cast if twin else draw_cast(plan)
    table = twin.table if twin else draw_timetable(plan, cast)
    books = Books(plan, cast, table)
    factors = twin.factors if twin else draw_factors(plan, table.count)
    specific = twin.specific if twin else draw_specific(plan, cast, table, factors, books.business.surprise)
    quote_mood, outlook_mood = _moods(plan, books.business.surprise)
    planted: dict[EdgeName, Matrix] = {
        "post_earnings_drift": _after_releases(plan, "post_earnings_drift", table, books.business.surprise),
        "tone_drift": _after_releases(plan, "tone_drift", table, outlook_mood / _MOOD_SIZE),
        "momentum": np.zeros((table.count + 1, len(cast))),
        "value": np.zeros((table.count + 1, len(cast))),
    }
    path = _Path(plan, cast, table, books, factors, specific, planted)
    path.walk()
    return World(
        plan=plan,
        cast=cast,
        table=table,
        factors=factors,
        business=books.business,
        specific=specific,
        quote_mood=quote_mood,
        outlook_mood=outlook_mood,
        planted=planted,
        returns=path.returns,
        price=path.price,
        dividend=path.dividend,
        split=path.split,
    )


def _moods(plan: LaboratoryPlan, surprise: Matrix) -> tuple[Moods, Moods]:
    """How quote and outlook are worded, (Q, N) each."""
    quarters, companies = surprise.shape
    z = np.stack([stream(plan.seed, MOODS, n).standard_normal((quarters, 2)) for n in range(companies)], axis=1)
    quote = QUOTE_LOADING * surprise + np.sqrt(1 - QUOTE_LOADING**2) * z[:, :, 0]
    return np.digitize(quote, _MOOD_BORDERS) - 2, np.digitize(z[:, :, 1], _MOOD_BORDERS) - 2


def _after_releases(plan: LaboratoryPlan, name: EdgeName, table: Timetable, cause: Matrix) -> Matrix:
    """(T + 1, N) expected returns after each release, from the session after the one that reacts."""
    expected = np.zeros((table.count + 1, cause.shape[1]))
    edge, strength = EDGES[name], plan.strength(name)
    if strength == 0.0:
        return expected
    for quarter, company in zip(*np.nonzero(table.reacts < table.count), strict=True):
        start = int(table.reacts[quarter, company]) + 1
        end = min(start + edge.horizon_sessions, table.count + 1)
        expected[start:end, company] += strength * edge.size / edge.horizon_sessions * cause[quarter, company]
    return expected * _expectable(table, 0)


def _expectable(table: Timetable, history: int) -> NDArray[np.bool_]:
    """(T + 1, N) whether a company trades on a session, and had traded on more than `history` sessions before it."""
    sessions = np.arange(table.count + 1)[:, None]
    stays = np.where(table.last == table.count - 1, table.count, table.last)
    return np.asarray((sessions > table.listed + history) & (sessions <= stays))


class _Path:
    """One walk through all sessions."""

    def __init__(
        self,
        plan: LaboratoryPlan,
        cast: Cast,
        table: Timetable,
        books: Books,
        factors: Factors,
        specific: Specific,
        planted: dict[EdgeName, Matrix],
    ) -> None:
        self._cast, self._table, self._books, self._planted = cast, table, books, planted
        self._own = specific.returns + specific.reaction
        self._common = cast.beta * factors.market[:, None] + factors.sectors[:, cast.sector]
        self._per_session = {
            name: plan.strength(name) * EDGES[name].size / EDGES[name].horizon_sessions for name in EDGES
        }
        shape = self._own.shape
        self.returns, self.price = np.empty(shape), np.empty(shape)
        self.dividend, self.split = np.zeros(shape), np.ones(shape)
        self._shares_per_first = np.ones(shape[1])
        self._with_history = _expectable(table, MOMENTUM_SESSIONS)
        self._listed = _expectable(table, 0)
        self._usual = MOMENTUM_USUAL * cast.risk * np.sqrt(MOMENTUM_SESSIONS - MOMENTUM_SKIPPED)
        self._filings: dict[int, list[tuple[int, int]]] = {}
        for quarter, company in zip(*(axis.tolist() for axis in np.nonzero(table.filed < NEVER)), strict=True):
            self._filings.setdefault(int(table.filed[quarter, company]) + 1, []).append((quarter, company))
        self._reported = np.zeros(shape[1])
        """Net income of the last twelve months as public filings have it."""

    def walk(self) -> None:
        """Fill everything."""
        for quarter in range(EARLY_QUARTERS):
            self._books.declare(quarter)
            self._books.close(quarter)
        last = np.exp(self._books.fair_value() + self._cast.first_gap) / self._cast.shares
        self._open_quarter(EARLY_QUARTERS, last)
        quarter_at = {int(end): quarter for quarter, end in enumerate(self._table.quarter_ends)}
        drifts = self._planted["post_earnings_drift"] + self._planted["tone_drift"]
        momentum, value = self._planted["momentum"], self._planted["value"]
        gained = np.zeros((len(self.price) + 1, len(last)))
        self._publish(range(-self._table.before, 0))
        for t in range(len(self.price)):
            own = self._own[t] + drifts[t] + momentum[t] + value[t]
            gained[t + 1] = gained[t] + own
            self.returns[t] = self._common[t] + own
            last = last * np.exp(self.returns[t]) - self.dividend[t]
            self.price[t] = last
            self._publish(range(t, t + 1))
            momentum[t + 1] = self._momentum(t, gained)
            value[t + 1] = self._value(t, last)
            ended = quarter_at.get(t)
            if ended is not None and ended + 1 < len(self._table.quarters):
                self._books.close(ended)
                self._split(t, last)
                self._open_quarter(ended + 1, last)
        self._books.close(len(self._table.quarters) - 1)

    def _open_quarter(self, quarter: int, last: Vector) -> None:
        self._books.foresee(np.log(last * self._cast.shares) - self._books.fair_value())
        declared, day = self._books.declare(quarter, last), self._table.ex_dividend[quarter]
        paying = np.nonzero(day < NEVER)[0]
        self.dividend[day[paying], paying] = declared[paying]

    def _split(self, t: int, last: Vector) -> None:
        """Splits of shares that have become dear, or cheap, in a quarter; they take effect some sessions later."""
        price, effective = last / self._shares_per_first, t + SPLIT_NOTICE
        on_exchange = (self._table.listed < t) & (self._table.last > effective)
        for company in np.nonzero(on_exchange & ((price > self._cast.split_price) | (price < REVERSE_BELOW)))[0]:
            dear = float(price[company])
            ratio = REVERSE_RATIO
            if dear > REVERSE_BELOW:
                ratio = min(SPLIT_RATIOS, key=lambda choice: abs(np.log(dear / choice / SPLIT_TARGET)))
            self.split[effective, company] = ratio
            self._shares_per_first[company] *= ratio

    def _publish(self, sessions: range) -> None:
        """Filings that are public by the close of these sessions."""
        if self._per_session["value"] == 0.0:
            return
        for session in sessions:
            for quarter, company in self._filings.get(session, ()):
                income = self._books.business.net_income[quarter - 3 : quarter + 1, company]
                self._reported[company] = income.sum()

    def _momentum(self, t: int, gained: Matrix) -> Vector | float:
        """Expected return of session t + 1 from a company's own return of 12 months without the last one."""
        size = self._per_session["momentum"]
        if size == 0.0 or t < MOMENTUM_SESSIONS:
            return 0.0
        score = (gained[t + 1 - MOMENTUM_SKIPPED] - gained[t + 1 - MOMENTUM_SESSIONS]) / self._usual
        return np.asarray(size * np.clip(score, -SCORE_LIMIT, SCORE_LIMIT) * self._with_history[t + 1])

    def _value(self, t: int, last: Vector) -> Vector | float:
        """Expected return of session t + 1 from the earnings yield."""
        size = self._per_session["value"]
        if size == 0.0:
            return 0.0
        score = (self._reported / (last * self._cast.shares) - VALUE_MIDDLE) / VALUE_UNIT
        return np.asarray(size * np.clip(score, -SCORE_LIMIT, SCORE_LIMIT) * self._listed[t + 1])
