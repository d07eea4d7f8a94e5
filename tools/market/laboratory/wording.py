"""What releases are made of: sentences by slot, several ways to say each thing.

A sentence with figures takes its verbs from the figures. The chief's quote and the outlook come in five moods, -2 to 2,
and state no fact that a figure could contradict. Everything else is worded without tone.
"""

from typing import Final

HEADLINES: Final = (
    "{name} Reports {Ordinal} Quarter Fiscal {year} Results",
    "{name} Announces Results for the {Ordinal} Quarter of Fiscal {year}",
    "{name}: Revenue of {revenue} in {Ordinal} Quarter",
    "{name} Publishes Figures for Its {Ordinal} Fiscal Quarter",
    "{Ordinal} Quarter Fiscal {year}: {name} Reports Earnings per Share of {eps}",
)
LEADS: Final = (
    "{CITY} - {name} ({ticker}), a supplier of {product} to {market}, today reported results for the {ordinal} quarter"
    " of fiscal {year}, which ended on {end}.",
    "{CITY} - {name} ({ticker}) today published its results for the three months to {end}, the {ordinal} quarter of its"
    " fiscal year {year}.",
    "{CITY} - Results for the {ordinal} quarter of fiscal {year}, ended {end}, were released today by {name}"
    " ({ticker}), which sells {product} to {market}.",
    "{CITY} - {name} ({ticker}; {industry}) today announced unaudited figures for its {ordinal} fiscal quarter, ended"
    " {end}.",
)
REVENUES: Final = (
    "Revenue for the quarter was {revenue}, {revenue_change} in the same quarter of the previous year.",
    "Sales to {market} and other customers brought revenue of {revenue}, {revenue_change} a year earlier.",
    "The company recorded revenue of {revenue} in the three months to {end}, {revenue_change} in the year-ago quarter.",
    "Quarterly revenue amounted to {revenue}; that is {revenue_change} twelve months before.",
    "Revenue came to {revenue}, {revenue_change} in the corresponding quarter of fiscal {year_before}.",
)
INCOMES: Final = (
    "Net income was {income}, {income_change} the year before; diluted earnings per share were {eps}, against"
    " {eps_before}.",
    "Net income came to {income}, or {eps} per diluted share, compared with {eps_before} per diluted share.",
    "Diluted earnings per share were {eps} (a year ago: {eps_before}) on net income of {income}.",
    "On the bottom line, the quarter closed with net income of {income}, {income_change} in the same period of fiscal"
    " {year_before}, and with {eps} per diluted share.",
)
MARGINS: Final = (
    "The operating margin {margin_verb} {margin} of revenue, after {margin_before} a year ago.",
    "Operating income was {operating_income}; as a share of revenue it {margin_verb} {margin}, after {margin_before}.",
    "Of each dollar of revenue, {margin} remained as operating income; the year before it had been {margin_before}.",
    "Operating income of {operating_income} corresponds to a margin of {margin} (year-ago quarter: {margin_before}).",
)
CASH: Final = (
    "Operating cash flow in the quarter was {cash_flow}; {capital_expenditure} went into property and equipment.",
    "Operations provided {cash_flow} of cash, of which {capital_expenditure} was spent on property and equipment.",
    "Cash flow from operations was {cash_flow}.",
)
"""For a quarter in which operations brought in cash."""
CASH_USED: Final = "Operations used {cash_used} of cash in the quarter."
DIVIDENDS: Final = (
    "A dividend of {dividend} per share was paid.",
    "Shareholders received a dividend of {dividend} per share during the quarter.",
)
GUIDANCE: Final = (
    "Guidance. For the {next_ordinal} quarter the company expects revenue of about {guided_revenue} and an operating"
    " margin of about {guided_margin}.",
    "Guidance. The company plans with revenue of about {guided_revenue} for the {next_ordinal} fiscal quarter, at an"
    " operating margin of about {guided_margin}.",
    "Guidance. Management's estimate for the coming three months is revenue of about {guided_revenue} with an operating"
    " margin of about {guided_margin}.",
)
DETAILS: Final = (
    "The number of employees at the end of the quarter was about the same as three months before.",
    "Business with {market} was again the largest part of the company's revenue.",
    "The figures contain no acquisitions and no disposals.",
    "Currency effects on revenue were immaterial.",
    "The auditors have not reviewed these figures.",
    "A new version of the company's {product} is being tested with a small group of customers.",
    "The company will file its quarterly statements within days.",
    "Orders for {product} are recorded as revenue on delivery.",
)
ABOUT: Final = "About {name}. {name} is a fictional company; its figures are generated."

