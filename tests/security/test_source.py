"""What the source must not hold: ways to run what came from outside (S27), SQL put together from text (S26), answers
that are files (S19), prices or caches that grow with what strangers send, secrets out of their wrapper (S03).
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = [path for top in ("core", "gateway") for path in sorted((ROOT / top).rglob("*.py"))]
UNWANTED = {
    *("pickle", "dill", "shelve", "marshal", "jinja2", "mako", "subprocess", "pty", "ctypes", "code", "runpy", "imp"),
    *("xml", "xmlrpc", "telnetlib", "ftplib", "smtplib", "requests", "httpx", "zipfile", "tarfile", "tempfile"),
    *("starlette.staticfiles", "starlette.templating", "starlette.middleware"),
}
RUNS = {"eval", "exec", "compile", "__import__", "breakpoint", "system", "popen", "create_subprocess_shell"}
# They start this program once more.
CHILDREN = {
    "gateway/catalog/refresh.py",
    "gateway/cli/workers.py",
    "gateway/server/replay.py",
    "gateway/simulator/spawn.py",
}
EXECUTES = {"execute", "executemany", "executescript"}
REVEALING = {
    *("execution/lines.py", "providers/request.py", "providers/table.py", "transport/wallet.py", "transport/sigv4.py"),
    *("transport/aws_credentials.py", "transport/entra_token.py", "transport/google_token.py"),
}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def calls() -> list[tuple[str, str, ast.Call]]:
    """Every call in the source: in which file, of which name, the call."""
    found = []
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                found.append((path.relative_to(ROOT).as_posix(), name, node))
    return found


def imports() -> Iterator[tuple[str, str]]:
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                yield from ((path.name, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((path.name, f"{node.module}.{alias.name}") for alias in node.names)


def test_nothing_is_imported_that_runs_unpacks_or_serves_what_it_is_given() -> None:
    found = list(imports())
    assert len(found) > 500
    assert not [
        (file, dotted)
        for file, dotted in found
        if any(dotted == name or dotted.startswith(f"{name}.") for name in UNWANTED) or dotted.endswith("FileResponse")
    ]


def test_no_text_becomes_code_and_no_command_but_our_own_is_run() -> None:
    assert not [
        (file, node.lineno)
        for file, name, node in calls()
        if name in RUNS and (isinstance(node.func, ast.Name) or ast.unparse(node.func).startswith(("os.", "asyncio.")))
    ]
    children = [(file, ast.unparse(node.args[0])) for file, name, node in calls() if name == "create_subprocess_exec"]
    assert {file for file, _ in children} == set(CHILDREN)
    assert all(re.fullmatch(r"\*(child\.)?command\('gateway[a-z.]*'.*\)", words) for _, words in children)


def test_yaml_is_read_by_a_safe_loader_only() -> None:
    ours = [(file, name, node) for file, name, node in calls() if ast.unparse(node.func).startswith("yaml.")]
    loads = [(file, node) for file, name, node in ours if not name.startswith(("safe_", "dump"))]
    assert len(loads) > 3
    for file, node in loads:
        given = [ast.unparse(value) for value in (*node.args[1:], *(keyword.value for keyword in node.keywords))]
        assert len(given) == 1, f"{file}:{node.lineno}"
        assert "CSafeLoader" in (ROOT / file).read_text()
        assert "Safe" in given[0] or given[0] in ("LOADER", "loader"), f"{file}:{node.lineno}"


def test_sql_is_never_put_together_where_it_is_run() -> None:
    statements = [(file, node.args[0]) for file, name, node in calls() if name in EXECUTES and node.args]
    assert len(statements) > 10
    for file, statement in statements:
        assert isinstance(statement, ast.Constant | ast.Name | ast.Subscript), f"{file}:{statement.lineno}"


def test_a_secret_leaves_its_wrapper_only_where_it_is_sent_or_searched_for() -> None:
    assert {file.removeprefix("gateway/") for file, name, _ in calls() if name == "reveal"} == REVEALING
