"""What trading costs: commission, slippage, and the share of a day's volume that one account can take."""

from pydantic import Field

from ...frozen import Frozen


class Costs(Frozen):
    """The price list of the simulated broker.

    The commission of an order of q shares at price p is `max(minimum, q * (per_share + p * bps / 10_000))`: the terms
    add up, the minimum holds for the order as a whole. A buy pays `open * (1 + d) * (1 + i)`, a sale receives
    `open * (1 - d) * (1 - i)`, also where that lies outside the day's range: d is half the spread and the slippage, i
    the impact `impact * volatility * sqrt(shares / average volume)` (the square-root law: Toth et al. 2011, "Anomalous
    price impact and the critical nature of liquidity in financial markets", equation 1).
    """

    commission_bps: float = Field(default=0.0, ge=0, lt=10_000)
    """Of the value traded."""
    commission_per_share: float = Field(default=0.0, ge=0)
    """In the account's currency."""
    commission_minimum: float = Field(default=0.0, ge=0)
    """In the account's currency, once per order."""
    slippage_bps: float = Field(default=5.0, ge=0, lt=10_000)
    """Against the order, from the session's opening price."""
    spread_bps: float = Field(default=0.0, ge=0, lt=10_000)
    """Between bid and ask; half of it stands against the order, beside the slippage."""
    impact: float = Field(default=0.0, ge=0, le=10)
    """Factor of the square-root law, about 1 in published estimates; 0: orders move no price."""
    volume_limit: float | None = Field(default=0.1, gt=0, le=1)
    """Largest share of the session's volume that all orders in one name may take together; None: no limit."""

    @property
    def distance_bps(self) -> float:
        """From the open, against the order, before any impact."""
        return self.slippage_bps + self.spread_bps / 2

    def commission(self, shares: float, price: float) -> float:
        """Commission of one order of `shares` (>= 0) at `price`; 0 where nothing is traded."""
        if shares <= 0:
            return 0.0
        return max(self.commission_minimum, shares * self._rate(price))

    def affordable(self, cash: float, price: float, tied: float) -> float:
        """The most shares that `cash` can bear, not rounded to lots.

        Each ties up `tied` (> 0; its price, or a margin) and costs its commission at `price`. Cost is the
        greater of `q * tied + minimum` and `q * (tied + rate)`; both must stay within the cash.
        """
        return max(0.0, min((cash - self.commission_minimum) / tied, cash / (tied + self._rate(price))))

    def _rate(self, price: float) -> float:
        return self.commission_per_share + price * self.commission_bps / 10_000
