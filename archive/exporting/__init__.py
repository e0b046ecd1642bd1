"""Exports: a case or some items as a bag that a stranger can check without this program."""
