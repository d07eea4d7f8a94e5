"""The stages of a session: from which decision on it is which desk.

A session that nobody forked has one stage. A fork that changes something adds one, which begins with `desk_changed` in
the journal; what is earlier is decided as it was, under the choices that held then.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ..agents.by_hand import HandSet
from ..agents.models.adapters import named_adapters
from ..agents.models.core import Fingerprint, ModelCore
from ..agents.models.open import open_model
from ..agents.models.replay import Replay
from ..agents.models.served.access import Access
from ..agents.roles import AUDITOR, PORTFOLIO_MANAGER, prompts_hash
from ..agents.rosters import Roster, roster
from ..memory.journal import Branch, Journal
from ..memory.journal.events import DeskChanged, SessionStarted
from ..orchestration.context import DeskSettings
from ..tools.errors import InputError
from ..tools.frozen import content_hash
from ..tools.rules import Policy, RuleEngine, load_policy
from .changes import MIND, ROSTER, Changes, parse_changes
from .config import SessionConfig, load_config
from .masking import PLACES

TRADE = "trade"
"""Key of the manifest's configuration under which a live session keeps what a simulated one has not."""


class SessionError(InputError):
    """A session cannot be started, resumed, replayed or forked as asked."""


@dataclass(frozen=True)
class Stage:
    """The desk from one decision on."""

    first: int
    """That decision, from 0."""
    config: SessionConfig
    policy: Policy
    roster: Roster
    branch: Branch | None = None
    """The fork that made it; None for the stage that a session starts with."""
    changes: Changes = field(default_factory=Changes)
    by_hand: Mapping[tuple[str, str], HandSet] = field(default_factory=dict)
    """Stances that stand in the place of the analysts', in its first decision."""

    def event(self, mind: Fingerprint) -> DeskChanged:
        """What begins it in the journal."""
        assert self.branch is not None
        named = set(self.changes.config)
        values = self.config.model_dump(mode="json", include=named - PLACES - {"training_cutoff", "adapter"})
        if "approve" in named:
            values["approve"] = self.config.approve is not None
        return DeskChanged(
            decision=self.first,
            parent_head=self.branch.parent_head,
            parent_count=self.branch.parent_count,
            at=self.branch.at,
            by=self.branch.by,
            settings=list(self.branch.settings),
            config=values,
            mind=mind.model_dump(mode="json") if named.intersection(MIND) else None,
            policy=self.policy.hash() if "policy" in named else None,
            prompts=prompts_hash(self.roster.seated) if named.intersection(ROSTER) else None,
        )


def stages_of(config: SessionConfig, branches: Sequence[Branch] = ()) -> tuple[Stage, ...]:
    """The stages of a session, in order.

    Raises:
        InputError: a desk, a role or a policy has a fault or is missing, or what a fork sets is refused.
    """
    stages = [Stage(0, config, simulated_policy(config), roster_of(config))]
    for branch in sorted((b for b in branches if b.settings), key=lambda b: b.decision):
        before, changes = stages[-1], parse_changes(branch.settings)
        config = changes.applied_to(before.config)
        same = before.branch is not None and before.first == branch.decision
        stages.append(
            Stage(
                branch.decision,
                config,
                simulated_policy(config),
                roster_of(config),
                branch,
                changes,
                (dict(before.by_hand) if same else {}) | changes.by_hand(branch.by),
            )
        )
    return tuple(stages)


def roster_of(config: SessionConfig) -> Roster:
    """Who sits on the desk of a session.

    Raises:
        InputError: the desk, one of its roles, or the folder with roles has a fault or is missing.
    """
    return roster(config.desk, config.without, config.roles, config.debate_rounds, config.extra_calls)


def simulated_policy(config: SessionConfig) -> Policy:
    """The pre-trade policy of a simulated session.

    Raises:
        SessionError: it names a kill switch. Whether that file exists is nothing that a session can be derived from
            again, so a simulation cannot honour it. Or the session may go short and the policy permits none.
    """
    policy = load_policy(config.policy)
    if policy.kill_switch is not None:
        raise SessionError(
            f"The policy {config.policy} names a kill switch, which only live trading can honour: take kill_switch out."
        )
    if config.max_short and not any("sell" in sides for sides in policy.permissions.values()):
        raise SessionError(
            f'The policy {config.policy} lets nothing be sold short: add "sell" to its permissions, or leave '
            "max_short at 0."
        )
    return policy


def mind_of(config: SessionConfig, access: Access | None) -> ModelCore:
    """The mind of a session, opened; `access` says how a server may be used."""
    asked = asked_in(config)
    return open_model(
        config.model,
        threads=config.threads,
        seed=config.seed,
        context=config.context,
        access=access,
        adapters=named_adapters(config.adapter, asked),
        roles=asked,
    )


