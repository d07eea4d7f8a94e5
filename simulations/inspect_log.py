"""A session as a log of Inspect AI (extra `inspect`): `.eval`, for `inspect view` and for its data frames.

A sample per final signal (`2023-01-03/technical_analyst/ZEPL`): what the analyst's tools brought, what its mind was
asked and answered, what the auditor found, the signal; scored where its horizon has passed. And a sample per decision
(`2023-01-03/desk`) with everything else: posture, proposal, rules, orders, fills, the ledger until the next one. Every
event of a decision is in one of them; a request that asks about several names at once is told by question, each where
it belongs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from inspect_ai.event import Event, ScoreEvent
from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalLog,
    EvalMetric,
    EvalResults,
    EvalSample,
    EvalScore,
    EvalSpec,
    EvalStats,
    write_eval_log,
)
from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageUser, ModelOutput, ModelUsage
from inspect_ai.scorer import CORRECT, INCORRECT, Score

from ..memory.calibration.scores import brier
from ..memory.journal.rows import Row
from ..memory.outcome import DIRECTION_OF, DIRECTIONS, Outcome, directional
from ..tools.errors import InputError
from .inspect_events import answer_of, in_turns, info_event, model_event, prompt_of, tool_event
from .reading import Session
from .reading.calls import Asked, Call, call_of
from .reading.summary import Summary

Subject = tuple[str, str]
"""Agent and ticker."""
_OF_SUBJECT = frozenset({"tool_called", "signal_issued", "audit_issued", "stance_set"})
_ANSWERS = {"buy": "rose more than its peers", "sell": "rose less than its peers", "hold": "moved with its peers"}


def write_inspect_log(session: Session, file: Path) -> None:
    """Writes a session with Inspect's own writer. The whole log is in memory meanwhile, about 25 kB per event.

    Raises:
        InputError: nothing was decided yet.
        OSError: the file cannot be written.
    """
    log = log_of(session)
    if not file.parent.is_dir():  # Inspect's writer would make it
        raise FileNotFoundError(2, "No such file or directory")
    write_eval_log(log, file, format="eval")


def log_of(session: Session) -> EvalLog:
    """A session as Inspect sees it.

    Raises:
        InputError: nothing was decided yet.
    """
    summary = session.summary()
    model = str(summary.mind.get("name", "")) or "unknown"
    outcomes = dict(_outcomes(session))
    samples = [
        sample
        for number, rows in groupby(_decided(session), key=lambda row: row.decision or 0)
        for sample in _Decision(number, model, list(rows), outcomes).samples()
    ]
    if not samples:
        raise InputError(f"{session.name} has decided nothing yet; export it after its first decision")
    return EvalLog(
        status="success" if session.is_finished else "started",
        eval=_spec(summary, model, samples),
        results=EvalResults(total_samples=len(samples), completed_samples=len(samples), scores=list(_figures(samples))),
        stats=_stats(session, summary, model),
        samples=samples,
    )


def _decided(session: Session) -> Iterator[Row]:
    return (row for row in session.rows() if row.decision is not None)


def _outcomes(session: Session) -> Iterator[tuple[tuple[int, str, str], Outcome]]:
    for row in session.rows(("signal_resolved",)):
        told = row.document
        yield (told["issued_in"], told["agent"], told["ticker"]), Outcome.model_validate(told["record"])


@dataclass
class _Talk:
    """What is on record about one signal, or about the desk as a whole."""

    messages: list[ChatMessage] = field(default_factory=list)
    events: list[tuple[Row, Event]] = field(default_factory=list)
    output: ModelOutput = field(default_factory=ModelOutput)
    signal: dict[str, Any] | None = None


class _Decision:
    """Makes the samples of one decision."""

    def __init__(self, number: int, model: str, rows: list[Row], outcomes: dict[tuple[int, str, str], Outcome]) -> None:
        self._number = number
        self._model = model
        self._outcomes = outcomes
        self._rows = rows
        self._began = rows[0].written_at
        self._day = next((row.document["session"] for row in rows if row.kind == "decision_opened"), str(number + 1))
        self._desk = _Talk()
        self._talks: dict[Subject, _Talk] = {
            (row.document["agent"], row.document["ticker"]): _Talk() for row in rows if row.kind == "signal_issued"
        }

    def samples(self) -> Iterator[EvalSample]:
        """The signals in the order in which they were first stated, then the desk."""
        for row in self._rows:
            self._place(row)
        for (agent, ticker), talk in self._talks.items():
            yield self._sample(f"{self._day}/{agent}/{ticker}", talk, agent, ticker)
        yield self._sample(f"{self._day}/desk", self._desk, "desk", None)

    def _place(self, row: Row) -> None:
        if row.kind == "model_called":
            self._ask(row)
            return
        talk = self._desk
        if row.kind in _OF_SUBJECT:
            talk = self._talks.get((row.document["agent"], row.document["ticker"]), self._desk)
        event = tool_event(row, self._began) if row.kind == "tool_called" else info_event(row, self._began)
        talk.events.append((row, event))
        if row.kind == "signal_issued":
            talk.signal = row.document["signal"]
            if not row.document["abstained"]:
                talk.messages.append(
                    ChatMessageAssistant(id=f"{row.hash[:20]}-said", content=row.document["rationale"])
                )
        elif row.kind == "audit_issued" and row.document["verdict"] != "pass":
            objected = "\n".join(finding["message"] for finding in row.document["report"]["findings"])
            content = f"Auditor: {row.document['verdict']}\n{objected}"
            talk.messages.append(ChatMessageUser(id=f"{row.hash[:20]}-audit", content=content))

    def _ask(self, row: Row) -> None:
        call = call_of(row)
        for asked in call.asked:
            talk, own = self._whose(call, asked)
            talk.events.append((row, model_event(call, asked, self._model, self._began)))
            if own:
                output = answer_of(asked, row, self._model)
                known = {message.text for message in talk.messages if message.role == "system"}
                prompt = prompt_of(call, asked, row)
                talk.messages.extend(m for m in prompt if m.role != "system" or m.text not in known)
                talk.messages.append(output.message)
                talk.output = output

    def _whose(self, call: Call, asked: Asked) -> tuple[_Talk, bool]:
        """The sample that a question belongs to, and whether it is part of its conversation."""
        if (call.agent, asked.ticker) in self._talks:
            return self._talks[call.agent, asked.ticker], True
        shown = {item["id"] for item in asked.evidence}
        for (_, ticker), talk in self._talks.items():  # the auditor's question shows what a signal rests on
            claims = talk.signal["claims"] if talk.signal else ()
            if ticker == asked.ticker and shown and shown == {claim["evidence"] for claim in claims}:
                return talk, False
        return self._desk, call.agent == "portfolio_manager"

    def _sample(self, name: str, talk: _Talk, agent: str, ticker: str | None) -> EvalSample:
        outcome = self._outcomes.get((self._number, agent, ticker)) if ticker else None
        signal = talk.signal
        scores = _scores(signal, outcome) if signal and outcome else {}
        events: list[Event] = list(in_turns(talk.events, self._began))
        last = talk.events[-1][0].written_at if talk.events else self._began
        events += [
            ScoreEvent(
                uuid=f"{name}-{scorer}",
                timestamp=last,
                working_start=(last - self._began).total_seconds(),
                scorer=scorer,
                score=score,
                target=outcome.came if outcome else None,
            )
            for scorer, score in scores.items()
        ]
        metadata: dict[str, Any] = {"decision": self._number + 1, "agent": agent}
        if signal:
            told = ("ticker", "stance", "confidence", "uncertainty", "abstained", "horizon_days", "as_of")
            metadata |= {key: signal[key] for key in told}
        asked = next((message.text for message in talk.messages if message.role == "user"), "")
        return EvalSample(
            id=name,
            epoch=1,
            input=asked or name,
            choices=list(DIRECTIONS) if ticker else None,
            target=outcome.came if outcome else "",
            messages=talk.messages,
            output=talk.output,
            scores=scores or None,
            metadata=metadata,
            events=events,
            started_at=_iso(self._began),
            completed_at=_iso(last),
            total_time=(last - self._began).total_seconds(),
            uuid=f"{self._rows[0].hash[:20]}-{name}",
        )


def _scores(signal: dict[str, Any], outcome: Outcome) -> dict[str, Score]:
    """Whether the direction came that the stance foretells; the squared error of its three probabilities, 0 to 2."""
    told = {"excess": outcome.excess, "surprise": outcome.surprise, "score": outcome.score, "weight": outcome.weight}
    said = DIRECTION_OF[signal["stance"]]
    what = f"it {_ANSWERS[outcome.came]}: {outcome.excess:+.1%} in {outcome.horizon_days} sessions"
    error = brier(np.array([directional(outcome.probabilities)]), np.array([DIRECTIONS.index(outcome.came)]))
    hit = CORRECT if said == outcome.came else INCORRECT
    return {
        "direction": Score(value=hit, answer=said, explanation=f"{signal['stance']}; {what}", metadata=told),
        "brier": Score(value=error, answer=said, explanation="squared error over sell, hold, buy; 2/3 knows nothing"),
    }


def _figures(samples: list[EvalSample]) -> Iterator[EvalScore]:
    """Means over the signals whose horizon has passed, of all and of each analyst.

    They depend on each other (horizons overlap, excess returns of a day add up to nothing): no standard error is given.
    """
    scored = [sample for sample in samples if sample.scores]
    agents = sorted({sample.metadata["agent"] for sample in scored})
    for scorer, metric in (("direction", "accuracy"), ("brier", "mean")) if scored else ():
        found = {metric: _mean(scored, scorer)} | {
            f"{metric} {agent}": _mean((s for s in scored if s.metadata["agent"] == agent), scorer) for agent in agents
        }
        yield EvalScore(
            name=scorer,
            scorer=scorer,
            scored_samples=len(scored),
            unscored_samples=len(samples) - len(scored),
            metrics={name: EvalMetric(name=name, value=value) for name, value in found.items()},
        )


def _mean(samples: Iterable[EvalSample], scorer: str) -> float:
    values = [sample.scores[scorer].value for sample in samples if sample.scores]
    return fmean(float(value == CORRECT) if isinstance(value, str) else float(value) for value in values)  # type: ignore[arg-type]


def _spec(summary: Summary, model: str, samples: list[EvalSample]) -> EvalSpec:
    name = summary.name
    return EvalSpec(
        eval_id=summary.head[:22],
        run_id=summary.head[:22],
        task_id=summary.head[22:44],
        created=_iso(summary.created_at),
        task="paperdesk",
        task_display_name=f"paperdesk {name}",
        task_args=summary.choices,
        dataset=EvalDataset(name=summary.market, samples=len(samples), sample_ids=[str(s.id) for s in samples]),
        model=model,
        model_args=summary.mind,
        config=EvalConfig(epochs=1),
        packages=summary.versions,
        metadata={
            "session": name,
            "head": summary.head,
            "events": summary.events,
            "market_fingerprint": summary.market_fingerprint,
            "contamination": summary.contamination,
            "metrics": list(summary.metrics),
        },
    )


def _stats(session: Session, summary: Summary, model: str) -> EvalStats:
    usage = [row.document["reply"].get("usage", {}) for row in session.rows(("model_called",))]
    read = sum(one.get("prompt_tokens", 0) for one in usage)
    wrote = sum(one.get("generated_tokens", 0) for one in usage)
    ended = summary.finished_at or summary.written_at
    return EvalStats(
        started_at=_iso(summary.created_at),
        completed_at=_iso(ended) if ended else "",
        model_usage={model: ModelUsage(input_tokens=read, output_tokens=wrote, total_tokens=read + wrote)},
    )


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
