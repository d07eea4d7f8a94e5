"""Verdict tokens: permission for one submission, which only the issuing engine can make and which works once."""

import hashlib
import hmac
from datetime import datetime, timedelta
from threading import Lock

from ..broker.protocol import OrderIntent, VerdictToken
from ..frozen import canonical_json
from .errors import PolicyError, RuleError

SHORTEST_SECRET = 16


class TokenDesk:
    """Issues and checks tokens for one policy.

    The same secret and order lead to the same token, so that a session can be derived again; which tokens were used is
    kept in memory.
    """

    def __init__(self, policy_hash: str, lifetime: timedelta, secret: bytes) -> None:
        if len(secret) < SHORTEST_SECRET:
            raise PolicyError(f"The rule engine's secret needs at least {SHORTEST_SECRET} bytes: give a longer one.")
        self._policy = policy_hash
        self._lifetime = lifetime
        self._secret = secret
        self._used: set[str] = set()
        self._lock = Lock()

    def issue(self, order: OrderIntent, state_version: str, now: datetime) -> VerdictToken:
        """A token for exactly these terms in exactly this state."""
        terms, expires_at = order.terms_hash(), now + self._lifetime
        mac = self._mac(terms, self._policy, state_version, expires_at)
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
            self._used.add(token.mac)

    def _mac(self, terms: str, policy: str, state_version: str, expires_at: datetime) -> str:
        fields = canonical_json([terms, policy, state_version, expires_at.isoformat()])
        return hmac.new(self._secret, fields.encode(), hashlib.sha256).hexdigest()
