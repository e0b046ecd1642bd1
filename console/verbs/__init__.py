"""Verbs: each in a module of its own, registered by ``console.cli``."""
