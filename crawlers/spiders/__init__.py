"""One spider for each reason to look."""
