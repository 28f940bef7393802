"""Change the code in small ways, and see whether the unit tests notice: `make mutants`.

mutmut makes the mutants and runs the tests that reach each. Here is what it lacks: which changes
are worth a run, functions with decorators, and a report by module. `tests/mutants.md` names each
surviving mutant with its reason; for any other, a test is missing.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import shutil
import sys
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import libcst as cst
from mutmut import __main__ as mutmut
from mutmut.configuration import config, reset_config
from mutmut.mutation import file_mutation, mutators
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT: Final = Path(__file__).resolve().parents[2]
NAMED: Final = ROOT / "tests" / "mutants.md"
OUTPUT: Final = ROOT / "mutants"
GOAL: Final = 90
"""Percentage of a module's mutants that die."""

DEAD: Final = {"killed", "timeout", "segfault"}
SWAPS: Final = {"min": "max", "max": "min"}
REFINING: Final = {
    "astimezone",
    "copy",
    "lower",
    "removeprefix",
    "removesuffix",
    "replace",
    "strip",
    "upper",
}
"""Methods that give what they are called on, a little different."""

WRAPPABLE: Final = {"cached_property", "override", "property"}
"""Decorators that may stay outside of what chooses the mutant."""

_PROSE: Final = re.compile(r"\w \w")
_CODE: Final = r"(?:`` .+? ``|`[^`]*`)"
_ITEM: Final = re.compile(rf"- ({_CODE}): ({_CODE}) → ({_CODE}(?:, {_CODE})*):$")

Survivor = tuple[str, str, str]
"""The function, the code, and what became of it."""


# --- Which changes are worth a run ---------------------------------------------------------------


def _called(node: cst.Call) -> str:
    return node.func.attr.value if isinstance(node.func, cst.Attribute) else _text(node.func)


def _text(node: cst.CSTNode) -> str:
    return str(cst.Module([]).code_for_node(node))


def _is_told(node: cst.Call) -> bool:
    """Tell whether a call does no more than to log."""
    return "logger." in _text(node.func)


def change_string(node: cst.SimpleString) -> Iterator[cst.CSTNode]:
    """Change a string, unless it is a sentence: how it is put is no behaviour."""
    if not _PROSE.search(node.value) and not node.quote.startswith(('"""', "'''")):
        inner = f"XX{node.raw_value}XX"
        yield node.with_changes(value=f"{node.prefix}{node.quote}{inner}{node.quote}")


def change_assignment(node: cst.Assign | cst.AnnAssign) -> Iterator[cst.CSTNode]:
    """Assign nothing, unless it is the text of an error."""
    targets = node.targets if isinstance(node, cst.Assign) else [node]
    if [_text(one.target) for one in targets] != ["msg"]:
        yield from mutators.operator_assignment(node)


def change_call(node: cst.Call) -> Iterator[cst.CSTNode]:
    """Change what is called, or with what."""
    name = _called(node)
    if name == "cast" or _is_told(node):
        return
    if name in SWAPS and isinstance(node.func, cst.Name):
        yield node.with_changes(func=cst.Name(SWAPS[name]))
        if len(node.args) > 1:
            yield from (arg.value for arg in node.args if not arg.star and arg.keyword is None)
        return
    if name in REFINING and isinstance(node.func, cst.Attribute):
        yield node.func.value
    yield from mutators.operator_arg_removal(node)
    yield from mutators.operator_symmetric_string_methods_swap(node)
    yield from mutators.operator_unsymmetrical_string_methods_swap(node)


def change_statement(node: cst.Expr) -> Iterator[cst.CSTNode]:
    """Leave out what is called for its effect."""
    if isinstance(node.value, cst.Call) and not _is_told(node.value):
        yield cst.Pass()


def change_comparison(_: cst.Comparison) -> Iterator[cst.CSTNode]:
    """Take a comparison for granted."""
    yield from (cst.Name("True"), cst.Name("False"))


def change_operation(node: cst.BooleanOperation) -> Iterator[cst.CSTNode]:
    """Take one half."""
    for half in (node.left, node.right):
        # What stands on several lines needs its brackets.
        yield half.with_changes(lpar=[*node.lpar, *half.lpar], rpar=[*half.rpar, *node.rpar])


def change_condition(node: cst.If) -> Iterator[cst.CSTNode]:
    """Turn a condition round that is no comparison, which is changed itself."""
    if isinstance(node.test, cst.Name | cst.Attribute | cst.Call):
        turned = cst.UnaryOperation(cst.Not(), node.test.with_changes(lpar=[], rpar=[]))
        yield node.with_changes(test=turned)


CHANGES: Final = [
    (cst.SimpleString, change_string),
    (cst.Assign, change_assignment),
    (cst.AnnAssign, change_assignment),
    (cst.Call, change_call),
    (cst.Expr, change_statement),
    (cst.Comparison, change_comparison),
    (cst.BooleanOperation, change_operation),
    (cst.If, change_condition),
    (cst.BaseNumber, mutators.operator_number),
    (cst.Name, mutators.operator_name),
    (cst.AugAssign, mutators.operator_augmented_assignment),
    (cst.UnaryOperation, mutators.operator_remove_unary_ops),
    (cst.Lambda, mutators.operator_lambda),
    (cst.CSTNode, mutators.operator_keywords),
    (cst.CSTNode, mutators.operator_swap_op),
    (cst.IfExp, mutators.operator_if_exp),
]


# --- Functions with decorators -------------------------------------------------------------------


