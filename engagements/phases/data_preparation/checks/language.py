"""The language of a text, by py3langid, asked only where the text's own small words leave a doubt."""

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# Words that make up a good part of any text in their language and hardly occur in another.
_SMALL_WORDS: Final = {
    "en": "the is my i you to and it of for what how can do not with this that are have was from your if me why when "
    "will would could please has been get need want there just any an at on we they but where which help still does",
    "de": "der die das und ich ist nicht mein meine sie wie kann mit ein eine auf für zu wir es warum bitte habe",
    "fr": "le la les je est et pas mon ma vous comment une des pour dans que qui pourquoi avec sur mes avez",
    "es": "el la los las y mi es que por cómo una para con no mis usted puedo qué tengo esta en del se",
    "it": "il lo gli e il mio è che come una per con non mia posso della sono perché ho di nel",
    "nl": "de het een ik is niet mijn en hoe kan met voor op van waarom heb wat naar",
    "pt": "o os as e meu minha é que como uma para com não posso por tenho você da do na",
}
_SHARE_OF_SMALL_WORDS: Final = 0.2
_WORDS_MIN: Final = 4
SAMPLED_MAX: Final = 2_000
_LETTERS_MIN: Final = 24
_CHARS_READ: Final = 600
_CERTAIN: Final = 0.9


def other_language(text: str, low: str, allowed: frozenset[str]) -> str | None:
    """The language of a text that is in none of the allowed ones; None where it is, or cannot be told.

    Texts under 24 characters or four words are not judged, nor those that py3langid is less than 90% sure of.
    """
    if len(text) < _LETTERS_MIN or text.count(" ") < _WORDS_MIN - 1 or _is_among(low, allowed):
        return None
    guess, probability = _identifier().classify(text[:_CHARS_READ])
    return guess if guess not in allowed and probability >= _CERTAIN else None


def language_of(text: str) -> str | None:
    """The most probable language of a text; None where py3langid is less than 90% sure, or the text is too short."""
    if len(text) < _LETTERS_MIN or text.count(" ") < _WORDS_MIN - 1:
        return None
    guess, probability = _identifier().classify(text[:_CHARS_READ])
    return str(guess) if probability >= _CERTAIN else None


class LanguageSample:
    """The languages of texts that go by, told from at most `SAMPLED_MAX` of them, evenly spread."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._seen, self._stride = 0, 1

    @property
    def size(self) -> int:
        return len(self._texts)

    def add(self, text: str) -> None:
        if self._seen % self._stride == 0:
            self._texts.append(text[:_CHARS_READ])
            if len(self._texts) > SAMPLED_MAX:
                self._texts = self._texts[::2]
                self._stride *= 2
        self._seen += 1

    def languages(self) -> dict[str, int]:
        """Texts by language, the most first; "unknown" where it cannot be told."""
        return dict(Counter(language_of(text) or "unknown" for text in self._texts).most_common())


def _is_among(low: str, allowed: frozenset[str]) -> bool:
    words = low[:_CHARS_READ].split()
    small = _small_words(allowed)
    return sum(map(small.__contains__, words)) >= _SHARE_OF_SMALL_WORDS * len(words)


@cache
def _small_words(allowed: frozenset[str]) -> frozenset[str]:
    return frozenset(word for language in allowed for word in _SMALL_WORDS.get(language, "").split())


@cache
def _identifier() -> "LanguageIdentifier":
    # Deferred: the model takes a second to load, and most texts are decided without it.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
