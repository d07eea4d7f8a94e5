"""The optional `market.toml` of a folder."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from ...frozen import Frozen
from .defects import Findings

FILE = "market.toml"


class MarketFile(Frozen):
    """The keys of `market.toml`."""

    name: str | None = None
    """What people call this market; the folder's name by default."""
    note: str | None = None
    """One sentence: which years, where from."""
    calendar: str = "XNYS"
    """An `exchange_calendars` name, or one moved by years, such as `XNYS+28y`."""
    benchmark: str | None = None
    """Ticker of the benchmark, "" for none; by default the only instrument that is no company, if there is one."""
    window: tuple[date, date] | None = None
    """Recommended session window; earlier data is look-back history."""
    prices: Literal["split_adjusted", "as_traded"] = "split_adjusted"
    """Whether the prices file is adjusted for splits (most vendors) or shows what was printed on the day."""
    instruments: tuple[str, ...] | None = None
    """All tickers with prices, in the order in which they are listed; alphabetical by default."""
    generated: bool = False
    """Whether the market is invented; reports say so."""


def read_settings(folder: Path, findings: Findings) -> MarketFile | None:
    """The settings of a folder, the defaults without a file; None if the file is defective."""
    path = folder / FILE
    if not path.is_file():
        return MarketFile()
    try:
        return MarketFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        findings.error("market_file", FILE, f"is no TOML ({error}); correct it")
    except OSError as error:
        findings.error("market_file", FILE, f"cannot be read ({error.strerror}); write it again")
    except ValidationError as error:
        known = ", ".join(MarketFile.model_fields)
        for problem in error.errors():
            key = ".".join(str(part) for part in problem["loc"])
            findings.error("market_file", FILE, f"{problem['msg']}; the keys are {known}", column=key)
    return None


def check_benchmark(settings: MarketFile, tickers: tuple[str, ...], findings: Findings) -> None:
    """A benchmark has prices."""
    if settings.benchmark and settings.benchmark not in tickers:
        message = f"{settings.benchmark} has no prices; name one of {', '.join(tickers)}"
        findings.error("market_file", FILE, message, column="benchmark")


def check_instruments(settings: MarketFile, tickers: tuple[str, ...], findings: Findings) -> None:
    """A list of instruments names every ticker with prices, and each once."""
    if settings.instruments is not None and tuple(sorted(settings.instruments)) != tickers:
        wrong = sorted(set(settings.instruments) ^ set(tickers))
        what = f"{', '.join(wrong)} stands in only one of the list and the prices" if wrong else "a ticker stands twice"
        message = f"{what}; list each ticker with prices once, or remove the key"
        findings.error("market_file", FILE, message, column="instruments")


def check_window(settings: MarketFile, first: date, last: date, findings: Findings) -> None:
    """A window lies within the prices."""
    if settings.window is None:
        return
    start, end = settings.window
    if not first <= start < end <= last:
        message = f"{start} to {end} is not within the prices; choose dates from {first} to {last}"
        findings.error("market_file", FILE, message, column="window")
