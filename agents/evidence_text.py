"""How evidence looks in a prompt and in a rationale: short aliases, printed figures, quoted passages.

Passages are data: they stand between <<< and >>>, and any such mark inside the text is taken out first, so that a
document cannot close its own quotation.
"""

from collections.abc import Sequence
from functools import lru_cache

from ..tools.evidence import Evidence
from ..tools.measures import MEASURES


def alias_of(index: int) -> str:
    """The name of the `index`-th piece of evidence (from 0) in a prompt: E1, E2, ..."""
    return f"E{index + 1}"


@lru_cache(maxsize=256)
def aliases(count: int) -> tuple[str, ...]:
    """The names of so many pieces of evidence, in order."""
    return tuple(alias_of(i) for i in range(count))


def squeezed(text: str) -> str:
    """A passage on one line, without the marks of quotation."""
    return " ".join(text.replace("<<<", "").replace(">>>", "").split())


def quoted(text: str) -> str:
    """A passage as delimited data on one line."""
    return f"<<<{squeezed(text)}>>>"


def shown(evidence: Evidence) -> str:
    """One piece of evidence: its label, then its figure or its quoted text."""
    measure = MEASURES[evidence.measure]
    if evidence.value is not None:
        return f"{measure.label}: {measure.show(evidence.value)}"
    return f"{measure.label}: {quoted(evidence.text or '')}"


def told(evidence: Evidence) -> str:
    """One piece of evidence in a prompt, without its alias: name, then its figure in few digits or its quoted text."""
    measure = MEASURES[evidence.measure]
    name = measure.brief or measure.label
    if evidence.value is not None:
        return f"{name} {measure.show_briefly(evidence.value)}"
    return f"{name} {quoted(evidence.text or '')}"


def line(alias: str, evidence: Evidence) -> str:
    """One piece of evidence in a prompt."""
    return f"{alias} {told(evidence)}"


def lines(texts: Sequence[str]) -> str:
    """What is `told` of the evidence on one ticker, a line each, with its alias."""
    return "\n".join([f"{alias} {text}" for alias, text in zip(aliases(len(texts)), texts, strict=True)])


def evidence_block(evidence: Sequence[Evidence]) -> str:
    """All evidence of one ticker, a line each, with its alias."""
    return lines([told(item) for item in evidence])
