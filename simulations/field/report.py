"""The evaluation of a field: sessions beside equal weight and the base, reactions, repeats, the price of choice."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...tools.market.view import Market
from ..config import SessionConfig
from ..evaluation.baselines import Track, equal_weight
from ..evaluation.command import counted_trials
from ..evaluation.figures import Estimate, annual_return, estimate, max_drawdown, sharpe
from ..evaluation.metrics import SESSIONS_PER_YEAR, DegenerateTrack, EvaluationError, daily_returns
from ..evaluation.record import SessionRecord, read_session
from ..evaluation.resampling import Places, interval
from ..evaluation.selection import overfitting, superiority
from ..evaluation.session_report import Settings, evaluate_session, histories
from ..masking import market_of
from .document import FieldReport, MemberReport, Reaction, Repeats, Selection
from .plan import Field, Member
from .reactions import pass_power, reactions_of
from .words import field_findings

Vector = NDArray[np.float64]
Say = Callable[[str], None]


class _Reader:
    """Opens every market once and every session once."""

    def __init__(self, field: Field, folder: Path, say: Say) -> None:
        self._markets: dict[object, Market] = {}
        self.records: dict[str, SessionRecord] = {}
        self.equal: dict[str, Track] = {}
        for member in field.done():
            say(f"reading {member.name}")
            record = read_session(field.folder_of(folder, member.name), self._market(member.config))
            self.records[member.name] = record
            self.equal[member.name] = equal_weight(record.open_account, record.window.universe, record.window.decisions)

    def _market(self, config: SessionConfig) -> Market:
        key = (config.market, config.market_seed, config.mask, config.mask_seed, config.placebo, config.placebo_seed)
        if key not in self._markets:
            self._markets[key] = market_of(config)
        return self._markets[key]


def evaluate_field(field: Field, folder: Path, settings: Settings, say: Say) -> FieldReport:
    """The evaluation of what a field has done so far.

    Raises:
        InputError: a session's market has changed since.
    """
    reader = _Reader(field, folder, say)
    records = reader.records
    base = next((m for m in field.members if m.role == "base" and m.name in records), None)
    members = [_member(m, field, reader, base, settings) for m in field.members]
    report = None
    if base is not None:
        say("judging the base session")
        record = records[base.name]
        report = evaluate_session(record, counted_trials(record), settings)
    reactions: list[Reaction] = []
    if base is not None:
        for member in field.members:
            if member.role == "placebo" and member.name in records:
                reactions += reactions_of(member.name, records[base.name], records[member.name])
    found = FieldReport(
        title=field.title,
        folder=str(folder),
        members=tuple(members),
        base=report,
        reactions=tuple(reactions),
        repeats=_repeats(field, reader),
        selections=_selections(field, reader, settings),
        tried=(),
        survived=(),
        failed=(),
    )
    tried, survived, failed = field_findings(found)
    return found.model_copy(update={"tried": tried, "survived": survived, "failed": failed})


def _returns(track: Track) -> Vector:
    return daily_returns(track.equity).to_numpy(dtype=float)


def _member(member: Member, field: Field, reader: _Reader, base: Member | None, settings: Settings) -> MemberReport:
    status = field.status.get(member.name)
    plain = MemberReport(
        name=member.name,
        role=member.role,
        about=member.about,
        state=status.state if status else "not run",
        error=status.error if status else "",
    )
    record = reader.records.get(member.name)
    if record is None:
        return plain
    places = histories(record.returns, settings)
    other = None if base is None or member is base else reader.records[base.name]
    years = len(record.returns) / SESSIONS_PER_YEAR
    return plain.model_copy(
        update={
            "market": record.market.name,
            "mind": record.mind.name,
            "contamination": record.contamination,
            "annual_return": _or_none(annual_return, record.returns, places),
            "sharpe": _or_none(sharpe, record.returns, places),
            "max_drawdown": _or_none(max_drawdown, record.returns, places),
            "turnover": record.track.trading.traded / float(record.track.equity.mean()) / years,
            "decisions": len(record.window.decisions),
            "beyond_equal": _beyond(record.returns, _returns(reader.equal[member.name]), places),
            "beyond_base": _beyond(record.returns, other.returns, places) if other and _alike(record, other) else None,
        }
    )


def _alike(one: SessionRecord, other: SessionRecord) -> bool:
    """Whether two sessions lived through the same prices on the same days; masking leaves returns as they are."""
    same = one.market.masked.original if one.market.masked else one.market.dataset
    plain = other.market.masked.original if other.market.masked else other.market.dataset
    return len(one.days) == len(other.days) and (
        same.bars is plain.bars or np.array_equal(same.bars.close, plain.bars.close, equal_nan=True)
    )


def _beyond(own: Vector, other: Vector, places: Places) -> Estimate:
    difference = own - other
    low, high = interval(difference[places].mean(axis=1) * SESSIONS_PER_YEAR)
    return Estimate(value=float(difference.mean() * SESSIONS_PER_YEAR), low=low, high=high)


def _or_none(figure: Callable[[NDArray[np.float64]], Vector], returns: Vector, places: Places) -> Estimate | None:
    try:
        return estimate(figure, returns, places)
    except DegenerateTrack:
        return None


def _repeats(field: Field, reader: _Reader) -> Repeats | None:
    runs = [m.name for m in field.members if m.role in ("base", "repeat") and m.name in reader.records]
    if len(runs) < 2:
        return None
    records = [reader.records[name] for name in runs]
    returns = [float(annual_return(r.returns[None, :])[0]) for r in records]
    sharpes = [float(sharpe(r.returns[None, :])[0]) for r in records]
    stances = [_stances(r) for r in records]
    seats = set.intersection(*(set(s) for s in stances))
    alike = [len({s[seat] for s in stances}) == 1 for seat in seats]
    beat = sum(r.track.equity.iloc[-1] > reader.equal[n].equity.iloc[-1] for n, r in zip(runs, records, strict=True))
    return Repeats(
        runs=len(runs),
        returns=(min(returns), float(np.mean(returns)), max(returns)),
        sharpes=(min(sharpes), float(np.mean(sharpes)), max(sharpes)),
        signals_alike=float(np.mean(alike)) if alike else 1.0,
        beat_equal=int(beat),
        pass_power=pass_power(len(runs), int(beat)),
    )


def _stances(record: SessionRecord) -> Mapping[tuple[str, str, int | None], str]:
    return {(e.agent, e.ticker, e.decision): "abstained" if e.abstained else e.stance for e in record.signals}


def _selections(field: Field, reader: _Reader, settings: Settings) -> tuple[Selection, ...]:
    """Of each market and window on which several variants were tried."""
    groups: dict[tuple[str, object], list[str]] = {}
    for member in field.members:
        if member.role != "placebo" and member.name in reader.records:
            record = reader.records[member.name]
            groups.setdefault((record.market.fingerprint, record.days), []).append(member.name)
    return tuple(found for names in groups.values() if (found := _selection(names, reader, settings)) is not None)


def _selection(names: list[str], reader: _Reader, settings: Settings) -> Selection | None:
    different: dict[bytes, str] = {}
    for name in names:
        different.setdefault(reader.records[name].returns.tobytes(), name)
    kept = list(different.values())
    if len(kept) < 2:
        return None
    matrix = np.array([reader.records[name].returns for name in kept]).T
    equal = _returns(reader.equal[kept[0]])
    ratios = sharpe(matrix.T)
    chosen: float | None = None
    superior: float | None = None
    splits = 0
    with suppress(EvaluationError):  # too short, or a variant that does not move: the table shows a dash
        found = overfitting(matrix)
        chosen, splits = found.probability, found.splits
    with suppress(EvaluationError):
        superior = superiority(matrix - equal[:, None], settings.draws, settings.seed).p_value
    return Selection(
        market=reader.records[kept[0]].market.name,
        variants=len(kept),
        best=kept[int(np.nanargmax(ratios))],
        overfitting=chosen,
        splits=splits,
        superior=superior,
    )
