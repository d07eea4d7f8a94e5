"""The names of figures: one canonical name per concept, and what else it is called.

Vendors write the canonical names. A folder that brings raw US-GAAP tags (with or without `us-gaap:`) is understood as
well: where one filing gives a concept under several names, the canonical name wins, then the first of `synonyms`. Only
names for the same thing stand here; a figure that includes minority interests, or a part of a total, is no synonym.
"""

from dataclasses import dataclass
from typing import Literal

ConceptKind = Literal["flow", "average", "level"]
"""Over a period and additive; over a period and not additive (a mean share count); at a day."""
ConceptUnit = Literal["money", "money/shares", "shares"]


@dataclass(frozen=True)
class Concept:
    """One row: a kind of figure that filings give."""

    name: str
    kind: ConceptKind
    unit: ConceptUnit
    meaning: str
    synonyms: tuple[str, ...] = ()
    """Other names, the preferred one first; US-GAAP tags without their prefix."""


def _flow(name: str, meaning: str, *synonyms: str) -> Concept:
    return Concept(name, "flow", "money", meaning, synonyms)


def _level(name: str, meaning: str, *synonyms: str) -> Concept:
    return Concept(name, "level", "money", meaning, synonyms)


_ROWS = (
    # income statement
    _flow(
        "Revenue",
        "total revenue, net of interest expense for a bank",
        "Revenues",
        "RevenueFromContractWithCustomerExcludingAssessedTax",
        "RevenueFromContractWithCustomerIncludingAssessedTax",
        "SalesRevenueNet",
        "RevenuesNetOfInterestExpense",
        "TotalRevenue",
    ),
    _flow(
        "CostOfRevenue",
        "cost of goods and services sold",
        "CostOfGoodsAndServicesSold",
        "CostOfGoodsSold",
        "CostOfSales",
    ),
    _flow("GrossProfit", "revenue minus its cost"),
    _flow("ResearchAndDevelopment", "expense", "ResearchAndDevelopmentExpense"),
    _flow("SellingGeneralAdministrative", "expense", "SellingGeneralAndAdministrativeExpense"),
    _flow("OperatingExpenses", "expenses of operation, as the company sums them"),
    _flow("OperatingIncome", "income from operations", "OperatingIncomeLoss"),
    _flow("InterestExpense", "interest, a cost is positive"),
    _flow(
        "PretaxIncome",
        "income before taxes",
        "IncomeLossFromContinuingOperationsBeforeIncomeTaxesExtraordinaryItemsNoncontrollingInterest",
        "IncomeLossFromContinuingOperationsBeforeIncomeTaxesMinorityInterestAndIncomeLossFromEquityMethodInvestments",
    ),
    _flow("IncomeTax", "income tax, an expense is positive", "IncomeTaxExpenseBenefit"),
    _flow("NetIncome", "net income of the parent's shareholders", "NetIncomeLoss"),
    Concept(
        "EPSDiluted", "flow", "money/shares", "diluted earnings per share", ("EarningsPerShareDiluted", "DilutedEPS")
    ),
    Concept("EPSBasic", "flow", "money/shares", "basic earnings per share", ("EarningsPerShareBasic", "BasicEPS")),
    Concept(
        "DividendsPerShare",
        "flow",
        "money/shares",
        "dividends declared per share",
        ("CommonStockDividendsPerShareDeclared",),
    ),
    Concept(
        "SharesDiluted",
        "average",
        "shares",
        "mean number of shares of the period, diluted",
        ("WeightedAverageNumberOfDilutedSharesOutstanding",),
    ),
    Concept(
        "SharesBasic",
        "average",
        "shares",
        "mean number of shares of the period",
        ("WeightedAverageNumberOfSharesOutstandingBasic",),
    ),
    # cash flow statement
    _flow("OperatingCashFlow", "net cash from operating activities", "NetCashProvidedByUsedInOperatingActivities"),
    _flow("InvestingCashFlow", "net cash from investing activities", "NetCashProvidedByUsedInInvestingActivities"),
    _flow("FinancingCashFlow", "net cash from financing activities", "NetCashProvidedByUsedInFinancingActivities"),
    _flow(
        "CapitalExpenditure",
        "cash paid for property and equipment, a payment is positive",
        "PaymentsToAcquirePropertyPlantAndEquipment",
        "PaymentsToAcquireProductiveAssets",
        "CapitalExpenditures",
    ),
    _flow(
        "DepreciationAmortization",
        "depreciation and amortisation",
        "DepreciationDepletionAndAmortization",
        "DepreciationAndAmortization",
    ),
    _flow("StockBasedCompensation", "pay in shares", "ShareBasedCompensation"),
    _flow("ShareRepurchases", "cash paid for own shares, a payment is positive", "PaymentsForRepurchaseOfCommonStock"),
    # balance sheet
    _level("Assets", "total assets", "TotalAssets"),
    _level("CurrentAssets", "assets due within a year", "AssetsCurrent"),
    _level("Cash", "cash and cash equivalents", "CashAndCashEquivalentsAtCarryingValue"),
    _level("MarketableSecuritiesCurrent", "marketable securities due within a year"),
    _level("AccountsReceivable", "net, due within a year", "AccountsReceivableNetCurrent"),
    _level("Inventory", "net", "InventoryNet"),
    _level("Liabilities", "total liabilities", "TotalLiabilities"),
    _level("CurrentLiabilities", "liabilities due within a year", "LiabilitiesCurrent"),
    _level("LongTermDebt", "due after a year", "LongTermDebtNoncurrent"),
    _level("Equity", "equity of the parent's shareholders", "StockholdersEquity"),
    Concept(
        "SharesOutstanding",
        "level",
        "shares",
        "shares at the day on the cover",
        ("EntityCommonStockSharesOutstanding",),
    ),
)

CONCEPTS: dict[str, Concept] = {row.name: row for row in _ROWS}
"""All concepts by canonical name."""

_RANKS: dict[str, tuple[str, int]] = {row.name: (row.name, 0) for row in _ROWS} | {
    synonym: (row.name, rank) for row in _ROWS for rank, synonym in enumerate(row.synonyms, 1)
}


def canonical(name: str) -> tuple[str, int]:
    """The canonical name of a concept, and the rank of `name` among its names (0 is the canonical one).

    A prefix such as `us-gaap:` is passed over. A name that is not in the table stands for itself.
    """
    return _RANKS.get(name) or _RANKS.get(name.rpartition(":")[2]) or (name, 0)
