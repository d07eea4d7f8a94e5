"""The desk's tools as LangChain tools: typed arguments, text for a model, the result as the artifact.

Research tools are bound to one `MarketView`, the only door to data, and cannot see past its `as_of`. The portfolio
manager's tool is bound to scenarios from such a view, the execution tools to a broker that refuses what has no verdict.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import numpy as np
from langchain.tools import BaseTool
from langchain_core.tools import StructuredTool
from pydantic import BaseModel, ConfigDict, Field

from .broker.protocol import DeskBroker, OrderIntent, Submission, VerdictToken
from .evidence import Evidence
from .evidence_pack import PASSAGES, QUERY
from .indicators import INDICATORS, indicators
from .market.documents.search import search
from .market.fundamentals import ratios
from .market.fundamentals.ratios import RATIOS
from .market.relations.related import MOST, SESSIONS, related_events
from .market.view import MarketView
from .market_state import STATE
from .market_state import market_state as state_of_market
from .measures import MEASURES
from .optimizer import Infeasible, MeanCVaR, Problem, Solution, Utility
from .optimizer.scenarios import Scenarios
from .regime import regime
from .sentiment.classifier import SentimentClassifier
from .sentiment.lexicon import latest_tone

EVIDENCE_TOOLS = (
    "price_indicators",
    "filing_ratios",
    "release_tone",
    "document_search",
    "related_events",
    "market_state",
)
"""The research tools that answer with evidence: what an analyst's plan may name."""

FIGURES: dict[str, tuple[str, ...]] = {
    "price_indicators": INDICATORS,
    "filing_ratios": tuple(ratio.measure for ratio in RATIOS),
    "market_state": STATE,
}
"""The tools that can be asked for one figure, and which they have."""

Found = tuple[str, list[Evidence]]
"""What a tool answers: text for a model, evidence for the desk."""

Ticker = Annotated[str, Field(description="Ticker of a company on the desk's list")]


class Arguments(BaseModel):
    """Base of all tool arguments: unknown ones are refused."""

    model_config = ConfigDict(extra="forbid")


class NoArguments(Arguments):
    """A tool about the whole market."""


class OfCompany(Arguments):
    """A tool about one company."""

    ticker: Ticker


class OfFigures(OfCompany):
    """A tool that answers with figures of one company."""

    measure: str | None = Field(default=None, description="The only figure wanted; all of them if absent")


class OfHistory(OfCompany):
    """Past prices of one company."""

    sessions: int = Field(default=21, ge=1, le=2000, description="How many past sessions")
    end: date | None = Field(default=None, description="Last session wanted; today's if absent")


class OfDocuments(OfCompany):
    """A question to the documents of one company."""

    query: str = Field(default=QUERY, max_length=300, description="What to look for")
    passages: int = Field(default=PASSAGES, ge=1, le=5, description="How many passages at most")


class OfRelated(OfCompany):
    """What has happened at companies related to one."""

    sessions: int = Field(default=SESSIONS, ge=1, le=252, description="How many past sessions")
    most: int = Field(default=MOST, ge=1, le=10, description="How many events at most")


class OfPortfolio(Arguments):
    """A Mean-CVaR problem over the scenarios that the tool is bound to; all rates per session."""

    expected_returns: dict[str, float] = Field(description="Expected return of each name, per session")
    previous_weights: dict[str, float] = Field(description="Weights held now, fractions of equity")
    caps: dict[str, float] = Field(description="Largest weight of each name")
    floors: dict[str, float] = Field(
        default_factory=dict, description="Smallest weights, 0 unless given; below 0: short"
    )
    risk_aversion: float = Field(ge=0, description="Return given up per unit of CVaR")
    beta: float = Field(gt=0, lt=1, description="Level of the CVaR")
    min_cash: float = Field(ge=0, le=1, description="Fraction of equity that stays cash")
    min_invested: float = Field(ge=0, le=1, description="Smallest sum of the weights")
    max_short: float | None = Field(default=None, ge=0, description="Largest sum of short positions")
    max_gross: float | None = Field(default=None, ge=0, description="Largest sum of absolute weights")
    turnover_limit: float | None = Field(default=None, description="Largest sum of absolute weight changes")
    cost_per_unit: float = Field(ge=0, description="Cost of one unit of value traded, per session of holding")


class OfOrder(Arguments):
    """One order with the token that the pre-trade rules issued for it."""

    order: OrderIntent
    token: VerdictToken


