"""Answers nobody wants learnt: refusals, answers cut off in the middle, answers that repeat the question."""

import json
import re
from typing import Final

from estimator.tokens.normal import normal_form

_CANNOT: Final = (
    r"(?:can't|cannot|can not|won't|am unable to|am not able to|'m unable to|'m not able to|am not allowed to)"
)
_HELP: Final = (
    r"(?:help|assist|provide|fulfil|comply|answer|do (?:that|this)|discuss|support|generate|create|share|perform|"
    r"process|directly|make|access)"
)
_TELL: Final = "(?:provide|answer|share|discuss|give|generate|create)(?: you)?(?: with)?"
_DECLINE: Final = (
    rf"(?:{_CANNOT} (?:directly )?{_HELP}|(?:do not|don't) have (?:the |any )?(?:ability|capability|permission))"
)
_REFUSALS: Final = tuple(
    (sign, re.compile(pattern))
    for sign, pattern in (
        (
            "as a",
            r"\bas an? (?:ai|artificial intelligence|large language|language)\b[^.\n]{0,60}(?:not\b|n't\b|unable\b)",
        ),
        ("sorry", rf"sorry[^\n]{{0,40}}?\bi ?{_DECLINE}"),
        ("apolog", rf"apolog[^\n]{{0,40}}?\bi ?{_DECLINE}"),
        ("unfortunately", rf"unfortunately[^\n]{{0,20}}?\bi ?{_DECLINE}"),
        ("an ai", r"\bi(?:'m| am) (?:just|only|merely) an ai\b"),
        ("i", rf"^\s{{0,3}}i ?{_CANNOT} (?:help|assist|comply|fulfil|do (?:that|this)|{_TELL} (?:that|this|such|any))"),
        ("als ", r"\bals (?:ki|künstliche intelligenz|sprachmodell)\b"),
        ("en tant qu", r"\ben tant qu'(?:ia|intelligence artificielle)\b"),
        ("como ", r"\bcomo (?:ia|modelo de lenguaje)\b"),
    )
)
_REFUSAL_CHARS: Final = 240


def refusal(text: str) -> str | None:
    """An answer that begins by declining."""
    low = text[:_REFUSAL_CHARS].lower().replace("’", "'")
    for sign, pattern in _REFUSALS:
        if sign in low and (found := pattern.search(low)):
            return f"the answer declines: {found.group().strip()[:60]!r}"
    return None


# Words after which a sentence goes on: articles, conjunctions, prepositions, possessives, auxiliaries.
_ENGLISH: Final = (
    "a an the and or but nor because although though unless until while whereas if than that which whose of to from "
    "with without by for into onto upon at between among via per as is are was were be been being will would shall "
    "should can could may might must has have had do does did my your our their his its this these those some any each "
    "every very please click select such including not we they he she i"
)
_GERMAN: Final = (
    "und oder aber weil dass der die das den dem des ein eine einen einem einer zu von mit für bei auf ist sind wird "
    "werden kann können muss müssen ihr ihre ihren sowie durch über unter zwischen"
)
_FRENCH: Final = "et ou mais parce que qui le la les un une des du de dans avec pour sur est sont votre vos notre nos"
_SPANISH: Final = "y o pero porque el los las una unos unas en con para por su sus es son"
_ITALIAN: Final = "e ma perché il lo gli uno di da del della nel con"
_GOES_ON: Final = frozenset(f"{_ENGLISH} {_GERMAN} {_FRENCH} {_SPANISH} {_ITALIAN}".split())
_WORDS_OF_AN_ANSWER: Final = 5


def truncated_answer(text: str) -> str | None:
    """An answer that stops in the middle: on a word that needs another, in an open code block or open JSON."""
    answer = text.rstrip()
    if answer.count("```") % 2:
        return "the answer ends inside a code block"
    if answer.startswith(('{"', "{\n", '["', "[{", "[\n", "[[")):
        return "the answer is JSON that does not end" if _is_open_json(answer) else None
    words = answer[-200:].rsplit(maxsplit=_WORDS_OF_AN_ANSWER)
    if len(words) < _WORDS_OF_AN_ANSWER:
        return None
    if answer[-1] in ",(" or words[-1].lower() in _GOES_ON:
        return f"the answer ends in the middle of a sentence: {answer[-30:]!r}"
    return None


def _is_open_json(answer: str) -> bool:
    """True for what begins as JSON and is cut off; what is wrong in another way may not be meant as JSON."""
    try:
        json.loads(answer)
    except json.JSONDecodeError as error:
        return error.pos >= len(answer) or error.msg.startswith("Unterminated string")
    except (ValueError, RecursionError):
        return False
    return False


def echo(question: str, answer: str) -> str | None:
    """An answer that repeats the question."""
    # Cheap first: most answers begin otherwise.
    if question[:1].lower() != answer[:1].lower() or normal_form(question) != normal_form(answer):
        return None
    return "the answer repeats the user's message" if len(answer.split()) > 1 else None
