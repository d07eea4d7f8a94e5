"""What each measure means: its name for people, its unit, how it is printed, and how a sober reader takes it.

One table serves the prompts (how a figure is shown), the auditor (which direction a figure can support) and the
scorecard (how many points it earns). `bearish` and `bullish` are the values at which the reading is -1 and +1; in
between it is linear, beyond it is clipped. A measure without them has no direction and supports nothing by itself.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One row: how a figure is named, printed and read."""

    name: str
    label: str
    unit: str
    """`fraction` (printed as per cent), `ratio`, `index` (0..100), `usd`, or `text`."""
    decimals: int = 1
    bearish: float | None = None
    bullish: float | None = None
    signed: bool = False
    """True where the sign is part of the message: printed with an explicit plus."""

    @property
    def directional(self) -> bool:
        """Whether a figure of this measure can support a stance by itself."""
        return self.bearish is not None and self.bullish is not None

    def reading(self, value: float) -> float:
        """How the value leans, in [-1, 1]; 0 for a measure without direction."""
        if self.bearish is None or self.bullish is None:
            return 0.0
        middle = (self.bearish + self.bullish) / 2
        half = (self.bullish - self.bearish) / 2
        return max(-1.0, min(1.0, (value - middle) / half))

    def show(self, value: float) -> str:
        """The value as prompts, rationales and reports print it."""
        sign = "+" if self.signed else ""
        if self.unit == "fraction":
            return f"{value * 100:{sign}.{self.decimals}f}%"
        return f"{value:{sign}.{self.decimals}f}"


_ROWS = (
    # price-based
    Measure("return_1m", "1-month return", "fraction", bearish=-0.08, bullish=0.08, signed=True),
    Measure("momentum_3m", "3-month return", "fraction", bearish=-0.15, bullish=0.15, signed=True),
    Measure(
        "momentum_12_1", "12-month return without the last month", "fraction", bearish=-0.25, bullish=0.25, signed=True
    ),
    Measure(
        "distance_sma_50", "price against its 50-day average", "fraction", bearish=-0.08, bullish=0.08, signed=True
    ),
    Measure(
        "distance_sma_200", "price against its 200-day average", "fraction", bearish=-0.15, bullish=0.15, signed=True
    ),
    Measure("rsi_14", "RSI (14 days)", "index", 0, bearish=80.0, bullish=20.0),
    Measure("macd_histogram", "MACD histogram over price", "fraction", 2, bearish=-0.01, bullish=0.01, signed=True),
    Measure("volatility_3m", "annual volatility, 3 months", "fraction"),
    Measure("drawdown_12m", "drawdown from the 12-month high", "fraction", signed=True),
    Measure("volume_ratio", "20-day volume over 60-day volume", "ratio", 2),
    # from filings
    Measure(
        "revenue_growth_yoy",
        "quarterly revenue against a year ago",
        "fraction",
        bearish=-0.10,
        bullish=0.25,
        signed=True,
    ),
    Measure(
        "earnings_growth_yoy",
        "quarterly net income against a year ago",
        "fraction",
        bearish=-0.25,
        bullish=0.35,
        signed=True,
    ),
    Measure("net_margin_ttm", "net margin, 12 months", "fraction", bearish=-0.05, bullish=0.25),
    Measure(
        "margin_change_yoy",
        "change of quarterly net margin against a year ago",
        "fraction",
        bearish=-0.04,
        bullish=0.04,
        signed=True,
    ),
    Measure("roe_ttm", "return on equity, 12 months", "fraction", bearish=-0.05, bullish=0.30),
    Measure("liabilities_to_assets", "liabilities over assets", "fraction", bearish=0.95, bullish=0.25),
    Measure("cash_conversion", "operating cash flow over net income, 12 months", "ratio", 2, bearish=0.4, bullish=1.6),
    Measure("earnings_yield", "earnings yield (12-month EPS over price)", "fraction", bearish=0.0, bullish=0.08),
    # documents and market
    Measure("passage", "passage", "text"),
    Measure("tone", "tone of the latest release (lexicon)", "ratio", 2, bearish=-0.6, bullish=0.6, signed=True),
    Measure("regime", "market regime", "text"),
)

MEASURES: dict[str, Measure] = {row.name: row for row in _ROWS}
"""All measures by name."""
