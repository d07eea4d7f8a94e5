"""The policy: every limit of the pre-trade rules, read from a TOML file and pinned by its hash.

Nothing has a default: a policy that leaves a limit out is refused, because a guard that guesses its limits is none.
Only the lists may be absent (nobody restricted, nobody watched, everybody allowed) and the kill switch.
"""

import tomllib
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from ..broker.protocol import OrderType, Side
from ..frozen import Frozen, content_hash
from .errors import PolicyError

# Strict: TOML's `true` is not a limit of 1.0.
Fraction = Annotated[float, Field(strict=True, ge=0, le=1)]
Share = Annotated[float, Field(strict=True, gt=0, le=1)]
Positive = Annotated[float, Field(strict=True, gt=0)]
NotNegative = Annotated[float, Field(strict=True, ge=0)]
Number = Annotated[float, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=1)]
Sessions = Annotated[int, Field(strict=True, ge=0)]

PRESETS = Path(__file__).parent / "policies"

TierAction = Literal["half_size", "reduce_only", "halt"]
_SEVERITY: dict[TierAction, int] = {"half_size": 0, "reduce_only": 1, "halt": 2}


class DrawdownTier(Frozen):
    """What happens from a drawdown on."""

    drawdown: Share
    """Loss from the equity's peak, as a fraction of the peak."""
    action: TierAction
    """`half_size`: order and position limits are halved; `reduce_only`: only exits; `halt`: nothing at all."""


class EventWindow(Frozen):
    """Days on which a name is not bought."""

    ticker: str
    """`*`: every name."""
    first: date
    last: date
    """Included."""
    why: str

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.last < self.first:
            raise ValueError("an event window ends before it starts")
        return self