def research_tools(view: MarketView, tone_judge: SentimentClassifier | None = None) -> dict[str, BaseTool]:
    """The tools that read the market, by name, bound to a view; `tone_judge` judges in place of the lexicon."""

    def price_history(ticker: str, sessions: int = 21, end: date | None = None) -> tuple[str, list[Evidence]]:
        if end is not None:
            view.close(ticker, on=end)  # raises LookAheadError for a day that has not come
        frame = view.history(ticker)
        frame = frame[frame.index <= str(end)] if end is not None else frame
        lines = [f"{day:%Y-%m-%d} {row.close:.2f}" for day, row in frame.tail(sessions).iterrows()]
        return "\n".join(lines), []

    def price_indicators(ticker: str, measure: str | None = None) -> list[Evidence]:
        return _only(measure, indicators(view, ticker))

    def filing_ratios(ticker: str, measure: str | None = None) -> list[Evidence]:
        return _only(measure, ratios(view, ticker))

    by = "a finance lexicon" if tone_judge is None else "a trained classifier"

    def release_tone(ticker: str) -> list[Evidence]:
        tone = latest_tone(view, ticker, classifier=tone_judge)
        return [tone] if tone else []

    def document_search(ticker: str, query: str = QUERY, passages: int = PASSAGES) -> list[Evidence]:
        return search(view, ticker, query, k=passages)

    def events_at_related(ticker: str, sessions: int = SESSIONS, most: int = MOST) -> list[Evidence]:
        return related_events(view, ticker, sessions, most)

    def market_state(ticker: str, measure: str | None = None) -> list[Evidence]:
        return _only(measure, state_of_market(view, ticker))

    def market_regime() -> tuple[str, None]:
        found = regime(view)
        return (f"{found.words} with probability {found.probability:.2f}" if found else "too short a history"), None

    return {
        tool.name: tool
        for tool in (
            tool_of(price_history, OfHistory, "Past closing prices of one company."),
            tool_of(
                Finder(price_indicators, "too short a price history"),
                OfFigures,
                "Momentum, trend, volatility and volume figures of one company.",
                name="price_indicators",
            ),
            tool_of(
                Finder(filing_ratios, "no filings known"),
                OfFigures,
                "Growth, margins, leverage and yield from filings known today.",
                name="filing_ratios",
            ),
            tool_of(
                Finder(release_tone, "no recent release"),
                OfCompany,
                f"Tone of the latest press release by {by}.",
                name="release_tone",
            ),
            tool_of(
                Finder(document_search, "no recent document"),
                OfDocuments,
                "Passages of press releases that answer a question.",
                name="document_search",
            ),
            tool_of(
                Finder(market_state, "too short a history of the market"),
                OfFigures,
                "Regime, trend and rates of the market, and its pull on one company.",
                name="market_state",
            ),
            tool_of(
                Finder(events_at_related, "nothing new at related companies"),
                OfRelated,
                "Events at suppliers, customers, partners, competitors and peers of one company.",
                name="related_events",
            ),
            tool_of(market_regime, NoArguments, "State of the market: calm or turbulent, rising, falling or flat."),
        )
    }


def portfolio_tools(optimizer: MeanCVaR, scenarios: Scenarios) -> dict[str, BaseTool]:
    """The portfolio manager's tool, bound to scenarios."""

    def mean_cvar(**arguments: Any) -> tuple[str, Solution | Infeasible]:
        asked = OfPortfolio(**arguments)
        names = scenarios.tickers
        solution = optimizer.solve(
            Problem(
                tickers=names,
                scenarios=scenarios.returns,
                probabilities=scenarios.probabilities,
                window=scenarios.window,
                expected_returns=np.array([asked.expected_returns[name] for name in names]),
                previous_weights=np.array([asked.previous_weights[name] for name in names]),
                caps=np.array([asked.caps[name] for name in names]),
                floors=np.array([asked.floors.get(name, 0.0) for name in names]),
                max_short=asked.max_short,
                max_gross=asked.max_gross,
                costs=np.full(len(names), asked.cost_per_unit),
                goal=Utility(asked.risk_aversion),
                beta=asked.beta,
                min_cash=asked.min_cash,
                min_invested=asked.min_invested,
                turnover_limit=asked.turnover_limit,
            )
        )
        if isinstance(solution, Infeasible):
            return solution.sentence, solution
        return ", ".join(f"{name} {weight:.1%}" for name, weight in solution.weights.items()), solution

    return {"mean_cvar": tool_of(mean_cvar, OfPortfolio, "Weights that trade expected return against tail risk.")}


