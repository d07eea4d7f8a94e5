"""Templates of pages, with all that they may call; everything they print is escaped."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..transcript import said_in
from . import drawings, words

STATIC = Path(__file__).parent / "static"
TEMPLATES = Path(__file__).parent / "templates"


def environment(*folders: Path) -> Environment:
    """An environment over folders of templates, the first that has one wins."""
    found = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(words.FILTERS | {"said": said_in})
    found.globals.update(
        {
            "path_drawing": drawings.path_drawing,
            "path_sketch": drawings.path_sketch,
            "distribution": drawings.distribution,
            "weight_bar": drawings.weight_bar,
            "node_words": drawings.node_words,
            "VERDICTS": words.VERDICTS,
        }
    )
    return found
