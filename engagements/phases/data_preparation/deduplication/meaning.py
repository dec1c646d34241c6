"""Near copies that say something else: a word that turns the meaning, or another number."""

from typing import Final

_WORDS: Final = """
not no never none nothing nobody neither nor without cannot don doesn didn isn aren wasn weren won wouldn couldn shouldn
hasn haven hadn ain t my your his her our their mine yours i you he she we they me him us them
nicht kein keine keinen keinem keiner keines nie niemals nichts niemand ohne mein meine dein deine ihr ihre sein seine
unser unsere pas ne jamais rien aucun aucune sans ni mon ma ton ta son sa notre votre leur
nunca nada nadie ningún ninguna sin mi tu su nuestro vuestro
"""
_TURNING: Final = frozenset(_WORDS.split())
"""Negations and whose it is, in English, German, French and Spanish: what the hard negatives of set 29 differ in."""


def says_something_else(one: str, other: str) -> bool:
    """Whether two folded texts differ in a number, or in a word that turns what is said."""
    odd = set(one.split()) ^ set(other.split())
    if not odd.isdisjoint(_TURNING) or any(not word.isalpha() for word in odd):
        return True
    return sum(map(_TURNING.__contains__, one.split())) != sum(map(_TURNING.__contains__, other.split()))
