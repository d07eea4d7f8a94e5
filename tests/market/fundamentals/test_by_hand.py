"""Figures of real companies, recomputed by hand from rows that were looked up in the file of filings.

Each case names the rows (concept, first day, last day, value, accession) and writes the arithmetic out, in millions of
dollars, in shares and in dollars per share. That the rows stand in the file is checked as well.
"""

from datetime import date
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from paperdesk.tools.evidence import Evidence
from paperdesk.tools.market.fundamentals import ratios
from paperdesk.tools.market.view import Market

M = 1e6

AAPL_Q3_23, AAPL_10K_23 = "0000320193-23-000077", "0000320193-23-000106"
AAPL_Q1_24, AAPL_Q2_24 = "0000320193-24-000006", "0000320193-24-000069"
AMZN_10K_21, AMZN_Q1_22 = "0001018724-22-000005", "0001018724-22-000013"
GOOGL_10K_21, GOOGL_Q1_22 = "0001652044-22-000019", "0001652044-22-000029"
GOOGL_Q2_24, GOOGL_10K_24 = "0001652044-24-000079", "0001652044-25-000014"
JPM_10K_23, JPM_Q2_24 = "0000019617-24-000225", "0000019617-24-000453"
MSFT_10K_23, MSFT_10K_24, MSFT_Q3_24 = "0000950170-23-035122", "0000950170-24-087843", "0000950170-24-048288"
MSFT_8K_25 = "0000950170-25-010484"
NVDA_Q2_24, NVDA_Q3_24, NVDA_10K_24 = "0001045810-23-000175", "0001045810-23-000227", "0001045810-24-000029"
NVDA_Q1_25, NVDA_Q2_25, NVDA_Q1_26 = "0001045810-24-000124", "0001045810-24-000264", "0001045810-25-000116"
UNH_10K_24, UNH_Q1_25 = "0000731766-25-000063", "0000731766-25-000131"

Row = tuple[str, str, str, float, str]
"""Concept, first day (empty for a balance-sheet figure), last day, value, accession."""


class Case(NamedTuple):
    """One figure and what it comes from."""

    ticker: str
    session: str
    measure: str
    end: str
    source: str
    """Accession that the evidence has to name."""
    expected: float
    rows: tuple[Row, ...]
    close: float | None = None
    """The close of the session in the file of prices, which is in shares of August 2025."""


NVDA_EPS: tuple[Row, ...] = (
    ("EPSDiluted", "2023-05-01", "2023-07-30", 2.48, NVDA_Q2_24),
    ("EPSDiluted", "2023-07-31", "2023-10-29", 3.71, NVDA_Q3_24),
    ("EPSDiluted", "2023-01-30", "2023-10-29", 7.01, NVDA_Q3_24),
    ("EPSDiluted", "2023-01-30", "2024-01-28", 11.93, NVDA_10K_24),
    ("EPSDiluted", "2024-01-29", "2024-04-28", 5.98, NVDA_Q1_25),
)

