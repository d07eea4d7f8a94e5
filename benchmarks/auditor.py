"""What the auditor's code finds: claims in prose from real and generated markets, clean and with one fault each.

Every claim rests on evidence that the desk's own tools gathered: ratios, indicators, tone, and passages of releases (of
real ones on us8, where that folder is beside the checkout). `benchmarks/auditor_wordings.py` tells it,
`benchmarks/auditor_faults.py` makes it wrong. A fault counts as found when the signal does not pass; `named` counts
those where the finding is also of the right kind. A mind that finds everything supported reads what code lets pass.
"""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from paperdesk.agents.analyst import directional
from paperdesk.agents.auditor import Case, Directory, Register, Split, audit_signals
from paperdesk.agents.models.core import Answer, Reply, Request
from paperdesk.agents.signals import AuditReport, Claim, Signal
from paperdesk.tools.evidence import Evidence
from paperdesk.tools.indicators import indicators
from paperdesk.tools.market.documents.search import search
from paperdesk.tools.market.fundamentals import ratios
from paperdesk.tools.market.laboratory import LaboratoryPlan, make
from paperdesk.tools.market.names import names_of
from paperdesk.tools.market.view import Market, open_market
from paperdesk.tools.sentiment.lexicon import latest_tone

from .auditor_faults import BEYOND, FAULTS, Sample
from .auditor_wordings import HELD_OUT, SEEN, Wordings, tell

US8 = Path(__file__).parents[1] / "../shared/data/us8"
QUERIES = ("quarterly results, guidance and outlook", "earnings per share", "revenue increased", "net loss and charges")
DECISIONS = 12
"""Per market."""
CLEAN, PER_KIND = 2400, 240
SEED = 11


class Agreeable:
    """A mind that finds everything supported: what is refused was refused by code."""

    key = "agreeable"

    def answer(self, request: Request) -> Reply:
        """Supported, always."""
        opinion = {"supported": 1.0, "unclear": 0.0, "contradicted": 0.0}
        return Reply(answers=tuple(Answer(ticker=q.ticker, probabilities=opinion) for q in request.questions))


def markets() -> Iterator[Market]:
    """Real companies where they are at hand, then generated ones."""
    if US8.is_dir():
        yield open_market(US8)
    for seed in (7, 8, 9):
        yield open_market("generated", seed)
    yield Market(make(LaboratoryPlan(companies=16, years=4, seed=3)).dataset)


def samples(
    market: Market, wordings: Wordings, rng: Random, decisions: int = DECISIONS
) -> Iterator[tuple[Sample, Case]]:
    """Clean claims about everything that the tools find, in a random order of decisions and companies."""
    first, last = market.window
    sessions = [day for day in market.dataset.bars.sessions if first <= day <= last]
    directory = Directory(market.companies)
    for session in sorted(rng.sample(sessions, min(decisions, len(sessions)))):
        view = market.view(market.calendar.close_of(session))
        for ticker in market.tickers:
            tone = latest_tone(view, ticker)
            queries = rng.sample(QUERIES, 2)
            found = [*ratios(view, ticker), *indicators(view, ticker), *([tone] if tone else [])]
            found += [e for query in queries for e in search(view, ticker, query, k=2)]
            given = tuple({e.id: e for e in found}.values())
            splits = splits_of(market, ticker, session)
            register = Register(directory, {ticker: splits})
            case = Case({e.id: e for e in given}, register=register)
            others = tuple(names_of(company)[0] for name, company in market.companies.items() if name != ticker)
            for i, evidence in enumerate(given):
                if not _tellable(evidence, splits):
                    continue
                side, stance = side_of(evidence)
                told = tell(evidence, market.companies[ticker].name, f"E{i + 1}", side, wordings, rng)
                yield (
                    Sample(told, _signal(evidence, told.text, f"E{i + 1}", side, stance), evidence, others, splits),
                    case,
                )


def splits_of(market: Market, ticker: str, session: date) -> tuple[Split, ...]:
    """The splits of a company up to a session."""
    bars = market.dataset.bars
    column = bars.split[:, bars.column(ticker)]
    return tuple(
        Split(day, float(ratio))
        for day, ratio in zip(bars.sessions, column, strict=True)
        if ratio not in (0, 1) and ratio == ratio and day <= session
    )


def _tellable(evidence: Evidence, splits: tuple[Split, ...]) -> bool:
    """Whether it can be told truly in words: no table lines, no figure per share from before a split."""
    if evidence.value is not None:
        return True
    text = evidence.text or ""
    before = any(split.day > evidence.available_at.date() for split in splits)
    return "|" not in text and not (before and ("share" in text or "EPS" in text or "dividend" in text))


