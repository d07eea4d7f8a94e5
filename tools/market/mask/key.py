"""The key of a mask: what stands for what, for people; kept beside a session, never in its journal."""

import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import ValidationError

from ...errors import InputError
from ...frozen import Frozen

What = Literal["names", "dates", "levels"]
"""What a mask can replace."""

MASKABLE: tuple[What, ...] = ("names", "dates", "levels")

DAYS_PER_CYCLE = 10_227
"""Days in 28 years within 1901 to 2099: 28 x 365 and 7 leap days, a multiple of 7."""
CYCLE_YEARS = 28


class MaskKey(Frozen):
    """Original to masked, as far as people need it to read a masked session."""

    what: tuple[What, ...]
    seed: int
    years: int = 0
    """How many years later everything happens; 0 where dates are not masked."""
    tickers: dict[str, str]
    """All instruments; each stands for itself where names are not masked."""
    companies: dict[str, str]
    """Names by original ticker."""
    words: dict[str, str]
    """Words and abbreviations of the texts that were replaced, in each spelling."""
    factors: dict[str, float]
    """Of prices and amounts, by original ticker; 1 where levels are not masked."""
    documents: dict[str, str]
    filings: dict[str, str]
    """Accessions."""

    @property
    def shift(self) -> timedelta:
        """The same as `years`, exactly."""
        return timedelta(days=self.years // CYCLE_YEARS * DAYS_PER_CYCLE)

    def later(self, day: date) -> date:
        """An original day in the masked market."""
        return day + self.shift

    def earlier(self, day: date) -> date:
        """A day of the masked market on the original calendar."""
        return day - self.shift

    def unmask(self, text: str) -> str:
        """A text of the masked session with original names, ids and dates such as 2051-03-28; levels stay."""
        back = {
            new: old for table in (self.words, self.tickers, self.documents, self.filings) for old, new in table.items()
        }
        text = re.sub(r"[^\W_]+(?:-[0-9a-f]{12})?", lambda match: back.get(match.group(), match.group()), text)
        if not self.years:
            return text
        return re.sub(r"\b(20\d\d|21\d\d)(?=-\d\d-\d\d)", lambda match: str(int(match.group()) - self.years), text)

    def masked(self, text: str) -> str:
        """A text with original tickers and words, in any case, as the masked session has them; dates stay."""
        there = {old.lower(): new for table in (self.words, self.tickers) for old, new in table.items()}
        return re.sub(r"[^\W_]+", lambda match: there.get(match.group().lower(), match.group()), text)

    def write(self, path: Path) -> None:
        """Write the key as a JSON file."""
        path.write_text(json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """The key in a file.

        Raises:
            InputError: the file is missing or is no key.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise InputError(
                f"{path} cannot be read as the key of a mask; restore it or run the session again"
            ) from error
