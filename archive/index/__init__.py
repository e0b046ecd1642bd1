"""The catalogue's insides: its tables, the databases that hold them, and what is asked of them."""