def side_of(evidence: Evidence) -> tuple[str, str]:
    """What a piece of evidence supports, and the stance that follows."""
    lean = directional(evidence)
    if lean is None or abs(lean) < 0.15:
        return "hold", "hold"
    return ("buy", "buy") if lean > 0 else ("sell", "sell")


def _signal(evidence: Evidence, text: str, alias: str, side: str, stance: str) -> Signal:
    claim = Claim.model_validate({"alias": alias, "evidence": evidence.id, "supports": side, "text": text})
    return Signal.model_validate(
        {
            "agent": "analyst",
            "ticker": evidence.ticker,
            "as_of": evidence.as_of,
            "stance": stance,
            "probabilities": {"strong_sell": 0, "sell": 0.1, "hold": 0.2, "buy": 0.6, "strong_buy": 0.1},
            "confidence": 0.6,
            "uncertainty": 0.5,
            "horizon_days": 21,
            "claims": [claim],
            "rationale": text,
            "model": "agreeable",
        }
    )


def audited(sample: Sample, case: Case) -> AuditReport:
    """The auditor's report on one claim."""
    (report,) = audit_signals([sample.signal], case, mind=Agreeable(), max_rounds=1, seed=0)
    return report


Corpus = tuple[list[tuple[Sample, Case]], dict[str, list[tuple[Sample, Case]]]]
"""Clean claims, and faulty ones by kind."""


def corpus(wordings: Wordings, clean: int, per_kind: int, seed: int, decisions: int = DECISIONS) -> Corpus:
    """As many clean claims as asked for, and per kind of fault as many that have it, evenly over the markets."""
    rng = Random(seed)
    everything: list[tuple[Sample, Case]] = []
    pools = [list(samples(market, wordings, rng, decisions)) for market in markets()]
    for pool in pools:
        rng.shuffle(pool)
        # texts are rarer than figures: let half of the claims be about them where there are enough
        pool.sort(key=lambda pair: rng.random() * (0.35 if pair[0].evidence.value is None else 1.0))
    longest = max(len(pool) for pool in pools)
    everything = [pool[i] for i in range(longest) for pool in pools if i < len(pool)]
    faulty: dict[str, list[tuple[Sample, Case]]] = {}
    for kind, (fault, _) in ({**FAULTS, **BEYOND}).items():
        made = ((wrong, case) for sample, case in everything if (wrong := fault(sample, rng)) is not None)
        faulty[kind] = [pair for pair, _ in zip(made, range(per_kind), strict=False)]
    return everything[:clean], faulty


def measure() -> list[dict[str, Any]]:
    """A row per kind of fault and one for the clean claims, for both sets of wordings."""
    rows: list[dict[str, Any]] = []
    for name, wordings, clean, per_kind in (
        ("seen", SEEN, CLEAN, PER_KIND),
        ("held out", HELD_OUT, CLEAN // 2, PER_KIND // 2),
    ):
        rows += rows_of(name, *corpus(wordings, clean, per_kind, SEED))
    return rows


def rows_of(
    name: str, clean: list[tuple[Sample, Case]], faulty: dict[str, list[tuple[Sample, Case]]]
) -> list[dict[str, Any]]:
    """The table of one set of wordings."""
    rows, found, total = [], 0, 0
    for kind, pairs in faulty.items():
        reports = [audited(*pair) for pair in pairs]
        refused = sum(report.verdict != "pass" for report in reports)
        right = {**FAULTS, **BEYOND}[kind][1]
        named = sum(bool({f.rule for f in report.findings}.intersection(right)) for report in reports)
        if kind in FAULTS:
            found, total = found + refused, total + len(pairs)
        rows.append(
            {
                "wordings": name,
                "fault": kind,
                "texts": len(pairs),
                "found": _share(refused, pairs),
                "named": _share(named, pairs),
            }
        )
    began = time.perf_counter()
    reports = [audited(*pair) for pair in clean]
    seconds = time.perf_counter() - began
    refused = sum(report.verdict != "pass" for report in reports)
    why = Counter(f.rule for report in reports for f in report.findings)
    rows.append({"wordings": name, "fault": "all kinds", "texts": total, "found": round(found / total, 4)})
    rows.append(
        {
            "wordings": name,
            "fault": "none",
            "texts": len(clean),
            "refused": _share(refused, clean),
            "by_rule": dict(why),
            "of_passages": sum(sample.evidence.value is None for sample, _ in clean),
            "ms_per_text": round(1e3 * seconds / len(clean), 2),
        }
    )
    return rows


def _share(part: int, whole: list[Any]) -> float:
    return round(part / len(whole), 4) if whole else 0.0