def optimise(tools: dict[str, BaseTool], **arguments: object) -> Solution | Infeasible:
    """Calls the portfolio manager's tool; its typed result."""
    result: Solution | Infeasible = _invoke(tools, "mean_cvar", arguments)[1]
    return result


def execution_tools(broker: DeskBroker) -> dict[str, BaseTool]:
    """The tools that touch the account; a submission without a valid token is refused by the broker."""

    def portfolio() -> tuple[str, None]:
        account = broker.account()
        held = ", ".join(f"{name} {weight:.1%}" for name, weight in account.weights().items())
        return f"equity {account.equity:,.2f}, cash {account.cash:,.2f}; {held or 'no positions'}", None

    def submit_order(order: OrderIntent, token: VerdictToken) -> tuple[str, Submission]:
        answer = broker.submit(order, token)
        return answer.status, answer

    return {
        "portfolio": tool_of(portfolio, NoArguments, "Cash, equity and weights of the account."),
        "submit_order": tool_of(submit_order, OfOrder, "Send one order that the pre-trade rules have approved."),
    }


def submit(tools: dict[str, BaseTool], order: OrderIntent, token: VerdictToken) -> Submission:
    """Calls the submission tool; its typed result."""
    answer: Submission = _invoke(tools, "submit_order", {"order": order, "token": token})[1]
    return answer


def call(tools: dict[str, BaseTool], name: str, **arguments: object) -> tuple[str, list[Evidence]]:
    """Calls a tool as a model's tool call would: its evidence, or, where it has none, its text.

    A desk journals evidence and prints it into prompts itself, so that nobody would read what the tool says of it.
    """
    tool = tools[name]
    if isinstance(tool, StructuredTool) and isinstance(tool.func, Finder):
        evidence = tool.func.find(**_checked(tool, arguments))
        return "" if evidence else tool.func.otherwise, evidence
    text, found = _invoke(tools, name, arguments)
    return text, list(found or [])


def _invoke(tools: dict[str, BaseTool], name: str, arguments: dict[str, object]) -> tuple[str, Any]:
    """One tool call: arguments checked by the tool's own schema, then its function; text and artifact.

    It is what a model's tool call comes to, without LangChain's callbacks, tracing and messages around it: those cost
    a millisecond a call, and a desk of 100 companies makes 400 calls a decision.
    """
    tool = tools[name]
    assert isinstance(tool, StructuredTool)
    assert tool.func is not None
    text, artifact = tool.func(**_checked(tool, arguments))
    return str(text), artifact


def _checked(tool: StructuredTool, arguments: dict[str, object]) -> dict[str, Any]:
    assert isinstance(tool.args_schema, type)
    assert issubclass(tool.args_schema, Arguments)
    return vars(tool.args_schema.model_validate(arguments))  # `dict` asks a model for `keys`, which it looks for long


@dataclass(frozen=True)
class Finder:
    """The function of a tool that answers with evidence: whoever calls it also gets the evidence as text."""

    find: Callable[..., list[Evidence]]
    otherwise: str
    """Why there is none, where there is none."""

    def __call__(self, **arguments: Any) -> Found:
        """Text and evidence."""
        return answer_of(self.find(**arguments), self.otherwise)


def tool_of(
    function: Callable[..., object], arguments: type[Arguments], description: str, name: str = ""
) -> StructuredTool:
    """A function that answers with text and an artifact, as a tool of its own name, or of another."""
    return StructuredTool.from_function(
        func=function,
        name=name or str(getattr(function, "__name__", "")),
        description=description,
        args_schema=arguments,
        response_format="content_and_artifact",
    )


def _only(measure: str | None, evidence: list[Evidence]) -> list[Evidence]:
    return evidence if measure is None else [item for item in evidence if item.measure == measure]


def answer_of(evidence: Sequence[Evidence], otherwise: str) -> Found:
    """What a research tool says of evidence: a line each, or why there is none."""
    lines = []
    for item in evidence:
        measure = MEASURES[item.measure]
        lines.append(f"{measure.label}: {measure.show(item.value) if item.value is not None else item.text}")
    return "\n".join(lines) or otherwise, list(evidence)
