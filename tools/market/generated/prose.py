"""Press releases: earnings releases that quote the statements, routine releases that say nothing about them.

Verbs follow the figures (a rise is never called a fall). The chief's quote and the outlook follow the quarter's
surprise, so that a reader of texts can find what the price has not yet said in full. Routine releases are cheerful by
habit and carry no information: a desk that trades on them loses its costs.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from ...clock import TradingCalendar
from ..records import Document
from .cast import CompanyPlan
from .process import Quarter
from .reporting import Report, accession
from .statements import earnings_per_share, split_factor

SOURCE = "PaperDesk generated newswire"
ROUTINE_EVERY_DAYS = 48
"""Mean days between two routine releases of one company."""
_ORDINALS = ("", "first", "second", "third", "fourth")

_QUOTES = {
    2: (
        "This was an excellent quarter. Orders came in well ahead of our plan and margins exceeded our targets.",
        "Demand was stronger than expected in every region, and our teams delivered record output at lower cost.",
        "We outperformed our plan by a wide margin; customers are committing to larger and longer contracts.",
    ),
    1: (
        "We finished the quarter somewhat ahead of plan, with healthy demand and good progress on costs.",
        "Results improved on what we had guided to, and the order book gives us confidence for the months ahead.",
        "A solid quarter: volumes were a little better than planned and pricing held firm.",
    ),
    0: (
        "The quarter came in close to our plan. We continue to execute on the priorities that we set out last year.",
        "Results were in line with our expectations, with no unusual items in either direction.",
        "The business performed much as we had planned, and our priorities are unchanged.",
    ),
    -1: (
        "The quarter fell somewhat short of our plan as customers delayed orders and costs ran higher.",
        "We are not satisfied with these results: demand softened late in the quarter and discounts hurt margins.",
        "Results were a little below plan, reflecting slower decisions by customers and some inefficiencies in supply.",
    ),
    -2: (
        "This was a disappointing quarter. Orders were well below our plan and costs rose faster than we could offset.",
        "We missed our targets by a wide margin; cancellations and weak demand hurt both volumes and pricing.",
        "Conditions deteriorated during the quarter, and we are taking difficult steps to cut costs.",
    ),
}
_OUTLOOK = {
    2: "The company raises its outlook for the remainder of the year and expects continued strong demand.",
    1: "The company expects results in the coming quarter modestly better than it had planned.",
    0: "The company confirms its outlook for the year.",
    -1: "The company has become more cautious about the coming quarter and is reviewing its spending.",
    -2: "The company lowers its outlook, and warns that weak demand and restructuring charges may persist.",
}
_ROUTINE = (
    (
        "{name} Opens New Office in {place}",
        'The site will house {count} employees in sales, service and training. {chief} said: "We are '
        "delighted to be closer to our partners, and we look forward to being a good neighbour in "
        "{place}.\" The lease runs for {years} years and does not change the company's spending plans.",
    ),
    (
        "{name} Introduces a New Line of {Product}",
        "The new range was shown this week to {market}. It adds {count} variants and will be available "
        'through existing distributors over the coming {years} quarters. "Our engineers are excited to '
        'see it in use," said {chief}. Prices were not disclosed.',
    ),
    (
        "{name} Appoints a New Head of Operations",
        "The new head of operations joins after {years} years in manufacturing and will report to "
        "{chief}. The predecessor retires as planned after an orderly handover. The company thanks the "
        "outgoing team for outstanding service.",
    ),
    (
        "{name} to Present at Industry Conference in {place}",
        "{chief} will speak about {product} and will meet investors in small groups. A recording will be "
        "kept on the company's website for {count} days. No new financial information will be given.",
    ),
    (
        "{name} Renews Partnership with Technical College in {place}",
        "Under the agreement, up to {count} apprentices will be trained on {product} over {years} years. "
        '"Great people are the foundation of everything that we do," said {chief}.',
    ),
    (
        "{name} Publishes Sustainability Report",
        "The report describes energy use, safety and supply chains at the company's sites, among them "
        "{place}. It lists {count} measures to be taken over {years} years. The report was reviewed by an"
        " outside firm.",
    ),
)
_PLACES = ("Leeds", "Porto", "Calgary", "Tucson", "Ghent", "Austin", "Turin", "Kyoto", "Malmo", "Perth")


def mood(surprise: float) -> int:
    """A surprise (standard deviations) in five steps, -2..2, as the chief words it."""
    return int(np.digitize(surprise, (-1.2, -0.4, 0.4, 1.2))) - 2


def million(amount: float) -> str:
    """`$1,234.5 million`."""
    sign = "-" if amount < 0 else ""
    return f"{sign}${abs(amount) / 1e6:,.1f} million"


def _dollars(amount: float) -> str:
    """`$1.05`, `-$0.10`."""
    return f"{'-' if amount < 0 else ''}${abs(amount):.2f}"


def _pick(rng: np.random.Generator, choices: Sequence[str]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _change(now: float, before: float) -> str:
    """`an increase of 4.2% from $1.0 million`; a sign change is said without a percentage."""
    if before <= 0 or now <= 0:
        return f"compared with {million(before)}"
    rate = now / before - 1
    if abs(rate) < 0.0005:
        return f"unchanged from {million(before)}"
    return f"{'an increase' if rate > 0 else 'a decrease'} of {abs(rate):.1%} from {million(before)}"


def _sentences(plan: CompanyPlan, report: Report, before: Quarter, rng: np.random.Generator) -> list[str]:
    """The sentences with figures, in one of several orders and wordings."""
    quarter = report.quarter
    factor = split_factor(plan, report.announced)
    eps = earnings_per_share(quarter.net_income, quarter.shares, factor)
    eps_before = earnings_per_share(before.net_income, before.shares, factor)
    margin, margin_before = quarter.operating_income / quarter.revenue, before.operating_income / before.revenue
    revenue = _pick(rng, (
        "Revenue for the quarter was {now}, {change} in the same quarter of the previous year.",
        "Sales to {market} brought revenue of {now}, {change} a year earlier.",
        "The company recorded revenue of {now} in the three months to {end}, {change} in the year-ago quarter.",
    )).format(now=million(quarter.revenue), change=_change(quarter.revenue, before.revenue), market=plan.market_served,
              end=f"{quarter.end:%B} {quarter.end.day}, {quarter.end.year}")  # fmt: skip
    income = _pick(rng, (
        "Net income was {now}, {change}; diluted earnings per share were {eps}, against {eps_before}.",
        "Net income came to {now}, or {eps} per diluted share, compared with {eps_before} per diluted share.",
        "Diluted earnings per share were {eps} (a year ago: {eps_before}) on net income of {now}.",
    )).format(now=million(quarter.net_income), change=_change(quarter.net_income, before.net_income), eps=_dollars(eps),
              eps_before=_dollars(eps_before))  # fmt: skip
    verb = "widened" if margin > margin_before else "narrowed"
    margins = _pick(rng, (
        "The operating margin {verb} to {now:.1%} of revenue from {before:.1%}.",
        "Operating income was {income}; as a share of revenue it {verb} to {now:.1%} from {before:.1%}.",
    )).format(verb=verb, now=margin, before=margin_before, income=million(quarter.operating_income))  # fmt: skip
    return [revenue, income, margins] if rng.random() < 0.6 else [income, revenue, margins]


def _table(quarter: Quarter, before: Quarter) -> str:
    rows = [f"(in millions of USD) | {quarter.end:%b} {quarter.end.year} | {before.end:%b} {before.end.year}"]
    for label, name in (
        ("Revenue", "revenue"), ("Gross profit", "gross_profit"), ("Operating income", "operating_income"),
        ("Net income", "net_income"), ("Total assets", "assets"), ("Total liabilities", "liabilities"),
    ):  # fmt: skip
        rows.append(f"{label} | {getattr(quarter, name) / 1e6:,.1f} | {getattr(before, name) / 1e6:,.1f}")
    return "\n".join(rows)


def _earnings_release(plan: CompanyPlan, report: Report, before: Quarter, rng: np.random.Generator) -> Document:
    quarter, feeling = report.quarter, mood(report.quarter.surprise)
    name, ordinal = plan.name, _ORDINALS[quarter.fiscal_quarter]
    headline = _pick(rng, (
        f"{name} Reports {ordinal.title()} Quarter Fiscal {quarter.fiscal_year} Results",
        f"{name} Announces Results for the {ordinal.title()} Quarter of Fiscal {quarter.fiscal_year}",
        f"{name}: Revenue of {million(quarter.revenue)} in {ordinal.title()} Quarter",
    ))  # fmt: skip
    lead = (
        f"{plan.city.upper()} - {name} ({plan.ticker}), a supplier of {plan.product} to {plan.market_served}, today"
        f" reported results for the {ordinal} quarter of fiscal {quarter.fiscal_year}, which ended on"
        f" {quarter.end:%B} {quarter.end.day}, {quarter.end.year}."
    )
    figures = " ".join(_sentences(plan, report, before, rng))
    quote = f'"{_pick(rng, _QUOTES[feeling]).removesuffix(".")}," said {plan.chief}, chief executive of {name}.'
    cash = f"Operating cash flow in the quarter was {million(quarter.operating_cash_flow)}."
    dividend = (
        f" A dividend of ${quarter.dividend_per_share / split_factor(plan, report.announced):.2f} per share was paid."
        if quarter.dividend_per_share
        else ""
    )
    parts = [lead, figures, quote, cash + dividend, f"Outlook. {_OUTLOOK[feeling]}", _table(quarter, before)]
    if rng.random() < 0.4:
        parts[1], parts[2] = parts[2], parts[1]
    parts.append(f"About {name}. {name} is a fictional company; its figures are generated.")
    return Document(
        id=f"pr-{accession(plan.filer_id, report.announced, 0)}",
        ticker=plan.ticker,
        published_at=report.published_at,
        source=SOURCE,
        headline=headline,
        body="\n\n".join(parts),
    )


def _routine_release(
    plan: CompanyPlan, day: date, choice: int, calendar: TradingCalendar, rng: np.random.Generator
) -> Document:
    headline, body = _ROUTINE[choice]
    words = {
        "name": plan.name,
        "chief": plan.chief,
        "place": _pick(rng, _PLACES),
        "product": plan.product,
        "Product": plan.product.title(),
        "market": plan.market_served,
        "count": int(rng.integers(12, 90)),
        "years": int(rng.integers(2, 9)),
    }
    return Document(
        id=f"pr-{accession(plan.filer_id, day, 2)}",
        ticker=plan.ticker,
        published_at=calendar.close_of(day) + timedelta(minutes=int(rng.integers(10, 91))),
        source=SOURCE,
        headline=headline.format(**words),
        body=f"{plan.city.upper()} - {plan.name} ({plan.ticker}). {body.format(**words)}",
    )


def releases(
    plan: CompanyPlan,
    quarters: Sequence[Quarter],
    reports: Sequence[Report],
    calendar: TradingCalendar,
    rng: np.random.Generator,
) -> list[Document]:
    """All releases of one company in order of publication."""
    by_period = {(quarter.fiscal_year, quarter.fiscal_quarter): quarter for quarter in quarters}
    documents = []
    for report in reports:
        before = by_period[report.quarter.fiscal_year - 1, report.quarter.fiscal_quarter]
        documents.append(_earnings_release(plan, report, before, rng))
    busy = {report.announced for report in reports}
    day = max(calendar.start, plan.listed or calendar.start) + timedelta(days=5)
    choice = int(rng.integers(len(_ROUTINE)))
    end = calendar.end - timedelta(days=5)
    while (day := day + timedelta(days=int(rng.integers(20, 2 * ROUTINE_EVERY_DAYS - 20)))) < end:
        session = calendar.next_session(day)
        choice = (choice + 1 + int(rng.integers(len(_ROUTINE) - 1))) % len(_ROUTINE)
        if session not in busy:
            documents.append(_routine_release(plan, session, choice, calendar, rng))
    return sorted(documents, key=lambda document: (document.published_at, document.id))


def reissue(plan: CompanyPlan, original: Document, calendar: TradingCalendar) -> Document:
    """The same release sent again two sessions later with a corrected date line: a near-duplicate."""
    day = calendar.next_session(calendar.next_session(original.published_at.date()))
    return replace(
        original,
        id=f"pr-{accession(plan.filer_id, day, 3)}",
        published_at=calendar.close_of(day) + timedelta(minutes=15),
        headline=f"Corrected: {original.headline}",
    )
