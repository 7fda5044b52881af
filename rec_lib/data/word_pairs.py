"""Pairs of words of the King James Bible that belong together by grammar or meaning, written down before anything was trained.

A family holds pairs in one relation, first to second: father is to mother as king is to queen. So any two pairs of a
family make an analogy. Every third pair of a family is for validation (choosing a step size), the others for the test.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from rec_lib.data.text import Text

_FAMILIES = {
    "he to she": "man woman, king queen, father mother, son daughter, brother sister, husband wife, he she, him her, "
    "himself herself, bridegroom bride, sons daughters, men women, brethren sisters, fathers mothers, husbands wives, "
    "servant handmaid, manservant maidservant",
    "one to many": "king kings, priest priests, city cities, house houses, day days, year years, servant servants, prophet prophets, "
    "altar altars, tree trees, hand hands, river rivers, mountain mountains, vineyard vineyards, foot feet, child children, wall walls, "
    "gate gates, horse horses, chariot chariots, star stars, sin sins, garment garments, field fields, nation nations, word words",
    "I to he": "go goeth, come cometh, say saith, give giveth, take taketh, know knoweth, speak speaketh, make maketh, hear heareth, "
    "eat eateth, keep keepeth, love loveth, live liveth, stand standeth, sit sitteth, walk walketh, bring bringeth, see seeth",
    "now to then": "go went, come came, say said, give gave, take took, know knew, speak spake, make made, hear heard, build built, "
    "send sent, bring brought, see saw, stand stood, sit sat, smite smote, slay slew, fall fell, write wrote, find found",
    "number to next": "two three, three four, four five, five six, six seven, seven eight, eight nine, nine ten",
    "opposites": "heaven earth, day night, good evil, light darkness, life death, right left, north south, east west, sun moon, "
    "gold silver, righteous wicked, rich poor, morning evening, first last, blessed cursed, love hate, old young, great small, "
    "clean unclean, bless curse, peace war, wise fool",
}
FAMILIES = {
    name: tuple((a, b) for a, b in (pair.split() for pair in pairs.split(", "))) for name, pairs in _FAMILIES.items()
}
ANALOGIES = tuple(name for name in FAMILIES if name not in ("opposites", "number to next"))  # one relation each

Part = Literal["validation", "test"]


def _pairs(family: str, part: Part) -> list[tuple[str, str]]:
    if part not in ("validation", "test"):
        raise ValueError(f'part={part!r}; expected "validation" or "test"')
    return [pair for i, pair in enumerate(FAMILIES[family]) if (i % 3 == 2) == (part == "validation")]


def gold_pairs(text: Text, part: Part = "test", families: tuple[str, ...] = tuple(FAMILIES)) -> np.ndarray:
    """Word numbers of the pairs of these families, (m, 2) int64. Raises KeyError where the text lacks a word."""
    numbers = {w: n for n, w in enumerate(text.words)}
    return np.array([[numbers[a], numbers[b]] for family in families for a, b in _pairs(family, part)])


def analogies(text: Text, part: Part = "test") -> np.ndarray:
    """Word numbers (a, b, c, d): a is to b as c is to d, for every two pairs of a family, both ways round, (m, 4) int64."""
    found = []
    for family in ANALOGIES:
        pairs = gold_pairs(text, part, (family,))
        found += [[*p, *q] for p in pairs for q in pairs if len({*p, *q}) == 4]
    return np.array(found)
