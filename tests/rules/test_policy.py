"""Policies: read from TOML, complete, closed, pinned by a hash."""

from pathlib import Path

import pytest

from paperdesk.tools.rules import Policy, PolicyError, explain_policy, load_policy, preset_names

STANDARD = Path(__file__).parents[2] / "tools" / "rules" / "policies" / "standard.toml"


def altered(tmp_path: Path, old: str, new: str) -> Path:
    text = STANDARD.read_text()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new))
    return path


def test_the_presets_differ_and_get_stricter() -> None:
    assert preset_names() == ("lenient", "standard", "strict")
    lenient, standard, strict = (load_policy(name) for name in preset_names())
    assert len({policy.hash() for policy in (lenient, standard, strict)}) == 3
    for limit in ("max_position_weight", "max_turnover", "price_collar", "daily_loss_limit", "max_adv_fraction"):
        assert getattr(lenient, limit) > getattr(standard, limit) > getattr(strict, limit)


def test_the_hash_follows_the_limits_not_the_layout(tmp_path: Path) -> None:
    standard = load_policy("standard").hash()
    assert load_policy(altered(tmp_path, "# The portfolio after it", "")).hash() == standard
    assert load_policy(altered(tmp_path, "max_positions = 30", "max_positions = 31")).hash() != standard


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("max_gross = 1.0\n", "", "max_gross: Field required"),
        ("max_gross = 1.0", "max_gross = 1.0\nmax_gros = 1.0", "max_gros: Extra inputs"),
        ("max_gross = 1.0", "max_gross = true", "max_gross"),
        ("max_gross = 1.0", 'max_gross = "1.0"', "max_gross"),
        ("max_gross = 1.0", "max_gross = nan", "max_gross"),
        ("max_gross = 1.0", "max_gross = inf", "max_gross"),
        ("max_gross = 1.0", "max_gross = -1.0", "max_gross"),
        ("max_positions = 30", "max_positions = 0", "max_positions"),
        ("drawdown = 0.20", "drawdown = 0.35", "must ascend"),
        ("max_gross = 1.0", "max_gross =", "not TOML"),
    ],
)
def test_a_limit_that_is_missing_unknown_or_absurd_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        load_policy(altered(tmp_path, old, new))


def test_an_unknown_policy_names_the_presets() -> None:
    with pytest.raises(PolicyError, match="one of lenient, standard, strict"):
        load_policy("standart")


def test_a_policy_cannot_be_changed() -> None:
    policy = load_policy()
    with pytest.raises(ValueError, match="frozen"):
        policy.max_gross = 2.0  # type: ignore[misc]
    assert isinstance(policy, Policy)


def test_every_rule_and_every_limit_is_explained() -> None:
    explained = explain_policy(load_policy())
    assert all(rule.about for rule in explained.rules)
    limits = {limit.name: limit for rule in explained.rules for limit in rule.limits}
    assert set(Policy.model_fields) - set(limits) == {"name", "max_gross", "token_lifetime_minutes"} - set(limits)
    assert all(limit.meaning for limit in limits.values())
    page = (STANDARD.parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
    for rule in explained.rules:
        named = ", ".join(f"`{limit.name}`" for limit in rule.limits)
        assert f"| `{rule.name}` | " in page
        assert f"| {named} | {rule.about} |" in page
