"""Ratings in stars, as pages write them for readers: ``4.6 out of 5 stars``, ``5つ星のうち4.6``."""

import re

_SCALE_FIRST = re.compile(r"\D*5\D*(?:つ星|颗星|中|星|yıldız)")


def stars_in(said: str) -> str | None:
    """The number that is not the scale's; None where there are not two."""
    numbers: list[str] = [each.replace(",", ".") for each in re.findall(r"\d(?:[.,]\d)?", said)]
    if len(numbers) < 2:
        return None
    return numbers[1] if numbers[0] == "5" and _SCALE_FIRST.match(said) else numbers[0]
