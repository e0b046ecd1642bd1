"""Mutation testing of what proves: changes the verifier in one place at a time and asks whether a test notices.

    make mutants                        custody/merkle.py and custody/verify.py
    make mutants MODULES=merkle LINES=120-180

Works in copies of the tree. A change that no test notices is printed; those that change nothing that can be seen are
listed, with the reason, in docs/decisions/0012-mutants.md.
"""

import argparse
import ast
import copy
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).resolve().parent.parent
TESTS = {
    "merkle": ["tests/custody/test_merkle.py", "-k", "not is_fast"],  # how fast is no matter here
    "verify": [
        *(
            f"tests/custody/test_{name}.py"
            for name in ("stages", "verify", "kept", "moot", "time_policy", "stewardship")
        ),
        "tests/custody/test_tampering.py",
    ],
}
PATIENCE = 6  # times what the tests take with the module as it is; then it probably loops, and is named for a look
MEMORY_BYTES = 3 << 30
WORKERS = 2
REWRITTEN = "ignore::pytest.PytestAssertRewriteWarning"  # hypothesis is there already

SWAPS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.Mod: (ast.FloorDiv,),
}


@dataclass(frozen=True, slots=True)
class Mutant:
    line: int
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.before}   ->   {self.after}"


def mutants(source: str) -> Iterator[Mutant]:
    """Each with one change. Docstrings, messages, annotations and imports are left as they are."""
    tree = ast.parse(source)
    for number, node in enumerate(ast.walk(tree)):
        for change in changes(node):
            mutated = copy.deepcopy(tree)
            (other,) = [each for at, each in enumerate(ast.walk(mutated)) if at == number]
            line, before = getattr(node, "lineno", 0), text(node)
            after = change(other) or text(other)
            try:
                yield Mutant(line, before, after, ast.unparse(ast.fix_missing_locations(mutated)))
            except (AttributeError, ValueError):
                continue


def changes(node: ast.AST) -> Iterator[Callable[[ast.AST], str | None]]:
    """Each changes a copy of the node, and may say in a word what it did."""
    if isinstance(node, ast.Compare):
        for swap in SWAPS.get(type(node.ops[0]), ()):
            yield setting("ops", [swap(), *node.ops[1:]])
    elif isinstance(node, (ast.BoolOp, ast.BinOp, ast.AugAssign)):
        for swap in SWAPS.get(type(node.op), ()):
            yield setting("op", swap())
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield setting("value", node.value + 1)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield setting("value", not node.value)
    elif isinstance(node, (ast.If, ast.While, ast.IfExp)):
        yield setting("test", ast.Constant(value=False))
        if not isinstance(node, ast.While):
            yield setting("test", ast.Constant(value=True))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield doubled
    elif isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) > 2:
        for at in range(len(node.elts)):
            yield setting("elts", node.elts[:at] + node.elts[at + 1 :])
    if isinstance(node, (ast.FunctionDef, ast.If, ast.For, ast.While, ast.With, ast.Try)):
        for at, statement in enumerate(node.body):
            if isinstance(statement, (ast.Raise, ast.AugAssign, ast.Continue, ast.Break)) or is_call(statement):
                yield without(at)


def setting(name: str, value: object) -> Callable[[ast.AST], str | None]:
    return lambda node: setattr(node, name, value)


def doubled(node: ast.AST) -> None:
    """``not x`` becomes ``not not x``."""
    node.operand = ast.UnaryOp(op=ast.Not(), operand=node.operand)  # type: ignore[attr-defined]


def without(at: int) -> Callable[[ast.AST], str | None]:
    def drop(node: ast.AST) -> str:
        dropped = text(node.body[at])  # type: ignore[attr-defined]
        node.body[at] = ast.Pass()  # type: ignore[attr-defined]
        return f"without {dropped}"

    return drop


def is_call(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, (ast.Call, ast.Yield, ast.YieldFrom))


def text(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:110] if hasattr(node, "lineno") else ""


class Trial:
    """A copy of the tree, in which one mutant after another takes the place of a module."""

    def __init__(self, folder: Path, module: str) -> None:
        self.folder = folder
        self.module = module
        self.timeout_s = 600.0
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".*", "__pycache__", "bench", "docs", "build"))

    def run(self, source: str, tests: Sequence[str]) -> str:
        """``killed``, ``survives``, or ``takes too long``."""
        (self.folder / f"custody/{self.module}.py").write_text(source, encoding="utf-8")
        child = os.fork()
        if child == 0:
            self._run(tests)
        deadline = time.monotonic() + self.timeout_s
        while time.monotonic() < deadline:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return "killed" if os.waitstatus_to_exitcode(status) else "survives"
            time.sleep(0.05)
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return "takes too long"

    def _run(self, tests: Sequence[str]) -> None:
        code = 1
        try:
            os.setpgid(0, 0)
            os.nice(10)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            os.chdir(self.folder)
            sys.path.insert(0, str(self.folder))
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            code = int(
                pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0", "-W", REWRITTEN, *tests])
            )
        finally:
            os._exit(code)


def hunt(module: str, lines: range, tests: Sequence[str]) -> None:
    source = (ROOT / f"custody/{module}.py").read_text(encoding="utf-8")
    wanted = [each for each in mutants(source) if each.line in lines]
    with tempfile.TemporaryDirectory(prefix="cp-mutants-") as name:
        trials = [Trial(Path(name) / str(n), module) for n in range(WORKERS)]
        free: Queue[Trial] = Queue()
        for each in trials:
            free.put(each)

        def judge(mutant: Mutant) -> str:
            trial = free.get()
            try:
                return trial.run(mutant.source, tests)
            finally:
                free.put(trial)

        began = time.monotonic()
        if judge(Mutant(0, "", "", source)) != "survives":
            sys.exit(f"{' '.join(tests)}: fails with the module as it is")
        for each in trials:
            each.timeout_s = PATIENCE * (time.monotonic() - began) + 10
        found: Counter[str] = Counter()
        with ThreadPoolExecutor(WORKERS) as pool:
            for mutant, word in zip(wanted, pool.map(judge, wanted), strict=True):
                found[word] += 1
                if word != "killed":
                    print(f"{word}: custody/{module}.py, {mutant}", flush=True)
    said = ", ".join(f"{count} {word}" for word, count in found.items())
    print(f"custody/{module}.py: {len(wanted)} mutants: {said}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", default=list(TESTS), help="of custody/, without .py")
    parser.add_argument("--lines", default="1-9999", help="only these of the module, as 120-180")
    parser.add_argument("--tests", nargs="+", help="other tests than those that belong to the module")
    asked = parser.parse_args()
    first, _, last = asked.lines.partition("-")
    for module in asked.modules:
        hunt(module, range(int(first), int(last or first) + 1), asked.tests or TESTS[module])


if __name__ == "__main__":
    # Once for all the children: what they need, and nothing that a mutant may change.
    import cryptography.hazmat.primitives.asymmetric.ed25519  # noqa: F401
    import hypothesis  # noqa: F401
    import pytest

    main()
