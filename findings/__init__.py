"""COMPARE: what the readings say together. Pure: readings in, records out. Stands on archive and custody."""
