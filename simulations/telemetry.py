"""A session as OpenTelemetry spans with OpenInference attributes, for Phoenix or any collector (extra `otel`).

One trace per session: the session, its decisions, below each the turns of its agents, below these their tool calls
and their requests to minds. What was said (signals, audits, proposals, verdicts, orders, fills) stands as events on the
span of the turn. Ids are taken from the journal's hashes: the same session exported twice has the same ids. Times are
those at which the events were written.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from openinference.semconv.trace import OpenInferenceMimeTypeValues as Mime
from openinference.semconv.trace import OpenInferenceSpanKindValues as Kind
from openinference.semconv.trace import SpanAttributes as Named
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags

from ..agents.roles import title_of
from ..memory.journal.rows import Row
from ..tools.errors import PaperDeskError
from .reading import Session
from .reading.path import node_of
from .transcript import said_in

_BATCH = 500
"""Spans sent at once."""


class TelemetryError(PaperDeskError):
    """A collector did not take what was sent."""


def send(folder: Path, exporter: SpanExporter) -> int:
    """Sends a session to a collector, a few hundred spans at a time.

    Args:
        folder: the session.
        exporter: how it is reached, such as `OTLPSpanExporter("http://127.0.0.1:4317", insecure=True)`.

    Returns:
        How many spans.

    Raises:
        TelemetryError: the collector refused, or cannot be reached.
    """
    sent, waiting = 0, list[ReadableSpan]()
    with Session.open(folder) as session:
        for span in spans_of(session):
            waiting.append(span)
            if len(waiting) == _BATCH:
                sent += _flush(exporter, waiting)
        sent += _flush(exporter, waiting)
    return sent


def _flush(exporter: SpanExporter, waiting: list[ReadableSpan]) -> int:
    if waiting and exporter.export(waiting) is not SpanExportResult.SUCCESS:
        raise TelemetryError("The collector did not take the spans: check its address and that it is running.")
    count = len(waiting)
    waiting.clear()
    return count


@dataclass
class _Open:
    """A span that is still growing."""

    name: str
    kind: Kind
    context: SpanContext
    parent: SpanContext | None
    began: int
    ended: int
    attributes: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)


class _Writer:
    """Makes spans of one session."""

    def __init__(self, session: Session, first: Row) -> None:
        self._trace = int(first.hash[:32], 16)
        self._resource = Resource.create({"service.name": "paperdesk"})
        self._shared = {Named.SESSION_ID: session.name}  # on every span: collectors group by it

    def open(self, name: str, kind: Kind, row: Row, parent: _Open | None, salt: int = 0) -> _Open:
        """A span that begins with an event."""
        # one event may begin a session, a decision and a turn: the salt tells their ids apart
        number = (int(row.hash[:16], 16) ^ (salt << 60)) or 1
        context = SpanContext(self._trace, number, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        at = _nanoseconds(row.written_at)
        return _Open(name, kind, context, parent.context if parent else None, at, at)

    def close(self, span: _Open) -> ReadableSpan:
        """The finished span."""
        return ReadableSpan(
            name=span.name,
            context=span.context,
            parent=span.parent,
            resource=self._resource,
            attributes=span.attributes | self._shared | {Named.OPENINFERENCE_SPAN_KIND: span.kind.value},
            events=tuple(span.events),
            start_time=span.began,
            end_time=span.ended,
            instrumentation_scope=InstrumentationScope("paperdesk"),
        )


def spans_of(session: Session) -> Iterator[ReadableSpan]:
    """The spans of a session, inner ones before those around them."""
    writer: _Writer | None = None
    whole: _Open | None = None
    decision: _Open | None = None
    turn: _Open | None = None
    node: str | None = None
    for row in session.rows():
        at = _nanoseconds(row.written_at)
        if writer is None or whole is None:
            writer = _Writer(session, row)
            whole = writer.open(f"session {session.name}", Kind.CHAIN, row, None, salt=1)
            whole.attributes = _about(row)
        if row.kind == "decision_opened":
            yield from _closed(writer, turn, decision)
            decision = writer.open(f"decision {(row.decision or 0) + 1}", Kind.CHAIN, row, whole, salt=2)
            decision.attributes = {
                "paperdesk.decision": (row.decision or 0) + 1,
                "paperdesk.as_of": row.document["as_of"],
            }
            turn, node = None, None
        around = decision if decision is not None and row.decision is not None else whole
        now = node_of(row.kind, row.agent)
        if around is decision and now is not None and now != node:
            yield from _closed(writer, turn)
            turn = writer.open(now.replace("_", " "), Kind.AGENT, row, decision, salt=3)
            turn.attributes = {"paperdesk.node": now}
            node = now
        place = turn if turn is not None and now is not None and around is decision else around
        for span in (whole, around, place):
            span.ended = max(span.ended, at)
        if row.kind in ("tool_called", "model_called"):
            yield writer.close(_call(writer, row, place, place.ended))
        else:
            place.events.append(Event(row.kind, _said(row), at))
    if writer is not None and whole is not None:
        yield from _closed(writer, turn, decision, whole)


def _closed(writer: _Writer, *spans: _Open | None) -> Iterator[ReadableSpan]:
    return (writer.close(span) for span in spans if span is not None)


def _call(writer: _Writer, row: Row, parent: _Open, ended: int) -> _Open:
    document = row.document
    if row.kind == "tool_called":
        span = writer.open(document["tool"], Kind.TOOL, row, parent)
        span.attributes = {
            Named.TOOL_NAME: document["tool"],
            Named.TOOL_PARAMETERS: json.dumps(document["arguments"]),
            Named.OUTPUT_VALUE: json.dumps(document["evidence"], ensure_ascii=False),
            Named.OUTPUT_MIME_TYPE: Mime.JSON.value,
            "paperdesk.ticker": document["ticker"],
        }
    else:
        span = writer.open(f"{document['agent']}: {document['task']}", Kind.LLM, row, parent)
        usage = document["reply"].get("usage", {})
        span.attributes = {
            Named.INPUT_VALUE: json.dumps(document["request"], ensure_ascii=False),
            Named.INPUT_MIME_TYPE: Mime.JSON.value,
            Named.OUTPUT_VALUE: json.dumps(document["reply"], ensure_ascii=False),
            Named.OUTPUT_MIME_TYPE: Mime.JSON.value,
            Named.LLM_TOKEN_COUNT_PROMPT: usage.get("prompt_tokens", 0),
            Named.LLM_TOKEN_COUNT_COMPLETION: usage.get("generated_tokens", 0),
        }
    span.attributes |= {"paperdesk.seq": row.seq, "paperdesk.agent": title_of(document["agent"])}
    span.ended = ended
    return span


def _about(row: Row) -> dict[str, Any]:
    document = row.document
    model: dict[str, Any] = document.get("model", {})
    return {
        Named.LLM_MODEL_NAME: model.get("name", ""),
        "paperdesk.market": document.get("market", ""),
        "paperdesk.market_fingerprint": document.get("market_fingerprint", ""),
        "paperdesk.universe": list(document.get("universe", ())),
    }


def _said(row: Row) -> dict[str, Any]:
    told: Sequence[tuple[str, Any]] = [
        ("paperdesk.seq", row.seq),
        ("paperdesk.ticker", row.ticker),
        ("paperdesk.agent", row.agent),
        ("paperdesk.stance", row.document.get("stance")),
        ("paperdesk.confidence", row.document.get("confidence")),
        ("paperdesk.verdict", row.document.get("verdict") or row.document.get("status")),
        ("paperdesk.said", said_in(row)),
    ]
    return {name: value for name, value in told if value not in (None, "")}


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000