CASES = (
    Case(
        "NVDA", "2024-06-12", "revenue_growth_yoy", "2024-04-28", NVDA_Q1_25,
        26_044 / 7_192 - 1,
        (
            ("Revenue", "2024-01-29", "2024-04-28", 26_044 * M, NVDA_Q1_25),
            ("Revenue", "2023-01-30", "2023-04-30", 7_192 * M, NVDA_Q1_25),
        ),
    ),
    # The last session before the split 10:1, two sessions after it, and when some quarters were filed after it.
    Case(
        "NVDA", "2024-06-07", "price_to_earnings", "2024-04-28", NVDA_Q1_25,
        10 * 120.888 / (2.48 + 3.71 + (11.93 - 7.01) + 5.98),
        NVDA_EPS,
        120.888,
    ),
    Case(
        "NVDA", "2024-06-12", "price_to_earnings", "2024-04-28", NVDA_Q1_25,
        125.2 / ((2.48 + 3.71 + (11.93 - 7.01) + 5.98) / 10),
        NVDA_EPS,
        125.2,
    ),
    Case(
        "NVDA", "2024-09-03", "price_to_earnings", "2024-07-28", NVDA_Q2_25,
        108.0 / ((3.71 + (11.93 - 7.01) + 5.98) / 10 + 0.67),
        (*NVDA_EPS[1:], ("EPSDiluted", "2024-04-29", "2024-07-28", 0.67, NVDA_Q2_25)),
        108.0,
    ),
    # The day of the split 4:1; the file of prices knows the later 10:1 as well.
    Case(
        "NVDA", "2021-07-20", "price_to_earnings", "2021-05-02", "0001045810-21-000064",
        10 * 18.612 / ((0.99 + 2.12 + (6.90 - 4.59) + 3.03) / 4),
        (
            ("EPSDiluted", "2020-04-27", "2020-07-26", 0.99, "0001045810-20-000147"),
            ("EPSDiluted", "2020-07-27", "2020-10-25", 2.12, "0001045810-20-000189"),
            ("EPSDiluted", "2020-01-27", "2020-10-25", 4.59, "0001045810-20-000189"),
            ("EPSDiluted", "2020-01-27", "2021-01-31", 6.90, "0001045810-21-000010"),
            ("EPSDiluted", "2021-02-01", "2021-05-02", 3.03, "0001045810-21-000064"),
        ),
        18.612,
    ),
    Case(
        "NVDA", "2024-06-12", "price_to_sales", "2024-04-28", NVDA_Q1_25,
        125.2 * 2_489 * 10 / (13_507 + 18_120 + (60_922 - 38_819) + 26_044),
        (
            ("SharesDiluted", "2024-01-29", "2024-04-28", 2_489 * M, NVDA_Q1_25),
            ("Revenue", "2023-05-01", "2023-07-30", 13_507 * M, NVDA_Q2_24),
            ("Revenue", "2023-07-31", "2023-10-29", 18_120 * M, NVDA_Q3_24),
            ("Revenue", "2023-01-30", "2023-10-29", 38_819 * M, NVDA_Q3_24),
            ("Revenue", "2023-01-30", "2024-01-28", 60_922 * M, NVDA_10K_24),
            ("Revenue", "2024-01-29", "2024-04-28", 26_044 * M, NVDA_Q1_25),
        ),
        125.2,
    ),
    Case(
        "NVDA", "2024-06-12", "free_cash_flow_yield", "2024-04-28", NVDA_Q1_25,
        ((28_090 - 2_911 + 15_345) - (1_069 - 248 + 369)) / (125.2 * 2_489 * 10),
        (
            ("OperatingCashFlow", "2023-01-30", "2024-01-28", 28_090 * M, NVDA_10K_24),
            ("OperatingCashFlow", "2023-01-30", "2023-04-30", 2_911 * M, NVDA_Q1_25),
            ("OperatingCashFlow", "2024-01-29", "2024-04-28", 15_345 * M, NVDA_Q1_25),
            ("CapitalExpenditure", "2023-01-30", "2024-01-28", 1_069 * M, NVDA_10K_24),
            ("CapitalExpenditure", "2023-01-30", "2023-04-30", 248 * M, NVDA_Q1_25),
            ("CapitalExpenditure", "2024-01-29", "2024-04-28", 369 * M, NVDA_Q1_25),
            ("SharesDiluted", "2024-01-29", "2024-04-28", 2_489 * M, NVDA_Q1_25),
        ),
        125.2,
    ),
    Case(
        "NVDA", "2025-06-02", "current_ratio", "2025-04-27", NVDA_Q1_26,
        89_935 / 26_542,
        (
            ("CurrentAssets", "", "2025-04-27", 89_935 * M, NVDA_Q1_26),
            ("CurrentLiabilities", "", "2025-04-27", 26_542 * M, NVDA_Q1_26),
        ),
    ),
    Case(
        "NVDA", "2025-06-02", "roa_ttm", "2025-04-27", NVDA_Q1_26,
        (16_599 + 19_309 + (72_880 - 50_789) + 18_775) / ((125_254 + 77_072) / 2),
        (
            ("NetIncome", "2024-04-29", "2024-07-28", 16_599 * M, NVDA_Q2_25),
            ("NetIncome", "2024-07-29", "2024-10-27", 19_309 * M, "0001045810-24-000316"),
            ("NetIncome", "2024-01-29", "2024-10-27", 50_789 * M, "0001045810-24-000316"),
            ("NetIncome", "2024-01-29", "2025-01-26", 72_880 * M, "0001045810-25-000023"),
            ("NetIncome", "2025-01-27", "2025-04-27", 18_775 * M, NVDA_Q1_26),
            ("Assets", "", "2025-04-27", 125_254 * M, NVDA_Q1_26),
            ("Assets", "", "2024-04-28", 77_072 * M, NVDA_Q1_25),
        ),
    ),
    # The day of the split 20:1.
    Case(
        "AMZN", "2022-06-06", "price_to_sales", "2022-03-31", AMZN_Q1_22,
        124.79 * 509 * 20 / (113_080 + 110_812 + 137_412 + 116_444),
        (
            ("SharesDiluted", "2022-01-01", "2022-03-31", 509 * M, AMZN_Q1_22),
            ("Revenue", "2021-04-01", "2021-06-30", 113_080 * M, "0001018724-21-000020"),
            ("Revenue", "2021-07-01", "2021-09-30", 110_812 * M, "0001018724-21-000028"),
            ("Revenue", "2021-10-01", "2021-12-31", 137_412 * M, AMZN_10K_21),
            ("Revenue", "2022-01-01", "2022-03-31", 116_444 * M, AMZN_Q1_22),
        ),
        124.79,
    ),
    Case(
        "AMZN", "2025-02-10", "price_to_earnings", "2024-12-31", "0001018724-25-000004",
        233.14 / 5.53,
        (("EPSDiluted", "2024-01-01", "2024-12-31", 5.53, "0001018724-25-000004"),),
        233.14,
    ),
    # The day of the split 20:1.
    Case(
        "GOOGL", "2022-07-18", "earnings_yield", "2022-03-31", GOOGL_Q1_22,
        (27.26 + 27.99 + (112.20 - 81.53) + 24.62) / 20 / 109.03,
        (
            ("EPSDiluted", "2021-04-01", "2021-06-30", 27.26, "0001652044-21-000047"),
            ("EPSDiluted", "2021-07-01", "2021-09-30", 27.99, "0001652044-21-000057"),
            ("EPSDiluted", "2021-01-01", "2021-09-30", 81.53, "0001652044-21-000057"),
            ("EPSDiluted", "2021-01-01", "2021-12-31", 112.20, GOOGL_10K_21),
            ("EPSDiluted", "2022-01-01", "2022-03-31", 24.62, GOOGL_Q1_22),
        ),
        109.03,
    ),
    Case(
        "GOOGL", "2024-07-26", "free_cash_flow_yield", "2024-06-30", GOOGL_Q2_24,
        ((101_746 - 52_175 + 55_488) - (32_251 - 13_177 + 25_198)) / (167.0 * 12_495),
        (
            ("OperatingCashFlow", "2023-01-01", "2023-12-31", 101_746 * M, "0001652044-24-000022"),
            ("OperatingCashFlow", "2023-01-01", "2023-06-30", 52_175 * M, GOOGL_Q2_24),
            ("OperatingCashFlow", "2024-01-01", "2024-06-30", 55_488 * M, GOOGL_Q2_24),
            ("CapitalExpenditure", "2023-01-01", "2023-12-31", 32_251 * M, "0001652044-24-000022"),
            ("CapitalExpenditure", "2023-01-01", "2023-06-30", 13_177 * M, GOOGL_Q2_24),
            ("CapitalExpenditure", "2024-01-01", "2024-06-30", 25_198 * M, GOOGL_Q2_24),
            ("SharesDiluted", "2024-04-01", "2024-06-30", 12_495 * M, GOOGL_Q2_24),
        ),
        167.0,
    ),
    Case(
        "GOOGL", "2025-02-07", "revenue_growth_ttm", "2024-12-31", GOOGL_10K_24,
        350_018 / 307_394 - 1,
        (
            ("Revenue", "2024-01-01", "2024-12-31", 350_018 * M, GOOGL_10K_24),
            ("Revenue", "2023-01-01", "2023-12-31", 307_394 * M, GOOGL_10K_24),
        ),
    ),
    Case(
        "AAPL", "2024-05-07", "accruals_ttm", "2024-03-30", AAPL_Q2_24,
        ((19_881 + (96_995 - 74_039) + 33_916 + 23_636) - (110_543 - 62_565 + 62_585)) / ((337_411 + 332_160) / 2),
        (
            ("NetIncome", "2023-04-02", "2023-07-01", 19_881 * M, AAPL_Q3_23),
            ("NetIncome", "2022-09-25", "2023-07-01", 74_039 * M, AAPL_Q3_23),
            ("NetIncome", "2022-09-25", "2023-09-30", 96_995 * M, AAPL_10K_23),
            ("NetIncome", "2023-10-01", "2023-12-30", 33_916 * M, AAPL_Q1_24),
            ("NetIncome", "2023-12-31", "2024-03-30", 23_636 * M, AAPL_Q2_24),
            ("OperatingCashFlow", "2022-09-25", "2023-09-30", 110_543 * M, AAPL_10K_23),
            ("OperatingCashFlow", "2022-09-25", "2023-04-01", 62_565 * M, AAPL_Q2_24),
            ("OperatingCashFlow", "2023-10-01", "2024-03-30", 62_585 * M, AAPL_Q2_24),
            ("Assets", "", "2023-04-01", 332_160 * M, "0000320193-23-000064"),
            ("Assets", "", "2024-03-30", 337_411 * M, AAPL_Q2_24),
        ),
    ),
    # The session after the split 4:1, all four quarters filed before it.
    Case(
        "AAPL", "2020-09-01", "price_to_earnings", "2020-06-27", "0000320193-20-000062",
        134.18 / (((11.89 - 8.86) + 4.99 + 2.55 + 2.58) / 4),
        (
            ("EPSDiluted", "2018-09-30", "2019-06-29", 8.86, "0000320193-20-000062"),
            ("EPSDiluted", "2018-09-30", "2019-09-28", 11.89, "0000320193-19-000119"),
            ("EPSDiluted", "2019-09-29", "2019-12-28", 4.99, "0000320193-20-000010"),
            ("EPSDiluted", "2019-12-29", "2020-03-28", 2.55, "0000320193-20-000052"),
            ("EPSDiluted", "2020-03-29", "2020-06-27", 2.58, "0000320193-20-000062"),
        ),
        134.18,
    ),
    # A year of 53 weeks, as filed.
    Case(
        "AAPL", "2023-11-07", "gross_margin_ttm", "2023-09-30", AAPL_10K_23,
        169_148 / 383_285,
        (
            ("GrossProfit", "2022-09-25", "2023-09-30", 169_148 * M, AAPL_10K_23),
            ("Revenue", "2022-09-25", "2023-09-30", 383_285 * M, AAPL_10K_23),
        ),
    ),
    # A quarter of 14 weeks against one of 13.
    Case(
        "AAPL", "2023-02-07", "margin_change_yoy", "2022-12-31", "0000320193-23-000006",
        29_998 / 117_154 - 34_630 / 123_945,
        (
            ("NetIncome", "2022-09-25", "2022-12-31", 29_998 * M, "0000320193-23-000006"),
            ("Revenue", "2022-09-25", "2022-12-31", 117_154 * M, "0000320193-23-000006"),
            ("NetIncome", "2021-09-26", "2021-12-25", 34_630 * M, "0000320193-23-000006"),
            ("Revenue", "2021-09-26", "2021-12-25", 123_945 * M, "0000320193-23-000006"),
        ),
    ),
    Case(
        "MSFT", "2024-08-01", "operating_margin_ttm", "2024-06-30", MSFT_10K_24,
        109_433 / 245_122,
        (
            ("OperatingIncome", "2023-07-01", "2024-06-30", 109_433 * M, MSFT_10K_24),
            ("Revenue", "2023-07-01", "2024-06-30", 245_122 * M, MSFT_10K_24),
        ),
    ),
    # From the earnings release of the day before: the report of the quarter is not in the file.
    Case(
        "MSFT", "2025-01-30", "roe_ttm", "2024-12-31", MSFT_8K_25,
        (21_939 + 22_036 + 24_667 + 24_108) / 302_695,
        (
            ("NetIncome", "2024-01-01", "2024-03-31", 21_939 * M, MSFT_Q3_24),
            ("NetIncome", "2024-04-01", "2024-06-30", 22_036 * M, MSFT_10K_24),
            ("NetIncome", "2024-07-01", "2024-09-30", 24_667 * M, "0000950170-24-118967"),
            ("NetIncome", "2024-10-01", "2024-12-31", 24_108 * M, MSFT_8K_25),
            ("Equity", "", "2024-12-31", 302_695 * M, MSFT_8K_25),
        ),
    ),
    Case(
        "MSFT", "2024-04-26", "cash_conversion", "2024-03-31", MSFT_Q3_24,
        (28_770 + 30_583 + 18_853 + 31_917) / (20_081 + 22_291 + 21_870 + 21_939),
        (
            ("OperatingCashFlow", "2023-04-01", "2023-06-30", 28_770 * M, MSFT_10K_23),
            ("OperatingCashFlow", "2023-07-01", "2023-09-30", 30_583 * M, "0000950170-23-054855"),
            ("OperatingCashFlow", "2023-10-01", "2023-12-31", 18_853 * M, "0000950170-24-008814"),
            ("OperatingCashFlow", "2024-01-01", "2024-03-31", 31_917 * M, MSFT_Q3_24),
            ("NetIncome", "2023-04-01", "2023-06-30", 20_081 * M, MSFT_10K_23),
            ("NetIncome", "2023-07-01", "2023-09-30", 22_291 * M, "0000950170-23-054855"),
            ("NetIncome", "2023-10-01", "2023-12-31", 21_870 * M, "0000950170-24-008814"),
            ("NetIncome", "2024-01-01", "2024-03-31", 21_939 * M, MSFT_Q3_24),
        ),
    ),
    # A bank, the session after its report was accepted at 16:18 Eastern.
    Case(
        "JPM", "2024-08-05", "roe_ttm", "2024-06-30", JPM_Q2_24,
        (13_151 + 9_307 + 13_419 + 18_149) / 340_552,
        (
            ("NetIncome", "2023-07-01", "2023-09-30", 13_151 * M, "0000019617-23-000524"),
            ("NetIncome", "2023-10-01", "2023-12-31", 9_307 * M, JPM_10K_23),
            ("NetIncome", "2024-01-01", "2024-03-31", 13_419 * M, "0000019617-24-000326"),
            ("NetIncome", "2024-04-01", "2024-06-30", 18_149 * M, JPM_Q2_24),
            ("Equity", "", "2024-06-30", 340_552 * M, JPM_Q2_24),
        ),
    ),
    Case(
        "JPM", "2024-08-05", "price_to_sales", "2024-06-30", JPM_Q2_24,
        194.9 * 2_894.9 / (39_874 + 38_574 + 41_934 + 50_200),
        (
            ("SharesDiluted", "2024-04-01", "2024-06-30", 2_894.9 * M, JPM_Q2_24),
            ("Revenue", "2023-07-01", "2023-09-30", 39_874 * M, "0000019617-23-000524"),
            ("Revenue", "2023-10-01", "2023-12-31", 38_574 * M, JPM_10K_23),
            ("Revenue", "2024-01-01", "2024-03-31", 41_934 * M, "0000019617-24-000326"),
            ("Revenue", "2024-04-01", "2024-06-30", 50_200 * M, JPM_Q2_24),
        ),
        194.9,
    ),
    # The fourth quarter from an earnings release, against one by difference: 49,552 less three quarters.
    Case(
        "JPM", "2025-01-16", "earnings_growth_yoy", "2024-12-31", "0000019617-25-000040",
        14_005 / (49_552 - 12_622 - 14_472 - 13_151) - 1,
        (
            ("NetIncome", "2024-10-01", "2024-12-31", 14_005 * M, "0000019617-25-000040"),
            ("NetIncome", "2023-01-01", "2023-12-31", 49_552 * M, JPM_10K_23),
            ("NetIncome", "2023-01-01", "2023-03-31", 12_622 * M, "0000019617-23-000310"),
            ("NetIncome", "2023-04-01", "2023-06-30", 14_472 * M, "0000019617-23-000432"),
            ("NetIncome", "2023-07-01", "2023-09-30", 13_151 * M, "0000019617-23-000524"),
        ),
    ),
    Case(
        "UNH", "2025-05-20", "net_margin_ttm", "2025-03-31", UNH_Q1_25,
        (4_421 + 6_258 + 5_784 + 6_474) / (98_855 + 100_820 + 100_807 + 109_575),
        (
            ("NetIncome", "2024-04-01", "2024-06-30", 4_421 * M, "0000731766-24-000262"),
            ("NetIncome", "2024-07-01", "2024-09-30", 6_258 * M, "0000731766-24-000323"),
            ("NetIncome", "2024-10-01", "2024-12-31", 5_784 * M, UNH_10K_24),
            ("NetIncome", "2025-01-01", "2025-03-31", 6_474 * M, UNH_Q1_25),
            ("Revenue", "2024-04-01", "2024-06-30", 98_855 * M, "0000731766-24-000262"),
            ("Revenue", "2024-07-01", "2024-09-30", 100_820 * M, "0000731766-24-000323"),
            ("Revenue", "2024-10-01", "2024-12-31", 100_807 * M, UNH_10K_24),
            ("Revenue", "2025-01-01", "2025-03-31", 109_575 * M, UNH_Q1_25),
        ),
    ),
    Case(
        "UNH", "2025-05-20", "liabilities_to_equity", "2025-03-31", UNH_Q1_25,
        204_621 / 100_811,
        (
            ("Liabilities", "", "2025-03-31", 204_621 * M, UNH_Q1_25),
            ("Equity", "", "2025-03-31", 100_811 * M, UNH_Q1_25),
        ),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def filed(us8: Path) -> frozenset[tuple[str, Row]]:
    """Every row of the file: (ticker, row)."""
    columns = ["concept", "period_start", "period_end", "value", "accession"]
    table = pd.read_csv(us8 / "fundamentals.csv.gz", dtype=str, keep_default_na=False)
    rows = zip(*(table[name] for name in columns), strict=True)
    return frozenset(
        (ticker, (concept, start, end, float(value), accession))
        for ticker, (concept, start, end, value, accession) in zip(table["ticker"], rows, strict=True)
    )


@pytest.fixture(scope="module")
def closes(us8: Path) -> dict[tuple[str, str], float]:
    """The file's closes by ticker and day."""
    table = pd.read_csv(us8 / "prices.csv.gz", dtype={"date": str})
    return dict(zip(zip(table["ticker"], table["date"], strict=True), table["close"], strict=True))


def measured(market: Market, session: str, ticker: str) -> dict[str, Evidence]:
    view = market.view(market.calendar.close_of(date.fromisoformat(session)))
    return {row.measure: row for row in ratios(view, ticker)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.ticker}-{case.measure}-{case.session}")
def test_a_figure_equals_the_arithmetic_of_its_raw_rows(
    real: Market, filed: frozenset[tuple[str, Row]], closes: dict[tuple[str, str], float], case: Case
) -> None:
    for row in case.rows:
        assert (case.ticker, row) in filed
    if case.close is not None:
        assert closes[case.ticker, case.session] == pytest.approx(case.close, rel=1e-6)
    found = measured(real, case.session, case.ticker)[case.measure]
    assert found.value == pytest.approx(case.expected, rel=1e-6 if case.close else 1e-12)
    # a figure that holds a price is another one every day
    assert found.id == f"{case.ticker}/{case.measure}/{case.session if case.close else case.end}"
    assert f" {case.end}" in found.period
    assert found.source == case.source


def test_the_cases_cover_every_company_and_most_measures() -> None:
    assert len(CASES) >= 20
    assert {case.ticker for case in CASES} == {"AAPL", "AMZN", "GOOGL", "JPM", "MSFT", "NVDA", "UNH"}
    assert len({case.measure for case in CASES}) >= 14
