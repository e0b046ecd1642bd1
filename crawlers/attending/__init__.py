"""A visit in which a person acts: what the person did is recorded, and what every page showed is kept."""
