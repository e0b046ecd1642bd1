"""DuckDuckGo's autoconsent as released, under its own licence, and what makes a script of it."""
