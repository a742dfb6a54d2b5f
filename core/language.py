"""In which language a prompt is written: by its script, and in Latin script by the little words that every text has.

Told in decisions and receipts; it moves no score, for no public table says how good models are in which language. Only
the first 200 bytes are looked at: in Python 2 to 4 us for ASCII, some 10 for others.
"""

import re

MOST_BYTES = 200
MOST_WORDS = 24
LEAST_HITS = 2  # little words of one language, more than of any other; one is enough for a text of few words
FEW_WORDS = 4
LEAST_SHARE = 0.25  # of the letters, for a script other than Latin to tell the language: translators quote

ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)")
LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
APART = bytes.maketrans(b".,;:!?()'\"", b" " * 10)  # what stands next to a word
QUOTES = re.compile("[\u2019\u00ab\u00bb\u00bf\u00a1\u201c\u201d\u201e]")
SCRIPTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (language, re.compile(f"[{letters}]"))
    for language, letters in (
        ("ja", "\u3040-\u30ff"),  # kana: before the characters that Chinese has too
        ("ko", "\uac00-\ud7a3\u1100-\u11ff"),
        ("zh", "\u4e00-\u9fff\u3400-\u4dbf"),
        ("ru", "\u0400-\u04ff"),
        ("ar", "\u0600-\u06ff"),
        ("hi", "\u0900-\u097f"),
        ("el", "\u0370-\u03ff"),
        ("he", "\u0590-\u05ff"),
        ("th", "\u0e00-\u0e7f"),
    )
)
# Letters that tell languages of one script apart.
NEIGHBOURS = {
    "ru": ("uk", re.compile("[\u0456\u0457\u0454\u0491]")),
    "ar": ("fa", re.compile("[\u067e\u0686\u0698\u06af]")),
}
# Written down for this purpose.
LITTLE_WORDS = {
    "en": "the of and to in is that for it with as on are this be by you i what how can my do an or from write me "
    "please tell make give explain all some has have",
    "de": "der die das und ist nicht ein eine einen ich du zu mit auf für von den dem wie was mir bitte im es sich",
    "fr": "le la les et est un une des du que qui dans pour pas sur avec ce ces cette je j l d tu va ça ai comment "
    "moi mon me en dit on au il",
    "es": "el la los las y es un una de que en por para con no se mi como cómo qué del al lo este esta cuál me más",
    "pt": "o os as e é um uma de que em por para com não se meu minha como do da na ao este esta qual você mais oi "
    "tudo bem",
    "it": "il lo la gli le e è un una di che in per con non mi come del della al questo questa qual cosa sono ho",
    "nl": "de het een en is niet van ik je in op met voor dat die wat hoe mijn aan er om te maar ook naar deze kun",
    "pl": "i w na z nie się że jest do to jak co dla mi o po od czy ten ta być mój proszę przez tak ale jaki napisz",
    "sv": "och i att det en ett är som på för med inte jag du av den till hur vad kan mig min om har skriv eller så",
    "da": "og i at det en et er som på for med ikke jeg du af den til hvordan hvad kan mig min om har skriv eller så",
    "tr": "ve bir bu ne için ile de da mi nasıl ben sen çok daha var yok olan gibi bana lütfen ama en kadar olarak",  # noqa: RUF001
    "vi": "và của là không một cho tôi bạn được có với các này trong như thế nào để hãy viết những người khi từ đó",
    "id": "dan yang di ini itu untuk dengan tidak saya anda apa bagaimana dari ke dalam adalah buat tolong bisa akan",
}
LANGUAGES: dict[str, tuple[str, ...]] = {
    word: tuple(language for language, words in LITTLE_WORDS.items() if word in words.split())
    for words in LITTLE_WORDS.values()
    for word in words.split()
}


def language_of(focus: bytes) -> str:
    """ISO 639-1 code of what was asked last; "" where it is not clear. focus: the text as a JSON string, or b""."""
    head = focus[1:MOST_BYTES].translate(APART).decode("utf-8", "ignore")
    if "\\" in head:
        head = ESCAPE.sub(lambda escape: chr(int(escape[1], 16)) if escape[1] else " ", head)
    if not head.isascii():
        if language := by_script(head):
            return language
        head = QUOTES.sub(" ", head)
    return by_little_words(head.lower().split()[:MOST_WORDS])


def by_script(text: str) -> str:
    """Of a text that is not in Latin script; "" of one that is."""
    latin = len(LATIN.findall(text))
    for language, letters in SCRIPTS:
        own = len(letters.findall(text))
        if own and own >= LEAST_SHARE * (own + latin):
            near = NEIGHBOURS.get(language)
            return near[0] if near is not None and near[1].search(text) else language
    return ""


def by_little_words(words: list[str]) -> str:
    """Of words in lower case."""
    hits: dict[str, int] = {}
    for word in words:
        for language in LANGUAGES.get(word, ()):
            hits[language] = hits.get(language, 0) + 1
    if not hits:
        return ""
    most = max(hits.values())
    if most < LEAST_HITS and len(words) > FEW_WORDS:
        return ""
    first, *others = (language for language, count in hits.items() if count == most)
    return "" if others else first