def _is_wrappable(node: cst.CSTNode) -> bool:
    return (
        isinstance(node, cst.FunctionDef)
        and bool(node.decorators)
        and {_text(one.decorator) for one in node.decorators} <= WRAPPABLE
    )


class Visitor(file_mutation.MutationVisitor):  # type: ignore[misc]
    """Visits functions with decorators too, but for these; no types that stand in the code."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Call) and _called(node) == "cast":
            self.type = node.args[0]
        if node is getattr(self, "type", None):
            return True
        if _is_wrappable(node):
            return False
        skips: bool = super()._skip_node_and_children(node)
        return skips


_arrange = file_mutation.function_trampoline_arrangement


def arrange(function: cst.FunctionDef, mutants: Iterable[Any], class_name: str | None) -> Any:  # noqa: ANN401
    """Put decorators around the choice of the mutant, and not around each.

    Args:
        function: A function.
        mutants: Its mutants.
        class_name: The class that it is in.

    Returns:
        What mutmut makes of them.
    """
    if not _is_wrappable(function):
        return _arrange(function, mutants, class_name)
    before, (chosen, *others), *rest = _arrange(
        function.with_changes(decorators=[]), mutants, class_name
    )
    chosen = chosen.with_changes(decorators=[*function.decorators, *chosen.decorators])
    return (before, [chosen, *others], *rest)


# --- The report ----------------------------------------------------------------------------------


def named_survivors(text: str) -> dict[str, set[Survivor]]:
    """Read which survivors are accounted for.

    Args:
        text: Markdown: a heading for each module, and items of the function, the code and all that
            may become of it, with the reason on a line below.

    Returns:
        Those that have a reason, by module.
    """
    named: dict[str, set[Survivor]] = {}
    module = ""
    for line, reason in itertools.pairwise([*text.splitlines(), ""]):
        if line.startswith("## "):
            module = line.removeprefix("## ").strip("` ")
        elif (item := _ITEM.match(line)) and reason.startswith("  ") and reason.strip():
            function, old, *others = (one.strip("` ") for one in re.findall(_CODE, item[0]))
            named.setdefault(module, set()).update((function, old, one) for one in others)
    return named


def written(survivors: Iterable[Survivor]) -> Iterator[str]:
    """Write survivors as they are to be named, but for the reason.

    Args:
        survivors: The survivors of a module.

    Yields:
        An item for each piece of code.
    """
    for (function, old), group in itertools.groupby(sorted(survivors), key=itemgetter(0, 1)):
        yield f"- `{function}`: `{old}` → {', '.join(f'`{one}`' for _, _, one in group)}\n"


def _survivor(name: str, path: Path) -> Survivor:
    function, class_name = orig_function_and_class_names_from_key(name)
    lines = get_diff_for_mutant(name, path=path).splitlines()[2:]
    old, new = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
    )
    return (f"{class_name}.{function}" if class_name else function), old, new


def report(modules: Mapping[str, Path]) -> int:
    """Tell how many mutants died, and which did not.

    Args:
        modules: Paths of modules by name.

    Returns:
        Exit code: 1 if too few died, or the list of survivors isn't what it should be.
    """
    named = named_survivors(NAMED.read_text(encoding="utf-8"))
    odd: list[str] = []
    rows: list[str] = []
    is_good = True
    for module, path in modules.items():
        data = SourceFileMutationData(path=path)
        data.load()
        codes = data.exit_code_by_key
        alive = [_survivor(name, path) for name, code in codes.items() if _end(code) not in DEAD]
        accounted = named.get(module, set())
        new, gone = set(alive) - accounted, accounted - set(alive)
        for title, survivors in (("survived and not named", new), ("named and not alive", gone)):
            if survivors:
                odd += [f"\n{module}: {title}\n", *written(survivors)]
        total, killed = len(codes), len(codes) - len(alive)
        is_good &= total > 0 and killed * 100 >= total * GOAL
        rate = 100 * killed / max(1, total)
        rows.append(f"{module:<12} {total:8} {killed:8} {len(alive):9} {rate:6.1f} %\n")
    head = f"\n{'module':<12} {'mutants':>8} {'killed':>8} {'survived':>9}\n"
    sys.stdout.write("".join([*odd, head, *rows]))
    return 0 if is_good and not odd else 1


def _end(code: int | None) -> str:
    return str(status_by_exit_code[code])


def main() -> int:
    """Make mutants and run the tests.

    Returns:
        Exit code: 1 if the tests see too little.
    """
    # mutmut works in the folder that it is run in; its import has read the settings there already.
    os.chdir(ROOT)
    reset_config()
    known = {Path(path).stem: Path(path) for path in config().only_mutate}
    parser = argparse.ArgumentParser(description="Do the unit tests see what is changed?")
    parser.add_argument("modules", nargs="*", help=f"some of {', '.join(known)}; else all")
    wanted = parser.parse_args().modules or [*known]
    if unknown := set(wanted) - known.keys():
        parser.error(f"no mutants are made of {', '.join(sorted(unknown))}")
    modules = {module: known[module] for module in wanted}
    config().only_mutate = [str(path) for path in modules.values()]
    mutators.mutation_operators[:] = CHANGES
    file_mutation.MutationVisitor = Visitor
    file_mutation.function_trampoline_arrangement = arrange
    # What survived may have been killed since by another test, and the other way round.
    shutil.rmtree(OUTPUT, ignore_errors=True)
    mutmut.run.callback(mutant_names=(), max_children=None)
    return report(modules)


if __name__ == "__main__":
    sys.exit(main())
