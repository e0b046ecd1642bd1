"""SHOW: what a person types and sees."""
