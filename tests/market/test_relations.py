"""What is read from documents: events, links and people, in their sentences; nothing that is denied or supposed."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.tools.market.documents.reader import open_passage
from paperdesk.tools.market.laboratory import LaboratoryPlan, make
from paperdesk.tools.market.records import Company, Document
from paperdesk.tools.market.relations.extract import found_in
from paperdesk.tools.market.relations.known import Known
from paperdesk.tools.market.relations.records import Found
from paperdesk.tools.market.relations.sentences import LONGEST, read
from paperdesk.tools.market.view import Market, open_market

COMPANIES = {
    row.ticker: row
    for row in (
        Company("BOLT", "Bolt Works Inc.", "machines", "industry"),
        Company("APEX", "Apex Rail Corporation", "rail", "industry"),
        Company("ZENA", "Zena Chips Ltd", "chips", "technology"),
        Company("AAPL", "Apple Inc.", "computers", "technology", ("Cook Devices", "Ada Lumen")),
    )
}
NOON = datetime(2024, 5, 2, 16, 0, tzinfo=UTC)


def found(text: str, ticker: str = "BOLT") -> Found:
    return found_in([Document("d", ticker, NOON, "wire", "Bolt Works News", text)], COMPANIES)


def kinds(text: str) -> set[str]:
    return {event.kind for event in found(text).events}


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("guidance_raised", "Bolt Works today raised its full-year revenue guidance to $4 billion."),
        ("guidance_raised", "The company raises its outlook for the remainder of the year."),
        ("guidance_raised", "The outlook for the year was raised."),
        ("guidance_cut", "We are lowering our full year 2024 guidance."),
        ("guidance_cut", "Bolt Works suspends 2024 outlook as costs rise."),
        ("guidance_reaffirmed", "The company affirmed its outlook of $2 per share established in November 2023."),
        ("guidance_changed", "Bolt Works Revises Full Year Guidance"),
        ("earnings_beat", "Revenue of $2 billion exceeded our guidance."),
        ("earnings_beat", "We outperformed our plan by a wide margin."),
        ("earnings_miss", "Results fell short of our expectations in all regions."),
        ("earnings_miss", "Revenue did not meet our plan."),
        ("dividend", "The board of directors has declared a cash dividend of $0.24 per share."),
        ("dividend", "Bolt Works will pay its next quarterly cash dividend of $0.04 per share."),
        ("dividend_raised", "Bolt Works is increasing its quarterly cash dividend by 150 percent."),
        ("dividend_cut", "The company suspended its quarterly dividend."),
        ("buyback", "The board authorized an additional program to repurchase up to $110 billion of common stock."),
        ("acquisition", "Bolt Works has signed a definitive agreement to acquire Wizzo, Inc. for $32 billion."),
        ("divestiture", "The company has entered into an agreement to sell its operations in Brazil."),
        ("restructuring", "The company announced a reduction of its workforce by 800 people."),
        ("settlement", "On April 20, 2024 Bolt Works agreed to settle all claims of the buyers."),
        ("litigation", "On April 25, 2024, Judge Mehta ruled that Bolt Works violated antitrust laws."),
        ("recall", "Bolt Works announced a voluntary recall of 12,000 gear presses."),
        ("cyber_incident", "On May 1, 2024 the company detected unauthorized access to its systems."),
        ("impairment", "The company recorded a goodwill impairment charge of $300 million."),
    ],
)
def test_an_event_is_read_in_its_sentence(kind: str, sentence: str) -> None:
    (event,) = (
        event for event in found(f"Ninety people listened. {sentence}\nThank you.").events if event.kind == kind
    )
    text = f"Bolt Works News\nNinety people listened. {sentence}\nThank you."
    assert text[event.start : event.end] == sentence
    assert (event.ticker, event.available_at, event.document) == ("BOLT", NOON, "d")
    assert event.basis == "sentence"


def test_the_numbered_heading_of_a_filing_is_the_surest_source() -> None:
    body = "Intro.\nItem 1.03 Bankruptcy or Receivership.\nSold.\nItem 2.02. | Results of Operations\nAs in Item 5.02."
    text = f"Bolt Works News\n{body}"
    events = found(body).events
    assert [(event.kind, event.basis) for event in events] == [("bankruptcy", "item"), ("results_published", "item")]
    assert text[events[0].start : events[0].end] == "Item 1.03 Bankruptcy or Receivership."


@pytest.mark.parametrize(
    "sentence",
    [
        "The company did not cut its outlook.",
        "We have not raised our guidance and see no reason to.",
        "Bolt Works may raise its guidance later this year.",
        "If demand recovers, the company could lower its outlook.",
        "There is no plan to suspend the dividend.",
        "The company expects to raise its dividend next year.",
        "The figures contain no acquisitions and no disposals.",
        "Risks include failure to complete the acquisition of Wizzo.",
        "This guidance assumes that no additional business acquisitions, restructurings, or settlements are concluded.",
        "In January 2023, we announced a reduction of our workforce.",
        "On May 1, 2023, the company completed the sale of its rail business.",
        "An analyst asked whether the company raised its guidance.",
        "Forward-looking statements include that the company raised its outlook.",
        "The company lowers costs, and warns that restructuring charges may persist.",
        "Recall that our stores open at nine.",
        "Sales increased, and the outlook of our customers is bright.",
        "The launch of a product line that is outperforming our expectations went well.",
        "Sales of our new presses to customers in the north rose by a tenth.",
    ],
)
def test_what_is_denied_supposed_planned_or_told_again_is_no_event(sentence: str) -> None:
    assert kinds(sentence) == set()


@pytest.mark.parametrize(
    ("kind", "person", "role", "sentence"),
    [
        ("officer_appointed", "Kevan A. Parekh", "Senior Vice President, Chief Financial Officer",
         "On May 1, 2024, the Board appointed Kevan A. Parekh, 53, as Bolt Works' Senior Vice President, Chief "
         "Financial Officer."),
        ("officer_appointed", "Jennifer Stone", "Chief Operating Officer",
         "Jennifer Stone, 54, head of rail, has been named as a Chief Operating Officer of the Firm."),
        ("officer_departed", "Dirk Moor", "President and Chief Operating Officer",
         "Dirk Moor (age 64), President and Chief Operating Officer of Bolt Works Inc., notified the Company of his "
         "decision to retire, effective June 1, 2024."),
        ("officer_departed", "Olga Brandt", "Chief Financial Officer",
         "Olga Brandt, Chief Financial Officer, will retire in June."),
        ("director_appointed", "Ellen Ochoa", "director", "The company elected Ellen Ochoa as a director."),
        ("director_appointed", "Bo Tessel", "director", "Bolt Works Elects Bo Tessel to Its Board of Directors"),
        ("director_departed", "Andrew Witt", "director",
         "The Board of Directors accepted Andrew Witt's resignation as a director of the Company."),
    ],
)  # fmt: skip
def test_people_come_and_go_with_name_and_office(kind: str, person: str, role: str, sentence: str) -> None:
    (event,) = (event for event in found(sentence).events if event.person)
    assert (event.kind, event.person, event.role) == (kind, person, role)


@pytest.mark.parametrize(
    "sentence",
    [
        "A film told of Barry Sand's decision to retire at the height of his career.",
        "The Board did not appoint Ellen Ochoa as a director.",
        "The Board appointed Mark Winter as Chair of the Audit Committee.",
        "The Federal Court appointed Robbins LLP as Co-Lead Counsel on May 1, 2024.",
        "In June 2020 the Board appointed Ellen Ochoa as a director.",
    ],
)
def test_other_people_are_nobody_here(sentence: str) -> None:
    assert not [event for event in found(sentence).events if event.person]


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        ({("customer", "APEX")}, "Bolt Works supplies gear presses to Apex Rail."),
        ({("customer", "APEX")}, "Apex Rail Corporation is among the largest customers of Bolt Works."),
        (
            {("customer", "APEX"), ("customer", "ZENA")},
            "We serve customers such as Apex, Fenwick Motors and Zena Chips.",
        ),
        ({("supplier", "ZENA")}, "The company buys control chips from Zena."),
        ({("supplier", "ZENA")}, "We depend on suppliers including Oberon and Zena Chips Ltd."),
        ({("partner", "APEX")}, "Bolt Works expanded its collaboration with Apex Rail to build lighter wagons."),
        ({("partner", "APEX")}, "The strategic collaboration between Apex and Bolt Works goes on."),
        ({("competitor", "ZENA")}, "We compete in two markets with Zena Chips."),
        ({("competitor", "ZENA"), ("competitor", "APEX")}, "Our competitors include Zena, Oberon and Apex Rail."),
    ],
)
def test_a_link_is_read_with_its_direction(expected: set[tuple[str, str]], sentence: str) -> None:
    links = found(sentence).links
    assert {(link.kind, link.other) for link in links} == expected
    assert {link.ticker for link in links} == {"BOLT"}


@pytest.mark.parametrize(
    "sentence",
    [
        "Bolt Works does not supply gear presses to Apex Rail.",
        "Bolt Works may buy chips from Zena.",
        "We compete with Apex Hospitality REIT, Inc. for land.",
        "Our customers include Green Apple Inc. and others.",
        "Our customers include Apple Bank.",
        "Apex Rail and Zena Chips announced results.",
        "In 2020 the company bought chips from Zena.",
        "He joined from Apex Rail, where he ran the workshops.",
        "Fenwick Motors renewed a partnership that does not involve Apex Rail.",
    ],
)
def test_another_company_or_a_denied_link_is_none(sentence: str) -> None:
    assert found(sentence).links == ()


def test_a_name_that_two_companies_share_names_neither() -> None:
    twins = COMPANIES | {"APX2": Company("APX2", "Apex Rail Corp", "rail", "industry")}
    text = "Bolt Works supplies gear presses to Apex Rail."
    assert found_in([Document("d", "BOLT", NOON, "", "News", text)], twins).links == ()


def test_a_quoted_officer_is_in_office_even_where_the_name_is_an_alias() -> None:
    said = '"A fine quarter," said Ada Lumen, chief executive of Apple.'
    (holder,) = found(said, "AAPL").holders
    assert (holder.person, holder.role, holder.ticker) == ("Ada Lumen", "chief executive", "AAPL")


@given(st.text(alphabet="aB .,;\n|\u2022IncMr1", max_size=400), st.integers(0, 3))
def test_sentences_are_stretches_of_their_text_in_order(text: str, repeats: int) -> None:
    whole = text * (repeats + 1)
    last = 0
    for piece in read(whole):
        assert last <= piece.start < piece.end <= len(whole)
        said = whole[piece.start : piece.end]
        assert said == said.strip()
        assert len(said) <= LONGEST
        assert "|" not in said
        last = piece.end


SAID = [
    "Bolt Works raised its guidance.",
    "It rained.",
    "Mr. K. Lee spoke.",
    "Bolt Works raised hopes, not its guidance.",
]


@given(st.lists(st.sampled_from(SAID), max_size=8), st.sampled_from([" ", "\n", "\n\n", "  \n", "\n| a | b |\n"]))
def test_the_span_reproduces_the_sentence_wherever_it_stands(sentences: list[str], joint: str) -> None:
    body = joint.join(sentences)
    text = f"News\n{body}"
    events = found_in([Document("d", "BOLT", NOON, "", "News", body)], COMPANIES).events
    assert len(events) == ("Bolt Works raised its guidance." in sentences)
    for event in events:
        assert "Bolt Works raised its guidance." in text[event.start : event.end]


def test_the_generated_market_reports_outlooks_and_chiefs() -> None:
    market = open_market("generated")
    view = market.view(market.calendar.close_of(market.window[1]))
    counted = {
        kind: len(Known(view).events(kinds=[kind])) for kind in ("guidance_raised", "guidance_cut", "earnings_miss")
    }
    assert min(counted.values()) >= 5
    # every such release says it in so many words
    raised = sum("raises its outlook" in row.text for ticker in view.tickers for row in view.stories(ticker))
    assert counted["guidance_raised"] == raised
    assert [office.role for office in Known(view).offices("VYDN")] == ["chief executive"]


def test_a_laboratory_tells_of_links_and_all_of_them_are_found() -> None:
    plan = LaboratoryPlan(companies=8, years=2, links=0.5, near_duplicates=0.0, late_copies=0.0)
    made = make(plan)
    told = {(document, kind, other) for document, (kind, other) in made.truth.links.items()}
    links = Market(made.dataset).found.links
    assert len(told) > 15
    assert {(link.document, link.kind, link.other) for link in links} == told
    # and without the switch the market is what it was
    plain = make(plan.model_copy(update={"links": 0.0}))
    assert plain.truth.links == {}
    assert [row.body for row in plain.dataset.documents if row.id not in made.truth.links] == [
        row.body for row in made.dataset.documents if row.id not in made.truth.links
    ]


def test_real_filings_give_items_people_and_suppliers(us8: Path) -> None:
    market = open_market(us8)
    view = market.view(market.calendar.close_of(date(2025, 8, 8)))
    known = Known(view)
    assert {(tie.kind, tie.other) for tie in known.ties("NVDA", peers=False)} >= {
        ("customer", "AMZN"), ("customer", "MSFT"), ("customer", "GOOGL"), ("partner", "AMZN"),
    }  # fmt: skip
    (cut,) = known.events("UNH", kinds=["guidance_cut"])
    assert f"{cut.available_at:%Y-%m-%d}" == "2025-05-14"
    gone = {event.person for event in known.events("UNH", kinds=["officer_departed"])}
    assert "Andrew Witty" in gone
    assert {office.person for office in known.offices("UNH")} >= {"Stephen J. Hemsley"}
    for event in known.events():
        page = open_passage(view, event.span)
        assert page.start == event.start
        assert page.ticker == event.ticker
    assert len([event for event in known.events() if event.basis == "item"]) > 60
