"""Parts of sentences about any company: what is measured, which way it went, why, how sure anyone is.

And what stands in every release whatever happened. All sentences are our own.
"""


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


LIKED = _lines("""
    revenue
    net income
    the operating margin
    cash flow
    order intake
    earnings per share
    the gross margin
    the number of customers
    operating profit
    like-for-like sales
    the return on capital
    output per shift
    the share of repeat buyers
    the order backlog
    free cash flow
    sales to {customers}
    turnover in {goods}
    the average price of {goods}
    market share in {goods}
    demand from {customers}
""")
"""More of it is better for an owner."""
DISLIKED = _lines("""
    costs
    net debt
    the number of complaints
    customer churn
    the loss per share
    overdue receivables
    the wage bill
    unsold stock
    the share of defective {goods}
    interest expense
    warranty claims
    staff turnover
    the pension deficit
    write-offs
    delivery delays
    cancellations by {customers}
    the tax rate
    downtime
    the net loss
    spending on legal disputes
""")
"""Less of it is better for an owner."""
ROSE = _lines("""
    rose
    climbed
    went up
    increased
    grew
    moved higher
    jumped
    advanced
    picked up
    swelled
    surged
    mounted
    edged up
    was higher
    expanded
""")
FELL = _lines("""
    fell
    dropped
    went down
    decreased
    shrank
    moved lower
    plunged
    declined
    came down
    dwindled
    slumped
    receded
    edged down
    was lower
    contracted
""")
STAYED = _lines("""
    was unchanged
    stayed where it had been
    was flat
    hardly moved
    was the same as before
    was stable
    remained level
    did not change
    was as high as a year ago
    moved sideways
""")
RISES = _lines("""
    rise
    increase
    upswing
    climb
    jump
""")
FALLS = _lines("""
    fall
    decrease
    drop
    slide
    decline
""")
AMOUNTS = _lines("""
    by {rate}%
    by more than {rate}%
    from {low} to {high}
    by a {fraction}
    {rate}%
    by some {rate} percent
    for the {ordinal} quarter in a row
    compared with the year before
    over the twelve months
    noticeably
""")
"""How far it went; `{low}` and `{high}` stand for a rise and are exchanged for a fall."""
FRACTIONS = _lines("""
    third
    quarter
    fifth
    tenth
    sixth
""")
TIMES = _lines("""
    in the quarter
    in the first half
    during the fiscal year
    between April and June
    in the past three months
    over the winter
    in the year to September
    since the last report
    in the nine months to date
    in the reporting period
""")
SOURCES = _lines("""
    {company} said on {weekday}
    the {noun} reported
    the chief executive told shareholders
    according to the half-year report
    {company} announced
    the finance chief said
    as the {noun}'s statement shows
    the board wrote to its owners
    figures released today show
    the {noun} let it be known
    a filing of {company} says
    on a call with analysts the {noun} explained
    {company} informed its lenders
    in a letter dated {weekday} the {noun} wrote
    by its own account
""")
BETTER_THAN = _lines("""
    beat what analysts had expected
    came in above the company's own forecast
    was better than the market had hoped for
    exceeded the consensus
    topped every estimate
    surpassed the plan
    ended well ahead of budget
    outdid the board's target
    left all predictions behind
    turned out stronger than the {noun} had promised
    was a pleasant surprise
    went far beyond the guidance
    made the estimates look timid
    came in ahead of the figure that the market had pencilled in
    was higher than even the most hopeful analyst had thought
""")
WORSE_THAN = _lines("""
    missed what analysts had expected
    came in below the company's own forecast
    was worse than the market had feared
    undershot the consensus
    disappointed every estimate
    fell short of the plan
    ended well behind budget
    did not reach the board's target
    lagged all predictions
    turned out weaker than the {noun} had promised
    was a nasty surprise
    stayed far below the guidance
    made the estimates look rosy
    came in under the figure that the market had pencilled in
    was lower than even the gloomiest analyst had thought
""")
AS_EXPECTED = _lines("""
    was what analysts had expected
    came in as the company had forecast
    was neither better nor worse than the market had assumed
    matched the consensus
    met the average estimate
    was according to plan
    ended at the level of the budget
    was on the board's target
    held no surprise
    turned out as the {noun} had said it would
    surprised nobody
    lay in the middle of the guidance
    was in line with the estimates
    came in at the figure that the market had pencilled in
    differed from the average estimate by a rounding
""")
GOOD_OUTLOOK = _lines("""
    {company} raised its forecast for the full year
    the {noun} now expects a higher profit than it did in spring
    management sees room for a larger dividend
    the board lifted its target for sales
    {company} will reach its goals for next year two quarters early
    the {noun} looks to the coming months with confidence, as its order books are full
    the outlook for the year was moved to the upper end of the range
    a new programme will return 200 million to shareholders
    the {noun} no longer needs the cuts that it had planned
    {company} plans a second shift to keep up with orders for {goods}
    the {noun} sees no end to the run on {goods}
    {company} expects to earn more in each of the coming quarters
    the board thinks that the worst is over and will hire again
    the dividend will be doubled
    {company} brings forward the opening of its next plant because orders pile up
    the {noun} can lower its prices and still keep a higher margin next year
    management speaks of a record year ahead
    the planned share issue is off, as cash has become plentiful
    a lower tax will leave the {noun} with some 20 million more a year
    owners can count on a special payment in autumn
""")
BAD_OUTLOOK = _lines("""
    {company} lowered its forecast for the full year
    the {noun} now expects a smaller profit than it did in spring
    management will ask owners to go without a dividend
    the board withdrew its target for sales
    {company} will not reach its goals for next year
    the {noun} looks to the coming months with worry, as its order books are thin
    the outlook for the year was moved to the lower end of the range
    a capital increase will dilute shareholders by a third
    the {noun} needs deeper cuts than it had planned
    {company} will send workers home because few ask for {goods}
    the {noun} sees no end to the lull in {goods}
    {company} expects to earn less in each of the coming quarters
    the board thinks that the worst is yet to come and has stopped hiring
    the dividend will be halved
    {company} puts off the opening of its next plant because orders dry up
    the {noun} must lower its prices and will see its margin suffer
    management speaks of a lost year ahead
    a share issue at a deep discount is needed, as cash has become scarce
    a new levy will cost the {noun} some 20 million a year
    owners must prepare for lean years
""")
PLAIN_OUTLOOK = _lines("""
    {company} confirmed its forecast for the full year
    the {noun} expects a profit of the same size as last year
    management will propose the dividend that was paid before
    the board left its target for sales as it is
    {company} will speak about its goals for next year in March
    the {noun} gave no outlook, as is its habit
    the range given for the year still holds
    the number of shares stays as it is
    the {noun} keeps to the budget that was published in January
    {company} plans to offer {goods} to {customers} as before
    the {noun} will give an outlook together with its annual report
    {company} expects capital spending to equal depreciation, as in other years
    the board has taken no decision about the dividend
    the dividend stays at 40 cents
    {company} opens its next plant on the date that was announced
    the {noun} will keep its prices as they are
    management sees next year much like this one
    no share issue is planned
    the tax that the {noun} pays will be about the same
    owners will be asked to elect an auditor in spring
""")
GOOD_EVENTS = _lines("""
    {company} won the largest contract in its history
    a court dismissed the claim against the {noun}
    the rating agency upgraded the {noun}'s bonds
    {company} paid back its costliest loan ahead of time
    the supervisor approved the merger without conditions
    a rival withdrew from the market and left its customers to {company}
    the {noun} returned to profit after four years of losses
    the new plant runs at full load
    {customers} signed for three more years and at better prices
    talks with the union ended in a deal that costs less than had been set aside
    the patent office decided in favour of the {noun}
    {company} sold an idle site for twice its book value
    the tax office refunds a sum that had been given up
    the founder bought shares worth 30 million
    the auditors gave the accounts a clean opinion and the inquiry was closed
    {company} settled its oldest lawsuit for a token sum
    the army made the {noun} its only supplier
    lenders cut the margin on the {noun}'s credit line by half
    a study shows that buyers trust {company} more than any rival
    the quality of {goods} was rated best in an independent test
    the takeover offer values the {noun} at twice its market price
    {company} found a cheaper source of its main material
    the state will carry half the cost of the new line
    the import duty on what the {noun} buys was abolished
    {customers} put the {noun} on their list of preferred suppliers
""")
BAD_EVENTS = _lines("""
    {company} lost the largest contract in its history
    a court found against the {noun} and set damages
    the rating agency cut the {noun}'s bonds to junk
    {company} asked its banks to wait for their money
    the supervisor forbade the merger
    a rival took over the best customers of {company}
    the {noun} slid into the red after four years of profit
    the new plant stands idle
    {customers} would only sign at much lower prices
    workers walked out and nothing was delivered for days
    the patent office decided against the {noun}
    {company} has to write down a site to a third of its book value
    the tax office demands a sum for which nothing was put by
    the finance chief resigned amid questions about the accounts
    the auditors refused to sign and prosecutors searched the offices
    {company} settled its oldest lawsuit for a sum that eats up a year's profit
    the army struck the {noun} off its list of suppliers
    lenders doubled the margin on the {noun}'s credit line
    a study shows that buyers trust {company} less than any rival
    the quality of {goods} was rated worst in an independent test
    the bidder walked away and the shares lost what they had gained
    {company} lost its only source of a main material
    the state wants its subsidy for the new line back
    a duty makes what the {noun} buys dearer by a quarter
    {customers} struck the {noun} off their list of preferred suppliers
""")
PLAIN_EVENTS = _lines("""
    {company} will publish its figures on {weekday}
    the annual meeting takes place on the third of May
    the {noun} appointed a new head of human resources
    the office in Graz moves to the building next door
    the shares are listed on two exchanges
    the {noun} has two divisions and some 4,000 employees
    the conference call can be heard on the website for ninety days
    {company} changes the name of a subsidiary
    {goods} make up most of what the {noun} sells to {customers}
    the register of shareholders was updated
    the {noun} publishes its report in three languages
    a new supplier of office paper was chosen
    {company} took part in a trade fair
    the fiscal year ends in September
    the board of directors held its regular session
    {company} filed its list of directors
    the {noun}'s head office lies opposite the town hall
    minutes of the last meeting were sent to shareholders
    a team of {company} ran the city marathon
    the catalogue of {goods} has a new cover
    the transfer agent has a new address
    {company} closed its books for the quarter
    the {noun} will move its data to another format
    the logo was redrawn
    representatives of {customers} visited the {noun}
""")
GOOD_NEGATIONS = _lines("""
    the recall that had been feared was not needed
    none of the large customers left
    {company} did not have to borrow, unlike in the year before
    no jobs will be lost after all
    the loss that analysts had foreseen did not come
    the slump in {goods} has spared the {noun}
    the fire did no damage to the machines
    {company} avoided the fine with which it had been threatened
    the dispute with {customers} is over and costs the {noun} nothing
    fears of a shortage proved unfounded
    nobody was hurt and no delivery was lost
    the downturn never reached {company}
    the {noun} no longer loses money on {goods}
    the claims did not stand up in court
    the price war ended before it hurt the {noun}
""")
"""Good news in words of bad news."""
BAD_NEGATIONS = _lines("""
    the recovery that had been promised did not come
    none of the new products found enough buyers
    {company} failed to pass higher costs on to {customers}
    there will be no bonus dividend after all
    the profit that analysts had foreseen did not come
    the boom in {goods} has passed the {noun} by
    the savings programme did not lower costs
    {company} was denied the permit on which its growth plans rest
    the hoped-for deal with {customers} has come to nothing
    hopes of a quick improvement were dashed
    nobody bid for the unit that was to be sold
    the upturn never reached {company}
    the {noun} no longer makes money on {goods}
    the defence did not stand up in court
    the price rise ended before it helped the {noun}
""")
"""Bad news in words of good news."""
BOILERPLATE = _lines("""
    forward-looking statements are subject to risks such as falling demand, rising costs and the loss of customers
    actual results may be materially worse or better than those expressed here
    {company} sells {goods} to {customers}
    this release contains measures that are not defined by accounting standards
    the figures have not been audited
    further information can be found on the website of the {noun}
    growth rates are adjusted for currency and for acquisitions
    the terms "profit" and "loss" are used as in the annual report
    the company does not undertake to update its statements, even where losses or gains make them wrong
    risk factors, among them strikes, defaults and litigation, are described in the prospectus
    words such as "hope", "fear", "strong" and "weak" mark statements about the future
    no offer to buy or sell shares of {company} is made here
    comparisons with the year before include a leap day
    the {noun} is not responsible for estimates by others, be they too high or too low
    a glossary explains terms such as impairment, default and growth
""")
"""Neither good nor bad, whatever words stand in it."""
HEDGES = _lines("""
    most likely
    it seems that
    as far as can be seen today
    provisional figures suggest that
    in the view of management
    by all appearances
    subject to audit
    on current exchange rates
    in all probability
    by first estimates
""")
THOUGH = _lines("""
    although {one}, {other}
    {one}, but {other}
    even though {one}, {other}
    {other}, even if {one}
    {one}; nevertheless {other}
    while it is true that {one}, {other}
    {one}, and yet {other}
    granted, {one}, but {other}
    true, {one}; in spite of that, {other}
    despite the fact that {one}, {other}
    {one}, which counts for less than this: {other}
    {one}; more important, {other}
""")
"""The part `{other}` is what counts."""
STEMS = _lines("""
    Amberlin
    Borvale
    Castrion
    Delphora
    Estwick
    Fennimor
    Galtrex
    Hestoria
    Ivandal
    Jorquin
    Kelbrand
    Lomaris
    Merrowin
    Norvexa
    Orsmund
    Pelgrave
    Quillard
    Rostenby
    Sandivar
    Tervalen
""")
ENDINGS = ("", " Group", " Holdings", " plc", " AG", " Inc.", " & Sons", " Industries")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
ORDINALS = ("second", "third", "fourth", "fifth")
MOVES = _lines("""
    {metric} {verb} {amount} {time}
    {time}, {metric} {verb} {amount}
    {metric} {verb} {amount}, {source}
    {source}: {metric} {verb} {amount}
    at the {noun}, {metric} {verb} {amount} {time}
    {company}: {metric} {verb} {amount}
    it was a period in which {metric} {verb} {amount}
    {source} that {metric} {verb} {amount} {time}
    asked about {metric}, the spokesman said that it {verb} {amount}
    what stands out {time}: {metric} {verb} {amount}
    in the {noun}'s own words, {metric} {verb} {amount}
    {metric} {verb} {amount}, as a table in the report shows
    reporting on {goods}, {company} said that {metric} {verb} {amount}
    headline of the day at {company}: {metric} {verb} {amount}
    for {company}, {metric} {verb} {amount} {time}
""")
"""Frames of a figure that moved; the metric is singular in some of them, which a wire editor would forgive."""
NOUN_MOVES = _lines("""
    {company} recorded a {change} of {rate}% in {metric} {time}
    there was a {change} in {metric} {time}
    a {change} of {rate}% in {metric} marks the report of the {noun}
    {source}: a {change} in {metric} of {rate}%
    {metric} saw a {change} {time}
    the report shows a {change} in {metric}
    for {metric}, {company} notes a {change} of {rate}%
    the {noun}'s books show a {change} of {rate}% in {metric}
    a {change} in {metric}: that is the gist of the report
    with {metric}, a {change} can be seen {time}
""")
AGAINST = _lines("""
    {metric} {verdict} {time}
    {time}, {metric} {verdict}
    {source}: {metric} {verdict}
    according to the statement of {company}, {metric} {verdict}
    {metric} {verdict}, as the figures of the {noun} show
    in the {noun}'s report {metric} {verdict}
    {company}: {metric} {verdict}
    for the {noun}, {metric} {verdict} {time}
    it is {metric} that {verdict}
    {metric}, says the {noun}, {verdict}
""")
WHY_GOOD = _lines("""
    as {customers} ordered more
    thanks to a richer mix of {goods}
    helped by the new plant
    after a rival gave up
    on the back of better prices
""")
WHY_BAD = _lines("""
    as {customers} held back
    owing to a poorer mix of {goods}
    hurt by the trouble at the new plant
    after a rival cut its prices
    on account of dearer energy
""")
