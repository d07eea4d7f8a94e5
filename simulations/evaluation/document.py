"""What an evaluation says, as data: everything that the terminal, the page and `--json` show."""

from datetime import date

from ...tools.frozen import Frozen
from .contamination import Contamination
from .figures import Estimate
from .trials import Trial


class Traded(Frozen):
    """What an account traded and held."""

    turnover: float
    """Purchases and sales over mean equity, per year."""
    cost_drag_bps: float
    """Commission and slippage over mean equity, in basis points a year."""
    costs: float
    """In money."""
    fills: int
    exposure: float | None = None
    """Mean share of equity that is not cash; known of the desk."""


class TrackReport(Frozen):
    """One track's figures."""

    name: str
    about: str
    figures: dict[str, Estimate | None]
    """By name (`figures.FIGURES`); None where the track has no such figure."""
    traded: Traded


class Comparison(Frozen):
    """The desk against one opponent, on the same days."""

    opponent: str
    excess: Estimate
    """Difference of the mean daily returns, times 252."""
    alpha: Estimate | None
    """Annual intercept of the desk's returns on the opponent's; None where the opponent does not move."""
    beta: Estimate | None
    verdict: str
    """`better`, `worse`, or `not told apart`: whether the excess is told from 0, all opponents counted (Bonferroni)."""


class Luck(Frozen):
    """How much of the desk's Sharpe ratio is luck."""

    sharpe: float
    """A year."""
    observations: int
    skew: float
    kurtosis: float
    probabilistic: float
    """Probability that the true Sharpe ratio is above 0, had this been the only trial."""
    trials: int | None
    """Distinct configurations run on this market; None where none is on record."""
    spread: float
    """Standard deviation of Sharpe ratios between trials, a year."""
    best_by_luck: float
    """Sharpe ratio that the best of so many trials without skill would show, a year."""
    deflated: float
    """Probability that the true Sharpe ratio is above 0, the search counted."""
    needed_sessions: int | None
    """Length of record at which a Sharpe ratio like this, the search counted, would be told from luck (95 %)."""


class Lottery(Frozen):
    """The desk among accounts that trade as much, in names drawn by lot."""

    accounts: int
    turnover: float
    """Their mean, a year; the desk's stands with its track."""
    returns: tuple[float, float, float]
    """5 %, median and 95 % of their annual returns."""
    sharpes: tuple[float, float, float]
    rank_return: float
    """Share of them with a smaller total return than the desk's."""
    rank_sharpe: float
    alpha: Estimate
    """Annual intercept of the desk on the mean of them: what the choice of names earned."""
    deflated: float
    """Deflated Sharpe ratio of that part of the desk's returns."""
    skilled: bool
    """Whether the choice of names is told from luck: see `session_report.SKILLED`."""


class Skill(Frozen):
    """One agent's record."""

    agent: str
    signals: int
    """Stated, without abstentions."""
    abstained: int
    judged: int
    """Of which the horizon has passed inside the window."""
    ic: Estimate | None
    """Information coefficient: correlation of scores and outcomes (Grinold and Kahn 2000)."""
    hit_rate: Estimate | None
    """Share of scores on the right side of 0, of those not 0."""
    brier: Estimate | None
    """Mean squared error of the probability of a rise (Brier 1950); always saying one half gives 0.25."""
    calibration_error: Estimate | None
    """Expected calibration error over ten equal bins (Naeini, Cooper and Hauskrecht 2015)."""


class Fitted(Frozen):
    """What a fit is worth where it was not fitted: its gain over the average of its training set, per observation."""

    what: str
    measure: str
    """What the gain is measured in."""
    walk_forward: Estimate | None
    """Judged by what had ended before; None where there is too little."""
    combinatorial: Estimate | None
    """Judged by all other parts, purged."""


class AgentProfit(Frozen):
    """What an agent's views earned, a year, as a part of equity."""

    agent: str
    profit: Estimate
    decisions: int
    """In which it had a share that can be told."""


class Exchange(Frozen):
    """How an analyst answers when names are shown the evidence of other names."""

    agent: str
    decisions: int
    """At which it was asked again."""
    answers: int
    told_apart: int
    """Answers where the scores of the name and of its donor differ enough to say whose the answer is."""
    follows_evidence: float | None
    """Share of those that are nearer to the donor's score than to the name's own."""
    verdict: str


class SessionReport(Frozen):
    """The evaluation of one session."""

    session: str
    head: str
    market: str
    market_fingerprint: str
    generated: bool
    mind: str
    desk: str
    start: date
    end: date
    sessions: int
    decisions: int
    contamination: Contamination
    tracks: tuple[TrackReport, ...]
    """The desk first."""
    comparisons: tuple[Comparison, ...]
    luck: Luck | None
    """None where the desk's equity never moved."""
    lottery: Lottery | None
    """None where the desk never traded."""
    skills: tuple[Skill, ...]
    attribution: tuple[AgentProfit, ...]
    fitted: tuple[Fitted, ...]
    exchanges: tuple[Exchange, ...]
    """Empty where the mind was not asked again."""
    trials: tuple[Trial, ...]
    tried: tuple[str, ...]
    survived: tuple[str, ...]
    failed: tuple[str, ...]
    """What was tried, what survived, what did not: sentences for people."""
    curves: dict[str, tuple[float, ...]]
    """Equity over its start, thinned to at most 260 points: of the tracks, and 5 % and 95 % of the random accounts."""
    curve_days: tuple[date, ...]
