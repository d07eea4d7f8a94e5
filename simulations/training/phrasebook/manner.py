"""How a release of any company talks: who says it, how sure anyone is, what is conceded, and what stands in every one.

All sentences are our own.
"""

from .lines import lines

SOURCES = lines("""
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
BOILERPLATE = lines("""
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
HEDGES = lines("""
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
THOUGH = lines("""
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
STEMS = lines("""
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
