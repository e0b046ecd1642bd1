"""`make bench`: every bench that is quick, one after another, each in a process of its own; the long ones by name.

A bench is a module here with a ``main``. ``LONG = True`` in it: minutes, run only when it is named.
"""

import ast
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NO_BENCH = {"__init__", "__main__", "measuring"}


def is_long(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [each.targets[0] for each in tree.body if isinstance(each, ast.Assign)]
    return any(isinstance(name, ast.Name) and name.id == "LONG" for name in names)


def main() -> int:
    benches = {path.stem: path for path in sorted(HERE.glob("*.py")) if path.stem not in NO_BENCH}
    asked = sys.argv[1:] or [name for name, path in benches.items() if not is_long(path)]
    if unknown := set(asked) - set(benches):
        sys.exit(f"there is no bench {', '.join(unknown)}; there are {', '.join(benches)}")
    failed = 0
    for name in asked:
        print(
            f"\n{name}: {(ast.get_docstring(ast.parse(benches[name].read_text())) or '').splitlines()[0]}", flush=True
        )
        failed += subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False, cwd=HERE.parent).returncode != 0
    if left := [name for name in benches if name not in asked]:
        print(f"\nnot run: make bench NAMES='{' '.join(left)}'")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
