"""What a session is: every choice in one closed, frozen object.

Values come from defaults, a TOML file and options, the later ones on top.
"""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from ..agents.models.served.address import address_of, is_address
from ..agents.roles import MOST_CALLS
from ..agents.rosters import DEBATE_ROUNDS
from ..orchestration.context import Organ
from ..tools.clock import Frequency
from ..tools.errors import InputError
from ..tools.frozen import Frozen
from ..tools.market.mask.key import What
from ..tools.market.placebo import PlaceboName
from ..tools.optimizer.profile import client_of


class ConfigError(InputError):
    """The configuration is refused; the message names the option."""


class SessionConfig(Frozen):
    """All that a user can choose about a session."""

    market: str = "generated"
    """`generated`, `us-tech`, `sp20`, or the folder of a data set (docs/data-format.md)."""
    market_seed: int = Field(default=7, ge=0)
    """Seed of the generated market."""
    mask: tuple[What, ...] = ()
    """What of the market to replace by inventions: `names`, `dates`, `levels` (docs/masking.md). Universe, benchmark,
    start and end are given in the market's own terms all the same."""
    mask_seed: int = Field(default=0, ge=0)
    """Seed of what is invented."""
    placebo: PlaceboName | None = None
    """What of the market to make worthless: `documents`, `flip`, `blocks`, `hostile` (docs/evaluation.md)."""
    placebo_seed: int = Field(default=0, ge=0)
    """Seed of how that is done."""
    ablate: tuple[Organ, ...] = ()
    """What of the desk to switch off, to see what it is worth: `auditor` (every signal passes unread), `memory` (every
    agent counts for what one without a record does)."""
    start: date | None = None
    """First session of the window; the market's own window if absent."""
    end: date | None = None
    universe: tuple[str, ...] | None = None
    """Tickers to trade; all companies of the market if absent."""
    benchmark: str | None = None
    """Ticker to compare with at the end; the market's own if absent. The desk itself looks at the market's own."""
    frequency: Frequency = "monthly"
    """How often the desk decides: at the last session of each period, and at the first session of the window."""
    desk: str = "classic"
    """Who sits on the desk: `classic`, `research-house`, `solo`, `personas`, `network`, `experienced`, or a TOML
    roster (docs/roles.md)."""
    without: tuple[str, ...] = ()
    """Who of the desk is left out, by name or its beginning (`technical`)."""
    roles: str | None = None
    """Folder with role files of your own."""
    memory: tuple[str, ...] = ()
    """Folders of earlier sessions whose outcomes and lessons are carried into this one, each from its own time on."""
    debate_rounds: int = Field(default=DEBATE_ROUNDS, ge=1, le=5)
    """How often each debater speaks on a ticker, on a desk that has them."""
    extra_calls: int | None = Field(default=None, ge=0, le=MOST_CALLS)
    """How often an analyst may ask for more than its plan gathers, on each ticker; as its role says if absent."""
    model: str = "smollm2"
    """`smollm2`, `scorecard`, the path of a GGUF file, or the URL of an OpenAI-compatible server."""
    adapter: tuple[str, ...] = ()
    """LoRA adapters in GGUF form for the model (`paperdesk train desk` makes them); their hashes are part of the mind.
    A path is for all agents, `AGENT=PATH` for one, by name or its beginning; `none`: none at all. By default the
    bundled model has the one that comes with PaperDesk."""
    sentiment: str | None = None
    """Who says how a release sounds: `embedding`, `reader:FOLDER`, `transformers:FOLDER` (docs/sentiment.md); the
    lexicon if absent."""
    training_cutoff: date | None = None
    """Day after which the model can have read nothing, where it does not know that itself; becomes part of the mind."""
    threads: int = Field(default=2, ge=1, le=256)
    """Threads of the model; they change the last digits of its logits, hence part of what a session is."""
    context: int = Field(default=4096, ge=256, le=1_048_576)
    """Tokens that an in-process model holds at once; evidence that does not fit is left out, and that is said."""
    repeats: int = Field(default=1, ge=0, le=8)
    """Other orders of the evidence in which each stance is scored too, so that no order decides."""
    seed: int = Field(default=0, ge=0)
    cash: float = Field(default=1_000_000.0, gt=0)
    """Starting cash, in the market's currency."""
    commission_bps: float = Field(default=1.0, ge=0, le=1000)
    """Commission per trade, basis points of its value."""
    commission_minimum: float = Field(default=0.0, ge=0)
    """Smallest commission per order."""
    commission_per_share: float = Field(default=0.0, ge=0, le=1000)
    """Commission per share, beside that in basis points."""
    slippage_bps: float = Field(default=5.0, ge=0, le=1000)
    """Distance of a fill from the open, basis points."""
    spread_bps: float = Field(default=0.0, ge=0, le=1000)
    """Between bid and ask, basis points; a fill pays half of it beside the slippage."""
    impact: float = Field(default=0.0, ge=0, le=10)
    """Factor of the square-root law of market impact (about 1 in published estimates); 0: orders move no price."""
    volume_limit: float = Field(default=0.1, gt=0, le=1)
    """Largest share of a session's volume that one order may be."""
    cash_interest: float = Field(default=0.0, ge=-0.5, le=0.5)
    """Yearly interest on the account's cash."""
    delisted_after: int = Field(default=60, ge=1)
    """Sessions without a trade after which a position is taken for delisted and paid out."""
    delisting_loss: float = Field(default=0.3, ge=0, le=1)
    """Part of the last close that is lost then."""
    max_short: float = Field(default=0.0, ge=0, le=1)
    """Largest sum of short positions, fraction of equity; 0: the account is long only. The policy must permit it."""
    short_margin: float = Field(default=0.5, gt=0, le=5)
    """Equity behind a new short position, of its value, beside its proceeds."""
    short_maintenance: float = Field(default=0.3, gt=0, le=5)
    """Equity that a short position needs at each close; with less, positions are closed at the next open."""
    borrow_fee: float = Field(default=0.005, ge=0, le=5)
    """Yearly fee for borrowed shares, of what they are worth now."""
    debit_interest: float = Field(default=0.05, ge=0, le=1)
    """Yearly interest on money that is owed."""
    fractional: bool = False
    """Whether fractions of a share can be held."""
    policy: str = "standard"
    """Pre-trade policy: `lenient`, `standard`, `strict`, or a TOML file."""
    risk_aversion: float = Field(default=1.0, ge=0, le=100)
    """Times the lambda of `mean - lambda CVaR` at which a desk without views holds the universe in equal parts; the
    posture halves or doubles it at most."""
    beta: float = Field(default=0.95, gt=0, lt=1)
    """Level of the CVaR."""
    max_weight: float = Field(default=0.3, gt=0, le=1)
    """Largest target weight of one name."""
    min_invested: float = Field(default=0.8, ge=0, le=1)
    """Smallest share of equity that the portfolio manager puts into shares."""
    min_cash: float = Field(default=0.03, ge=0, lt=1)
    """Share of equity kept in cash for costs and gaps."""
    turnover_limit: float = Field(default=1.0, gt=0, le=2)
    """Largest sum of absolute weight changes per decision (the first one excepted)."""
    equity_premium: float = Field(default=0.05, ge=0, le=0.5)
    """Yearly reference return of the equally weighted universe, before any view."""
    scenario_sessions: int = Field(default=500, ge=120)
    """Past sessions used as scenarios; a name with fewer than 120 returns is not considered."""
    max_revisions: int = Field(default=1, ge=0, le=5)
    """How often the auditor may send a signal back."""

    approve: Literal["terminal", "file"] | None = None
    """Where a person is asked before orders leave (docs/approval.md); nobody is asked by default."""
    approval_timeout: float | None = Field(default=None, gt=0)
    """Seconds to wait for the answer; then nothing leaves and the session goes on. By default it waits."""

    @field_validator("adapter", mode="before")
    @classmethod
    def _from_before(cls, value: Any) -> Any:
        return () if value is None else value  # as sessions kept it while there was at most one

    @field_validator("universe", "mask", "ablate", "without", "memory", "adapter", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("model")
    @classmethod
    def _no_secret(cls, value: str) -> str:
        if is_address(value):
            address_of(value)  # refuses with a sentence of its own, which repeats nothing of the address
        return value

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"the window ends on {self.end}, before it starts on {self.start}: exchange the two dates")
        if self.universe is not None and (not self.universe or len(set(self.universe)) < len(self.universe)):
            raise ValueError("the universe must name at least one ticker, each once")
        if len(set(self.mask)) < len(self.mask):
            raise ValueError("the mask names something twice: name names, dates, levels at most once each")
        if self.short_maintenance > self.short_margin:
            raise ValueError("short_maintenance is above short_margin: lower it, or every short position is called")
        if len(set(self.ablate)) < len(self.ablate):
            raise ValueError("ablate names something twice: name auditor, memory at most once each")
        if self.min_invested > 1 - self.min_cash:
            raise ValueError("min_invested and min_cash together exceed the equity: lower one of them")
        return self


