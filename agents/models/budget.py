"""What a session may spend on its mind, in tokens and in money, and the stop before it spends more.

A budget decides nothing but when to stop, so it is no part of a session's configuration: a session that was stopped by
its budget and resumed with a larger one ends as if it had never stopped. What was spent is added up from the replies on
record, so a resumed session counts what it spent before.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ...tools.errors import InputError, PaperDeskError
from ...tools.frozen import canonical_json
from .core import Fingerprint, Reply, Request, Usage
from .grammar import longest
from .schemas import shape_of

BYTES_PER_TOKEN = 2
"""Fewer than usual vocabularies need for English and figures: tokens counted by it are too many, not too few."""
MARKUP_TOKENS = 16
"""For the markup around a message, which characters do not show."""
COUNTED = "counted by characters"
"""What a fingerprint says of a server that reports no tokens."""
_OWN_WORDS = 64
"""Tokens at most of what a server's mind adds to a question about the form of its answer."""


class BudgetError(InputError):
    """A budget cannot be as it was given."""


class BudgetExhausted(PaperDeskError):
    """The session stopped because its budget is spent or the next request could exceed it; nothing is lost."""


@dataclass(frozen=True)
class Budget:
    """Limits on what one session spends, all of it counted from its start.

    Raises:
        BudgetError: a limit is not positive, a price is negative, or money is limited without both prices.
    """

    tokens: int | None = None
    """Read and written together."""
    money: float | None = None
    """US dollars."""
    price_prompt_per_million: float | None = None
    """US dollars for a million tokens read."""
    price_generated_per_million: float | None = None
    """US dollars for a million tokens written."""

    def __post_init__(self) -> None:
        prices = (self.price_prompt_per_million, self.price_generated_per_million)
        if any(limit is not None and not 0 < limit < float("inf") for limit in (self.tokens, self.money)):
            raise BudgetError("A budget must be more than nothing and less than everything: give a positive number.")
        if any(price is not None and not 0 <= price < float("inf") for price in prices):
            raise BudgetError("A price of tokens cannot be negative or infinite: give US dollars for a million.")
        if (prices[0] is None) != (prices[1] is None):
            raise BudgetError("Only one of two prices is given: give --price-prompt and --price-generated together.")
        if self.money is not None and prices[0] is None:
            raise BudgetError(
                "A budget in money needs prices: give --price-prompt and --price-generated, in US dollars for a "
                "million tokens."
            )

    def cost_usd(self, usage: Usage) -> float | None:
        """What tokens cost; None where no prices are known."""
        if self.price_prompt_per_million is None or self.price_generated_per_million is None:
            return None
        return (
            usage.prompt_tokens * self.price_prompt_per_million
            + usage.generated_tokens * self.price_generated_per_million
        ) / 1e6

    def excess(self, spent: Usage) -> str | None:
        """Which limit this is beyond, as words with figures; None if it is within all."""
        tokens, cost = spent.prompt_tokens + spent.generated_tokens, self.cost_usd(spent)
        if self.tokens is not None and tokens > self.tokens:
            return f"{tokens:,} of {self.tokens:,} tokens"
        if self.money is not None and cost is not None and cost > self.money:
            return f"{cost:.4f} of {self.money:.4f} US dollars"
        return None


@dataclass(frozen=True)
class Spending:
    """What a session has spent on its mind since its start."""

    prompt_tokens: int
    generated_tokens: int
    cost_usd: float | None
    """None where no prices were given."""
    estimated: bool
    """Whether the tokens were counted by characters, because the server reports none: too many, not too few."""


@dataclass
class Meter:
    """Adds up what a session has spent, and stops it.

    Args:
        budget: the limits; none by default.
        mind: whose requests are counted; a served one says whether it counts tokens itself, and how long it thinks.
    """

    budget: Budget = field(default_factory=Budget)
    mind: Fingerprint | None = None
    spent: Usage = field(default_factory=Usage)
    _counted: set[str] = field(default_factory=set)

    def count(self, request_key: str, reply: Reply) -> None:
        """Add a reply, fresh or from the record; a request that was answered before is not paid for twice."""
        if request_key not in self._counted:
            self._counted.add(request_key)
            self.spent = _sum(self.spent, reply.usage)

    def refuse_unless_affordable(self, request: Request) -> None:
        """Nothing, if the request is within what is left however long its answers get.

        Raises:
            BudgetExhausted: it may not be.
        """
        self.refuse_if_exceeded()
        if self.budget.tokens is None and self.budget.money is None:
            return  # without a limit nobody needs to know how long the answers could get
        if beyond := self.budget.excess(_sum(self.spent, most(request, int(self._setting("thinking_tokens") or 0)))):
            raise BudgetExhausted(
                f"The budget may not suffice for the next request of {request.role}, which could bring the session to "
                f"{beyond}: resume it with a larger budget."
            )

    def refuse_if_exceeded(self) -> None:
        """Nothing, if what was spent is within the budget.

        Raises:
            BudgetExhausted: it is not.
        """
        if beyond := self.budget.excess(self.spent):
            raise BudgetExhausted(f"The session has spent {beyond}: resume it with a larger budget.")

    def spending(self) -> Spending:
        """What was spent so far."""
        return Spending(
            self.spent.prompt_tokens,
            self.spent.generated_tokens,
            self.budget.cost_usd(self.spent),
            estimated=self._setting("usage") == COUNTED,
        )

    def _setting(self, name: str) -> str | int | float | bool | None:
        return self.mind.settings.get(name) if self.mind else None


def most(request: Request, thinking_tokens: int = 0) -> Usage:
    """The most tokens that a request can take: each prompt sent whole, each answer as long as it may get."""
    prompt = generated = 0
    for sent, written in _calls(request):
        prompt += sent + _OWN_WORDS
        generated += written + thinking_tokens
    return Usage(prompt_tokens=prompt, generated_tokens=generated)


def tokens_at_most(text: str) -> int:
    """More tokens than a text has, for counting where nobody counted."""
    return -(-len(text.encode(errors="replace")) // BYTES_PER_TOKEN) + MARKUP_TOKENS


def _calls(request: Request) -> Iterator[tuple[int, int]]:
    """Tokens sent and written, at most, of each completion that a request takes."""
    shared = tokens_at_most(request.system) + tokens_at_most(request.prefix)
    option = tokens_at_most(max(request.options, key=len)) + MARKUP_TOKENS if request.options else 0
    listed = sum(tokens_at_most(one) for one in request.options)
    if request.options and request.content_free is not None:
        yield shared + tokens_at_most(request.content_free) + listed, option
    for index, question in enumerate(request.questions):
        for text in (question.text, *question.reorderings) if request.options else ():
            yield shared + tokens_at_most(text) + listed, option
        if schemas := request.schemas_of(index).values():
            form = max(tokens_at_most(canonical_json(schema)) for schema in schemas)
            written = request.max_tokens or max(longest(shape_of(schema)) for schema in schemas)
            yield shared + tokens_at_most(question.text) + option + tokens_at_most(request.lead_in) + form, written


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        generated_tokens=one.generated_tokens + other.generated_tokens,
    )
