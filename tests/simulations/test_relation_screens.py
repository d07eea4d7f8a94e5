"""What `paperdesk markets relations` and `events` print."""

import json
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from paperdesk.simulations.market_screens import moment_of
from paperdesk.simulations.relation_screens import print_events, print_relations
from paperdesk.tools.errors import InputError
from paperdesk.tools.market.view import Market, open_market


@pytest.fixture(scope="module")
def market() -> Market:
    return open_market("generated")


@pytest.fixture(scope="module")
def end(market: Market) -> datetime:
    return moment_of(market, None)


def test_an_event_is_a_line_in_a_pipe_and_an_object_in_json(
    market: Market, end: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    print_events(market, end, "ZEPL", None, ["guidance_raised"], json=False, drawing=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["Known", "Company", "What", "Says", "Where"]
    assert all("raised its outlook" in line and "The company raises its outlook for the" in line for line in lines[1:])
    print_events(market, end, "ZEPL", None, ["guidance_raised"], json=True, drawing=False)
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == len(lines) - 1 >= 2
    texts = {row.id: row.text for row in market.documents}
    for row in rows:
        assert texts[row["document"]][row["start"] : row["end"]] == row["sentence"]


def test_people_in_office_and_peers_are_shown(
    market: Market, end: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    print_relations(market, end, "VYDN", json=False, graphml_file=None, drawing=False)
    shown = capsys.readouterr().out
    assert "no links are known" in shown
    assert "Odile Brandt" in shown
    assert "chief executive" in shown
    assert "sector peers  MELQ" in shown


def test_the_graph_is_written_for_other_programs(
    market: Market, end: datetime, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "graph.graphml"
    print_relations(market, end, None, json=False, graphml_file=file, drawing=False)
    nodes = ElementTree.parse(file).getroot().findall(".//{http://graphml.graphdrawing.org/xmlns}node")
    assert {"VYDN", "sector:healthcare"} & {node.attrib["id"] for node in nodes}
    print_events(market, end, "VYDN", None, ["guidance_cut"], json=False, drawing=True)
    drawing = capsys.readouterr().out
    assert drawing.startswith("flowchart LR\n")
    assert "lowered or withdrew its outlook" in drawing


def test_what_cannot_be_is_refused(market: Market, end: datetime, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no company 'NOPE'"):
        print_relations(market, end, "NOPE", json=True, graphml_file=None, drawing=False)
    with pytest.raises(InputError, match="no kind of event 'party'"):
        print_events(market, end, None, None, ["party"], json=False, drawing=False)
    with pytest.raises(InputError, match="more than one of"):
        print_relations(market, end, None, json=True, graphml_file=None, drawing=True)
    with pytest.raises(InputError, match="cannot be written"):
        print_relations(market, end, None, json=False, graphml_file=tmp_path / "no" / "x", drawing=False)
