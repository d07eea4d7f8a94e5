"""A trend on the terminal."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from ....tools.market.view import open_market
from ...console import Interrupted
from ...pages import print_json, print_tables
from .command import TrendCard, TrendPlan, train_trend
from .model import TrendRecipe


def trend_screen(plan: TrendPlan, recipe: TrendRecipe, out: Path, *, market_seed: int, json: bool) -> TrendCard:
    """Judge a trend and print what came of it.

    Raises:
        Interrupted: Ctrl-C; the message says how to go on.
    """
    told = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        market = open_market(plan.market, market_seed)
        card = train_trend(market, plan, recipe, out, say=lambda text: told.print(text, style="dim"))
    except KeyboardInterrupt:
        raise Interrupted(f"Stopped; the same command with --out {out} goes on after the last part judged") from None
    if json:
        print_json(card)
    else:
        show(card)
    return card


def show(card: TrendCard) -> None:
    """The trend beside its baselines, and the verdict."""
    table = Table("", "accuracy", "log loss", "Brier", "log loss of it less the trend's (95 %)", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, found in card.contenders.items():
        margin = card.margins.get(name)
        between = "{:+.4f} ({:+.4f} to {:+.4f})".format(*margin.log_loss) if margin else ""
        table.add_row(name, f"{found.accuracy:.3f}", f"{found.log_loss:.4f}", f"{found.brier:.4f}", between)
    print_tables(
        f"{card.judged} of {card.cases} cases judged, {card.closes} closes from {card.first} to {card.last}, "
        f"{card.plan.sessions} sessions ahead",
        table,
        card.verdict,
    )
