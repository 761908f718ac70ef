"""What words in a company's name mean: legal forms, places, lines of business, abbreviations.

The lists are data of this module, loaded as small tables that the settings of companies join; the
legal forms themselves are the seed legal_suffixes.
"""

from __future__ import annotations

import pyarrow as pa

# Words that say where a company trades, by ISO country; "" is a part of the world.
_PLACES = {
    "AR": "argentina", "AT": "austria osterreich oesterreich", "AU": "australia australasia",
    "BE": "belgium belgie belgique belgien", "BR": "brazil brasil brasilien",
    "CA": "canada kanada", "CH": "switzerland schweiz suisse svizzera swiss",
    "CL": "chile", "CN": "china", "CO": "colombia", "CZ": "czech czechia cesko",
    "DE": "germany deutschland allemagne alemania germania duitsland german",
    "DK": "denmark danmark", "EE": "estonia eesti", "EG": "egypt",
    "ES": "spain espana espagne spanien iberica", "FI": "finland suomi",
    "FR": "france francia frankreich frankrijk francaise",
    "GB": "uk gb britain england scotland wales kingdom british",
    "GR": "greece hellas", "HK": "hongkong", "HR": "croatia hrvatska",
    "HU": "hungary magyarorszag", "ID": "indonesia", "IE": "ireland", "IL": "israel",
    "IN": "india", "IT": "italy italia italiana italien", "JP": "japan nippon",
    "KR": "korea", "LT": "lithuania lietuva", "LU": "luxembourg luxemburg", "LV": "latvia",
    "MX": "mexico", "MY": "malaysia", "NG": "nigeria",
    "NL": "netherlands netherland nederland nederlands holland pays",
    "NO": "norway norge", "NZ": "zealand", "PE": "peru", "PH": "philippines",
    "PL": "poland polska polen", "PT": "portugal", "RO": "romania", "RS": "serbia srbija",
    "RU": "russia rossiya", "SA": "saudi", "SE": "sweden sverige schweden",
    "SG": "singapore", "SI": "slovenia slovenija", "SK": "slovakia slovensko",
    "TH": "thailand", "TR": "turkey turkiye", "TW": "taiwan", "UA": "ukraine ukraina",
    "US": "us usa america american states", "VN": "vietnam", "ZA": "africa",
    "": "europe europa european emea apac asia pacific latam nordic benelux dach overseas",
}  # fmt: skip

COUNTRY_LETTERS = (*sorted(code for code in _PLACES if code), "UK")

# The words that names shorten or spell in the fashion of one language, by their usual form.
_SHORT = {
    "international": "intl internatl intnl int internationale internacional internationals",
    "manufacturing": "mfg manuf", "manufacturer": "mfr", "service": "svc svcs services",
    "technology": "tech technologies technologie tecnologia",
    "engineering": "eng engrg engr", "construction": "constr const constructions",
    "system": "sys systems", "consulting": "cons consult",
    "logistic": "log logistics", "electronic": "elec electronics elektronik electron",
    "management": "mgmt mgt mngt", "association": "assn assoc", "associate": "assocs associates",
    "national": "natl", "institute": "inst", "university": "univ", "center": "ctr centre cntr",
    "brother": "bros brothers gebruder gebrueder gebr", "holding": "hldg hldgs holdings",
    "group": "grp gruppe groupe grupo groep gruppo", "development": "dev devel",
    "department": "dept", "laboratory": "lab labs laboratories", "industry": "ind industries",
    "pharmaceutical": "pharm pharma pharmaceuticals pharmaceutica", "distribution": "distr",
    "insurance": "ins", "financial": "fin", "product": "prod prods products",
    "solution": "sol soln solutions", "enterprise": "ent enterprises", "chemical": "chem chemicals",
    "transportation": "transp", "communication": "comms communications",
    "investment": "inv invest investments", "property": "props properties",
    "communities": "comm", "food": "foods", "motor": "motors", "partner": "partners",
    "street": "st", "school": "schl sch", "corporation": "korporation",
    "america": "americas", "software": "sw", "trading": "trdg", "restaurant": "rest",
    "hospital": "hosp", "mountain": "mtn", "fabrik": "fabrieken fabriken fabriek",
    "company": "cie compagnie",
}  # fmt: skip

