"""`paperdesk models`, as a user sees it."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from paperdesk.agents.models.core import Answer, Failure, Fingerprint, ModelInputError, Reply, Request
from paperdesk.agents.models.files.describe import describe_model, list_models
from paperdesk.agents.models.files.places import place_of, trust_path
from paperdesk.agents.models.files.source import HubFile
from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.agents.models.open import open_model
from paperdesk.agents.models.scorecard import Scorecard
from paperdesk.simulations.bench_screen import print_bench
from paperdesk.simulations.model_bench import Bench, analyst_requests, bench_model
from paperdesk.simulations.model_commands import pull_command
from paperdesk.simulations.model_screens import print_checked, print_info
from paperdesk.tools.market.view import open_market

from ..served.fake import Fake, Kind
from .hub import LoopbackHub
from .tiny_llama import gguf, metadata, weights

Run = Callable[..., tuple[int, str, str]]


def sentence(err: str) -> str:
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    assert last.startswith("paperdesk: ")
    assert last.endswith(".")
    return last


def test_the_list_fits_a_narrow_terminal_and_says_what_is_there(paperdesk: Run) -> None:
    code, out, _ = paperdesk("models", "list")
    assert code == 0
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= 80
    rows = {line.split()[0]: line for line in out.splitlines()}
    assert rows["smollm2"].split()[1:] == ["bundled", "98", "MB", "yes", "2024-10-31", "Apache-2.0"]
    assert "not pulled" in rows["qwen2.5-1.5b"]
    everything = json.loads(paperdesk("models", "list", "--json")[1])
    assert [row["name"] for row in everything] == list(rows)[1:]


def test_info_tells_what_the_file_says(paperdesk: Run, tiny: Path) -> None:
    code, out, err = paperdesk("models", "info", tiny, "--json")
    assert code == 0, err
    told = json.loads(out)
    assert told["parameters"] == sum(tensor.size for tensor in weights(265).values())
    assert told["quantisation"] == {"F32": 1.0}
    assert (told["architecture"], told["title"], told["template"]) == ("llama", "Tiny", "chatml")
    assert (told["context_length"], told["vocabulary"], told["languages"]) == (512, 265, ["en", "fr"])
    assert (told["licence"], told["training_cutoff"], told["verdict"]["allowed"]) == ("apache-2.0", None, False)


def test_info_of_a_model_that_is_not_here_says_how_to_get_it(paperdesk: Run) -> None:
    code, out, err = paperdesk("models", "info", "llama-3.2-3b")
    assert code == 0
    assert "2023-12-31 (model card of meta-llama/Llama-3.2-3B-Instruct" in out
    assert err == "fetch it: paperdesk models pull llama-3.2-3b\n"


def test_a_text_in_a_file_cannot_steer_a_terminal(tmp_path: Path) -> None:
    keys = metadata() | {"general.name": "\x1b[2J\x07[bold]x\n" + "y" * 999, "general.license": "\u202eMIT"}
    file = tmp_path / "odd.gguf"
    file.write_bytes(gguf(keys, weights(265)))
    told = describe_model(str(file))
    assert told.title.isprintable()
    assert told.licence.isprintable()
    assert len(told.title) <= 200


def test_a_check_tells_damage_trust_and_allowance_by_its_exit_code(paperdesk: Run, tiny: Path, content: bytes) -> None:
    code, out, err = paperdesk("models", "check", tiny)
    assert code == 3
    assert f"trust it: paperdesk models check {tiny} --trust" in err
    assert "loads and answers; 265 tokens" in out
    code, out, err = paperdesk("models", "check", tiny, "--trust")
    assert (code, "yes, by you (tiny.gguf)" in out) == (0, True)
    assert f"paperdesk models check {tiny} --trust" in trust_path().read_text()
    assert json.loads(paperdesk("models", "check", tiny, "--json")[1])["verdict"]["by"] == "user"
    open_model(str(tiny)).close()
    tiny.write_bytes(content[:-1])
    code, out, err = paperdesk("models", "check", tiny, "--trust", "--json")
    assert code == 2
    assert json.loads(out)["sound"] is False
    assert "tiny.gguf cannot be used: it is cut off" in sentence(err)


def test_a_session_with_a_file_that_nobody_vouches_for_names_the_command(
    paperdesk: Run, tiny: Path, tmp_path: Path
) -> None:
    code, _, err = paperdesk("run", "--model", tiny, "--out", tmp_path / "session")
    assert code == 2
    assert f"`paperdesk models check {tiny} --trust`" in sentence(err)
    assert not (tmp_path / "session").exists()


def test_a_name_of_the_catalogue_is_pulled_listed_trusted_and_opened(
    paperdesk: Run, hub: LoopbackHub, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.put(content, "Qwen/Qwen2.5-1.5B-Instruct-GGUF/qwen2.5-1.5b-instruct-q4_k_m.gguf")
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    code, out, err = paperdesk("models", "pull", "qwen2.5-1.5b")
    assert (code, out) == (0, "")
    assert err.splitlines()[-1] == "not on the allow-list yet: paperdesk models check qwen2.5-1.5b --trust"
    row = next(row for row in list_models() if row.name == "qwen2.5-1.5b")
    assert (row.state, row.allowed, row.size) == ("pulled", False, len(content))
    assert paperdesk("models", "check", "qwen2.5-1.5b", "--trust")[0] == 0
    for spec in ("qwen2.5-1.5b", row.source):
        open_model(spec).close()
    told = describe_model("qwen2.5-1.5b")
    assert (told.state, told.source, told.licence) == ("pulled", row.source, "Apache-2.0")


def test_a_pull_can_go_elsewhere(hub: LoopbackHub, tmp_path: Path, content: bytes) -> None:
    hub.put(content)
    for out, file in ((tmp_path / "a", tmp_path / "a" / "model.gguf"), (tmp_path / "b.gguf", tmp_path / "b.gguf")):
        done = pull_command("hf:someone/small/model.gguf", out=out, endpoint=hub.url)
        assert (done.file, done.model) == (file, str(file))
        assert file.read_bytes() == content
    assert not place_of(HubFile.of("hf:someone/small/model.gguf")).exists()


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (lambda: pull_command("smollm2"), "comes with PaperDesk"),
        (lambda: pull_command("model.gguf"), "is no model of a hub"),
        (lambda: pull_command("hf:a/b"), "names no model file"),
        (lambda: pull_command("qwen2.5-7b", sha256="xyz"), "is no sha256"),
        (lambda: print_checked("absent.gguf", trust=False, json=False), "check the path"),
        (lambda: print_checked("qwen2.5-7b", trust=True, json=False), "`paperdesk models pull qwen2.5-7b` first"),
        (lambda: print_info("gpt-9", json=False), "name a file, or one of smollm2"),
        (lambda: print_bench("scorecard", threads=1, repeats=0, json=False), "at least one repeat"),
    ],
)
def test_bad_input_is_a_sentence(capsys: pytest.CaptureFixture[str], act: Callable[[], object], what: str) -> None:
    with pytest.raises(ModelInputError) as caught:
        act()
    assert what in str(caught.value)
    assert str(caught.value).endswith(".")
    assert capsys.readouterr().out == ""


@pytest.fixture(scope="module")
def questions() -> list[Request]:
    return analyst_requests(open_market("generated", 7), 1)


def test_the_benchmark_asks_what_the_analysts_ask(questions: list[Request]) -> None:
    assert [request.role for request in questions] == ["fundamental_analyst", "technical_analyst"]
    for request in questions:
        assert len(request.questions) == len(request.schema_after) == 6
        assert all(question.evidence for question in request.questions)


class Ticking:
    """A clock that a mind moves: two seconds for scores, and a second more for each object."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Slow(Scorecard):
    """A mind whose second object of each request fails."""

    def __init__(self, clock: Ticking) -> None:
        super().__init__()
        self._clock = clock
        self.asked: list[Request] = []

    @property
    def fingerprint(self) -> Fingerprint:
        return super().fingerprint

    def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        writes = bool(request.schema_after)
        self._clock.now += 2.0 + writes * len(request.questions)
        reply = super().answer(request)
        answers = list(reply.answers)
        if writes:
            answers[1] = Answer(ticker=answers[1].ticker, failure=Failure(kind="unfinished", reason="cut"))
        usage = {"prompt_tokens": 100, "generated_tokens": 30 if writes else 0}
        return Reply.model_validate({"answers": answers, "usage": usage})


