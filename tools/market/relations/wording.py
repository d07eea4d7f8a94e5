"""How the graph is put into words: by code, so that no word of a document is in them."""

from .known import Tie
from .records import Event, EventKind

SAID: dict[EventKind, str] = {
    "guidance_raised": "raised its outlook",
    "guidance_cut": "lowered or withdrew its outlook",
    "guidance_reaffirmed": "confirmed its outlook",
    "guidance_changed": "changed its outlook",
    "earnings_beat": "did better than expected, by its own words",
    "earnings_miss": "did worse than expected, by its own words",
    "results_published": "published results",
    "dividend": "declared or paid a dividend",
    "dividend_raised": "raised its dividend",
    "dividend_cut": "cut its dividend",
    "buyback": "authorised a buyback",
    "acquisition": "makes an acquisition",
    "divestiture": "sells a business",
    "restructuring": "announced a restructuring",
    "litigation": "reported litigation",
    "settlement": "reported a settlement",
    "recall": "recalls a product",
    "cyber_incident": "reported a cyber incident",
    "impairment": "wrote down assets",
    "bankruptcy": "filed for bankruptcy",
    "delisting_notice": "received a notice of delisting",
    "auditor_change": "changed its auditor",
    "restatement": "withdrew statements that it had filed",
    "control_change": "came under other control",
    "material_agreement": "signed a material agreement",
    "agreement_ended": "ended a material agreement",
    "officer_appointed": "appointed an officer",
    "officer_departed": "loses an officer",
    "director_appointed": "appointed a director",
    "director_departed": "loses a director",
    "management_item": "filed a change of officers, directors or their pay",
}
"""What happened, after the company's name."""

TIES = {
    "customer": "customer",
    "supplier": "supplier",
    "partner": "partner",
    "competitor": "competitor",
    "industry_peer": "industry peer",
    "sector_peer": "sector peer",
}


def event_words(event: Event) -> str:
    """What happened, as a clause without its subject, such as `loses an officer (Ada Lumen, CFO)`."""
    who = ", ".join(part for part in (event.person, event.role) if part)
    return f"{SAID[event.kind]} ({who})" if who else SAID[event.kind]


def related_words(tie: Tie, name: str, event: Event) -> str:
    """An event at a related company, such as `supplier Acme Corp (ACME) raised its outlook on 2024-05-01`."""
    return f"{TIES[tie.kind]} {name} ({tie.other}) {SAID[event.kind]} on {event.available_at:%Y-%m-%d}"
