"""News of any company that no figure tells: outlooks, events, and what did not happen. All sentences are our own."""

from .lines import lines

GOOD_OUTLOOK = lines("""
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
BAD_OUTLOOK = lines("""
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
PLAIN_OUTLOOK = lines("""
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
GOOD_EVENTS = lines("""
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
BAD_EVENTS = lines("""
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
PLAIN_EVENTS = lines("""
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
GOOD_NEGATIONS = lines("""
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
BAD_NEGATIONS = lines("""
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
