"""Text and codes in pictures that are kept: a job of its own, derived and re-doable, never part of a capture."""
