"""Watching: what is looked at on a schedule, what is due, how hosts are spared. State in PostgreSQL; never evidence."""