# Legal forms of several words, as they are spelled, and the seed's word for them.
SPELLED_FORMS = {
    "gesellschaft mit beschrankter haftung": "gmbh",
    "gesellschaft mit beschraenkter haftung": "gmbh",
    "mit beschrankter haftung": "mbh", "mit beschraenkter haftung": "mbh",
    "unternehmergesellschaft haftungsbeschrankt": "ug",
    "societe a responsabilite limitee": "sarl", "societe par actions simplifiee": "sas",
    "societe anonyme": "sa", "societa per azioni": "spa",
    "societa a responsabilita limitata": "srl",
    "sociedad de responsabilidad limitada": "srl", "sociedad anonima": "sa",
    "sociedad limitada": "sl", "sociedade anonima": "sa", "sociedade limitada": "ltda",
    "spolka z ograniczona odpowiedzialnoscia": "spzoo", "spolka akcyjna": "sa",
    "spolka komandytowa": "spk", "spolka jawna": "spj",
    "spolecnost s rucenim omezenym": "sro",
    "besloten vennootschap met beperkte aansprakelijkheid": "bv",
    "limited liability company": "llc", "limited liability partnership": "llp",
    "public limited company": "plc", "proprietary limited": "pty",
    "anonim sirketi": "as", "limited sirketi": "ltd",
    "cong ty tnhh": "tnhh", "cong ty co phan": "ctcp", "cong ty cp": "ctcp",
    "s de rl": "sderl", "s en c": "senc", "c por a": "cpora", "soc col": "soccol",
    "suc de descendants": "soccol",
    "akc spol": "akcspol", "ver obch spol": "obchspol", "obch spol": "obchspol",
    "kom spol": "komspol", "a spol": "aspol", "comm v": "commv", "s coop": "scoop",
    "s cra": "scra", "t mi": "tmi", "sp j": "spj", "sp k": "spk", "sp p": "spp", "sh a": "sha",
    "ag co kg": "kg", "בע מ": "בעמ",
}  # fmt: skip

# Legal forms that stand next to a name without a space, or hold a mark (regular expressions).
UNSPACED_FORMS = (
    "株式会社", "有限会社", "合同会社", "合資会社", r"\(株\)", "(股份)?有限(责任)?公司",
    "주식회사", "유한회사", r"\(주\)", 'בע[״"]מ',
)  # fmt: skip

# Lines of business and parts of a group: they tell sisters of one group apart.
_TRADES = [
    "account",
    "accounting",
    "advisory",
    "agency",
    "agriculture",
    "analytics",
    "apparel",
    "architect",
    "architecture",
    "automation",
    "automotive",
    "aviation",
    "bakery",
    "bank",
    "banking",
    "bau",
    "beratung",
    "beverage",
    "bike",
    "biotech",
    "brewing",
    "build",
    "building",
    "capital",
    "care",
    "catering",
    "chemical",
    "clothing",
    "communication",
    "construction",
    "consulting",
    "consultant",
    "contractor",
    "cosmetic",
    "dairy",
    "data",
    "dental",
    "design",
    "development",
    "digital",
    "distribution",
    "education",
    "electric",
    "electrical",
    "electronic",
    "energie",
    "energy",
    "engineering",
    "entertainment",
    "enterprise",
    "equipment",
    "event",
    "export",
    "farm",
    "fashion",
    "film",
    "finance",
    "financial",
    "fitness",
    "food",
    "freight",
    "fund",
    "furniture",
    "game",
    "garden",
    "gas",
    "glass",
    "global",
    "group",
    "handel",
    "hardware",
    "health",
    "healthcare",
    "holding",
    "home",
    "hospitality",
    "hotel",
    "housing",
    "hydraulic",
    "immobilien",
    "import",
    "industrial",
    "industry",
    "insurance",
    "interior",
    "international",
    "investment",
    "jewelry",
    "laboratory",
    "law",
    "leasing",
    "lighting",
    "logistic",
    "machine",
    "machinery",
    "maintenance",
    "management",
    "manufacturing",
    "marine",
    "market",
    "marketing",
    "material",
    "media",
    "medical",
    "metal",
    "mining",
    "mobility",
    "motor",
    "moving",
    "music",
    "network",
    "nutrition",
    "office",
    "oil",
    "optic",
    "organic",
    "outdoor",
    "packaging",
    "paint",
    "paper",
    "partner",
    "petroleum",
    "pharmaceutical",
    "photo",
    "plastic",
    "plumbing",
    "power",
    "press",
    "print",
    "printing",
    "product",
    "production",
    "project",
    "property",
    "publishing",
    "real",
    "recruitment",
    "recycling",
    "renewable",
    "rental",
    "repair",
    "research",
    "resource",
    "retail",
    "robotic",
    "roofing",
    "safety",
    "sale",
    "science",
    "security",
    "semiconductor",
    "service",
    "shipping",
    "shop",
    "solar",
    "solution",
    "sport",
    "staffing",
    "steel",
    "storage",
    "store",
    "studio",
    "supply",
    "surgical",
    "sustainability",
    "system",
    "technik",
    "technology",
    "telecom",
    "textile",
    "timber",
    "tool",
    "toy",
    "trade",
    "trading",
    "training",
    "transport",
    "transportation",
    "travel",
    "venture",
    "water",
    "wellness",
    "wholesale",
    "wine",
    "wood",
]

