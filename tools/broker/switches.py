"""The two switches of live trading, in one place: who may use an account that is not a paper account."""

from ..errors import BrokerError


def admit(venue: str, account: str, *, paper: bool, live_account: str) -> None:
    """Let a paper account through, and a live one only where both switches name it.

    Args:
        venue: its name, for people.
        account: number of the account, as the venue says it.
        paper: whether it is provably a paper account.
        live_account: the number that both switches name (`BrokerSettings.live_account`); empty where one is missing.

    Raises:
        BrokerError: it is neither.
    """
    if paper or (account and account == live_account):
        return
    raise BrokerError(
        f"This account at {venue} is not a paper account: use one that is; real money needs --live and the account's "
        "own number in PAPERDESK_LIVE_ACCOUNT."
    )