class Policy(Frozen):
    """All limits. Fractions are of equity at the decision unless said otherwise."""

    model_config = ConfigDict(use_attribute_docstrings=True)  # `paperdesk policy explain` shows them

    name: str
    """What the policy calls itself."""
    max_position_weight: Share
    """Largest weight of one name after the order and all that is in flight."""
    max_order_notional_fraction: Share
    """Largest notional of one entry order."""
    max_order_quantity: Positive
    """Largest number of shares of one entry order (RTS 6 article 15(1)(c))."""
    min_order_notional: NotNegative
    """Smallest notional of one entry order, in the account's currency."""
    max_trade_risk: Share
    """Largest loss of one entry order by itself: down to its stop, or by `adverse_move` where it has none."""
    max_sector_weight: Positive
    """Largest weight of one sector; names without a sector are one sector."""
    max_gross: Positive
    """Largest total market value of the positions, long and short ones added; 1 is unlevered."""
    max_net: Positive
    """Largest difference of long and short positions, in either direction."""
    min_cash_weight: Fraction
    """Cash that stays after the order, its estimated cost and all that is in flight."""
    settled_cash_only: bool = Field(strict=True)
    """Whether proceeds that are not settled yet (T+1) may not be spent."""
    max_positions: Count
    """Largest number of names held."""
    max_turnover: Positive
    """Largest sum of buys and sells of one decision (a full switch is 2). Exits count, but are not stopped."""
    max_cost_fraction: Share
    """Largest estimated cost of the orders of one decision."""
    max_adv_fraction: Share
    """Largest part of the average daily volume that one decision buys of a name."""
    price_collar: Share
    """Largest relative distance of the reference price from the last close."""
    max_reference_age_sessions: Sessions
    """How many sessions ago the last close may be; 0: it must be of the session of the decision."""
    max_order_age_minutes: Count
    """How long ago an order may have been decided."""
    max_evidence_age_days: NotNegative
    """How old the newest evidence on a name may be."""
    min_edge_bps: Number
    """Least expected return of an entry over its holding period, costs taken off."""
    max_edge_bps: Positive
    """Most expected return of an entry; beyond it the forecast is taken for an error."""
    cost_estimate_bps: NotNegative
    """Commission and slippage assumed for orders that have not been filled yet."""
    adverse_move: Fraction
    """The loss assumed on every buy in flight when the daily loss is judged: the worst case of the order."""
    credit_in_flight_sells: bool = Field(strict=True)
    """Whether sells approved but not yet filled already free cash, gross and positions (the broker sells first)."""
    daily_loss_limit: Share
    """Largest loss since the previous session's close, worst case of this order included; beyond it only exits pass."""
    max_consecutive_losses: Count
    """Positions closed at a loss in a row from which on entries pause."""
    loss_pause_sessions: Sessions
    """How many sessions that pause lasts."""
    max_unattended_fills: Count
    """Automated fills after which a person has to enable the desk again (RTS 6 article 15(3))."""
    max_orders_per_minute: Count
    """Orders sent within a minute."""
    max_orders_per_day: Count
    """Orders sent in a session."""
    max_cancels_per_day: Count
    """Orders cancelled in a session."""
    max_fills_per_day: Count
    """Executions in a session."""
    max_in_flight_per_side: Count
    """Entry orders in flight at once in one name on one side."""
    duplicate_window_minutes: NotNegative
    """How long the same terms count as a repetition."""
    wash_window_minutes: NotNegative
    """How long after an order in one direction none in the other may enter the same name."""
    max_day_trades: Sessions
    """Day trades in five sessions that an account below `day_trading_equity` may make."""
    day_trading_equity: NotNegative
    """Equity, in the account's currency, from which on day trades are not counted (FINRA 4210: 25,000)."""
    token_lifetime_minutes: Count
    """How long an approval may be used."""
    drawdown_tiers: tuple[DrawdownTier, ...]
    """Ascending in drawdown and in severity; may be empty."""
    max_spread_bps: Positive
    """Live: widest spread at which a name is entered."""
    max_quote_age_seconds: Positive
    """Live: oldest quote on which a name is entered."""
    max_shown_size_multiple: Positive
    """Live: largest order as a multiple of the size shown at the best price."""
    max_latency_ms: Positive
    """Live: slowest answer of the broker at which entries go out."""
    max_self_test_age_minutes: Count
    """Live: how long ago the desk may have tested itself."""
    no_entries_before_close_minutes: NotNegative
    """Live: last minutes of a session in which nothing is entered."""
    ledger_tolerance_shares: NotNegative
    """Live: difference in shares between ledger and broker that is rounding."""
    permissions: dict[str, tuple[Side, ...]]
    """By asset class, the sides that may open a position: `buy` a long one, `sell` a short one."""
    order_types: tuple[OrderType, ...]
    """Kinds of orders that may be sent."""
    event_windows: tuple[EventWindow, ...] = ()
    """Days on which names are not bought: earnings, votes."""
    restricted: tuple[str, ...] = ()
    """Never traded, in either direction."""
    watch: tuple[str, ...] = ()
    """Traded with a warning."""
    allowed: tuple[str, ...] | None = None
    """Where given, only these may be bought; others may still be sold."""
    kill_switch: Path | None = None
    """A file whose existence stops trading; where it holds the word `reduce-only`, exits pass."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for lower, upper in pairwise(self.drawdown_tiers):
            if lower.drawdown >= upper.drawdown or _SEVERITY[lower.action] >= _SEVERITY[upper.action]:
                raise ValueError("drawdown tiers must ascend in drawdown and in severity")
        return self

    def hash(self) -> str:
        """Hash of all limits; verdicts and tokens are bound to it."""
        return content_hash(self.model_dump(mode="json"))


def load_policy(source: str | Path = "standard") -> Policy:
    """A policy from a preset (`lenient`, `standard`, `strict`) or from the path of a TOML file.

    Raises:
        PolicyError: no such preset or file, not TOML, or a limit that is missing, unknown or out of range.
    """
    preset = PRESETS / f"{source}.toml"
    path = preset if isinstance(source, str) and source in preset_names() else Path(source)
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        names = ", ".join(preset_names())
        raise PolicyError(f"No policy {str(source)!r}: give the path of a TOML file or one of {names}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"The policy {path} is not TOML ({error}): correct it there.") from None
    try:
        return Policy(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "policy"
        raise PolicyError(f"The policy {path} is refused at {place}: {first['msg']}; correct it there.") from None


def preset_names() -> tuple[str, ...]:
    """The policies that come with PaperDesk."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.toml")))
