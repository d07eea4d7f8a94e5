"""The contract of a mind: what an agent may ask of a model, and what it gets back.

A mind answers one `Request` at a time. A request is a batch: one shared prefix (role, rules, market), one `Question`
per ticker, and then, for every question, a distribution over `options` (scored, never generated) and, where a schema
is given, a JSON object that is valid by grammar. The answer is a pure function of (mind, request): a mind keeps nothing
from one request to the next that could change an answer, so a journal can stand in for it.
"""

from hashlib import sha256
from typing import Any, Literal, Protocol, Self

from pydantic import Field, model_validator

from ...tools.errors import InputError, PaperDeskError
from ...tools.evidence import Evidence
from ...tools.frozen import Frozen, canonical_json, content_hash


class ModelError(PaperDeskError):
    """A mind broke while it was thinking (a server died, memory ran out)."""


class ModelInputError(InputError):
    """A mind cannot be had: no such file, not a GGUF, no server listening, unknown name."""


FailureKind = Literal["no_evidence", "context", "unfinished", "invalid", "unsupported", "refused"]
"""Why a mind abstains.

- `no_evidence`: nothing in the question has a direction.
- `context`: the prompt and what may follow it do not fit the model's context; shorten the evidence and ask again.
- `unfinished`: the text was cut off before it ended.
- `invalid`: a text came, but it is not an object of the schema.
- `unsupported`: this mind cannot do what was asked (a schema that the scorecard has no formula for).
- `refused`: a server would not answer this question.
"""


class Failure(Frozen):
    """Why there is no answer: a typed abstention."""

    kind: FailureKind
    reason: str
    """For people: a sentence, or a clause that can stand in one."""
    excess_tokens: int = Field(default=0, ge=0)
    """For `context`: how many tokens too long the prompt is, where that is known; else 0."""


class Question(Frozen):
    """What is asked about one ticker: the text after the shared prefix, and the evidence that the text shows."""

    ticker: str
    text: str
    """Ends where the model is to answer; never contains the prefix."""
    evidence: tuple[Evidence, ...] = ()
    """In the order of the aliases E1..En in the text."""
    reorderings: tuple[str, ...] = ()
    """The same text with its evidence in other orders. They are scored too, and the distribution is the mean over all
    orders: what an answer owes to the order of the evidence is no knowledge (see `Answer.order_sensitivity`)."""
    stance: str = ""
    """The stance under judgement (task `support`); empty elsewhere. The text says it too: this is for the scorecard."""


class Request(Frozen):
    """A batch of questions with a common prefix."""

    role: str
    """Who asks: the name of a role in the desk."""
    task: str
    """What is asked, as a stable name: `stance`, `call`, `support`, `debate`, `posture`, `risk`. The scorecard looks
    here."""
    system: str
    """System message: role, rules, output contract. The same for all tickers."""
    prefix: str
    """First part of the user message that all questions share (market, regime, example)."""
    questions: tuple[Question, ...]
    options: tuple[str, ...] = ()
    """The answers to score after each question; empty: nothing is scored."""
    content_free: str | None = None
    """A question without content; the options' probabilities after it are the model's bias, divided out of each
    distribution (Zhao et al. 2021, contextual calibration)."""
    schema_: tuple[dict[str, Any], ...] = Field(default=(), alias="schema")
    """One JSON schema per question (or none at all): after the best option is written, an object of that schema is
    generated under its grammar."""
    schema_after: tuple[dict[str, dict[str, Any]], ...] = ()
    """In place of `schema`: per question, by option, the schema of the object that follows this option. So an answer's
    reasons can be held to the answer."""
    lead_in: str = ""
    """Text written between the chosen option and the object."""
    max_tokens: int = Field(default=0, ge=0)
    """Budget for each generated object; a schema that could need more is refused."""
    temperature: float = Field(default=0.0, ge=0, le=2)
    """Of the generated object: 0 writes the most probable token each time, more draws. Scores know no temperature."""
    seed: int = 0
    """Of what is drawn."""

    @model_validator(mode="after")
    def _one_schema_each(self) -> Self:
        for schemas in (self.schema_, self.schema_after):
            if schemas and len(schemas) != len(self.questions):
                raise ValueError("a request gives one schema per question or none at all")
        if self.schema_after and (self.schema_ or any(set(row) != set(self.options) for row in self.schema_after)):
            raise ValueError("schema_after stands in place of schema and names every option")
        return self

    def schemas_of(self, index: int) -> dict[str, dict[str, Any]]:
        """The schema of a question's object by the option that comes before it; empty where no object is wanted.

        Without options the only key is the empty text.
        """
        if self.schema_after:
            return self.schema_after[index]
        return dict.fromkeys(self.options or ("",), self.schema_[index]) if self.schema_ else {}

    def key(self, fingerprint: str) -> str:
        """The hash that names this request to this mind."""
        return key_of(self.canonical(), fingerprint)


