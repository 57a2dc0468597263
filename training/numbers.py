"""Write numbers in words: texts rarely spell them out, and people say them all day."""

import random


def _words(text: str) -> list[str]:
    return text.split()


_SMALL = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = _words("zero ten twenty thirty forty fifty sixty seventy eighty ninety")
_MONTHS = _words("January February March April May June July August September October November December")
_DAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_ORDINALS = _words(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth"
)
_UNITS = _words("dollars cents percent minutes hours days years miles")


def number(n: int) -> str:
    """Spell out a whole number from 0 to 999 999. Raises ValueError beyond."""
    if not 0 <= n < 1_000_000:
        raise ValueError(f"{n} is not between 0 and 999999")
    if n < 20:
        return _SMALL[n]
    if n < 100:
        return _TENS[n // 10] + (f" {_SMALL[n % 10]}" if n % 10 else "")
    unit, name = (1000, "thousand") if n >= 1000 else (100, "hundred")
    return f"{number(n // unit)} {name}" + (f" {number(n % unit)}" if n % unit else "")


def phrase(rng: random.Random) -> str:
    """Make a phrase with a number in it: digits, a count, a date, a time of day, an amount or a year."""
    match rng.randrange(6):
        case 0:
            return " ".join(rng.choice(_SMALL[:10]) for _ in range(rng.randint(2, 7)))
        case 1:
            return number(int(10 ** rng.uniform(0, 5.9)))
        case 2:
            return f"{rng.choice(_DAYS)} {rng.choice(_MONTHS)} {rng.choice(_ORDINALS)}"
        case 3:
            return f"at {number(rng.randint(1, 12))} {number(rng.randrange(10, 60, 5))}"
        case 4:
            return f"{number(rng.randint(2, 90))} {rng.choice(_UNITS)}"
        case _:
            return f"{rng.choice(_MONTHS)} {number(rng.randint(17, 20))} {number(rng.randint(10, 99))}"
