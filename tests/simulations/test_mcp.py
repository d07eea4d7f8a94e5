"""A real client talks to a real process, over stdin and stdout and over HTTP."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest

from paperdesk.simulations.mcp.server import make_server
from paperdesk.simulations.reading import Session
from paperdesk.tools.errors import InputError

from .conftest import Finished

mcp = pytest.importorskip("mcp", reason="needs the extra mcp")

COMMAND = str(Path(sys.executable).with_name("paperdesk"))
READING = {"list_sessions", "read_session", "read_decision", "read_event", "search", "compare_sessions"}

Said = Callable[[str, dict[str, Any]], Coroutine[Any, Any, Any]]


@pytest.fixture(scope="module")
def runs(generated_session: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("mcp") / "runs"
    shutil.copytree(generated_session.outcome.folder, folder / "001")
    shutil.copytree(generated_session.outcome.folder, folder.parent / "outside")
    return folder


def server_of(*arguments: str) -> Any:
    return mcp.StdioServerParameters(command=COMMAND, args=["mcp", *arguments])


async def answer(client: Any, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return json.loads(result.content[0].text)


async def refusal(client: Any, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content[0].text)


async def test_a_client_finds_out_why(generated_session: Finished, runs: Path) -> None:
    before = {path.name: path.read_bytes() for path in (runs / "001").iterdir() if path.name != "search.db"}
    async with mcp.Client(server_of(str(runs))) as client:
        tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == READING
        assert all(tool.annotations.read_only_hint for tool in tools)
        (line,) = (await answer(client, "list_sessions"))["sessions"]
        assert (line["session"], line["status"]) == ("001", "finished")
        told = await answer(client, "read_session", session="001", limit=2)
        assert [one["decision"] for one in told["decided"]] == [1, 2]
        assert told["head"] == generated_session.outcome.head
        page = await answer(client, "read_session", session="001", after=2, limit=1)
        assert [one["decision"] for one in page["decided"]] == [3]
        decision = await answer(client, "read_decision", session="001", decision=1)
        bought = next(name for name in decision["names"] if name.get("order", {}).get("filled"))
        case = await answer(client, "read_decision", session="001", decision=1, ticker=bought["ticker"])
        for statement in case["statements"]:
            assert set(statement["rests_on"]) <= set(case["evidence"])
        call = await answer(client, "read_event", session="001", seq=case["asked_in_events"][0])
        assert call["event"]["request"]["questions"]
        (hit, *_) = (await answer(client, "search", session="001", text="cautious"))["hits"]
        assert "cautious" in hit["text"].lower()
        same = await answer(client, "compare_sessions", a="001", b="001")
        assert same["events_shared"] == generated_session.outcome.events
        assert same["equal"]
        assert not same["choices_that_differ"]
        assert not same["decisions_that_differ"]
    assert {path.name: path.read_bytes() for path in (runs / "001").iterdir() if path.name != "search.db"} == before


async def test_what_is_not_there_or_not_allowed_is_told_in_a_sentence(runs: Path) -> None:
    async with mcp.Client(server_of(str(runs))) as client:
        for name in ("../outside", str(runs.parent / "outside"), "..~outside", "002"):
            assert "take a name from the list" in await refusal(client, "read_session", session=name)
        assert "no decision 99" in await refusal(client, "read_decision", session="001", decision=99)
        assert "no event 999999" in await refusal(client, "read_event", session="001", seq=999_999)
        assert "nknown tool" in await refusal(client, "run_session")


@pytest.mark.slow
async def test_with_leave_a_client_runs_a_simulation(tmp_path: Path) -> None:
    steps: list[tuple[float, float | None]] = []

    async def progress(done: float, planned: float | None, message: str | None) -> None:
        steps.append((done, planned))

    async with mcp.Client(server_of(str(tmp_path), "--allow-run")) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == READING | {"run_session"}
        assert not tools["run_session"].annotations.read_only_hint
        for options in ({"model": "http://127.0.0.1:1/v1#x"}, {"market": "/etc"}, {"desk": "roster.toml"}):
            await refusal(client, "run_session", **options)
        assert "is the most" in await refusal(client, "run_session", frequency="daily", start="2021-06-01")
        assert not list(tmp_path.iterdir())
        window = {"start": "2023-03-01", "end": "2023-05-31"}
        result = await client.call_tool("run_session", window | {"max_weight": 0.25}, progress_callback=progress)
        told = json.loads(result.content[0].text)
        assert (await answer(client, "list_sessions"))["sessions"][0]["session"] == told["session"] == "001"
    with Session.open(tmp_path / "001") as session:
        assert session.is_finished
        assert session.config.max_weight == 0.25
        assert steps == [(n, len(told["decided"])) for n in range(1, len(told["decided"]) + 1)]


@pytest.mark.slow
async def test_over_http_only_this_machine_is_answered(runs: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/mcp"
    with subprocess.Popen([COMMAND, "mcp", str(runs), "--http", str(port)], stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(240):
                try:
                    httpx.get(address)
                    break
                except httpx.ConnectError:
                    time.sleep(0.25)
            async with mcp.Client(address) as client:
                assert len((await answer(client, "list_sessions"))["sessions"]) == 1
            for headers in ({"host": "evil.example"}, {"origin": "http://evil.example"}):
                accepts = {"accept": "application/json, text/event-stream"}
                refused = httpx.post(
                    address, headers=headers | accepts, json={"jsonrpc": "2.0", "id": 1, "method": "x"}
                )
                assert refused.status_code in (403, 421), refused.text
        finally:
            process.terminate()


def test_simulations_need_a_folder_of_sessions(runs: Path) -> None:
    with pytest.raises(InputError, match="is a session itself"):
        make_server(runs / "001", allow_run=True)
    with pytest.raises(InputError, match="no folder"):
        make_server(runs / "absent")
