"""The bundled model behind a real server, `llama_cpp.server`, in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from paperdesk.agents.models.core import Question, Request
from paperdesk.agents.models.open import bundled_model, open_model

pytestmark = pytest.mark.slow

Ask = Callable[..., Request]
CONTEXT = 512
STANCES = ("strong_sell", "sell", "hold", "buy", "strong_buy")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that answers; it ends with the module."""
    log = tmp_path_factory.mktemp("server") / "log"
    port = free_port()
    words = ["--model", str(bundled_model()), "--model_alias", "smollm2", "--host", "127.0.0.1", "--port", str(port)]
    words += ["--n_ctx", str(CONTEXT), "--n_threads", "2", "--logits_all", "true", "--verbose", "false"]
    # threads that spin while they wait starve whatever else runs on few cores
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "PYTHONWARNINGS": "ignore"}
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [sys.executable, "-m", "llama_cpp.server", *words], stdout=out, stderr=out, env=environment
        ) as one,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}/v1", one, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            one.kill()


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text(errors="replace")
        try:
            if httpx.get(f"{url}/models", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start: {log.read_text(errors='replace')}")


def test_a_real_server_is_found_out_asked_and_answers_the_same_again(
    url: str, ask: Ask, claims_schema: Callable[..., dict[str, Any]]
) -> None:
    mind = open_model(url)
    try:
        settings = mind.fingerprint.settings
        assert mind.fingerprint.name == "smollm2"
        assert (settings["answers"], settings["top_logprobs"]) == ("json_object_schema", 20)
        assert (settings["seed"], settings["temperature"], settings["usage"]) == (True, True, "as the server counts")
        long = Question(ticker="LONG", text="E1: sales are up. " * 200)
        request = ask(
            questions=(
                Question(ticker="A", text="E1: sales up 30%\nE2: margin down\nStance:"),
                long,
                Question(
                    ticker="B", text="E1: sales down\nE2: debt up\nStance:", reorderings=("E1: debt up\nStance:",)
                ),
            ),
            options=STANCES,
            content_free="E1: N/A\nStance:",
            schema=(claims_schema(),) * 3,
            lead_in="\n",
        )
        reply = mind.answer(request)
        first, too_long, third = reply.answers
        for answer in (first, third):
            assert answer.failure is None
            assert sum(answer.probabilities.values()) == pytest.approx(1)
            assert answer.object is not None
            assert answer.object["claims"][0]["evidence"] in ("E1", "E2")
        assert first.raw != third.raw
        assert too_long.failure is not None
        assert too_long.failure.kind == "context"
        assert too_long.failure.excess_tokens > 0
        assert reply.usage.prompt_tokens > 100
        once, again = (mind.answer(ask("E1: sales up\nStance:")).answers for _ in range(2))
        assert once == again
    finally:
        mind.close()
