"""Names of people by what stands around them: a title, an introduction, a greeting, a verb that only people do.

Without a trained recogniser (none can be had offline) a name that stands free in a sentence is not found: see the
figures in `personal_data`. A capital letter is asked for, except at the head of a block of contact data.
"""

import re
from collections.abc import Iterator, Set
from typing import Final

_WORD: Final = r"[A-ZÀ-ÖØ-ÞĀ-ŽΑ-ΩА-Я][\w'’]{1,24}(?:-[A-ZÀ-Þ][\w'’]{1,24})?"
_NAME: Final = rf"({_WORD}(?: (?:(?:van|von|de|del|da|der|la|le|bin|al) ){{0,2}}{_WORD}){{0,3}})"
_TITLES: Final = (
    r"(?:[Mm]rs?|[Mm]s|[Mm]iss|[Dd]r|[Pp]rof|[Hh]err|[Ff]rau|Mme|Mlle|Monsieur|Madame|Señora?|Sra?|Signora?)\b\.? "
)
_RELATIVE: Final = (
    "partner|husband|wife|son|daughter|brother|sister|mother|father|friend|colleague|kid|child|boss|neighbou?r"
)
_WHOSE: Final = "(?:[Mm]y|[Hh]er|[Hh]is|[Tt]he|[Tt]heir|[Ff]ull|[Mm]aiden|[Ll]ast|[Ff]irst|[Ss]ur)"
_DOES: Final = (
    r"(?:lives?|lived|says?|said|told|asked|wrote|shouted|called me|had given|was born|is a \d\d year)\b(?! for\b)"
)
_ELSEWHERE: Final = r"(?:[Mm]ein Name ist|[Ii]ch hei(?:ß|ss)e|[Jj]e m'appelle|[Mm]e llamo|[Mm]i nombre es|[Mm]i chiamo)"
_ENDS: Final = r"(?:[Rr]egards|[Ss]incerely|[Cc]heers|Gr(?:ü|ue)(?:ß|ss)en?|[Tt]hanks|[Cc]ordialement|[Ss]aludos)"
_WITH: Final = (
    r"(?:[Ff]ollow up with|[Ss]peak (?:to|with)|assistant to|directed by|starring|written by|[Mm]eet with|signed by)"
)

# Words of which one has to stand in the text, in lower case, and what the name then stands in.
_CONTEXTS: Final[dict[str, str]] = {
    "mr mrs ms miss dr prof herr frau mme mlle monsieur madame señor señora sr sra signor signora": (
        rf"(?<!\w){_TITLES}{_NAME}"
    ),
    "name": rf"\b{_WHOSE}? ?[Nn]ame(?:'s| is| was|:|\?)? ?{_NAME}",
    "name heiße heisse appelle llamo nombre chiamo": rf"{_ELSEWHERE} {_NAME}",
    "call calls called": (
        rf"\b(?:calls? (?:me|him|her)|am called) (?!(?:Mr|Mrs|Ms|Dr|On|At|In|Back|Now|ASAP)\b){_NAME}"
    ),
    "dear hi hello hey": rf"(?:^|\n)\s{{0,3}}(?:Dear|Hi|Hello|Hey) {_NAME}[,!\n]",
    "regards sincerely cheers grüße grüßen gruesse thanks cordialement saludos": (
        rf"{_ENDS},?\s{{1,4}}{_NAME}\s*(?:\n|\Z)"
    ),
    "speaking calling": rf"(?:[Tt]his is|I am|I'm) {_NAME} (?:speaking|calling|from|and I)\b",
    "follow speak assistant directed starring written meet signed": rf"\b{_WITH} {_NAME}",
    _RELATIVE.replace("|", " ").replace("u?", ""): rf"\b[Mm]y (?:{_RELATIVE}),? {_NAME}",
    "lives live lived says say said told asked wrote shouted called given born year": rf"(?<![\w.]){_NAME} {_DOES}",
    "said says told given shouted asked": rf"\b(?:said|says|told|given|shouted at|asked) {_NAME}",
    "address": rf"(?<!\w){_NAME}['’]s (?:home |billing |new )?address",
    "billing shipping delivery home": (
        r"\b(?:[Bb]illing|[Ss]hipping|[Dd]elivery|[Hh]ome) address: ?([^\W\d_]{2,20} [^\W\d_]{2,24})\s*\n"
    ),
}
_PATTERNS: Final = tuple((frozenset(words.split()), re.compile(pattern)) for words, pattern in _CONTEXTS.items())
_SIGNS: Final = frozenset().union(*(words for words, _ in _PATTERNS))
_CALLED_UPON: Final = re.compile(rf"{_NAME}, (?:can|could|please|may I|would you)\b")
_FIRST_LINE: Final = re.compile(r"\A\W{0,4}([^\W\d_]{2,20}(?: [^\W\d_]{2,24}){1,2})\s*\n")

_PRONOUNS: Final = (
    "I It He She We They You The This That There Here What Who When Where Why How Which Your My Our Their His Her Its "
    "One Some Any All Sie Er Es Wir Ihr Ich Du Das Der Die Il Elle Nous Vous I'd I'm I've I'll It's That's Don't Can't"
)
_ADVERBS: Final = (
    "Hello Hi Hey Ok Okay Yes No Sorry Actually Also And But Or So Then Now Please Thanks Thank Sure Well Just Never "
    "Dear Good Great Hopefully Again Still However Finally First Otherwise Anyway Perhaps Maybe If As At In On For Not "
    "Today Tomorrow Yesterday Monday Tuesday Wednesday Thursday Friday Saturday Sunday Using Out Is Was Has"
)
_ROLES: Final = (
    "Everybody Everyone Somebody Someone Nobody Customer Support Team Bank Card Account Sir Madam God App Seller Buyer "
    "Agent Merchant Manager Company Website System Police Shop Store Server Assistant User Chat Bot HR Service Folks"
)
_BRANDS: Final = "Apple Google Pay Visa Mastercard Android Windows Amazon"
_NOT_NAMES: Final = frozenset(f"{_PRONOUNS} {_ADVERBS} {_ROLES} {_BRANDS}".split())
_LETTERS_OF_AN_ABBREVIATION: Final = 4


def names(text: str, words: Set[str]) -> Iterator[slice]:
    """Where names of people stand in `text`, whose words in lower case are `words`. A place may come twice."""
    if not words.isdisjoint(_SIGNS):
        for signs, pattern in _PATTERNS:
            if not words.isdisjoint(signs):
                for match in pattern.finditer(text):
                    yield from _name_in(match)
    if "," in text[:60] and (called := _CALLED_UPON.match(text)):
        yield from _name_in(called)


def name_above(text: str) -> Iterator[slice]:
    """The first line of a block of contact data, where it is two or three words and nothing else."""
    if match := _FIRST_LINE.match(text):
        yield slice(*match.span(1))


def _name_in(match: re.Match[str]) -> Iterator[slice]:
    """The name less words before it that are none; nothing where another such word stands in it, or an abbreviation."""
    start, words = match.start(1), match.group(1).split(" ")
    while words and words[0] in _NOT_NAMES:
        start += len(words.pop(0)) + 1
    if not words or not _NOT_NAMES.isdisjoint(words):
        return
    if len(words) == 1 and words[0].isupper() and len(words[0]) <= _LETTERS_OF_AN_ABBREVIATION:
        return
    end = start + len(" ".join(words))
    yield slice(start, end - 2 if match.string[start:end].endswith(("'s", "’s")) else end)
