"""The readable text of a filing's documents: paragraphs as lines, table rows as `a | b | c`."""

import re
from collections.abc import Iterator

LIMIT = 40_000
"""Characters of one filing that are kept; a release is rarely longer, an attached agreement often."""

_BLOCKS = frozenset(
    {"address", "blockquote", "body", "center", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr"}
    | {"li", "ol", "p", "pre", "section", "table", "tbody", "td", "th", "tr", "ul"}
)
_SILENT = frozenset({"script", "style", "head", "title", "ix:header"})
_SPACE = re.compile(r"[ \t\r\f\v\u00a0\u2007\u202f\u200b]+")
_ITEM = re.compile(r"^\s*item\s+\d\.\d\d", re.IGNORECASE | re.MULTILINE)
_SIGNATURE = re.compile(r"^\s*signatures?\s*$", re.IGNORECASE | re.MULTILINE)
_BOILERPLATE = re.compile(
    r"exhibit\s*99|immediate release|^\s*contacts?\b|investor relations|press release$"
    r"|@|https?://|^\(?\d{3}\)?[ -]\d{3}",
    re.IGNORECASE,
)


def readable(markup: str) -> str:
    """The text of an HTML or plain document, a line per paragraph and per table row, without empty lines."""
    # Imported here: only pulling filings needs it.
    from lxml import html

    if "<" not in markup or not re.search(r"<(html|body|div|p|table|font)\b", markup, re.IGNORECASE):
        return _tidy(markup)
    # Filings are wrapped in an XML declaration now and then, which the parser refuses in a str.
    tree = html.fromstring(re.sub(r"<\?xml[^>]*\?>", "", markup).encode(), parser=html.HTMLParser(encoding="utf-8"))
    return _tidy("".join(_pieces(tree)))


def _pieces(node: object) -> Iterator[str]:
    from lxml import etree

    assert isinstance(node, etree._Element)
    tag = node.tag if isinstance(node.tag, str) else ""  # comments and instructions have functions for tags
    if tag == "tr":
        cells = (" ".join("".join(_pieces(cell)).split()) for cell in node.iterfind("./*"))
        yield "\n" + " | ".join(_joined([cell for cell in cells if cell])) + "\n"
    elif tag == "br":
        yield "\n"
    elif tag and tag not in _SILENT:
        edge = "\n" if tag in _BLOCKS else ""
        # A line break of the source is a space; only markup makes lines.
        yield edge + " ".join(re.split(r"\n", node.text or ""))
        for child in node:
            yield from _pieces(child)
            yield " ".join(re.split(r"\n", child.tail or ""))
        yield edge


def _joined(cells: list[str]) -> list[str]:
    """Currency signs, brackets and per cent signs stand in cells of their own: put back to their figures."""
    joined: list[str] = []
    for cell in cells:
        if joined and (cell in {")", "%", ")%"} or joined[-1] in {"$", "(", "$(", "\u20ac"}):
            joined[-1] += cell
        else:
            joined.append(cell)
    return joined


def _tidy(text: str) -> str:
    lines = (_SPACE.sub(" ", line).strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def items_of(text: str) -> str:
    """The items of an 8-K: from the first item's heading to the signature, without the cover page."""
    first = _ITEM.search(text)
    last = _SIGNATURE.search(text, first.end() if first else 0)
    return text[first.start() if first else 0 : last.start() if last else len(text)].strip()


def headline_of(release: str) -> str | None:
    """The first line of a release that reads like a headline, or None."""
    for line in release.splitlines()[:15]:
        if len(line.split()) >= 4 and len(line) <= 200 and "|" not in line and not _BOILERPLATE.search(line):
            return line
    return None


def capped(text: str) -> str:
    """The first `LIMIT` characters; what is cut is said."""
    if len(text) <= LIMIT:
        return text
    return f"{text[:LIMIT].rstrip()}\n[cut: {len(text) - LIMIT:,} more characters]"