def test_the_benchmark_divides_what_it_counts(questions: list[Request]) -> None:
    clock = Ticking()
    mind = Slow(clock)
    found = bench_model("slow", lambda: mind, questions, threads=1, clock=clock)
    assert found == Bench(
        model="slow",
        backend="scorecard",
        threads=1,
        load_seconds=0.0,
        requests=2,
        asked=12,
        valid=10,
        failures={"unfinished": 2},
        prompt_tokens=100,
        prompt_tokens_per_second=100 / 2,
        generated_tokens_per_second=30 / 6,
        signals_per_minute=60 * 12 / 16,
        validity_rate=10 / 12,
        memory_bytes=None,
    )
    assert len({request.system.splitlines()[0] for request in mind.asked}) == len(mind.asked)


def test_a_real_model_is_measured(questions: list[Request], tiny: Path) -> None:
    short = [
        request.model_copy(update={"questions": request.questions[:1], "schema_after": request.schema_after[:1]})
        for request in questions
    ]
    found = bench_model("tiny", lambda: LlamaCpp(tiny), short, threads=1, clock=time.perf_counter)
    assert (found.backend, found.asked) == ("llama_cpp", 2)
    assert found.valid + sum(found.failures.values()) == 2


@pytest.fixture
def served() -> Iterator[str]:
    """A model server on the loopback interface that holds its answers to schemas."""
    server = Fake(Kind(logprobs=0, logprobs_deed="ignore"))
    yield server.url
    server.close()


def test_a_served_model_is_measured(paperdesk: Run, served: str) -> None:
    code, out, err = paperdesk("models", "bench", served, "--repeats", "1", "--json")
    assert code == 0, err
    assert "httpx" not in err
    told = json.loads(out)
    assert (told["backend"], told["asked"], told["memory_bytes"]) == ("openai_compatible", 12, None)
    assert told["valid"] + sum(told["failures"].values()) == 12
    assert told["prompt_tokens_per_second"] > 0


def test_a_benchmark_on_the_command_line_is_json_alone_on_standard_output(paperdesk: Run) -> None:
    code, out, err = paperdesk("models", "bench", "scorecard", "--repeats", "1", "--json")
    assert code == 0, err
    told = json.loads(out)
    assert (told["asked"], told["validity_rate"], told["prompt_tokens_per_second"]) == (12, 1.0, None)
