"""Verdict tokens: permission for one submission, which only who has the engine's secret can make and which works once.

The secret of a simulation is derived from its journal, so that the session can be derived again: there, a token keeps
orders from leaving by mistake, unjudged or altered. At a live venue it is random, and gone with the process.
"""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from ..broker.protocol import OrderIntent, VerdictToken
from ..frozen import canonical_json
from .errors import PolicyError, RuleError

SHORTEST_SECRET = 16
MANY_USED = 1000
"""Used tokens from which on those that have expired are forgotten; an expired one is refused in any case."""
STATES_KEPT = 8


class TokenDesk:
    """Issues and checks tokens for one policy.

    The same secret and order lead to the same token, so that a session can be derived again; which tokens are out and
    which were used is kept in memory, as long as they live.
    """

    def __init__(self, policy_hash: str, lifetime: timedelta, secret: bytes) -> None:
        if len(secret) < SHORTEST_SECRET:
            raise PolicyError(f"The rule engine's secret needs at least {SHORTEST_SECRET} bytes: give a longer one.")
        self._policy = policy_hash
        self._lifetime = lifetime
        self._secret = secret
        self._open: dict[str, tuple[str, str, datetime]] = {}
        """Permissions not used yet, by mac: client order id, state, expiry."""
        self._used: dict[str, datetime] = {}
        """When what was used expires, by mac."""
        self._sent: dict[str, list[str]] = {}
        """Client ids of what was sent, by the state in which it was permitted; the latest states only."""
        self._lock = Lock()

    def issue(self, order: OrderIntent, state_version: str, now: datetime) -> VerdictToken:
        """A token for exactly these terms in exactly this state."""
        terms, expires_at = order.terms_hash(), now + self._lifetime
        mac = self._mac(terms, self._policy, state_version, expires_at)
        with self._lock:
            self._open[mac] = (order.client_order_id, state_version, expires_at)
        return VerdictToken(
            terms=terms, policy=self._policy, state_version=state_version, expires_at=expires_at, mac=mac
        )

    def redeem(self, order: OrderIntent, token: VerdictToken, state_version: str, now: datetime) -> None:
        """Use a token up.

        Raises:
            RuleError: it is forged, altered, for another order, policy or state, expired, or used.
        """
        what = f"The order {order.client_order_id} for {order.ticker} was stopped"
        mac = self._mac(token.terms, token.policy, token.state_version, token.expires_at)
        if not hmac.compare_digest(mac.encode(), token.mac.encode()):
            raise RuleError(f"{what}: its verdict token was not issued by this rule engine; have the order judged.")
        if token.terms != order.terms_hash():
            raise RuleError(f"{what}: its terms are not those that were approved; have the order judged again.")
        if token.policy != self._policy:
            raise RuleError(f"{what}: it was approved under another policy; have the order judged again.")
        if token.state_version != state_version:
            raise RuleError(f"{what}: the portfolio has changed since it was approved; have the order judged again.")
        if now >= token.expires_at:
            raise RuleError(f"{what}: its approval expired at {token.expires_at.isoformat()}; have it judged again.")
        with self._lock:
            if token.mac in self._used:
                raise RuleError(f"{what}: its verdict token was used before; look the order up at the broker.")
            if token.mac not in self._open:
                raise RuleError(
                    f"{what}: a later judgement did not count it among the orders in flight; have it judged again."
                )
            del self._open[token.mac]
            self._used[token.mac] = token.expires_at
            self._sent.setdefault(state_version, []).append(order.client_order_id)
            while len(self._sent) > STATES_KEPT:
                del self._sent[next(iter(self._sent))]

    def count(self, counted: Callable[[str], bool], state_version: str, now: datetime) -> list[str]:
        """Take back what a new judgement does not count, so that two orders cannot use the same room.

        Permissions that are not used yet and not among the orders that the new judgement counts are void.

        Args:
            counted: whether the judgement knows an order, by client order id.
            state_version: the state of the new judgement.
            now: its time; what has expired is forgotten.

        Returns:
            Client ids of orders that were sent in this very state and that the judgement does not know: it may not
            permit anything.
        """
        with self._lock:
            self._open = {mac: row for mac, row in self._open.items() if row[2] > now and counted(row[0])}
            if len(self._used) > MANY_USED:
                self._used = {mac: expires for mac, expires in self._used.items() if expires > now}
            return [order for order in self._sent.get(state_version, ()) if not counted(order)]

    def _mac(self, terms: str, policy: str, state_version: str, expires_at: datetime) -> str:
        fields = canonical_json([terms, policy, state_version, expires_at.isoformat()])
        return hmac.new(self._secret, fields.encode(), hashlib.sha256).hexdigest()
