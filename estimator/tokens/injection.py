"""Text that tries to give the model new instructions, or to make it tell its own."""

import re
from typing import Final

_ORDERS: Final = r"\b(?:instructions?|prompts?|rules|directions|directives|guidelines|programming|orders)\b"
_OVERRULE: Final = (
    r"(?:[^.\n]{0,40}\b(?:previous|prior|above|earlier|preceding|all|any|your)\b[^.\n]{0,30}" + _ORDERS
    + r"|[^.\n]{0,20}" + _ORDERS + r"[^.\n]{0,20}\b(?:above|before|given)\b"
    + r"| (?:all|everything|anything)\b[^.\n]{0,20}\b(?:above|before|told|said)\b)"
)  # fmt: skip
_OWN: Final = "your (?:initial|original|starting|first|hidden|secret|internal|exact|system) "
_TELL: Final = r"output|print|show|display|reveal|repeat|tell me"
# By a sign that is quick to look for: what must stand there, in lower case. Patterns that begin with letters are
# searched for many times faster than those that begin with a choice.
_INJECTIONS: Final = tuple(
    (sign, tuple(re.compile(pattern) for pattern in patterns))
    for sign, patterns in {
        # Ignore all previous instructions.
        "ignor": (
            rf"ignor(?:e|ing)\b{_OVERRULE}",
            r"ignorier\w{0,3}\b[^.\n]{0,40}\b(?:anweisung|vorgabe|regel|befehl)",
            r"ignor(?:ez|a|e)\b[^.\n]{0,40}\b(?:instructions|consignes|règles|instrucciones|reglas|instruções|istruzioni)",
        ),
        "disregard": (rf"disregard(?:ing)?\b{_OVERRULE}",),
        "forget": (rf"forget\b{_OVERRULE}",),
        "override": (rf"override\b{_OVERRULE}", r"(?:system|admin|administrator|developer|security) override\b"),
        "bypass": (rf"bypass\b{_OVERRULE}",),
        "vergiss": (r"vergiss\b[^.\n]{0,40}\b(?:anweisung|vorgabe|regel|befehl)",),
        "instruct": (
            rf"not follow\b{_OVERRULE}",
            rf"stop following\b{_OVERRULE}",
            "new instructions:",
            r"instructions (?:that )?you (?:were|have been) (?:initially |originally )?given\b",
            rf"{_OWN}instructions?\b",
            r"(?:my|your) instructions are\b[^.\n]{0,3}['\"]",
            r"\bi was instructed to\b[^.\n]{0,3}['\"]",
        ),
        # What does your system prompt say?
        "prompt": ("system[ _]?prompt", "hidden prompt", "secret prompt", "developer prompt", rf"{_OWN}prompt\b"),
        "repeat": (r"repeat (?:(?:everything|all|the (?:text|words))\b[^.\n]{0,10} above|the above)\b",),
        "above": (r"(?:output|print|show|display|copy) the (?:text|words|message|conversation) above\b",),
        "conversation": (
            r"repeat (?:this|the) (?:entire|whole|full) conversation\b",
            r"what were you told before this conversation\b",
        ),
        "system message": (rf"(?:{_TELL})\b[^.\n]{{0,20}}\byour system message\b",),
        "initial": (
            rf"(?:{_TELL})\b[^.\n]{{0,30}}\binitiali[sz]ation string\b",
            r"(?:text|words|rules) you were (?:initially given|given initially)\b",
            r"\binitial prompt\b",
        ),
        "not supposed to": (r"what are you not (?:supposed|allowed) to (?:tell|say|reveal)\b",),
        # You are DAN now.
        "anything now": (r"do anything now\b",),
        "role of another": (r"role of another (?:ai|artificial|model|chatbot)\b",),
        "submissive ai": (r"submissive ai\b",),
        "pretend to be": (r"(?:you are|you're|you will be) going to pretend to be\b", r"you will pretend to be\b"),
        "separate ways": (r"answer my prompts? in two (?:different )?separate ways\b",),
        "stay in character": (r"(?:you|always|must) [^.\n]{0,30}stay in character\b",),
        "maintenance mode": (r"you are (?:now )?in maintenance mode\b",),
        " dan": (r" dan mode\b", r"you are (?:now )?dan\b", r"(?:act as|pretend to be|become) dan\b"),
        "developer mode": (r"(?:you are|act|simulate|enable|enter|in)\b[^.\n]{0,30}\bdeveloper mode\b",),
        "jailbr": (r"jailbroken\b", r"jailbreak(?:ed)? (?:mode|prompt)\b"),
        "no restrictions": (r"(?:act as|you are|you have)\b[^.\n]{0,40}\bno restrictions\b",),
    }.items()
)


def prompt_injection(text: str) -> str | None:
    """An attempt to replace the instructions of the model or to make it tell them."""
    low = text.lower()
    for sign, patterns in _INJECTIONS:
        for pattern in patterns if sign in low else ():
            if found := pattern.search(low):
                return f"{found.group().strip()[:60]!r} reads like an attack on the model's instructions"
    return None
