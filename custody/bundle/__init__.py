"""Exports: bags of evidence that a stranger can check, as docs/manifest.md, "Exports", specifies them."""