def key_of(request: str, fingerprint: str) -> str:
    """The hash that names a request, given as its canonical JSON, to the mind with this fingerprint."""
    return sha256(f"[{canonical_json(fingerprint)},{request}]".encode()).hexdigest()


class Answer(Frozen):
    """What the mind said about one question."""

    ticker: str
    probabilities: dict[str, float] = Field(default_factory=dict)
    """Over the options, bias divided out, sums to 1; empty where nothing was scored or `failure` is set."""
    raw: dict[str, float] = Field(default_factory=dict)
    """After the question as it stands (no other order), before the correction."""
    order_sensitivity: float = Field(default=0.0, ge=0, le=1)
    """How far the orders of the evidence disagree: the Jensen-Shannon divergence of their distributions over the
    logarithm of the number of options (Lin 1991). 0 where the question has no reorderings."""
    object: dict[str, Any] | None = None
    """The generated object, valid by its schema; None where none was asked for or `failure` is set."""
    completion: str = ""
    """The text as generated, to the letter."""
    failure: Failure | None = None
    """Why there is no answer. A failure is an abstention, never a default."""


class Usage(Frozen):
    """What a request cost."""

    prompt_tokens: int = 0
    """Tokens evaluated, the shared prefix once."""
    generated_tokens: int = 0


class Reply(Frozen):
    """The answers to a request, in the order of its questions."""

    answers: tuple[Answer, ...]
    usage: Usage = Usage()


class Fingerprint(Frozen):
    """All that decides a mind's answers."""

    backend: Literal["llama_cpp", "scorecard", "openai_compatible"]
    name: str
    """For people: file name, served model name."""
    digest: str
    """sha256 of the weights where we have them, else a hash of what the server says about itself."""
    settings: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Build, threads, batch sizes, flash attention, template version, grammar version..."""
    training_cutoff: str | None = None
    """ISO date after which the model cannot have read anything; None if unknown."""

    def weights(self) -> str:
        """What thinks, for a person's eye: the file and its adapters, whatever machine it runs on."""
        worn = self.adapters
        return " ".join([self.name, self.digest[:12], *([f"adapter {content_hash(worn)[:12]}"] if worn else [])])

    @property
    def adapters(self) -> dict[str, Any]:
        """The settings that name adapters; empty where nobody wears one."""
        return {name: value for name, value in self.settings.items() if name.startswith("adapter") and value}

    def key(self) -> str:
        """Hash of everything above."""
        return content_hash(self.model_dump(mode="json"))


class ModelCore(Protocol):
    """A mind."""

    @property
    def fingerprint(self) -> Fingerprint:
        """All that decides its answers."""
        ...

    def answer(self, request: Request) -> Reply:
        """All answers, in order.

        Raises:
            ModelError: the mind broke; nothing was answered. (A single question that cannot be answered is not an
                error but an `Answer` with `failure` set.)
        """
        ...

    def close(self) -> None:
        """Give memory and connections back; harmless to repeat."""
        ...
