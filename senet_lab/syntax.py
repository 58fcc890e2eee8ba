"""Python source as syntax: digests that comments, docstrings and layout do not change. Pure."""

import ast
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

Node = ast.AST


def digest(value: Any) -> str:
    """SHA-256 of a value of plain lists, dicts, texts and numbers."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def source_digest(source: str) -> str:
    """Digest of a whole module."""
    return digest(_shape(ast.parse(source)))


def definition_digest(source: str, kind: str, name: str, of_module: Callable[[str], str]) -> str:
    """Digest of what `@kind(name)` marks in a module, and of all in that module which it uses, near or far.

    Statements at the top that do more than to name something (`try:`, `Gem.p = 3`, `POWERS.append(2)`) count for
    every operator. `of_module` gives the digest of a module of this package that is imported from, "" for what is
    none. Where the mark is not found as it stands (it may be in a loop), all of the module counts but its `SWEEP`.
    """
    body = ast.parse(source).body
    roots = list(_marked(body, kind, name))
    if not roots:
        return digest([_shape(n) for n in body if not _is_text(n) and "SWEEP" not in _binds(n)])
    bound: dict[str, list[Node]] = {}
    for node in body:
        for known in _binds(node):
            bound.setdefault(known, []).append(node)
    used = roots + [n for n in body if not _only_names(n)]
    open_ = list(used)
    while open_:
        names = {n.id for n in ast.walk(open_.pop()) if isinstance(n, ast.Name)}
        new = [n for known in sorted(names) for n in bound.get(known, []) if n not in used]
        used += new
        open_ += new
    others = {module: of_module(module) for module in sorted(_imported(used))}
    return digest([sorted(json.dumps(_shape(n)) for n in used), others])


def _only_names(node: Node) -> bool:
    """Whether a statement at the top does nothing but to give names a meaning, or marks an operator."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return all(isinstance(t, ast.Name) for t in targets)
    if not isinstance(node, ast.Expr):
        return False
    call = node.value.func if isinstance(node.value, ast.Call) else None
    return _is_text(node) or (
        isinstance(call, ast.Call) and any(_ends(call.func, kind) for kind in ("squeeze", "gate"))
    )


def _imported(nodes: list[Node]) -> set[str]:
    """Dotted names, within this package, of all that may be a module and is imported in `nodes`."""
    found: set[str] = set()
    for node in (inner for outer in nodes for inner in ast.walk(outer)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name.removeprefix("senet_lab.") for name in found if name.startswith("senet_lab.")}


def _marked(body: list[ast.stmt], kind: str, name: str) -> Iterator[Node]:
    """What the mark stands on, without the mark: a class or function below it, or `X` in `kind(name)(X)`."""

    def is_mark(node: Node) -> bool:
        return isinstance(node, ast.Call) and _ends(node.func, kind) and [ast.dump(a) for a in node.args] == wanted

    wanted = [ast.dump(ast.Constant(name))]
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and any(map(is_mark, node.decorator_list)):
            node.decorator_list = [d for d in node.decorator_list if not is_mark(d)]
            yield node
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and is_mark(node.value.func):
            yield from node.value.args


def _ends(node: Node, name: str) -> bool:
    """Whether `node` is `name` or `anything.name`."""
    return getattr(node, "id", None) == name or getattr(node, "attr", None) == name


def _binds(node: Node) -> set[str]:
    """The names that a statement at the top of a module gives a meaning to."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _shape(node: Any) -> Any:
    """The syntax tree as nested lists; empty fields left out, as Python versions differ in them."""
    if isinstance(node, list):
        return [_shape(n) for n in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    body = fields.get("body")
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        fields["body"] = [n for n in body or [] if not _is_text(n)]
    return [type(node).__name__, [[k, _shape(v)] for k, v in fields.items() if v is not None and v != []]]


def _is_text(node: Node) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
