"""What a text does to its reader (abuse, slurs, threats) or to a database, by short lists of words of our own.

A first look, no measure. The list of abuse is dated 22 November 2026: English, German, French and Spanish. It is our
judgement of what a business would not want its model to learn to say, drawn up from words that dictionaries mark as
vulgar or offensive. It knows no context: a complaint that quotes an insult is found, an insult without such a word is
not.
"""

import re
from collections.abc import Set
from typing import Final

_ENGLISH: Final = (
    "fuck fucks fucked fucker fuckers fucking motherfucker motherfuckers shit shits shitty bullshit asshole "
    "assholes bastard bastards bitch bitches cunt cunts dickhead dickheads prick pricks wanker wankers twat twats "
    "slut sluts whore whores retard retarded retards moron morons idiot idiots imbecile imbeciles scumbag scumbags "
    "douchebag goddamn goddamned damn damned bloody bollocks faggot faggots nigger niggers kike kikes spic spics "
    "chink chinks tranny trannies paki pakis wetback"
)
_GERMAN: Final = (
    "scheiß scheiße scheisse arschloch arschlöcher wichser hurensohn hurensöhne fotze schlampe miststück drecksau "
    "vollidiot schwachkopf spast spasti missgeburt kanake neger schwuchtel verpiss"
)
_FRENCH: Final = (
    "merde connard connards connasse salope salopes putain enculé enculés pute bâtard bâtards pédé négro bougnoule"
)
_SPANISH: Final = (
    "mierda puta putas puto cabrón cabrones gilipollas pendejo pendejos maricón maricones coño hijueputa joder sudaca"
)
_WORDS: Final = frozenset(f"{_ENGLISH} {_GERMAN} {_FRENCH} {_SPANISH}".split())
_PHRASES: Final = (
    "kill yourself", "kill you", "hope you die", "go to hell", "shut up", "piece of shit", "son of a bitch",
    "i will hurt you", "i will find you", "bring dich um", "halt die fresse", "halt's maul", "hijo de puta",
    "fils de pute", "ta gueule",
)  # fmt: skip
_ATTACKS: Final = (
    ("drop table", "drop database", "union select", "union all select", "truncate table", "insert into", "xp_cmdshell",
    "or 1=1", "or '1'='1", "exec(", "sleep(", "select @@", ";shutdown", "case when (", "waitfor delay")
)  # fmt: skip
_OF_SQL: Final = re.compile(r"['\";)]|--")


def code_injection(low: str) -> str | None:
    """What reads like commands smuggled into a database query, in a text in lower case."""
    attack = next((attack for attack in _ATTACKS if attack in low), None)
    return attack if attack and _OF_SQL.search(low) else None


def toxic(low: str, words: Set[str]) -> str | None:
    """The first word, or a phrase, of the list in a text in lower case with these words."""
    if not words.isdisjoint(_WORDS):
        return min(words & _WORDS, key=low.index)
    return next((phrase for phrase in _PHRASES if phrase in low), None)