PHRASES: Final = {
    "up": ("an increase of {rate} from {before}", "up {rate} from {before}", "a rise of {rate} from {before}"),
    "down": ("a decrease of {rate} from {before}", "down {rate} from {before}", "a decline of {rate} from {before}"),
    "level": ("unchanged from {before}", "level with {before}", "the same as {before}"),
    "other": ("after {before}", "compared with {before}", "against {before}"),
}
"""How a figure stands to the year before; `other` where a rate has no meaning. Three wordings each."""
STATES: Final = tuple(PHRASES)
MARGIN_VERBS: Final = {"up": "widened to", "down": "narrowed to", "level": "was", "other": "was"}

QUOTES: Final = {
    2: (
        "This was an excellent quarter for everyone at the company, and I am proud of what our teams achieved",
        "I could not be more confident in our people; their outstanding work shows in everything that we do",
        "We are extremely pleased with the strong momentum that we see across the whole business",
        "What a great three months: customers praise our work, and our teams deliver exceptional quality",
        "The strength of this organisation was on full display, and it was a record for team spirit as well",
    ),
    1: (
        "We are pleased with the quarter and with the progress on our programmes",
        "It was a solid quarter, and I am confident that we are on the right track",
        "I thank our teams for the steady work; there is good progress in most places",
        "Our improved processes begin to pay, and the mood in the plants is good",
        "The quarter was a better one for us in several respects, not least in how we served customers",
    ),
    0: (
        "We continue to execute on the priorities that we set out last year",
        "It was a quarter of ordinary work, with no unusual items in either direction",
        "Our priorities are unchanged, and so is the way in which we run the company",
        "The teams did what they had set out to do, and we go on from here",
        "There is little to add to the figures, which speak for themselves",
    ),
    -1: (
        "We are not satisfied with this quarter, and some of our programmes are behind with delays",
        "It was a difficult quarter in places, and there are concerns that we have to address",
        "Parts of the business were slower than we want them to be, which is our own failure to act early",
        "I see weak spots in how we plan, and pressure on the teams was too great",
        "Some customers were disappointed by delays on our side, which we regret",
    ),
    -2: (
        "This was a disappointing quarter, and the difficulties in several units are worse than we had thought",
        "We failed our own standards; delays and shortages hurt customers, and we lost their patience",
        "I am disappointed: weak planning, disruptions and inefficiencies weighed on everything that we did",
        "Conditions deteriorated in much of the company, and we face a difficult period of repair",
        "It was a poor and difficult quarter in which we missed what we had promised to many customers",
    ),
}
"""By mood; spoken by the chief."""
OUTLOOKS: Final = {
    2: (
        "Management sees exceptional opportunities in its markets. Talks with customers are robust, and confidence in"
        " the months ahead has rarely been greater.",
        "Conversations with customers point to strong and accelerating interest. Management is very confident, and sees"
        " momentum in all regions.",
        "Management is enthusiastic: pipelines are healthy, relations with customers are the strongest in years, and"
        " the best opportunities lie ahead.",
        "The tone of customers is excellent. Management sees a brisk market, strengthened by favorable conditions in"
        " supply and outstanding feedback.",
    ),
    1: (
        "Management is confident about the coming months, and sees opportunities with several customers.",
        "Conversations with customers are improving. Management looks ahead with some confidence.",
        "Conditions in the market are favorable on the whole, and management is pleased with early contacts.",
        "Management sees healthy interest from customers, and expects to use the opportunities that arise.",
    ),
    0: (
        "Management has nothing to add to its view of the market, which is the one given last quarter.",
        "Conversations with customers are as usual for the season. Management will report again in three months.",
        "Management describes conditions in the market as normal, with no change of note.",
        "The company watches its markets as always, and will inform shareholders in its next report.",
    ),
    -1: (
        "Management is cautious about the coming months, and notes concerns among some customers.",
        "Conversations with customers have become slower. Management sees some uncertainty ahead.",
        "Conditions in the market are softer than usual, and management is cautious in its planning.",
        "Management notes pressure on some customers, and is uncertain how long decisions will take.",
    ),
    -2: (
        "Management warns of a difficult period. Customers are uncertain, talks are weak, and headwinds have worsened.",
        "Conversations with customers have deteriorated. Management sees serious headwinds, and shortages may hurt.",
        "Management is very cautious: customers face a downturn, decisions are delayed, and uncertainty weighs on all"
        " plans.",
        "The tone of customers is weak. Management sees adverse conditions, sluggish interest and a risk of"
        " cancellations.",
    ),
}
"""By mood; what management feels about the time to come, apart from its guidance."""
