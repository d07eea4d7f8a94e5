"""Prompt files: their parts, and the guidance that the state of the market puts into the prefix."""

from datetime import UTC, date, datetime

import pytest

from paperdesk.agents.analyst import Brief, analyse
from paperdesk.agents.models.core import Reply, Request
from paperdesk.agents.models.scorecard import Scorecard
from paperdesk.agents.roles import Role, built_in_roles, prompt_of, prompts_hash, read_prompt, read_role
from paperdesk.agents.rosters import desks, roster
from paperdesk.tools.errors import InputError
from paperdesk.tools.evidence import Evidence
from paperdesk.tools.regime import Drift, Regime, RegimeName

AS_OF = datetime(2023, 12, 29, 21, tzinfo=UTC)
PLAIN = "=== system\nS\n=== prefix\nMarket: $regime.$regime_guidance\n=== question\nQ"
GUIDED = f"{PLAIN}\n=== regime calm\nKeep on.\n=== regime turbulent\nWait.\n=== regime turbulent falling\nSell."


def state(name: RegimeName, drift: Drift = "flat") -> Regime:
    return Regime(
        name=name,
        drift=drift,
        probability=0.9,
        probabilities={"calm": 0.9, "turbulent": 0.1},
        drifts={"calm": drift, "turbulent": drift},
        fitted_until=date(2023, 9, 29),
        note="",
    )


class Listener:
    """The scorecard, with the prefixes that it was asked under."""

    key = "scorecard"

    def __init__(self) -> None:
        self.prefixes: list[str] = []

    def answer(self, request: Request) -> Reply:
        self.prefixes.append(request.prefix)
        return Scorecard().answer(request)


def test_guidance_follows_the_state_and_the_closer_section_wins() -> None:
    prompt = read_prompt("x", GUIDED)
    assert prompt.prefix_in("calm", state("calm", "rising")) == "Market: calm. Keep on."
    assert prompt.prefix_in("wild", state("turbulent", "rising")) == "Market: wild. Wait."
    assert prompt.prefix_in("wild", state("turbulent", "falling")) == "Market: wild. Sell."


def test_without_a_section_or_a_known_state_nothing_is_inserted() -> None:
    assert read_prompt("x", GUIDED).prefix_in("unknown", None) == "Market: unknown."
    for name in ("calm", "turbulent"):
        assert read_prompt("x", PLAIN).prefix_in(name, state(name)) == f"Market: {name}."


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("=== question", "=== querstion"),
        PLAIN.replace("=== system\nS\n", ""),
        f"{PLAIN}\n=== regime stormy\nRun.",
        f"{PLAIN}\n=== regime rising\nBuy.",
        f"{PLAIN}\n=== notes\nNothing.",
    ],
)
def test_a_misnamed_part_is_refused_instead_of_ignored(text: str) -> None:
    with pytest.raises(InputError, match="the prompt of x has the parts"):
        read_prompt("x", text)


ANALYSTS = [read_role(name, {}) for name in ("fundamental_analyst", "technical_analyst")]


@pytest.mark.parametrize("role", ANALYSTS, ids=lambda role: role.name)
def test_an_analyst_is_told_something_else_in_a_turbulent_market(role: Role) -> None:
    measure, unit = ("return_1m", "fraction") if role.needs == "indicator" else ("revenue_growth_yoy", "fraction")
    evidence = Evidence.of(
        id=f"A/{measure}/x",
        kind=role.needs,
        measure=measure,
        ticker="A",
        as_of=AS_OF,
        available_at=AS_OF,
        period="x",
        value=0.1,
        unit=unit,
        source="x",
    )
    mind = Listener()
    for market in (None, state("calm"), state("turbulent")):
        analyse(role, [Brief("A", "A", (evidence,))], mind=mind, as_of=AS_OF, regime="so", market=market, seed=0)
    unknown, calm, turbulent = mind.prefixes
    assert unknown.endswith("Market: so.")
    assert calm.startswith(unknown)
    assert turbulent.startswith(unknown)
    assert len({unknown, calm, turbulent}) == 3
    # a token is about four letters: both together must stay below 25 tokens
    assert max(len(calm), len(turbulent)) - len(unknown) < 80