def load_config(file: Path | None, options: dict[str, Any]) -> SessionConfig:
    """The configuration of a TOML file with options on top.

    Args:
        file: TOML whose keys are the fields of `SessionConfig`, and perhaps a table `[client]` with answers that come
            to some of them (`tools.optimizer.profile`); None for the defaults.
        options: fields given on the command line; None values are ignored.

    Raises:
        ConfigError: the file cannot be read, a key is unknown, or a value is out of range.
        ProblemError: an answer of the client is refused.
        TrainingError: the folder of an adapter holds none, or a damaged one.
    """
    values: dict[str, Any] = {}
    if file is not None:
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"The configuration {file} cannot be read ({error.strerror}): check the path.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"The configuration {file} is not valid TOML ({error}): correct that place.") from error
    if (answers := values.pop("client", None)) is not None:
        # A client's answers come to settings; what the file or an option says outright wins.
        values = client_of(answers).settings().model_dump() | values
    values |= {name: value for name, value in options.items() if value is not None}
    try:
        config = SessionConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_sentence(error, file)) from error
    if not config.adapter:
        return config
    from .training.registry import with_champions  # which reads sessions, and so configurations

    # a session has the file of its day: the champion of the folder may become another
    return config.model_copy(update={"adapter": with_champions(config.adapter)})


def _sentence(error: ValidationError, file: Path | None) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"] if isinstance(part, str))
    where = f" in {file}" if file else ""
    if first["type"] == "extra_forbidden":
        known = ", ".join(sorted(SessionConfig.model_fields))
        return f"Unknown key '{key}'{where}: use one of {known}."
    message = first["msg"].removeprefix("Value error, ")
    if not key:
        return f"The configuration{where} is refused: {message}."
    return f"The value {first['input']!r} of '{key}'{where} is refused: {message[0].lower() + message[1:]}."
