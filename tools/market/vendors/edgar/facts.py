"""The figures of a company from the SEC's `companyfacts` answer, as rows of the tidy format."""

from collections.abc import Iterable, Mapping
from datetime import date
from math import isclose
from typing import Any, NamedTuple

from ...fundamentals.concepts import CONCEPTS, Concept, ConceptUnit
from ..errors import VendorSchemaError
from ..protocol import Row

_UNITS: dict[ConceptUnit, str] = {"money": "USD", "money/shares": "USD/shares", "shares": "shares"}
"""Amounts in other currencies are left out: prices are in dollars."""
_OTHER_TAGS = frozenset({"Cash", "SharesOutstanding"})
"""Names of ours that are tags as well, for something else."""
_ROUNDING = 0.005
"""Two values of one figure in one filing that differ by less are the same figure, printed with fewer digits."""


class _Key(NamedTuple):
    """One figure of one filing."""

    start: str
    end: str
    accession: str


class _Fact(NamedTuple):
    value: float
    filed: str
    form: str


def fact_rows(answer: Mapping[str, Any], ticker: str, since: date, until: date) -> list[Row]:
    """The facts filed from `since` to `until`, one row per concept, period and filing, in the order of filing.

    - `fy` and `fp` in the answer belong to the filing, not to the figure, and are not used: the period is `start` to
      `end`.
    - An amendment (10-K/A) is a later filing like any other.
    - The time of acceptance is left empty, so a figure is known from the session after its filing: this answer has no
      times, and those of the `submissions` answer are Eastern for some companies and UTC for others, both with a `Z`.
    - A filing that gives two contradictory values for one figure, or files it before its period ends, says nothing
      usable about it: that figure is left out.

    Raises:
        VendorSchemaError: the answer has another form than this.
    """
    try:
        tags = answer["facts"]
        by_tag: Mapping[str, Any] = tags.get("us-gaap", {})
        rows = [row for concept in CONCEPTS.values() for row in _concept_rows(concept, by_tag, ticker, since, until)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise VendorSchemaError(
            f"EDGAR's companyfacts of {ticker} are not in the expected form ({type(error).__name__}: {error}); "
            "update PaperDesk or report the change"
        ) from error
    return sorted(rows, key=lambda row: tuple(str(row[k]) for k in ("filed", "concept", "period_end", "period_start")))


def _concept_rows(concept: Concept, by_tag: Mapping[str, Any], ticker: str, since: date, until: date) -> Iterable[Row]:
    chosen: dict[_Key, _Fact] = {}
    unit = _UNITS[concept.unit]
    # companies change tags over the years, and some report two at once: within a filing the first one counts
    for tag in (concept.name, *concept.synonyms):
        entries = () if tag in _OTHER_TAGS else by_tag.get(tag, {}).get("units", {}).get(unit, ())
        for key, fact in _facts(entries).items():
            if since.isoformat() <= fact.filed <= until.isoformat():
                chosen.setdefault(key, fact)
    for key, fact in chosen.items():
        yield {
            "ticker": ticker,
            "concept": concept.name,
            "period_start": key.start or None,
            "period_end": key.end,
            "value": fact.value,
            "unit": unit,
            "filed": fact.filed,
            "accepted_at": None,
            "accession": key.accession,
            "form": fact.form,
        }


def _facts(entries: Iterable[Mapping[str, Any]]) -> dict[_Key, _Fact]:
    """What one tag says, by figure; contradictions and impossible dates left out."""
    found: dict[_Key, _Fact] = {}
    contradictory: set[_Key] = set()
    for entry in entries:
        start, end, filed = entry.get("start", ""), entry["end"], entry["filed"]
        for day in (end, filed, *([start] if start else [])):
            date.fromisoformat(day)
        if filed < end or (start and start >= end):
            continue
        key, fact = _Key(start, end, entry["accn"]), _Fact(float(entry["val"]), filed, entry["form"])
        other = found.get(key, fact)
        if not isclose(other.value, fact.value, rel_tol=_ROUNDING):
            contradictory.add(key)
        # of two roundings of one figure, the one with more digits
        found[key] = max(other, fact, key=lambda each: len(f"{each.value:.10g}".rstrip("0")))
    return {key: fact for key, fact in found.items() if key not in contradictory}