# Registries that resell an ending to companies: names below it are companies' own, though the
# public suffix list keeps them among hosts. All its other private endings are shared hosts.
_RESOLD = [
    "uk.com",
    "us.com",
    "eu.com",
    "de.com",
    "gb.net",
    "uk.net",
    "se.net",
    "jpn.com",
    "co.com",
    "com.de",
    "com.se",
    "co.nl",
    "co.no",
    "br.com",
    "cn.com",
    "ru.com",
    "sa.com",
    "za.com",
    "gr.com",
    "hu.net",
    "jp.net",
    "in.net",
    "ae.org",
    "us.org",
    "co.at",
]

# Hosts and profile pages that the public suffix list does not know.
_SHARED_HOSTS = [
    "facebook.com",
    "linkedin.com",
    "instagram.com",
    "twitter.com",
    "x.com",
    "youtube.com",
    "tiktok.com",
    "pinterest.com",
    "sites.google.com",
    "business.site",
    "google.com",
    "goo.gl",
    "bit.ly",
    "linktr.ee",
    "yelp.com",
    "tripadvisor.com",
    "etsy.com",
    "ebay.com",
    "ebay.co.uk",
    "ebay.de",
    "amazon.com",
    "amazon.de",
    "amazon.co.uk",
    "shopify.com",
    "wordpress.com",
    "wix.com",
    "squarespace.com",
    "weebly.com",
    "jimdo.com",
    "webnode.com",
    "tumblr.com",
    "medium.com",
    "strikingly.com",
    "godaddysites.com",
    "blogger.com",
    "site123.me",
    "tripod.com",
    "angelfire.com",
    "xing.com",
    "github.com",
    "gitlab.com",
    "notion.site",
    "notion.so",
    "wixsite.com",
    "blogspot.com",
    "github.io",
]


def word_table() -> pa.Table:
    """Words with a meaning in names: word, usual (its usual form), kind, country.

    kind: place, trade, or null where a word is only spelled in its usual form.
    """
    usual = {short: long for long, shorts in _SHORT.items() for short in shorts.split()}
    plural = {f"{word}s": word for word in _TRADES if not word.endswith("s")}
    spelt = {
        word: words.split()[0] for code, words in _PLACES.items() if code for word in words.split()
    }
    usual = {**plural, **usual, **spelt}
    country = {word: code for code, words in _PLACES.items() for word in words.split()}
    trades = set(_TRADES)
    rows = []
    for word in sorted({*usual, *country, *trades}):
        form = usual.get(word, word)
        kind = "place" if form in country else "trade" if form in trades else None
        rows.append((word, form, kind, country.get(form) or None))
    words, forms, kinds, countries = zip(*rows, strict=True)
    text = pa.string()
    return pa.table(
        {
            "word": pa.array(words, text),
            "usual": pa.array(forms, text),
            "kind": pa.array(kinds, text),
            "country": pa.array(countries, text),
        }
    )


def suffix_table() -> pa.Table:
    """Public endings of host names: suffix, and whether hosts below it are shared by many.

    Source: the public suffix list that comes with tldextract; nothing is fetched.
    """
    import tldextract

    public = set(tldextract.TLDExtract(suffix_list_urls=()).tlds)
    every = tldextract.TLDExtract(suffix_list_urls=(), include_psl_private_domains=True).tlds
    shared = {name for name in every if name not in public} - set(_RESOLD) | set(_SHARED_HOSTS)
    names = sorted(public | set(_RESOLD) | shared)
    return pa.table(
        {
            "suffix": pa.array(names, pa.string()),
            "is_shared": pa.array([name in shared for name in names], pa.bool_()),
        }
    )
