"""Sessions on masked markets: the same decisions, nothing original on record, and a leak is found."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from paperdesk.agents.models.core import Fingerprint
from paperdesk.cli import app
from paperdesk.memory.journal import Filters, Journal, Record
from paperdesk.memory.journal.events import SignalIssued, ToolCalled
from paperdesk.simulations.config import SessionConfig, load_config
from paperdesk.simulations.evaluation.result import notes_of
from paperdesk.simulations.leakage import LeakError, leaks, refuse_leaks, session_leaks
from paperdesk.simulations.masking import KEY_FILE, market_of
from paperdesk.simulations.session import replay, resume, start
from paperdesk.simulations.show import Form, print_session
from paperdesk.simulations.window import window_of
from paperdesk.tools.errors import InputError
from paperdesk.tools.market.mask import Masked, MaskKey

from .conftest import Finished, run

pytestmark = pytest.mark.slow

SHORT: dict[str, Any] = {"model": "scorecard", "fractional": True, "start": date(2023, 1, 3), "end": date(2023, 4, 28)}
CHOSEN = SHORT | {"universe": ("TRVX", "ZEPL", "BRQL"), "benchmark": "HXSI"}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return run(SessionConfig(**SHORT), tmp_path_factory.mktemp("plain") / "session")


@pytest.fixture(scope="module")
def renamed(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return run(SessionConfig(**SHORT, mask=("names", "dates")), tmp_path_factory.mktemp("renamed") / "session")


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    config = SessionConfig(**CHOSEN, mask=("names", "dates", "levels"), mask_seed=3)
    return run(config, tmp_path_factory.mktemp("everything") / "session")


@pytest.fixture(scope="module")
def masked(everything: Finished) -> Masked:
    found = market_of(everything.config).masked
    assert found is not None
    return found


def records(session: Finished) -> Sequence[Record]:
    with Journal.open_readonly(session.outcome.folder) as journal:
        return list(journal.events())


def test_other_names_and_dates_lead_to_the_same_orders(plain: Finished, renamed: Finished) -> None:
    key = MaskKey.read(renamed.outcome.folder / KEY_FILE)
    assert plain.of("order_submitted")
    for kind in ("order_submitted", "order_filled", "signal_issued", "proposal_made"):
        assert len(plain.of(kind)) == len(renamed.of(kind))
    for one, other in zip(plain.of("order_submitted"), renamed.of("order_submitted"), strict=True):
        assert (key.tickers[one.ticker], one.order.side, one.order.quantity) == (
            other.ticker,
            other.order.side,
            other.order.quantity,
        )
    for one, other in zip(plain.of("bar_closed"), renamed.of("bar_closed"), strict=True):
        assert (key.later(one.session), one.equity) == (other.session, other.equity)


def test_other_levels_lead_to_the_same_weights(plain: Finished, tmp_path: Path) -> None:
    levels = run(SessionConfig(**SHORT, mask=("levels",)), tmp_path / "levels")
    for one, other in zip(plain.of("proposal_made"), levels.of("proposal_made"), strict=True):
        assert other.weights == pytest.approx(one.weights, abs=1e-9)
    assert levels.of("bar_closed")[-1].equity == pytest.approx(plain.of("bar_closed")[-1].equity, rel=1e-9)
    assert levels.of("order_filled")[0].fill.price != pytest.approx(plain.of("order_filled")[0].fill.price)


def test_nothing_original_is_on_record(everything: Finished, masked: Masked) -> None:
    found = session_leaks(everything.outcome.folder)
    assert [leak for leak in found if not leak.is_warning] == []
    chain = "\n".join(json.dumps(record.event.model_dump(mode="json")) for record in records(everything))
    for company in masked.original.companies.values():
        assert company.name.split()[0] not in chain
        assert company.ticker not in chain
    assert '"2023-' not in chain
    assert "HXSI" not in chain
    started = records(everything)[0].event.model_dump(mode="json")
    assert started["config"]["universe"] == [masked.key.tickers[name] for name in CHOSEN["universe"]]
    assert started["config"]["start"] == masked.key.later(CHOSEN["start"]).isoformat()


def test_the_choices_are_kept_in_the_user_s_own_terms_outside_the_chain(everything: Finished) -> None:
    with Journal.open_readonly(everything.outcome.folder) as journal:
        assert journal.manifest is not None
        assert load_config(None, journal.manifest.config) == everything.config
    assert MaskKey.read(everything.outcome.folder / KEY_FILE).seed == 3


def test_a_masked_session_replays_to_an_equal_head(everything: Finished) -> None:
    again = replay(everything.outcome.folder)
    assert (again.head, again.model_calls) == (everything.outcome.head, 0)


def test_a_stopped_masked_session_is_resumed_to_the_same_head(everything: Finished, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(record: Record, new: bool) -> None:
        if record.seq == 60:
            raise Stopped

    folder = tmp_path / "stopped"
    with pytest.raises(Stopped):
        start(everything.config, folder, stop)
    (folder / KEY_FILE).unlink()
    assert resume(folder).head == everything.outcome.head
    assert MaskKey.read(folder / KEY_FILE) == MaskKey.read(everything.outcome.folder / KEY_FILE)


def test_a_mask_s_seed_decides_what_is_on_record(everything: Finished, tmp_path: Path) -> None:
    same = start(everything.config, tmp_path / "same")
    other = start(everything.config.model_copy(update={"mask_seed": 4}), tmp_path / "other")
    assert same.head == everything.outcome.head
    assert other.head != everything.outcome.head


@pytest.mark.parametrize(
    ("words", "kind", "what"),
    [
        ("Trevaux did well", "name", "Trevaux"),
        ("TREVAUX\u2019s quarter", "name", "TREVAUX"),
        ("as ZEPL rose", "ticker", "ZEPL"),
        ("since March 31, 2023", "date", "2023"),
        ("in 1Q23", "date", "23"),
        ("on 20230331", "date", "2023"),
        ("said Calloway of it", "name", "Calloway"),
    ],
)
def test_a_leak_in_a_rationale_is_found(everything: Finished, masked: Masked, words: str, kind: str, what: str) -> None:
    chain = list(records(everything))
    place = next(i for i, record in enumerate(chain) if isinstance(record.event, SignalIssued))
    leaking = chain[place].event.model_copy(update={"rationale": f"We like it, {words}."})
    chain[place] = replace(chain[place], event=leaking)
    found = [leak for leak in leaks(chain, masked) if not leak.is_warning]
    assert [(leak.seq, leak.kind, leak.where, leak.what) for leak in found] == [(place + 1, kind, "rationale", what)]
    with pytest.raises(LeakError, match=rf"Event {place + 1} \(signal_issued, rationale\).*{what}"):
        refuse_leaks(chain, masked)


def test_an_original_ticker_in_a_field_and_an_original_price_are_found(everything: Finished, masked: Masked) -> None:
    chain = list(records(everything))
    place = next(i for i, record in enumerate(chain) if isinstance(record.event, ToolCalled))
    session = next(record.event.session for record in chain if record.event.kind == "decision_opened")
    row = masked.original.bars.sessions.index(session - masked.key.shift)
    close = masked.original.bars.close[row, masked.original.bars.column("TRVX")]
    changes = {"ticker": "TRVX", "note": f"it closed at {close:,.2f}"}
    chain[place] = replace(chain[place], event=chain[place].event.model_copy(update=changes))
    found = {(leak.kind, leak.where, leak.what) for leak in leaks(chain, masked) if leak.seq == place + 1}
    assert found == {("ticker", "ticker", "TRVX"), ("level", "note", f"{close:,.2f}")}


def shown(session: Finished, capsys: pytest.CaptureFixture[str], **choices: Any) -> str:
    form = Form(**{name: choices.pop(name) for name in ("unmask", "json") if name in choices})
    print_session(session.outcome.folder, Filters(**choices), form)
    return capsys.readouterr().out


def test_a_transcript_is_unmasked_for_people(
    everything: Finished, masked: Masked, capsys: pytest.CaptureFixture[str]
) -> None:
    as_recorded, unmasked = shown(everything, capsys), shown(everything, capsys, unmask=True)
    first = next(event.session for event in everything.of("decision_opened"))
    for old, new in masked.key.tickers.items():
        assert (old in as_recorded, new in unmasked) == (False, False)
    assert ", ".join(CHOSEN["universe"]) not in as_recorded
    assert set(unmasked.splitlines()[0].split(": ")[1].split(", ")) == set(CHOSEN["universe"])
    assert f"\n{first}  decision 1" in as_recorded
    assert f"\n{masked.key.earlier(first)}  decision 1" in unmasked
    told = CliRunner().invoke(app, ["show", str(everything.outcome.folder), "--unmask"])
    assert (told.exit_code, told.stdout) == (0, unmasked)


def test_an_unmasked_transcript_is_asked_for_in_original_terms(
    everything: Finished, masked: Masked, capsys: pytest.CaptureFixture[str]
) -> None:
    invented = masked.key.tickers["ZEPL"]
    original = shown(everything, capsys, unmask=True, ticker="ZEPL")
    assert original == shown(everything, capsys, unmask=True, ticker=invented)
    assert "ZEPL" in original
    assert ("analyst on ZEPL" in original, "analyst on TRVX" in original) == (True, False)
    found = shown(everything, capsys, unmask=True, text="zepl")
    assert found == shown(everything, capsys, unmask=True, text=invented)
    assert "Portfolio manager" in found
    assert shown(everything, capsys, text="zepl") == "nothing in this session contains 'zepl'\n"
    with pytest.raises(InputError, match="no ticker NVDA: choose from TRVX, ZEPL, BRQL"):
        shown(everything, capsys, unmask=True, ticker="NVDA")


def test_what_cannot_be_unmasked_is_refused(
    plain: Finished, everything: Finished, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="only a session that ran with --mask"):
        shown(plain, capsys, unmask=True)
    with pytest.raises(InputError, match="leave one of them out"):
        shown(everything, capsys, unmask=True, json=True)


def test_unmasked_sessions_have_no_leaks_and_say_nothing_of_masks(plain: Finished) -> None:
    assert session_leaks(plain.outcome.folder) == []
    assert "mask" not in records(plain)[0].event.config
    assert not (plain.outcome.folder / KEY_FILE).exists()


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"universe": ("NVDA",)}, "no company NVDA: choose from BRQL"),
        ({"benchmark": "NVDA"}, "no prices of NVDA"),
        ({"start": date(1990, 1, 2)}, "prices from 2021-01-04 to 2023-12-29"),
    ],
)
def test_refusals_speak_the_user_s_own_terms(choice: dict[str, Any], message: str) -> None:
    config = SessionConfig(**(SHORT | choice), mask=("names", "dates"))
    with pytest.raises(InputError, match=message):
        window_of(config, market_of(config))


def test_a_mask_of_something_unknown_is_refused() -> None:
    with pytest.raises(InputError, match="mask"):
        load_config(None, {"mask": "names,faces"})
    with pytest.raises(InputError, match="twice"):
        load_config(None, {"mask": "names,names"})
    assert load_config(None, {"mask": "names, dates"}).mask == ("names", "dates")


def test_the_notes_say_what_was_masked(us8: Path) -> None:
    config = SessionConfig(market=str(us8), mask=("dates", "names"), start=date(2024, 1, 2), end=date(2024, 3, 28))
    market = market_of(config)
    window = window_of(config, market)
    mind = Fingerprint(backend="llama_cpp", name="Big-7B", digest="0" * 64, training_cutoff="2024-02-01", settings={})
    assert "Masked" in notes_of(market, window, mind, config.mask)[0]
    assert "dates and names were masked" in notes_of(market, window, mind, config.mask)[1]
    early = mind.model_copy(update={"training_cutoff": "2023-06-30"})
    assert "before this window" in notes_of(market, window, early, config.mask)[1]


def test_a_session_on_real_data_leaks_nothing(us8: Path, tmp_path: Path) -> None:
    config = SessionConfig(
        market=str(us8),
        model="scorecard",
        mask=("names", "dates", "levels"),
        universe=("AAPL", "JPM", "NVDA"),
        benchmark="SPY",
        start=date(2024, 1, 2),
        end=date(2024, 3, 28),
    )
    finished = run(config, tmp_path / "us8")
    assert finished.of("order_filled")
    assert [leak for leak in session_leaks(finished.outcome.folder) if not leak.is_warning] == []
    text = "\n".join(json.dumps(event.model_dump(mode="json")).lower() for event in finished.events)
    assert not [
        word for word in ("nvidia", "apple", "jpmorgan", "iphone", "dimon", "huang", "spy", "aapl") if word in text
    ]
