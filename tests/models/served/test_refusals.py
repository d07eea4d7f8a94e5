"""The wordings of servers, as they are in the wild."""

import json

import pytest

from paperdesk.agents.models.served.refusals import excess_tokens, failure_of, is_about_quota, named_field, quoted

TOO_LONG = {
    "OpenAI": (
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. Please "
        "reduce the length of the messages.",
        808,
    ),
    "OpenAI, newer": (
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        0,
    ),
    "vLLM": (
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4500 in the messages, "
        "500 in the completion). Please reduce the length of the messages or completion.",
        904,
    ),
    "vLLM, newer": (
        "'max_tokens' or 'max_completion_tokens' is too large: 500. This model's maximum context length is 4096 tokens "
        "and your request has 4000 input tokens (500 > 4096 - 4000).",
        404,
    ),
    "vLLM, prompt alone": (
        "The decoder prompt (length 5000) is longer than the maximum model length of 4096. Make sure that "
        "`max_model_len` is no smaller than the number of text tokens.",
        904,
    ),
    "llama-server": ("the request exceeds the available context size, try increasing it", 0),
    "llama-server, newer": (
        "request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it",
        904,
    ),
    "llama_cpp": ("Requested tokens (1500) exceed context window of 1024", 476),
    "Ollama": ("the input length exceeds the context length", 0),
    "Ollama, by how much": ("prompt too long; exceeded max context length by 123 tokens", 123),
    "LM Studio": (
        "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context "
        "length of only 4096 tokens, which is not enough.",
        904,
    ),
    "Anthropic": ("prompt is too long: 210000 tokens > 200000 maximum", 10_000),
    "Google": ("The input token count (5000) exceeds the maximum number of tokens allowed (4096).", 904),
    "Mistral": (
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        7232,
    ),
}


@pytest.mark.parametrize("server", TOO_LONG)
def test_a_prompt_that_is_too_long_is_known(server: str) -> None:
    message, excess = TOO_LONG[server]
    failure = failure_of(400, json.dumps({"error": {"message": message}}))
    assert failure is not None
    assert (failure.kind, failure.excess_tokens) == ("context", excess)


def test_the_fields_of_llama_server_tell_the_excess() -> None:
    error = {"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 5000, "n_ctx": 4096}
    assert excess_tokens(json.dumps({"error": error})) == 904


@pytest.mark.parametrize(
    "text", ["", "no such field", '{"error": "the model is not loaded"}', "max_tokens must be >= 1"]
)
def test_other_refusals_are_not_taken_for_it(text: str) -> None:
    assert failure_of(400, text) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"error": {"code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}',
        "Your request was rejected as a result of our safety system.",
        "violates our content policy",
    ],
)
def test_a_content_filter_is_known(text: str) -> None:
    failure = failure_of(400, text)
    assert failure is not None
    assert failure.kind == "refused"


def test_an_answer_that_the_server_itself_found_unfit_is_invalid() -> None:
    failure = failure_of(400, '{"error": {"code": "json_validate_failed", "failed_generation": "{"}}')
    assert failure is not None
    assert failure.kind == "invalid"


def test_quota_is_told_from_pace() -> None:
    assert is_about_quota('{"error": {"code": "insufficient_quota"}}')
    assert not is_about_quota('{"error": {"message": "Rate limit reached for gpt-x: try again in 20s"}}')


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"error": {"message": "Use max_completion_tokens.", "param": "max_tokens"}}', "max_tokens"),
        ('{"error": {"message": "no", "param": "response_format.json_schema"}}', "response_format"),
        ('{"detail": [{"loc": ["body", "seed"], "msg": "extra fields not permitted"}]}', "seed"),
        ("'temperature' does not support 0 with this model", "temperature"),
        ("top_logprobs is too large", "top_logprobs"),
        ("unknown", None),
    ],
)
def test_the_field_that_an_error_names_is_found(text: str, name: str | None) -> None:
    fields = (
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "seed",
        "logprobs",
        "top_logprobs",
        "response_format",
    )
    assert named_field(text, fields) == name


def test_what_a_server_says_is_quoted_on_one_line_and_in_bounds() -> None:
    assert quoted('{"error": {"message": "a\\n b\\u0007"}}') == "a b?"
    assert quoted('{"error": "plain"}') == "plain"
    assert quoted("") == "it says nothing more"
    assert len(quoted("x" * 5000)) == 203