def asked_in(config: SessionConfig) -> tuple[str, ...]:
    """The roles whose questions the mind of a session answers."""
    return (*(seat.name for seat in roster_of(config).seated), AUDITOR, PORTFOLIO_MANAGER)


def dated(fingerprint: Fingerprint, config: SessionConfig) -> Fingerprint:
    """The mind with the training cutoff that the user states, where it does not know its own.

    Raises:
        SessionError: it knows another one.
    """
    if config.training_cutoff is None:
        return fingerprint
    stated, known = config.training_cutoff.isoformat(), fingerprint.training_cutoff
    if known not in (None, stated) or fingerprint.backend == "scorecard":
        what = f"read texts up to {known}" if known else "has read nothing"
        raise SessionError(f"The mind {fingerprint.name} {what}: leave training_cutoff out.")
    return fingerprint.model_copy(update={"training_cutoff": stated})


class Minds:
    """The mind of each stage: one that only remembers where the stage is wholly on record, else opened when needed.

    Args:
        stages: of the session.
        access: how a model server may be used.
        recorded: by stage, what the journal says of minds; empty in a new session.
        past: decisions before this one are on record with all answers.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        access: Access | None = None,
        recorded: Mapping[int, Fingerprint] | None = None,
        past: float = 0,
    ) -> None:
        self._stages = stages
        self._access = access
        self._recorded = recorded or {}
        self._past = past
        self._open: dict[tuple[Any, ...], ModelCore] = {}
        self._closing = ExitStack()

    def of(self, number: int) -> tuple[Fingerprint, ModelCore]:
        """Fingerprint and mind of a stage.

        Raises:
            InputError: there is no such model, or it cannot be loaded or reached.
        """
        stage = self._stages[number]
        end = self._stages[number + 1].first if number + 1 < len(self._stages) else float("inf")
        if end <= self._past and number in self._recorded:
            fingerprint = self._recorded[number]
            return fingerprint, Replay({}, fingerprint)
        key = (*(getattr(stage.config, name) for name in MIND), asked_in(stage.config))
        if key not in self._open:
            self._open[key] = self._closing.enter_context(closing(mind_of(stage.config, self._access)))
        mind = self._open[key]
        return dated(mind.fingerprint, stage.config), mind

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()


def recorded_minds(journal: Journal, stages: Sequence[Stage]) -> dict[int, Fingerprint]:
    """What a journal says of the mind of each stage, as far as it goes."""
    minds: dict[int, Fingerprint] = {}
    for record in journal.events("session_started"):
        assert isinstance(record.event, SessionStarted)
        minds[0] = Fingerprint.model_validate(record.event.model)
    changes = (record.event for record in journal.events("desk_changed"))
    for number, event in enumerate(changes, 1):
        assert isinstance(event, DeskChanged)
        if number < len(stages):
            minds[number] = minds[number - 1] if event.mind is None else Fingerprint.model_validate(event.mind)
    return minds


def stored_config(folder: Path) -> SessionConfig:
    """The configuration that a session started with, from its folder; see `stored`."""
    return stored(folder)[0]


def stored(folder: Path) -> tuple[SessionConfig, tuple[Branch, ...]]:
    """The configuration of a session and where it left its parents, from its folder.

    Raises:
        JournalRefused: the folder holds no session.
        SessionError: it holds one of live trading.
    """
    with Journal.open_readonly(folder) as journal:
        assert journal.manifest is not None  # a journal in a folder has one
        if TRADE in journal.manifest.config:
            raise SessionError(f"{folder} holds a live session: go on with it by `paperdesk trade --out {folder}`.")
        return load_config(None, journal.manifest.config), journal.manifest.branches


def rules_of(policy: Policy, session_id: str) -> RuleEngine:
    """The rules of a policy; the secret of their tokens can be derived again."""
    return RuleEngine(policy, content_hash(["verdict tokens", session_id]).encode())


def settings_of(config: SessionConfig) -> DeskSettings:
    """The desk's own limits and preferences."""
    return DeskSettings(
        seed=config.seed,
        risk_aversion=config.risk_aversion,
        beta=config.beta,
        max_weight=config.max_weight,
        min_invested=config.min_invested,
        min_cash=config.min_cash,
        turnover_limit=config.turnover_limit,
        equity_premium=config.equity_premium,
        scenario_sessions=config.scenario_sessions,
        max_revisions=config.max_revisions,
        repeats=config.repeats,
        ablate=config.ablate,
        cost_per_unit=(config.commission_bps + config.slippage_bps + config.spread_bps / 2) / 1e4,
        fractional=config.fractional,
        max_short=config.max_short,
    )
