"""What each measure means: its name for people, its unit, how it is printed, and how a sober reader takes it.

One table serves the prompts (how a figure is shown, as briefly as can be), the auditor (which direction a figure can
support) and the scorecard (how many points it earns). `bearish` and `bullish` are the values at which the reading is -1
and +1; in between it is linear, beyond it is clipped. A measure without them has no direction and supports nothing by
itself.
"""

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Measure:
    """One row: how a figure is named, printed and read."""

    name: str
    label: str
    """Short, as rationales and reports print it."""
    unit: str
    """`fraction` (printed as per cent), `ratio`, `index` (0..100), `usd`, or `text`."""
    decimals: int = 1
    bearish: float | None = None
    bullish: float | None = None
    signed: bool = False
    """True where the sign is part of the message: printed with an explicit plus."""
    meaning: str = ""
    """What exactly is measured, where the label does not say it all."""
    brief: str = ""
    """The label in prompts, where it is another: every token there costs time."""
    of_prices: bool = False
    """Whether it is a return or a distance between prices, of which a tenth of a per cent says nothing."""

    # cached: a decision about 100 companies reads and prints thousands of figures of a dozen measures
    @cached_property
    def directional(self) -> bool:
        """Whether a figure of this measure can support a stance by itself."""
        return self.bearish is not None and self.bullish is not None

    def reading(self, value: float) -> float:
        """How the value leans, in [-1, 1]; 0 for a measure without direction."""
        if self._scale is None:
            return 0.0
        middle, half = self._scale
        lean = (value - middle) / half
        return -1.0 if lean < -1.0 else lean if lean < 1.0 else 1.0

    def show(self, value: float) -> str:
        """The value as rationales and reports print it."""
        return self._form % (value * 100 if self.unit == "fraction" else value)

    def show_briefly(self, value: float) -> str:
        """The value as prompts print it: per cents from 10 on, and all those of prices, without decimals."""
        if self.unit == "fraction" and (self.of_prices or abs(value) >= 0.0995):
            return self._whole_form % (value * 100)
        return self.show(value)

    @cached_property
    def _scale(self) -> tuple[float, float] | None:
        """The value that leans nowhere, and how far from it a value leans as far as can be."""
        if self.bearish is None or self.bullish is None:
            return None
        return (self.bearish + self.bullish) / 2, (self.bullish - self.bearish) / 2

    @cached_property
    def _form(self) -> str:
        return f"%{'+' if self.signed else ''}.{self.decimals}f{'%%' if self.unit == 'fraction' else ''}"

    @cached_property
    def _whole_form(self) -> str:
        return f"%{'+' if self.signed else ''}.0f%%"


