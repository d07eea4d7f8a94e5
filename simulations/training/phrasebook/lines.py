"""A list of phrases as it stands on a page."""


def lines(text: str) -> tuple[str, ...]:
    """The lines of a text, without what is white around them."""
    return tuple(line.strip() for line in text.strip().splitlines())
