"""A page reads like a description of it: imports, constants, functions, and at its end one call of `main()`.

So nothing depends on what is assigned further down, and what a function needs it is given.
"""

from __future__ import annotations

import ast
import symtable
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT

PAGES = sorted((PROJECT / "pages").glob("*.py"))
MODULES = [*PAGES, *sorted((PROJECT / "pages" / "shared").rglob("*.py"))]
DECLARATIONS = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.ClassDef)


def is_constant(name: str) -> bool:
    """A constant, or a type by another name."""
    plain = name.lstrip("_")
    return plain.isupper() or (plain[:1].isupper() and "_" not in plain)


def inner(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from inner(child)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_function_reads_a_variable_of_its_module(path: Path) -> None:
    module = symtable.symtable(path.read_text(encoding="utf-8"), path.name, "exec")
    variables = {
        one.get_name()
        for one in module.get_symbols()
        if one.is_assigned() and not one.is_imported() and not one.is_namespace() and not is_constant(one.get_name())
    }
    used = {
        f"{one.get_name()} in {table.get_name()}"
        for table in inner(module)
        for one in table.get_symbols()
        if one.is_global() and (one.get_name() in variables or one.is_assigned())
    }
    assert not used, f"{path.name}: pass what is assigned outside the functions as an argument: {sorted(used)}"
    assert not variables, f"{path.name} assigns what is no constant outside its functions: {sorted(variables)}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_enters_through_the_app_and_ends_in_main(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert isinstance(body[0], ast.Expr)
    assert isinstance(body[0].value, ast.Constant), f"{path.name} begins with what it is"
    done = [ast.unparse(one) for one in body[1:] if not isinstance(one, DECLARATIONS)]
    assert done == ["enter_through_app()", "main()"], f"{path.name} does more outside its functions"
    assert ast.unparse(body[-1]) == "main()"
    first = next(one for one in body[1:] if not isinstance(one, ast.Import | ast.ImportFrom))
    assert ast.unparse(first) == "enter_through_app()", "it enters before anything else is done"


def test_mypy_checks_app_and_pages_as_strictly_as_the_rest() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert settings["strict"]
    assert {"app.py", "cnnlab", "pages"} <= set(settings["files"])
    ignored = [path.name for path in MODULES if "type: ignore" in path.read_text(encoding="utf-8")]
    assert not ignored
