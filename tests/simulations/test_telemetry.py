"""A real collector on loopback receives a session as OpenTelemetry spans."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from paperdesk.simulations.reading import Session

from .conftest import Finished

grpc = pytest.importorskip("grpc", reason="needs the extra otel")
pytest.importorskip("openinference.semconv.trace", reason="needs the extra otel")

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: E402
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages  # noqa: E402
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service  # noqa: E402

from paperdesk.simulations.exporting import export  # noqa: E402
from paperdesk.simulations.telemetry import TelemetryError, send, spans_of  # noqa: E402


class Collector(service.TraceServiceServicer):
    """Keeps every span it is sent."""

    def __init__(self) -> None:
        self.spans: list[Any] = []

    def Export(self, request: Any, context: object) -> Any:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)
        return messages.ExportTraceServiceResponse()


@pytest.fixture
def collector() -> Iterator[tuple[Collector, str]]:
    kept, server = Collector(), grpc.server(ThreadPoolExecutor(2))
    service.add_TraceServiceServicer_to_server(kept, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield kept, f"http://127.0.0.1:{port}"
    server.stop(None).wait()


def test_a_collector_receives_the_session_as_one_tree(
    generated_session: Finished, collector: tuple[Collector, str]
) -> None:
    kept, address = collector
    done = export(generated_session.outcome.folder, address)
    count = int(done.split(" spans")[0].replace(",", ""))
    spans = {span.span_id: span for span in kept.spans}
    assert len(spans) == count == len(kept.spans)
    assert len({span.trace_id for span in kept.spans}) == 1
    (root,) = [span for span in kept.spans if not span.parent_span_id]
    assert root.name.startswith("session ")
    assert all(span.parent_span_id in spans for span in kept.spans if span is not root)
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in kept.spans)
    assert {_attributes(span)["session.id"] for span in kept.spans} == {generated_session.outcome.folder.name}
    kinds = [_attributes(span)["openinference.span.kind"] for span in kept.spans]
    assert kinds.count("TOOL") == len(generated_session.of("tool_called"))
    assert kinds.count("LLM") == len(generated_session.of("model_called"))
    said = [event for span in kept.spans for event in span.events]
    assert len(said) + kinds.count("TOOL") + kinds.count("LLM") == generated_session.outcome.events
    tool = next(span for span in kept.spans if _attributes(span)["openinference.span.kind"] == "TOOL")
    chain = [tool]
    while chain[-1].parent_span_id:
        chain.append(spans[chain[-1].parent_span_id])
    assert [span.name for span in chain[1:]] == ["fundamental analyst", "decision 1", root.name]


def _attributes(span: Any) -> dict[str, str]:
    return {item.key: item.value.string_value for item in span.attributes}


def test_the_same_session_has_the_same_ids_each_time(generated_session: Finished) -> None:
    with Session.open(generated_session.outcome.folder) as session:
        once, again = ([span.context.span_id for span in spans_of(session)] for _ in range(2))
    assert once == again
    assert len(set(once)) == len(once)


def test_a_collector_that_is_not_there_is_told(generated_session: Finished) -> None:
    exporter = OTLPSpanExporter("http://127.0.0.1:9", insecure=True, timeout=1)
    with pytest.raises(TelemetryError, match="did not take"):
        send(generated_session.outcome.folder, exporter)
    exporter.shutdown()