_ROWS = (
    # price-based
    Measure(
        "return_1m",
        "1-month return",
        "fraction",
        bearish=-0.08,
        bullish=0.08,
        signed=True,
        brief="month",
        of_prices=True,
    ),
    Measure(
        "momentum_3m",
        "3-month return",
        "fraction",
        bearish=-0.15,
        bullish=0.15,
        signed=True,
        brief="quarter",
        of_prices=True,
    ),
    Measure(
        "momentum_12_1",
        "12-month return",
        "fraction",
        bearish=-0.25,
        bullish=0.25,
        signed=True,
        meaning="return over 12 months without the last one (Jegadeesh and Titman 1993; Carhart 1997)",
        brief="year",
        of_prices=True,
    ),
    Measure(
        "distance_sma_50",
        "against 50-day average",
        "fraction",
        bearish=-0.08,
        bullish=0.08,
        signed=True,
        meaning="price over its 50-day average, minus 1",
    ),
    Measure(
        "distance_sma_200",
        "against 200-day average",
        "fraction",
        bearish=-0.15,
        bullish=0.15,
        signed=True,
        meaning="price over its 200-day average, minus 1",
        brief="trend",
        of_prices=True,
    ),
    Measure(
        "rsi_14",
        "RSI",
        "index",
        0,
        bearish=80.0,
        bullish=20.0,
        meaning="relative strength index over 14 days (Wilder 1978)",
    ),
    Measure(
        "macd_histogram",
        "MACD histogram",
        "fraction",
        2,
        bearish=-0.01,
        bullish=0.01,
        signed=True,
        meaning="MACD(12, 26, 9) histogram over price",
    ),
    Measure("volatility_1m", "1-month volatility", "fraction", meaning="annual volatility of daily returns, 1 month"),
    Measure("volatility_3m", "volatility", "fraction", meaning="annual volatility of daily returns, 3 months"),
    Measure("drawdown_12m", "drawdown", "fraction", signed=True, meaning="distance from the 12-month high"),
    Measure(
        "max_drawdown_12m",
        "deepest drawdown",
        "fraction",
        signed=True,
        meaning="deepest fall from a high within 12 months, dividends reinvested",
    ),
    Measure(
        "beta_12m",
        "beta",
        "ratio",
        2,
        signed=True,
        meaning="slope of daily returns on the market's over 12 months (Sharpe 1964)",
    ),
    Measure(
        "idiosyncratic_volatility_12m",
        "idiosyncratic volatility",
        "fraction",
        meaning="annual volatility of daily returns that the market does not explain, over 12 months",
    ),
    Measure("volume_ratio", "volume ratio", "ratio", 2, meaning="mean volume of 20 days over that of 60 days"),
    # from filings
    Measure(
        "revenue_growth_yoy",
        "revenue growth",
        "fraction",
        bearish=-0.10,
        bullish=0.25,
        signed=True,
        meaning="revenue of the quarter against the same quarter a year ago",
    ),
    Measure(
        "revenue_growth_ttm",
        "yearly revenue growth",
        "fraction",
        bearish=-0.10,
        bullish=0.25,
        signed=True,
        meaning="revenue of 12 months against the 12 months before",
    ),
    Measure(
        "earnings_growth_yoy",
        "earnings growth",
        "fraction",
        bearish=-0.25,
        bullish=0.35,
        signed=True,
        meaning="net income of the quarter against the same quarter a year ago",
    ),
    Measure(
        "gross_margin_ttm",
        "gross margin",
        "fraction",
        bearish=0.10,
        bullish=0.60,
        meaning="revenue minus its cost, over revenue, 12 months",
    ),
    Measure(
        "operating_margin_ttm",
        "operating margin",
        "fraction",
        bearish=-0.05,
        bullish=0.30,
        meaning="operating income over revenue, 12 months",
    ),
    Measure(
        "net_margin_ttm",
        "net margin",
        "fraction",
        bearish=-0.05,
        bullish=0.25,
        meaning="net income over revenue, 12 months",
    ),
    Measure(
        "margin_change_yoy",
        "net margin change",
        "fraction",
        bearish=-0.04,
        bullish=0.04,
        signed=True,
        meaning="net margin of the quarter minus that of the same quarter a year ago",
        brief="margin change",
    ),
    Measure(
        "roe_ttm",
        "return on equity",
        "fraction",
        bearish=-0.05,
        bullish=0.30,
        meaning="net income of 12 months over equity at their end",
    ),
    Measure(
        "roa_ttm",
        "return on assets",
        "fraction",
        bearish=-0.03,
        bullish=0.12,
        meaning="net income of 12 months over the mean of assets at their end and a year before",
    ),
    Measure("liabilities_to_assets", "liabilities over assets", "fraction", bearish=0.95, bullish=0.25, brief="debt"),
    Measure("liabilities_to_equity", "liabilities over equity", "ratio", 2, bearish=5.0, bullish=0.3),
    Measure(
        "current_ratio",
        "current ratio",
        "ratio",
        2,
        bearish=0.7,
        bullish=2.0,
        meaning="current assets over current liabilities",
    ),
    Measure(
        "cash_conversion",
        "cash flow over earnings",
        "ratio",
        2,
        bearish=0.4,
        bullish=1.6,
        meaning="operating cash flow over net income, 12 months",
    ),
    Measure(
        "accruals_ttm",
        "accruals",
        "fraction",
        bearish=0.10,
        bullish=-0.10,
        signed=True,
        meaning="net income minus operating cash flow of 12 months, over mean assets (Sloan 1996)",
    ),
    Measure(
        "earnings_yield",
        "earnings yield",
        "fraction",
        bearish=0.0,
        bullish=0.08,
        meaning="diluted earnings per share of 12 months over price",
    ),
    Measure(
        "price_to_earnings",
        "price over earnings",
        "ratio",
        bearish=40.0,
        bullish=10.0,
        meaning="price over diluted earnings per share of 12 months; absent for a loss (Basu 1977)",
    ),
    Measure(
        "price_to_sales",
        "price over sales",
        "ratio",
        2,
        bearish=12.0,
        bullish=1.0,
        meaning="market capitalisation over revenue of 12 months (Barbee, Mukherji and Raines 1996)",
    ),
    Measure(
        "free_cash_flow_yield",
        "free cash flow yield",
        "fraction",
        bearish=0.0,
        bullish=0.08,
        meaning="operating cash flow minus capital expenditure of 12 months, over market capitalisation",
    ),
    # documents and market
    Measure("passage", "news", "text", meaning="a passage of a document"),
    Measure(
        "tone",
        "news tone",
        "ratio",
        2,
        bearish=-0.6,
        bullish=0.6,
        signed=True,
        meaning="tone of the latest release by a finance lexicon, from -1 to 1",
    ),
    Measure("related_event", "related", "text", meaning="an event at a related company, worded by code"),
    Measure(
        "related_outlook",
        "related outlook",
        "ratio",
        2,
        bearish=-0.8,
        bullish=0.8,
        signed=True,
        meaning="(good - bad) / (good + bad + 1) over outlooks raised or lowered, beats and misses at relatives",
    ),
    Measure("regime", "market", "text", meaning="regime of the market by a hidden Markov model"),
    Measure("lesson", "lesson", "text", meaning="what an analyst said in a like situation, and what followed"),
    Measure(
        "market_return_3m", "3-month return of the market", "fraction", 1, -0.1, 0.1, True, "", "market quarter", True
    ),
    Measure(
        "market_trend",
        "market against 200-day average",
        "fraction",
        bearish=-0.1,
        bullish=0.1,
        signed=True,
        brief="market trend",
        of_prices=True,
    ),
    Measure(
        "market_pull",
        "pull of the market",
        "fraction",
        bearish=-0.1,
        bullish=0.1,
        signed=True,
        meaning="beta times the market's 3-month return: what its move alone would have done",
        brief="pull",
        of_prices=True,
    ),
    Measure("rate_level", "yield", "fraction", 2, meaning="yield of a government bond or bill, a year"),
    Measure(
        "rate_change_3m",
        "3-month change of the yield",
        "fraction",
        2,
        bearish=0.01,
        bullish=-0.01,
        signed=True,
        meaning="yield minus that of three months before, in points",
        brief="rate change",
    ),
    Measure("turbulence", "turbulence", "fraction", 0, 1.0, 0.0, meaning="probability of the turbulent regime"),
    # of the desk's own portfolio: bearish is what a risk officer worries about
    Measure("largest_weight", "largest weight", "fraction", 1, 0.35, 0.10, meaning="largest weight of one name"),
    Measure("breadth", "breadth", "fraction", 0, 0.2, 0.8, meaning="1 / sum of squared shares, over the universe"),
    Measure("correlation", "correlation", "ratio", 2, 0.8, 0.1, meaning="of the names' returns, by pairs and weights"),
    Measure("tail_ratio", "tail against equal weight", "ratio", 2, 1.2, 0.6, meaning="CVaR over the universe's"),
    Measure(
        "desk_drawdown", "drawdown of the desk", "fraction", 1, -0.15, 0.0, True, meaning="equity against its peak"
    ),
)

MEASURES: dict[str, Measure] = {row.name: row for row in _ROWS}
"""All measures by name."""
