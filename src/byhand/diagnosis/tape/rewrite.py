"""The program's text, rewritten so that what it computes is recorded while its numbers stay its own.

Every function and every loop has its body twice: once in words that a `calls.Recorder` hears, and once as it was. Each
call and each tick chooses between the two.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any, TypeGuard, TypeVar

TAPE = "__tape__"
FLAG = "__tape_on__"
VIEWS = {"T", "mT", "real"}
NATIVE = {"super", "locals", "globals", "vars", "dir", "eval", "exec", "isinstance", "print", "range", "len", "type"}
ORDERED = (ast.Gt, ast.Lt, ast.GtE, ast.LtE)
COMPARED = (*ORDERED, ast.Eq, ast.NotEq)

AnyFunction = TypeVar("AnyFunction", ast.FunctionDef, ast.AsyncFunctionDef)


@lru_cache(maxsize=64)  # what lies beside a program stays as it is in all of its copies
def rewrite(source: str, filename: str, file: str) -> tuple[CodeType, dict[int, str]]:
    """The rewritten program, compiled, and the text of what is assigned to by line.

    Parameters
    ----------
    source : str
        Python.
    filename : str
        What its code objects are to be called.
    file : str
        What nodes call it: "" for the script.

    Raises
    ------
    SyntaxError
        As `compile` does.
    """
    tree = ast.parse(source, filename)
    recorded = _Recorded(file, _read(tree), _decisions(tree))
    tree.body = recorded.whole(tree.body) if file == "" else recorded.block(tree.body)
    code: CodeType = compile(ast.fix_missing_locations(tree), filename, "exec")
    return code, recorded.targets


def literals(code: CodeType) -> list[Any]:
    """All the floats that stand in the text of a program: the objects themselves."""
    found = []
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found += literals(constant)
        elif isinstance(constant, float):
            found.append(constant)
        elif isinstance(constant, tuple):
            found += [x for x in constant if isinstance(x, float)]
    return found


class _Own(ast.NodeTransformer):
    """The text as it was, but for the functions in it: they may be called again while recording."""

    def __init__(self, recorded: _Recorded) -> None:
        self.recorded = recorded

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self.recorded.function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self.recorded.function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self.recorded.visit_Lambda(node)

    def visit_Global(self, node: ast.Global) -> ast.AST:
        return ast.copy_location(ast.Pass(), node)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        return ast.copy_location(ast.Pass(), node)


class _Recorded(ast.NodeTransformer):
    """The text in words that the recorder hears."""

    def __init__(self, file: str, read: set[str], decisions: set[str]) -> None:
        self.file, self.read = file, read
        self.targets: dict[int, str] = {}
        self.decisions = decisions  # names of truths by which a branch is taken that adds to something
        self.best: set[ast.Assign] = set()  # assignments in branches that keep the best number so far
        self.own = _Own(self)
        self.count = 0
        self.in_generator = False

    # Blocks

    def whole(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        """The script's own statements, each announced before it runs."""
        result: list[ast.stmt] = []
        for statement in statements:
            is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            is_future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
            if not is_text and not is_future:
                here = ast.Expr(self._call("reach", statement, ast.Constant(statement.lineno)))
                result.append(ast.copy_location(here, statement))
            # what a notebook shows stands alone in its line, too
            result += [self.generic_visit(statement)] if isinstance(statement, ast.Expr) else self.block([statement])  # type: ignore[list-item]
        return result

    def block(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        """These statements, recorded."""
        result: list[ast.stmt] = []
        for statement in _with_thresholds(statements):
            new = self.visit(statement)
            result += new if isinstance(new, list) else [new]
        return result

    def both(self, statements: list[ast.stmt], test: ast.expr) -> ast.stmt:
        """If the test holds the statements recorded, else as they were."""
        plain = [self.own.visit(_copied(statement)) for statement in statements]
        return ast.copy_location(ast.If(test, self.block(statements), plain), statements[0])

    def function(self, node: AnyFunction) -> AnyFunction:
        """A function that records when something is recorded."""
        node.args.defaults = [self.visit(default) for default in node.args.defaults]
        node.args.kw_defaults = [default and self.visit(default) for default in node.args.kw_defaults]
        first: list[ast.stmt] = []
        body = node.body
        if ast.get_docstring(node, clean=False) is not None:
            first, body = body[:1], body[1:]
        declared: list[ast.stmt] = [n for n in _in_scope(node) if isinstance(n, ast.Global | ast.Nonlocal)]
        before, self.in_generator = self.in_generator, _is_generator(node)
        if body:
            on = _at(ast.Attribute(ast.Name(TAPE, ast.Load()), "on", ast.Load()), node)
            node.body = [*first, *declared, self.both(body, on)]
        self.in_generator = before
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self.function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self.function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        node.args.defaults = [self.visit(default) for default in node.args.defaults]
        plain = self.own.visit(_copied(node.body))
        on = _at(ast.Attribute(ast.Name(TAPE, ast.Load()), "on", ast.Load()), node)
        node.body = _at(ast.IfExp(on, self.visit(node.body), plain), node.body)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = self.block(node.body)
        return node

    def visit_Global(self, node: ast.Global) -> ast.AST:
        return ast.copy_location(ast.Pass(), node)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        return ast.copy_location(ast.Pass(), node)

    # Loops

    def visit_For(self, node: ast.For) -> ast.AST:
        node.target, node.orelse = self.visit(node.target), self.block(node.orelse)
        if self.in_generator:
            node.iter = self._call("each", node.iter, self.visit(node.iter))
            node.body = self.block(node.body)
            return node
        place = [ast.Constant(node.lineno), ast.Constant(self.file)]
        node.iter = self._call("loop", node.iter, self.visit(node.iter), *place)
        node.target = _at(ast.Tuple([node.target, ast.Name(FLAG, ast.Store())], ast.Store()), node.target)
        node.body = [self.both(node.body, _at(ast.Name(FLAG, ast.Load()), node))]
        return node

    def visit_While(self, node: ast.While) -> Any:
        node.test, node.orelse = self.own.visit(node.test), self.block(node.orelse)
        if self.in_generator:
            node.body = self.block(node.body)
            return node
        self.count += 1
        name = f"__tape_{self.count}__"
        ticks = self._call("ticks", node, ast.Constant(node.lineno), ast.Constant(self.file))
        test = _at(ast.Call(ast.Name(name, ast.Load()), [], []), node)
        node.body = [self.both(node.body, test)]
        before = ast.Assign([ast.Name(name, ast.Store())], ticks)
        after = ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None))
        return [_at(before, node), node, _at(after, node)]

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        node.iter = self._call("each", node.iter, self.visit(node.iter))
        node.ifs = [self._test(test) for test in node.ifs]
        return node

    # Statements

    def visit_If(self, node: ast.If) -> ast.AST:
        self.best |= {s for s in _kept_with_a_best(node) if not self.read.isdisjoint(_assigned(s))}
        if _is_threshold(node.test) and any(map(_is_a_sum, [*node.body, *node.orelse])):
            node.test = self._compared("mask", node.test)
        elif _is_threshold(node.test):
            node.test = self._compared("by_chance", node.test)
        else:
            node.test = self._test(node.test)
        node.body, node.orelse = self.block(node.body), self.block(node.orelse)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        text = ast.unparse(node.targets[0])
        self.targets.setdefault(node.lineno, text)
        target = node.targets[0]
        is_decision = isinstance(target, ast.Name) and target.id in self.decisions
        if is_decision and _is_threshold(node.value):
            value: Any = self._compared("decision", node.value)
        else:
            value = self.visit(node.value)
        if isinstance(target, ast.Tuple | ast.List):
            names = [ast.unparse(t) for t in target.elts]
            value = self._call("unpack", node.value, value)
        else:
            names = [text]
        if not isinstance(value, ast.Constant):
            word = "best" if node in self.best else "name"
            value = self._call(word, node.value, value, *map(ast.Constant, names))
        node.targets = [self.visit(t) for t in node.targets]
        node.value = value
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            text = ast.unparse(node.target)
            self.targets.setdefault(node.lineno, text)
            node.value = self._call("name", node.value, self.visit(node.value), ast.Constant(text))
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        op = type(node.op).__name__
        if op in ("LShift", "RShift"):
            return self.generic_visit(node)
        self.targets.setdefault(node.lineno, ast.unparse(node.target))
        value, word = self.visit(node.value), ast.Constant(op)
        target = node.target
        if isinstance(target, ast.Subscript):
            apply = self._call("item_for", node, self.visit(target.value), self._key(target.slice), word)
            return _at(ast.Expr(_at(ast.Call(apply, [value], []), node)), node)
        load = _copied(target)
        load.ctx = ast.Load()
        if isinstance(target, ast.Attribute) and not _is_path(target):
            apply = self._call("attribute_for", node, self.visit(target.value), ast.Constant(target.attr), word)
            return _at(ast.Expr(_at(ast.Call(apply, [value], []), node)), node)
        return _at(ast.Assign([target], self._call("inplace", node, word, load, value)), node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        node.value = self.visit(node.value)
        self._say(node.value, "aside", "call")
        return node

    def visit_Delete(self, node: ast.Delete) -> ast.AST:
        return node

    def visit_match_case(self, node: Any) -> ast.AST:
        node.guard = node.guard and self.visit(node.guard)
        node.body = self.block(node.body)
        return node

    # Expressions

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return self._call("const", node, node) if type(node.value) is float else node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if _is_literal(node):
            return self._call("const", node, node) if type(node.operand.value) is float else node  # type: ignore[attr-defined]
        if isinstance(node.op, ast.Not):
            node.operand = self._test(node.operand)
            return node
        return self._call("unary", node, ast.Constant(type(node.op).__name__), self.visit(node.operand))

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if (_is_literal(node.left) and _is_literal(node.right)) or isinstance(node.op, ast.LShift | ast.RShift):
            return node if _is_literal(node.left) else self.generic_visit(node)
        word = ast.Constant(type(node.op).__name__)
        return self._call("binary", node, word, self._operand(node.left), self._operand(node.right))

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        if len(node.ops) > 1 or not isinstance(node.ops[0], COMPARED):
            return self.generic_visit(node)
        return self._compared("binary", node)

    def _compared(self, method: str, node: ast.Compare, *more: ast.expr) -> ast.Call:
        word = ast.Constant(type(node.ops[0]).__name__)
        return self._call(method, node, word, self._operand(node.left), self._operand(node.comparators[0]), *more)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        if _is_threshold(node.test) and _is_literal(node.body) and _is_literal(node.orelse):
            return self._compared("threshold", node.test, node.body, node.orelse)
        node.test, node.body, node.orelse = self._test(node.test), self.visit(node.body), self.visit(node.orelse)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if isinstance(node.ctx, ast.Store):
            node.value = self._call("target", node.value, self.visit(node.value))
            node.slice = self.visit(node.slice) if not isinstance(node.slice, ast.Constant) else node.slice
            return node
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            node.value = self.visit(node.value)
            return node
        return self._call("getitem", node, self.visit(node.value), self._key(node.slice))

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        node.value = self.visit(node.value)
        if node.attr in VIEWS and isinstance(node.ctx, ast.Load):
            return self._call("attribute", node, node.value, ast.Constant(node.attr))
        return node

    def visit_Starred(self, node: ast.Starred) -> ast.AST:
        node.value = self.visit(node.value)
        if isinstance(node.ctx, ast.Load):
            node.value = self._call("unpack", node.value, node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        keep = self._operand if isinstance(node.func, ast.Attribute) else self.visit
        args = [keep(arg) for arg in node.args]
        if node.args and isinstance(node.func, ast.Attribute) and node.func.attr == "where":
            self._say(args[0], "mask", "binary")
        for keyword in node.keywords:
            keyword.value = keep(keyword.value)
        if isinstance(node.func, ast.Name) and node.func.id in NATIVE:
            node.args = args
            return node
        new = self._call("call", node, self.visit(node.func), *args)
        new.keywords = node.keywords
        return new

    def _operand(self, node: ast.expr) -> Any:
        return node if _is_literal(node) else self.visit(node)

    def _test(self, node: ast.expr) -> Any:
        """What is only asked for its truth: comparing two numbers has no derivative."""
        if isinstance(node, ast.BoolOp):
            node.values = [self._test(value) for value in node.values]
            return node
        return self.generic_visit(node) if isinstance(node, ast.Compare) else self.visit(node)

    def _key(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Slice):
            parts = [part and self.visit(part) for part in (node.lower, node.upper, node.step)]
            return self._call("slice", node, *(part or ast.Constant(None) for part in parts))
        if isinstance(node, ast.Tuple):
            return _at(ast.Tuple([self._key(part) for part in node.elts], ast.Load()), node)
        return self._operand(node)

    def _say(self, node: ast.AST, method: str, instead_of: str) -> None:
        """One word for another, where a node is a call of the recorder's in that."""
        if isinstance(node, ast.Call) and ast.unparse(node.func) == f"{TAPE}.{instead_of}":
            node.func = self._call(method, node).func

    def _call(self, method: str, place: ast.AST, *args: ast.expr) -> ast.Call:
        function = ast.Attribute(ast.Name(TAPE, ast.Load()), method, ast.Load())
        return _at(ast.Call(function, list(args), []), place)


AnyNode = TypeVar("AnyNode", bound=ast.AST)


def _at(node: AnyNode, place: ast.AST) -> AnyNode:
    """The node where the other stands; what in it is new is put there in the end, with all that has no place."""
    return ast.copy_location(node, place)


def _copied(x: Any) -> Any:
    """Part of a program once more: `copy.deepcopy` takes five times as long."""
    if isinstance(x, list):
        return [_copied(item) for item in x]
    if not isinstance(x, ast.AST):
        return x
    new = type(x).__new__(type(x))
    for name, value in vars(x).items():
        setattr(new, name, _copied(value))
    return new


def _read(tree: ast.AST) -> set[str]:
    """The names, attributes and items that a program reads."""
    read = [n for n in ast.walk(tree) if isinstance(getattr(n, "ctx", None), ast.Load)]
    paths = {ast.unparse(n) for n in read if isinstance(n, ast.Attribute | ast.Subscript)}
    return paths | {n.id for n in read if isinstance(n, ast.Name)}


def _kept_with_a_best(branch: ast.If) -> list[ast.Assign]:
    """What a branch assigns if it also keeps one side of the comparison that leads to it: the best so far."""
    found = [n for n in ast.walk(branch.test) if isinstance(n, ast.Compare)]
    compared = {ast.unparse(side) for n in found if type(n.ops[0]) in ORDERED for side in (n.left, *n.comparators)}
    assigned = [s for s in branch.body if isinstance(s, ast.Assign)]
    return assigned if any(not compared.isdisjoint(_assigned(s)) for s in assigned) else []


def _decisions(tree: ast.AST) -> set[str]:
    """The names that a branch is taken by which adds to something, as a step does."""
    branches = [n for n in ast.walk(tree) if isinstance(n, ast.If) and any(map(_is_a_sum, [*n.body, *n.orelse]))]
    return {n.id for branch in branches for n in ast.walk(branch.test) if isinstance(n, ast.Name)}


def _assigned(statement: ast.Assign) -> list[str]:
    first = statement.targets[0]
    return [ast.unparse(t) for t in (first.elts if isinstance(first, ast.Tuple | ast.List) else [first])]


def _is_threshold(node: ast.AST) -> TypeGuard[ast.Compare]:
    return isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ORDERED)


def _is_a_sum(statement: ast.stmt) -> bool:
    """Whether a statement adds to something, as a step does."""
    if isinstance(statement, ast.AugAssign):
        return isinstance(statement.op, ast.Add | ast.Sub)
    return isinstance(statement, ast.Assign) and any(isinstance(n, ast.BinOp) for n in ast.walk(statement.value))


def _with_thresholds(statements: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements; a number that a comparison chooses between two, in branches, is written in one expression."""
    waiting = list(statements)
    while waiting:
        statement = waiting.pop(0)
        if isinstance(statement, ast.If) and _is_threshold(statement.test) and len(statement.body) == 1:
            first, other = statement.body[0], statement.orelse
            if isinstance(first, ast.Return) and not other and waiting and isinstance(waiting[0], ast.Return):
                other = [waiting[0]]
            if len(other) == 1 and type(other[0]) is type(first) and _gives_a_literal(first, other[0]):
                choice = ast.IfExp(statement.test, first.value, other[0].value)  # type: ignore[attr-defined]
                first.value = _at(choice, statement)  # type: ignore[attr-defined]
                waiting = waiting[1:] if waiting and other[0] is waiting[0] else waiting
                statement = first
        yield statement


def _gives_a_literal(one: ast.stmt, other: ast.stmt) -> bool:
    """Whether two statements return a number each that is written down, or assign it to the same name."""
    if isinstance(one, ast.Assign) and isinstance(other, ast.Assign):
        same = (
            ast.unparse(one.targets[0]) == ast.unparse(other.targets[0]) and len(one.targets) == len(other.targets) == 1
        )
        return same and _is_literal(one.value) and _is_literal(other.value)
    values = (getattr(one, "value", None), getattr(other, "value", None))
    return isinstance(one, ast.Return) and all(v is not None and _is_literal(v) for v in values)


def _is_literal(node: ast.AST) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _is_path(node: ast.expr) -> bool:
    """Whether it is a.b.c: it may be evaluated twice."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _in_scope(function: ast.AST) -> list[ast.AST]:
    """What stands in a function, but not in one inside it."""
    found: list[ast.AST] = []
    todo = list(ast.iter_child_nodes(function))
    while todo:
        node = todo.pop()
        found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            todo += ast.iter_child_nodes(node)
    return found


def _is_generator(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _in_scope(function))