ROW = '+++\ntitle = "Mine"\nplan = ["price_indicators"]\nshows = ["rsi_14"]\n+++\n'


def test_the_hash_of_the_prompts_covers_rows_and_guidance() -> None:
    texts = [ROW + PLAIN, ROW + GUIDED, ROW.replace("rsi_14", "return_1m") + PLAIN]
    hashes = {prompts_hash([read_role("mine", {"mine": text})]) for text in texts}
    assert len(hashes | {prompts_hash([])}) == 4


def test_every_role_has_a_prompt_without_loose_ends() -> None:
    prompts = {one.name: one.prompt for desk in desks() for one in roster(desk).seated}
    assert set(prompts) == set(built_in_roles())
    prompts |= {name: prompt_of(name) for name in ("auditor", "portfolio_manager")}
    for prompt in prompts.values():
        assert set(prompt.prefix.get_identifiers()) <= {"regime", "regime_guidance"}
        assert all(text and "$" not in text for text in prompt.guidance.values())


def test_a_role_takes_over_what_it_does_not_say() -> None:
    base = read_role("fundamental_analyst", {})
    persona = '+++\ntitle = "Sceptic"\nlike = "fundamental_analyst"\nhorizon_days = 5\n+++\n=== system\nYou doubt.'
    role = read_role("sceptic", {"sceptic": persona})
    assert (role.plan, role.shows, role.needs, role.horizon_days) == (base.plan, base.shows, base.needs, 5)
    assert role.prompt.system.template == "You doubt."
    assert role.prompt.question.template == base.prompt.question.template
    assert role.prompt.guidance == base.prompt.guidance


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PLAIN, "'title' in the front matter of mine is refused"),
        (ROW.replace("rsi_14", "magic") + PLAIN, "'shows' of the role mine names 'magic'"),
        (ROW.replace("price_indicators", "submit_order") + PLAIN, "'plan' of the role mine names 'submit_order'"),
        (ROW.replace("title", 'needs = "luck"\ntitle') + PLAIN, "'needs' of the role mine names 'luck'"),
        (ROW.replace("title", "horizon_days = 0\ntitle") + PLAIN, "'horizon_days' in the front matter"),
        (ROW.replace("title", "colour = 1\ntitle") + PLAIN, "'colour' in the front matter"),
        (ROW.replace("title =", "title") + PLAIN, "is not valid TOML"),
        (ROW.removesuffix("+++\n") + PLAIN, "is not closed"),
        (ROW + PLAIN.replace("=== question\nQ", "=== question\n$price"), "the question of mine has the place \\$price"),
        (ROW + PLAIN.replace("system\nS", "system\nPay $5"), "the system of mine has the place"),
        (ROW.replace("title", 'like = "mine"\ntitle') + PLAIN, "the role mine is like itself"),
        (ROW.replace("title", 'like = "nobody"\ntitle') + PLAIN, "there is no role 'nobody'"),
    ],
)
def test_a_faulty_role_is_refused_in_a_sentence(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_role("mine", {"mine": text})


def test_a_question_is_filled_in_as_a_template_is() -> None:
    odd = read_prompt("odd", "=== system\ns\n=== prefix\np\n=== question\n5% of $$9, ${name}s, %s %(name)s $evidence")
    for prompt in (odd, *map(prompt_of, ("technical_analyst", "fundamental_analyst", "auditor"))):
        places = {name: f"100% $name %({name})s" for name in prompt.question.get_identifiers()}
        assert prompt.ask(**places) == prompt.question.substitute(places)
        with pytest.raises(KeyError):
            prompt.ask()
