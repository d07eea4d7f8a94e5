"""Would the mind have said the same of another name? The evidence of names is exchanged, and the mind asked again.

At some decisions every analyst is shown, under each name, the evidence of the next name in the universe. A mind that
reads gives the name the score that its donor had; one that remembers, or prefers names, stays with the name. This needs
the mind of the session, not only its journal.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing

import numpy as np

from ...agents.analyst import Brief, analyse
from ...agents.models.core import Fingerprint, Reply, Request
from ...agents.models.served.access import Access
from ...agents.roles import Role
from ...agents.rosters import roster
from ...agents.signals import Signal
from ...memory.journal import Journal
from ...memory.journal.events import DecisionOpened, ToolCalled
from ...orchestration.desk_nodes import describe
from ...tools.errors import InputError
from ...tools.evidence import Evidence
from ...tools.regime import Regime
from ..stages import mind_of
from .document import Exchange
from .record import SessionRecord

APART = 0.05
"""Difference between the scores of two names, on [-1, 1], from which it can be told whose the answer is."""
FEW = 10
"""Names that can be told apart below which no verdict is given."""

Given = dict[tuple[str, str, int], tuple[Evidence, ...]]


class Unjournaled:
    """The session's mind, asked outside of any session."""

    def __init__(self, fingerprint: Fingerprint, answer: Callable[[Request], Reply]) -> None:
        self.key = fingerprint.key()
        self._answer = answer

    def answer(self, request: Request) -> Reply:
        """The model's reply."""
        return self._answer(request)


def exchanges_of(record: SessionRecord, decisions: int, access: Access | None = None) -> tuple[Exchange, ...]:
    """How each analyst answers when the evidence of names is exchanged.

    Args:
        record: the session.
        decisions: at how many of its decisions, spread evenly.
        access: how a model server may be used.

    Raises:
        InputError: fewer than two names, or the mind is not the session's any more.
    """
    if len(record.window.universe) < 2:
        raise InputError("With one name there is no evidence to exchange: leave the exchange out.")
    config = record.config
    chosen = sorted(set(np.linspace(0, len(record.opened) - 1, min(decisions, len(record.opened))).round().astype(int)))
    given = given_in(record)
    with closing(mind_of(config, access)) as model:
        if model.fingerprint.digest != record.mind.digest:
            raise InputError(f"The mind {config.model} is not the one that the session had: exchange with that one.")
        mind = Unjournaled(record.mind, model.answer)
        return tuple(
            exchange_of(role, record, [record.opened[i] for i in chosen], given, mind)
            for role in roster(config.desk, config.without, config.roles).analysts
        )


def given_in(record: SessionRecord) -> Given:
    """All evidence that the tools gave, by agent, ticker and decision."""
    found: defaultdict[tuple[str, str, int], list[Evidence]] = defaultdict(list)
    with Journal.open_readonly(record.folder) as journal:
        for item in journal.events("tool_called"):
            if isinstance(call := item.event, ToolCalled) and call.decision is not None:
                found[call.agent, call.ticker, call.decision] += call.evidence
    return {seat: tuple(evidence) for seat, evidence in found.items()}


def exchange_of(
    role: Role, record: SessionRecord, opened: Sequence[DecisionOpened], given: Given, mind: Unjournaled
) -> Exchange:
    """How one analyst answers.

    Args:
        role: the analyst.
        record: the session.
        opened: the decisions at which it is asked again.
        given: evidence of the session by agent, ticker and decision.
        mind: who answers.
    """
    first = {
        (e.ticker, e.decision): Signal.model_validate(e.signal)
        for e in record.signals
        if e.agent == role.name and e.round == 0
    }
    names = record.window.universe
    rows: list[tuple[float, float, float]] = []
    for event in opened:
        regime = Regime.model_validate(event.regime) if event.regime else None
        # a name without evidence, or that abstained, has nothing to give and nothing to compare
        heard = [n for n in names if (s := first.get((n, event.decision))) is not None and not s.abstained]
        if len(heard) < 2:
            continue
        donors = dict(zip(heard, [*heard[1:], heard[0]], strict=True))
        briefs = [
            Brief(
                ticker=name,
                company=record.market.companies[name].name,
                evidence=role.sees(list(given[role.name, donors[name], event.decision or 0])),
            )
            for name in heard
        ]
        signals = analyse(
            role, briefs, mind=mind, as_of=event.as_of, regime=describe(regime), seed=record.config.seed,
            market=regime, repeats=record.config.repeats,
        )  # fmt: skip
        for signal in signals:
            own, donor = first[signal.ticker, event.decision].score, first[donors[signal.ticker], event.decision].score
            rows.append((signal.score, own, donor))
    answers, owns, theirs = np.array(rows, dtype=float).reshape(-1, 3).T
    apart = np.abs(owns - theirs) > APART
    nearer = np.abs(answers - theirs)[apart] < np.abs(answers - owns)[apart]
    share = float(nearer.mean()) if apart.any() else None
    return Exchange(
        agent=role.name,
        decisions=len(opened),
        answers=len(rows),
        told_apart=int(apart.sum()),
        follows_evidence=share,
        verdict=_verdict(int(apart.sum()), share),
    )


def _verdict(apart: int, share: float | None) -> str:
    if share is None or apart < FEW:
        return "too few names can be told apart"
    if share >= 0.75:
        return "follows the evidence"
    return "stays with the name: memory or preference" if share <= 0.25 else "follows neither clearly"
