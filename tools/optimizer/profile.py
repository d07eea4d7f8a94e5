"""From a client's answers to the desk's settings: a short questionnaire in TOML, and the mapping written down.

    [client]
    horizon_years = 8          # when most of the money will be needed
    largest_loss = 0.20        # the loss in a bad year that can be borne, as a fraction
    cash_needed = 0.05         # share of it that will be needed within a year
    reaction = "hold"          # to such a loss: sell, hold, buy
    experience = "some"        # with shares: none, some, much

Each answer gives 0, 1 or 2 points (`POINTS`); together they are 0 to 8. Horizon, loss and cash needed say what the
client can bear, reaction and experience what he wants to; the lower of the two counts (the rule of suitability: ability
bounds willingness), so a horizon below three years or more than half of the money needed soon allows 2 points at most.

    points   lambda times   beta   max_weight   min_invested   turnover_limit
    0        4              0.99   0.15         0.5            0.5
    1, 2     2.83, 2        0.99   0.15         0.5            0.5
    3, 4, 5  1.41, 1, 0.71  0.95   0.25         0.7            1.0
    6, 7, 8  0.5 ... 0.25   0.90   0.35         0.8            1.5

lambda times is 2^((4 - points) / 2): two points halve the risk aversion. min_cash is the cash needed, at least 3 %. The
table is a convention of this desk, of the kind of Grable and Lytton's (1999) scale; it is no advice.
"""

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from ..errors import ProblemError
from ..frozen import Frozen


class Settings(Frozen):
    """What the answers come to; the names are those of the desk's configuration."""

    risk_aversion: float
    """Multiple of the neutral lambda."""
    beta: float
    max_weight: float
    min_invested: float
    min_cash: float
    turnover_limit: float


class Client(Frozen):
    """The answers."""

    horizon_years: float = Field(ge=0, le=100)
    """When most of the money will be needed."""
    largest_loss: float = Field(gt=0, le=1)
    """Loss in a bad year that can be borne, fraction of the money."""
    cash_needed: float = Field(ge=0, le=0.9)
    """Share of the money that will be needed within a year."""
    reaction: Literal["sell", "hold", "buy"]
    """To such a loss."""
    experience: Literal["none", "some", "much"]
    """With shares."""

    @property
    def points(self) -> int:
        """0 to 8, more for more risk; see the module's table."""
        total = (
            _steps(self.horizon_years, 3, 10)
            + _steps(self.largest_loss, 0.1, 0.25)
            + ("sell", "hold", "buy").index(self.reaction)
            + ("none", "some", "much").index(self.experience)
        )
        able = self.horizon_years >= 3 and self.cash_needed <= 0.5
        return total if able else min(total, 2)

    def settings(self) -> Settings:
        """The desk's settings, by the module's table."""
        level = _steps(self.points, 3, 6)
        min_cash = max(0.03, self.cash_needed)
        return Settings(
            risk_aversion=round(2 ** ((4 - self.points) / 2), 4),
            beta=(0.99, 0.95, 0.9)[level],
            max_weight=(0.15, 0.25, 0.35)[level],
            min_invested=min((0.5, 0.7, 0.8)[level], 1 - min_cash),
            min_cash=min_cash,
            turnover_limit=(0.5, 1.0, 1.5)[level],
        )


def _steps(value: float, middle: float, high: float) -> int:
    """0 below `middle`, 1 below `high`, else 2."""
    return int(value >= middle) + int(value >= high)


def client_of(answers: dict[str, Any]) -> Client:
    """The client with these answers.

    Raises:
        ProblemError: an answer is missing, unknown or out of range; `field` is its name.
    """
    try:
        return Client.model_validate(answers)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else "client"
        known = ", ".join(Client.model_fields)
        text = f"The client's '{key}' is refused ({first['msg'].lower()}): answer {known}."
        raise ProblemError(key, text) from error


def load_client(file: Path) -> Client:
    """The client of a TOML file with a table `[client]`.

    Raises:
        ProblemError: the file cannot be read or an answer is refused.
    """
    try:
        answers = tomllib.loads(file.read_text(encoding="utf-8")).get("client", {})
    except OSError as error:
        text = f"The profile {file} cannot be read ({error.strerror}): check the path."
        raise ProblemError("client", text) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        text = f"The profile {file} is not valid TOML ({error}): correct that place."
        raise ProblemError("client", text) from error
    return client_of(answers)
