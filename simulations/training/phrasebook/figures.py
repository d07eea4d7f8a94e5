"""Figures of any company: what is measured, which way it went and by how much, why, and what was expected of it.

All sentences are our own.
"""

from .lines import lines

LIKED = lines("""
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
DISLIKED = lines("""
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
ROSE = lines("""
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
FELL = lines("""
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
STAYED = lines("""
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
RISES = lines("""
    rise
    increase
    upswing
    climb
    jump
""")
FALLS = lines("""
    fall
    decrease
    drop
    slide
    decline
""")
AMOUNTS = lines("""
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
FRACTIONS = lines("""
    third
    quarter
    fifth
    tenth
    sixth
""")
ORDINALS = ("second", "third", "fourth", "fifth")
TIMES = lines("""
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
MOVES = lines("""
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
NOUN_MOVES = lines("""
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
WHY_GOOD = lines("""
    as {customers} ordered more
    thanks to a richer mix of {goods}
    helped by the new plant
    after a rival gave up
    on the back of better prices
""")
WHY_BAD = lines("""
    as {customers} held back
    owing to a poorer mix of {goods}
    hurt by the trouble at the new plant
    after a rival cut its prices
    on account of dearer energy
""")
BETTER_THAN = lines("""
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
WORSE_THAN = lines("""
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
AS_EXPECTED = lines("""
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
AGAINST = lines("""
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
