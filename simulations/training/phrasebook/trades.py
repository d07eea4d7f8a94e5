"""Trades: who a company is, what it sells, and news that only its owners can read as good, bad or neither."""

from typing import NamedTuple


class Trade(NamedTuple):
    """One trade. News is a clause without a full stop; `{company}` is the company."""

    noun: str
    """As in `the chipmaker`."""
    goods: str
    customers: str
    good: tuple[str, ...]
    bad: tuple[str, ...]
    plain: tuple[str, ...]


def _trade(noun: str, goods: str, customers: str, *, good: str, bad: str, plain: str) -> Trade:
    news = (tuple(line.strip() for line in text.split("|")) for text in (good, bad, plain))
    return Trade(noun, goods, customers, *news)


TRADES: tuple[Trade, ...] = (
    _trade("chipmaker", "memory chips", "phone makers",
           good="yields on the new production line passed 90% two quarters ahead of plan"
           "|a second phone maker chose {company}'s chips for its main model",
           bad="a contaminated batch forced {company} to scrap six weeks of wafers"
           "|its largest buyer of memory chips switched to a rival",
           plain="the design centre in Delft will move to another floor of the same building"
           "|{company} makes memory chips at two sites"),
    _trade("airline", "short-haul flights", "business travellers",
           good="the planes flew fuller in May than in any month before"
           "|{company} was given twelve more landing slots at its home airport",
           bad="a strike of cabin crews grounded a third of the flights"
           "|inspectors ordered cracks in the tail units to be repaired before the fleet may fly again",
           plain="the summer timetable takes effect on the last Sunday of March"
           "|the airline flies to forty cities"),
    _trade("drugmaker", "asthma inhalers", "hospitals",
           good="the medicine cut attacks by half in the final trial"
           "|the health authority cleared the inhaler for children, too",
           bad="the trial was halted after patients fell ill"
           "|a cheaper copy of the inhaler came to market two years before the patent was to end",
           plain="the laboratory presented a poster at a congress in Vienna"
           "|the inhaler is sold in powder and in liquid form"),
    _trade("grocer", "fresh food", "households",
           good="{company} won shoppers from both discounters and lifted its share of the market"
           "|spoilage in the stores fell to half of what it was",
           bad="shoppers turned to cheaper chains and fewer tills were busy"
           "|listeria in its own-brand salads made {company} empty shelves in 300 stores",
           plain="the stores open at eight on weekdays"
           "|the store in the station quarter will be refitted in the autumn"),
    _trade("carmaker", "electric vans", "parcel services",
           good="a parcel service ordered 4,000 vans, more than {company} built in all of last year"
           "|the new battery costs a quarter less than the old one",
           bad="faulty brakes led to a recall of 80,000 vans"
           "|the assembly line stood still for three weeks for want of cables",
           plain="the van comes in five colours"
           "|the carmaker was founded in a former tram depot"),
    _trade("bank", "business loans", "small firms",
           good="far fewer borrowers fell behind than the bank had provided for"
           "|the supervisor lowered the capital that {company} has to hold",
           bad="the supervisor fined {company} for gaps in its checks against money laundering"
           "|savers withdrew a tenth of all deposits within days",
           plain="the branch in Harbour Street moves two doors down"
           "|{company} lends to small firms and keeps their accounts"),
    _trade("insurer", "household policies", "home owners",
           good="storm claims came to a third of what had been set aside"
           "|{company} could release reserves that it no longer needs",
           bad="hail and floods brought the most claims in twenty years"
           "|{company} has to add to reserves for old policies",
           plain="policies can be viewed in an app from June"
           "|the insurer covers homes and their contents"),
    _trade("software maker", "payroll software", "employers",
           good="customers stayed and bought more: 118 cents were renewed for every dollar that ran out"
           "|a state administration moved all of its payrolls to {company}",
           bad="thieves copied the data of two million users"
           "|three of the ten largest customers let their licences run out",
           plain="version 12 replaces the blue buttons by grey ones"
           "|the user conference takes place online"),
    _trade("utility", "electricity", "households",
           good="the regulator granted a higher return on the grid"
           "|the power station is back on the grid a month early and below budget",
           bad="the regulator threw out the new tariffs and ordered refunds"
           "|a cracked turbine will keep the power station shut all winter",
           plain="meters are read between the 10th and the 14th of a month"
           "|the utility runs three power stations"),
    _trade("miner", "copper", "cable makers",
           good="drilling showed twice as much copper as had been thought"
           "|the mine now brings up a tonne for less than any other in the region",
           bad="the tunnel flooded and the mine will not reopen this year"
           "|the government doubled the royalty on every tonne",
           plain="ore is shipped from the port of Callisto"
           "|the miner keeps its core samples in a hall in Perth"),
    _trade("hotel group", "hotel rooms", "travellers",
           good="guests paid more per night and still took nearly every room"
           "|bookings for the winter are well beyond those of a year ago at this time",
           bad="a third of the rooms stood empty in the high season"
           "|tour operators cancelled whole weeks of bookings",
           plain="the hotel on the square has 210 rooms on six floors"
           "|guests can check out until noon"),
    _trade("shipping line", "container transport", "exporters",
           good="freight rates on the main route doubled while the ships sailed full"
           "|{company} signed a ten-year contract with the largest exporter on the coast",
           bad="ships lay idle for want of cargo"
           "|{company} has to pay for an oil spill off the coast",
           plain="the vessel Marigold was painted in its new colours"
           "|the line calls at eighteen ports"),
    _trade("toymaker", "building sets", "toy shops",
           good="the castle set sold out within hours and shops asked for more"
           "|toy shops ordered more for the holidays than ever before",
           bad="unsold sets pile up in shops, which send them back"
           "|small magnets in the sets hurt children and sales were banned",
           plain="the sets are packed in cartons of recycled paper"
           "|a museum in Odense shows the first sets"),
    _trade("builder", "apartment blocks", "cities",
           good="all flats of the new quarter were sold before the first stone was laid"
           "|a court awarded {company} the full price of the tunnel, interest included",
           bad="buyers backed out of one flat in four"
           "|the bridge will cost {company} far more than it is paid for it",
           plain="work at the site begins at seven in the morning"
           "|the builder employs masons, fitters and surveyors"),
    _trade("brewer", "beer", "pubs",
           good="people drank more of its dearer beers in every market"
           "|a good harvest made barley a fifth cheaper",
           bad="pubs poured a tenth less and closed by the hundred"
           "|a court forbade {company} to use the name of its best-selling beer",
           plain="the pale ale comes in cans of 330 millilitres"
           "|tours of the old brewery start at three"),
    _trade("publisher", "magazines", "readers",
           good="half a million readers now pay for the digital edition, twice the target"
           "|the film of the series brought the backlist to the top of the lists again",
           bad="advertisers left and four titles will appear for the last time"
           "|{company} must pulp a whole edition and pay damages for libel",
           plain="the July issue appears on a Thursday"
           "|the publisher prints in two plants"),
    _trade("telephone company", "mobile contracts", "families",
           good="fewer customers left than in any quarter on record, and new ones took the dearest plan"
           "|an auction gave {company} the frequencies that it wanted for half of what it had put by",
           bad="a breakdown left five million phones dead for a day and {company} owes compensation"
           "|customers ran off to a rival with half its prices",
           plain="bills are sent by e-mail at the start of a month"
           "|the network's masts stand on farms and roofs"),
    _trade("steel mill", "steel plates", "shipyards",
           good="shipyards booked all that the mill can roll until next summer"
           "|cheap scrap left far more of each tonne's price with {company}",
           bad="cheap imports took the mill's best customers"
           "|an explosion wrecked the blast furnace",
           plain="plates leave the mill by rail and by barge"
           "|the mill's laboratory was certified under the usual standard"),
    _trade("railway", "freight trains", "farm cooperatives",
           good="trains ran faster and needed a sixth less diesel for the same load"
           "|a rival road was closed and its cargo came to {company}",
           bad="a derailment shut the main line for a month"
           "|poor harvests left hundreds of wagons without grain to carry",
           plain="wagons are serviced at the depot in Milltown"
           "|the railway's gauge is 1,435 millimetres"),
    _trade("clothing chain", "winter coats", "young families",
           good="coats went at full price and hardly anything was left for the sale"
           "|the new shops earned back their cost within a year",
           bad="a warm winter left coats on the racks, to be sold below cost"
           "|{company} will leave the country and write off all of its shops there",
           plain="the autumn catalogue has 96 pages"
           "|coats are sorted by size in the warehouse at Leeds"),
)  # fmt: skip
