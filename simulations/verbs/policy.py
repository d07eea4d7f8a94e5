"""`paperdesk policy list` and `paperdesk policy explain`."""

from typing import Annotated

import typer

from .options import Json

policy = typer.Typer(help="Pre-trade policies: list them, and explain every rule and limit.", no_args_is_help=True)


@policy.command("list")
def list_policies(json: Json = False) -> None:
    """List the policies that come with PaperDesk, with some of their limits side by side."""
    from rich.table import Table

    from ...tools.rules import load_policy, preset_names
    from ..pages import print_json, print_tables

    presets = [load_policy(name) for name in preset_names()]
    if json:
        print_json(presets)
        return
    shown = ("max_position_weight", "max_turnover", "min_cash_weight", "max_adv_fraction", "daily_loss_limit")
    table = Table("policy", *shown, box=None, pad_edge=False)
    for preset in presets:
        table.add_row(preset.name, *(f"{getattr(preset, name):g}" for name in shown))
    print_tables(table)


@policy.command()
def explain(
    source: Annotated[str, typer.Argument(help="`lenient`, `standard`, `strict`, or a TOML file.")] = "standard",
    rule: Annotated[list[str] | None, typer.Option(help="Only this rule; repeatable.")] = None,
    json: Json = False,
) -> None:
    """Explain a policy: what each rule is for, what it applies to, and the limits it reads."""
    from rich.markup import escape
    from rich.table import Table

    from ...tools.errors import InputError
    from ...tools.rules import load_policy
    from ...tools.rules.explain import explain_policy
    from ..pages import facts, print_json, print_tables

    explained = explain_policy(load_policy(source))
    if rule:
        known = {row.name for row in explained.rules}
        unknown = [name for name in rule if name not in known]
        if unknown:
            raise InputError(f"There is no rule {unknown[0]}: use one of {', '.join(sorted(known))}.")
        explained = explained.model_copy(update={"rules": tuple(r for r in explained.rules if r.name in rule)})
    if json:
        print_json(explained)
        return
    table = Table("rule", "applies to", "limit", "what it is for", box=None, pad_edge=False)
    for row in explained.rules:
        limits = ", ".join(f"{limit.name} = {limit.value}" for limit in row.limits)
        table.add_row(row.name, row.applies_to, escape(limits), escape(row.about))
    meanings = {limit.name: limit.meaning for row in explained.rules for limit in row.limits}
    print_tables(
        facts([("policy", explained.name), ("hash", explained.hash[:16])]), "", table, "", facts(meanings.items())
    )
