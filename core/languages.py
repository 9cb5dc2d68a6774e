"""Language codes: every platform's spelling in, BCP 47 out; and the order in which a reader falls back."""

import re

# ISO 639-1, complete: a two-letter code outside it is a typo.
_TWO_LETTERS = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de
dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id
ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu
lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu
rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr
ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
# Three-letter codes that games are translated into and that have no two-letter form (ISO 639-3).
_THREE_LETTERS = """
ace arz ast ban bar bcl bew bho brx bug ceb chr ckb cnr csb dsb fil frp fur gag gsw haw hil hmn hsb
ilo jam jbo kab kmr kok krl lad lij lmo ltg mad mai min mni nah nap nds pam pap pcm pdc pms prg rue
sah sat scn sco sgs shi sma smj smn stq syr szl tet tok tpi tzl udm vec vls vro war wuu yue zgh
"""
_LANGUAGES = frozenset((_TWO_LETTERS + _THREE_LETTERS).split())

# What platforms call languages, in lower case with "-" between the parts.
# Sources: Steamworks "Languages Supported on Steam" (API language codes), Google Play Games Services and
# Java's old codes (iw, in, ji), Epic's and Xbox's locales, ISO 639-2 for the three-letter forms.
_ALIASES = {
    "arabic": "ar", "brazilian": "pt-BR", "bulgarian": "bg", "czech": "cs", "danish": "da", "dutch": "nl",
    "english": "en", "finnish": "fi", "french": "fr", "german": "de", "greek": "el", "hebrew": "he",
    "hindi": "hi", "hungarian": "hu", "indonesian": "id", "italian": "it", "japanese": "ja", "korean": "ko",
    "koreana": "ko", "latam": "es-419", "malay": "ms", "norwegian": "no", "polish": "pl", "portuguese": "pt",
    "romanian": "ro", "russian": "ru", "schinese": "zh-CN", "sc-schinese": "zh-CN",
    "simplified-chinese": "zh-CN",
    "spanish": "es", "spanishesp": "es-ES", "swedish": "sv", "tchinese": "zh-TW", "thai": "th",
    "traditional-chinese": "zh-TW", "turkish": "tr", "ukrainian": "uk", "vietnamese": "vi",
    "dede": "de-DE", "engb": "en-GB", "enus": "en-US", "eses": "es-ES", "esmx": "es-MX", "esla": "es-419",
    "es-la": "es-419", "frca": "fr-CA", "frfr": "fr-FR", "ptbr": "pt-BR", "ptpt": "pt-PT", "zhcn": "zh-CN",
    "zhhk": "zh-HK", "zhtw": "zh-TW", "chs": "zh-CN", "cht": "zh-TW", "cn": "zh-CN", "jp": "ja",
    "in": "id", "iw": "he", "ji": "yi", "mo": "ro", "sh": "sr-Latn",
    "alb": "sq", "ara": "ar", "arm": "hy", "baq": "eu", "bel": "be", "ben": "bn", "bos": "bs", "bul": "bg",
    "cat": "ca", "ces": "cs", "chi": "zh", "cmn": "zh", "cze": "cs", "cym": "cy", "dan": "da", "deu": "de",
    "dut": "nl", "ell": "el", "eng": "en", "epo": "eo", "est": "et", "eus": "eu", "fas": "fa", "fin": "fi",
    "fra": "fr", "fre": "fr", "geo": "ka", "ger": "de", "gle": "ga", "glg": "gl", "gre": "el", "heb": "he",
    "hin": "hi", "hrv": "hr", "hun": "hu", "hye": "hy", "ice": "is", "ind": "id", "isl": "is", "ita": "it",
    "jpn": "ja", "kat": "ka", "kaz": "kk", "kor": "ko", "lat": "la", "lav": "lv", "lit": "lt", "mac": "mk",
    "may": "ms", "mkd": "mk", "mlt": "mt", "msa": "ms", "nld": "nl", "nno": "nn", "nob": "nb", "nor": "no",
    "per": "fa", "pol": "pl", "por": "pt", "ron": "ro", "rum": "ro", "rus": "ru", "slk": "sk", "slo": "sk",
    "slv": "sl", "spa": "es", "sqi": "sq", "srp": "sr", "swe": "sv", "tam": "ta", "tel": "te", "tgl": "tl",
    "tha": "th", "tur": "tr", "ukr": "uk", "urd": "ur", "vie": "vi", "wel": "cy", "zho": "zh",
}  # fmt: skip

# language[-Script][-REGION][-variant…], as BCP 47 orders them.
_VARIANT = r"-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3})"
_TAG = re.compile(rf"([a-z]{{2,3}})(-[a-z]{{4}})?(-(?:[a-z]{{2}}|[0-9]{{3}}))?((?:{_VARIANT})*)")
_LONGEST_CODE = 35  # RFC 5646, section 4.4.1: what an implementation must at least hold
# Any tag of RFC 5646, section 2.1, with extensions and private use, of any language.
_WELL_FORMED = re.compile(
    rf"[a-z]{{2,8}}(?:-[a-z]{{3}}){{0,3}}(?:-[a-z]{{4}})?(?:-(?:[a-z]{{2}}|[0-9]{{3}}))?(?:{_VARIANT})*"
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?|[ix](?:-[a-z0-9]{1,8})+"
)
_LONGEST_WISH = 255


def normalise(code: str) -> str:
    """Return the BCP 47 tag for a platform's code: `pt_BR`, `ptbr` and `brazilian` are all `pt-BR`.

    Raises: ValueError for a code that names no known language.
    """
    lowered = code.strip().lower().replace("_", "-")
    if lowered in _ALIASES:
        return _ALIASES[lowered]
    match = _TAG.fullmatch(lowered) if len(lowered) <= _LONGEST_CODE else None
    if match is None:
        raise ValueError(_unknown(code))
    language, script, region, variants = match.groups(default="")
    language = _ALIASES.get(language, language).partition("-")[0]
    if language not in _LANGUAGES:
        raise ValueError(_unknown(code))
    return language + script.title() + region.upper() + variants


def wanted(code: str) -> str | None:
    """Return the tag by which a reader's texts are looked up: of any well-formed one the part that is known, or None.

    Raises: ValueError for a code that is no tag, and no platform's either.
    """
    try:
        return normalise(code)
    except ValueError:
        lowered = code.strip().lower().replace("_", "-")
        if len(lowered) > _LONGEST_WISH or _WELL_FORMED.fullmatch(lowered) is None:
            raise
    return next((known for tag in fallbacks(lowered) if (known := _known(tag))), None)


def _known(tag: str) -> str | None:
    try:
        return normalise(tag)
    except ValueError:
        return None


def fallbacks(tag: str) -> tuple[str, ...]:
    """Return the tags to try for a reader, best first: `pt-BR` gives `("pt-BR", "pt")`.

    Source: RFC 4647, section 3.4 (lookup): cut from the right; a single letter never stands last.
    """
    parts = tag.split("-")
    while len(parts) > 1 and len(parts[-1]) == 1:
        parts.pop()
    chain = ["-".join(parts)]
    while len(parts) > 1:
        parts.pop()
        if len(parts[-1]) > 1:
            chain.append("-".join(parts))
    return tuple(chain)


def _unknown(code: str) -> str:
    return f'The language code "{code[:_LONGEST_CODE]}" is not known: use a BCP 47 code such as "pt-BR".'
