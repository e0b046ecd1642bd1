"""``python -m console``: the same as ``counterproof``."""

from console.cli import main

main()
