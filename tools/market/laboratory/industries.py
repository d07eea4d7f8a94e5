"""Sectors with their industries: what the invented companies make, and for whom."""

from typing import NamedTuple


class Industry(NamedTuple):
    """One industry; the words carry no tone, so that a name never makes a release cheerful."""

    name: str
    suffixes: tuple[str, ...]
    products: tuple[str, ...]
    markets: tuple[str, ...]


def _industry(name: str, suffixes: str, products: str, markets: str) -> Industry:
    return Industry(name, *(tuple(part.strip() for part in text.split(",")) for text in (suffixes, products, markets)))


SECTORS: dict[str, tuple[Industry, ...]] = {
    "Technology": (
        _industry("Semiconductors", "Semiconductors, Circuits, Micro", "power-control chips, sensor chips, clock chips",
                  "makers of electric drives, instrument makers"),
        _industry("Application software", "Software, Systems, Logic", "scheduling software, planning software",
                  "parcel carriers, city administrations, schools"),
        _industry("Network equipment", "Networks, Optics", "optical switches, routing equipment",
                  "telephone companies, data centres"),
    ),
    "Health": (
        _industry("Medical instruments", "Diagnostics, Medical, Instruments", "blood analysers, endoscopes, scanners",
                  "hospital laboratories, surgeons"),
        _industry("Pharmaceuticals", "Pharma, Therapeutics", "inhaled therapies, eye drops, allergy medicines",
                  "clinics, pharmacies"),
        _industry("Health services", "Care, Clinics", "laboratory services, nursing services", "insurers, hospitals"),
    ),
    "Industrials": (
        _industry("Specialty machinery", "Machinery, Works", "gear presses, milling machines, pumps",
                  "rail and mining workshops, foundries"),
        _industry("Tools and hardware", "Tools, Hardware", "cordless cutters, measuring tools, fasteners",
                  "building contractors, carpenters"),
        _industry("Aerospace parts", "Aero, Dynamics", "landing gear, cabin systems", "aircraft builders, airlines"),
    ),
    "Consumer discretionary": (
        _industry("Apparel", "Apparel, Outfitters", "work clothing, rain jackets", "outdoor shops, warehouses"),
        _industry("Restaurants", "Kitchens, Dining", "lunch counters, noodle bars", "commuters, travellers"),
        _industry("Home furnishings", "Living, Interiors", "kitchens, lamps, bedding", "furniture stores, hotels"),
    ),
    "Consumer staples": (
        _industry("Packaged foods", "Foods, Mills", "breakfast cereals, soups, pasta", "grocers, canteens"),
        _industry("Household products", "Household, Brands", "detergents, paper goods", "supermarkets, wholesalers"),
        _industry("Beverages", "Beverages, Springs", "mineral waters, fruit juices", "grocers, restaurants"),
    ),
    "Energy": (
        _industry("Oilfield services", "Drilling, Wellworks", "drilling equipment, well services", "oil producers"),
        _industry("Pipelines", "Pipelines, Midstream", "pipeline transport, gas storage", "gas utilities, refiners"),
    ),
    "Materials": (
        _industry("Specialty chemicals", "Chemicals, Polymers", "coatings, adhesives, catalysts",
                  "car makers, paint makers"),
        _industry("Packaging", "Packaging, Containers", "folding cartons, glass bottles", "food makers, breweries"),
        _industry("Metals", "Metals, Alloys", "alloy bars, copper foil", "cable makers, machine builders"),
    ),
    "Communication": (
        _industry("Publishing", "Publishing, Media", "trade journals, school books", "libraries, schools"),
        _industry("Entertainment", "Studios, Games", "puzzle games, documentaries", "households, broadcasters"),
    ),
    "Utilities": (
        _industry("Electric utilities", "Electric, Grid", "electricity supply, grid services", "households, factories"),
        _industry("Water utilities", "Water, Waterworks", "drinking water, sewage treatment", "towns, farms"),
    ),
    "Real estate": (
        _industry("Warehouses", "Properties, Estates", "warehouses, cold stores", "parcel carriers, grocers"),
        _industry("Offices", "Realty, Spaces", "office space, laboratory space", "law firms, research institutes"),
    ),
    "Financial services": (
        _industry("Payments", "Payments, Clearing", "payment terminals, cash registers", "shops, banks"),
        _industry("Insurance brokers", "Brokers, Assurance", "insurance broking, pension plans", "employers, shippers"),
    ),
}  # fmt: skip
"""By sector; a plan with S sectors uses the first S."""
