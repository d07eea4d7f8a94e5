from pathlib import Path

import pytest

from paperdesk.tools.errors import InputError
from paperdesk.tools.market.vendors.errors import VendorRefused
from paperdesk.tools.market.vendors.registry import list_vendors, open_vendors, promised, versions_of

from .loopback import FakeTime
from .plugin import install


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PAPERDESK_SEC_USER_AGENT", "APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "FRED_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_our_vendors_are_listed_with_what_they_provide() -> None:
    listed = {row.name: row for row in list_vendors()}
    assert {"alpaca", "csv", "edgar", "fred", "yahoo"} <= set(listed)
    assert promised(listed["yahoo"]) == ("prices", "companies")
    assert promised(listed["fred"]) == ("series",)
    assert "yfinance" in listed["yahoo"].versions


def test_a_vendor_of_another_package_is_one_of_ours(
    tmp_path: Path, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "stall = stall_vendor:open_vendor")
    monkeypatch.syspath_prepend(tmp_path)
    (vendor,) = open_vendors(["stall"], fake_time.settings())
    assert vendor.name == "stall"
    assert versions_of(vendor) == {"stall-vendor": "3.1"}
    assert promised(next(row for row in list_vendors() if row.name == "stall")) == ("prices",)


@pytest.mark.parametrize(
    ("entry", "name", "message"),
    [
        (
            "yahoo = stall_vendor:open_vendor",
            "yahoo",
            "paperdesk and stall-vendor both register the vendor 'yahoo'",
        ),
        (
            "stall = stall_vendor:missing",
            "stall",
            r"cannot be loaded \(.*\); install it by pip install 'stall-vendor'",
        ),
        (
            "stall = no_such_module:open_vendor",
            "stall",
            r"cannot be loaded \(No module named 'no_such_module'\)",
        ),
        ("stall = stall_vendor:broken", "stall", "is no vendor 'stall'; it needs name, provides, fetch and close"),
        ("other = stall_vendor:open_vendor", "other", "is no vendor 'other'"),
    ],
)
def test_what_is_no_vendor_is_refused(
    tmp_path: Path, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch, entry: str, name: str, message: str
) -> None:
    install(tmp_path, entry)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=message):
        open_vendors([name], fake_time.settings())


def test_an_unknown_name_is_refused_with_the_known_ones(fake_time: FakeTime) -> None:
    with pytest.raises(InputError, match="there is no vendor 'bloomberg'; choose from alpaca, csv, edgar, fred, yahoo"):
        open_vendors(["bloomberg"], fake_time.settings())
    with pytest.raises(InputError, match="named twice"):
        open_vendors(["yahoo", "yahoo"], fake_time.settings())


def test_an_option_that_a_vendor_does_not_know_is_refused(fake_time: FakeTime, tmp_path: Path) -> None:
    def opened(**options: str) -> str:
        settings = fake_time.settings(csv_folder=tmp_path, options={f"csv.{k}": v for k, v in options.items()})
        (vendor,) = open_vendors(["csv"], settings)
        return vendor.name

    assert opened(prices="as_traded") == "csv"
    with pytest.raises(InputError, match=r"the vendor 'csv' has no option 'csv\.price'; choose from csv\.prices"):
        opened(price="as_traded")
    with pytest.raises(InputError, match=r"no option 'yahoo\.feed'; choose from yahoo\.currency"):
        open_vendors(["yahoo"], fake_time.settings(options={"yahoo.feed": "iex"}))
    # a pull whose vendors change keeps the options of the others
    assert [v.name for v in open_vendors(["csv"], fake_time.settings(csv_folder=tmp_path, options={"yahoo.x": "1"}))]


@pytest.mark.parametrize(
    ("name", "variable"),
    [("edgar", "PAPERDESK_SEC_USER_AGENT"), ("alpaca", "APCA_API_KEY_ID"), ("fred", "FRED_API_KEY")],
)
def test_a_missing_key_is_named_before_anything_is_asked(fake_time: FakeTime, name: str, variable: str) -> None:
    with pytest.raises(VendorRefused, match=f"set {variable}"):
        open_vendors([name], fake_time.settings())
    with pytest.raises(VendorRefused, match=f"set {variable}.*, or do without it: --vendor yahoo$"):
        open_vendors(["yahoo", name], fake_time.settings())
