"""A source with its syntax tree: reading statements, and exchanging parts of them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

Node: TypeAlias = ast.expr | ast.stmt


class Text:
    """A source and its syntax tree. Each change gives a new source, and leaves the rest of the text as it stands.

    Raises
    ------
    SyntaxError
        When Python cannot read it.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines = source.splitlines()
        self.tree = ast.parse(source)
        self.parent = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        self._bytes = source.encode()  # the columns of a syntax tree count bytes
        self._starts = [0]
        for line in self._bytes.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def of(self, node: Node) -> str:
        """The node's text."""
        if not node.lineno:
            return ""
        low, high = self._span(node)
        return self._bytes[low:high].decode()

    def _span(self, node: Node) -> tuple[int, int]:
        low = self._starts[node.lineno - 1] + node.col_offset
        return low, self._starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)

    def is_in_parentheses(self, node: Node) -> bool:
        """Whether it stands in parentheses of its own."""
        low, high = self._span(node)
        is_given = isinstance(self.parent[node], ast.Call)
        return not is_given and self._bytes[:low].rstrip()[-1:] == b"(" and self._bytes[high:].lstrip()[:1] == b")"

    def replace(self, *pairs: tuple[Node, str]) -> str:
        """The source with these nodes' texts exchanged; of two that overlap, the later one."""
        data, end = self._bytes, len(self._bytes) + 1
        spans = [(self._span(node), text) for node, text in pairs if node.lineno]
        for (low, high), text in sorted(spans, key=lambda s: (-s[0][0], s[0][1])):
            if high <= end:
                data, end = data[:low] + text.encode() + data[high:], low
        return data.decode()

    def operator(self, left: Node, right: Node, old: str, new: str) -> str:
        """The source with the operator exchanged that stands between two nodes."""
        data, low, high = self._bytes, self._span(left)[1], self._span(right)[0]
        return (data[:low] + data[low:high].replace(old.encode(), new.encode(), 1) + data[high:]).decode()

    def insert(self, line: int, *new: str, indent: int = 0) -> str:
        """The source with lines put before a line."""
        added = [" " * indent + text for text in new]
        return "\n".join([*self.lines[: line - 1], *added, *self.lines[line - 1 :]]) + "\n"

    def move(self, node: ast.stmt, before: int, indent: int | None = None) -> str:
        """The source with a statement put before another line, at its own indentation or another."""
        first, last = first_line(node) - 1, node.end_lineno or node.lineno
        block = self.lines[first:last]
        if indent is not None:
            block = [" " * indent + text[node.col_offset :] for text in block]
        rest = [*self.lines[:first], *self.lines[last:]]
        at = before - 1 - (last - first if before > last else 0)
        return "\n".join([*rest[:at], *block, *rest[at:]]) + "\n"

    def statement(self, line: int) -> ast.stmt | None:
        """The innermost statement that a line belongs to."""
        here = [n for n in nodes(self.tree, ast.stmt) if n.lineno <= line <= (n.end_lineno or 0)]
        return max(here, key=lambda n: (n.lineno, n.col_offset), default=None)

    def above(self, node: ast.AST, *kinds: type[ast.AST]) -> list[Any]:
        """What the node lies in, from the inside out."""
        found = []
        while node in self.parent:
            node = self.parent[node]
            if isinstance(node, kinds or ast.AST):
                found.append(node)
        return found

    def products(self, node: ast.AST) -> Iterator[tuple[ast.expr, list[ast.expr]]]:
        """Each product with its factors; products that are factors of another are told with that one."""
        for found in nodes(node, ast.BinOp):
            outer = self.parent[found]
            if isinstance(found.op, ast.Mult) and not (isinstance(outer, ast.BinOp) and isinstance(outer.op, ast.Mult)):
                yield found, factors(found)

    def factor(self, node: ast.expr) -> str:
        """The node's text as a factor may be written."""
        plain = ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.Constant
        return self.of(node) if isinstance(node, plain) else f"({self.of(node)})"

    def product(self, of: Iterable[ast.expr], *more: str) -> str:
        """The text of a product."""
        return " * ".join([*(self.factor(f) for f in of), *more])

    def without(self, product: ast.expr, gone: Iterable[ast.expr]) -> str:
        """The text of a product without some of its factors."""
        rest = [f for f in factors(product) if f not in gone]
        is_alone = len(rest) == 1 and isinstance(self.parent[product], ast.stmt | ast.Call)
        return self.of(rest[0]) if is_alone else self.product(rest)


class Line:
    """A line of a text.

    Attributes
    ----------
    statement : ast.stmt
    value : ast.expr
        What is computed in it: of a step x = x - change the change, of x.item() the x, of a dictionary written over
        several lines the entry of this line. A constant without a place, when nothing is.
    target : ast.expr or None
        What it is stored in.
    evidence : dict
        The finding's.
    """

    def __init__(self, text: Text, statement: ast.stmt, evidence: dict[str, Any], number: int = 0) -> None:
        self.text, self.statement, self.evidence = text, statement, evidence
        self.target: ast.expr | None = (getattr(statement, "targets", None) or [getattr(statement, "target", None)])[0]
        whole = getattr(statement, "value", None)
        self.whole: ast.expr = whole if isinstance(whole, ast.expr) else ast.Constant(None, lineno=0, col_offset=0)
        self.value = self._inner(number)
        self.indent = statement.col_offset
        self.factors, self.operands = factors(self.value), operands(self.value)
        self.function: ast.AST = next(iter(text.above(statement, ast.FunctionDef)), text.tree)

    def _inner(self, number: int) -> ast.expr:
        value = self.whole
        if isinstance(value, ast.Dict):
            here = [v for v in value.values if v.lineno <= number <= (v.end_lineno or 0)]
            value = here[0] if here else value
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub) and self.target is not None:
            value = value.right if self.text.of(value.left) == self.text.of(self.target) else value
        while isinstance(value, ast.Call) and called(value) in ("item", "float"):
            inner: list[Any] = value.args or [getattr(value.func, "value", None)]
            if not isinstance(inner[0], ast.expr):
                break
            value = inner[0]
        return value

    def near(self) -> list[Line]:
        """What else its function, or the script, computes and stores."""
        others = [n for n in nodes(self.function, ast.Assign, ast.AugAssign) if n is not self.statement]
        entries = self.whole.values if isinstance(self.whole, ast.Dict) else []
        numbers = [v.lineno for v in entries if v is not self.value]
        return [Line(self.text, n, {}) for n in others] + [Line(self.text, self.statement, {}, n) for n in numbers]

    def products(self) -> list[tuple[Any, ast.expr, ast.expr]]:
        """The matrix products in it, each with its two factors."""
        found: list[tuple[Any, ast.expr, ast.expr]] = []
        for node in nodes(self.value, ast.BinOp, ast.Call):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
                found.append((node, node.left, node.right))
            elif isinstance(node, ast.Call) and called(node) in ("dot", "matmul", "outer") and node.args:
                left = node.args[0] if len(node.args) > 1 else node.func.value  # type: ignore[attr-defined]
                found.append((node, left, node.args[-1]))
        return found

    def calls(self, *names: str) -> list[tuple[ast.Call, ast.expr]]:
        """The calls of functions or methods of these names, each with the array that is handed in."""
        found = []
        for call in nodes(self.value if self.value.lineno else self.statement, ast.Call):
            if called(call) in names:
                is_method = isinstance(call.func, ast.Attribute) and self.text.of(call.func.value) not in (
                    "np",
                    "numpy",
                )
                given = call.func.value if is_method else next(iter(call.args), None)
                if isinstance(given, ast.expr):
                    found.append((call, given))
        return found

    def with_value(self, text: str) -> str:
        """The source with something else computed here."""
        return self.text.replace((self.value, text))


def nodes(node: ast.AST, *kinds: type[ast.AST]) -> list[Any]:
    """The nodes of these kinds in a tree, itself included."""
    return [n for n in ast.walk(node) if isinstance(n, kinds)]


def first_line(node: ast.stmt) -> int:
    """Where a statement begins, its decorators included."""
    return min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])


def factors(node: ast.expr) -> list[ast.expr]:
    """The factors of a product, or the node alone."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*factors(node.left), *factors(node.right)]
    return [node]


def operands(node: ast.AST) -> list[ast.expr]:
    """The names, attributes and subscripts that are read, the outermost ones; not the functions that are called."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return operands(node.value)
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return [node] if isinstance(node.ctx, ast.Load) else []
    children: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.Call):
        children = [*([node.func.value] if isinstance(node.func, ast.Attribute) else []), *node.args]
    return [operand for child in children for operand in operands(child) if root(operand).split(".")[0] != "np"]


def root(node: ast.AST | None) -> str:
    """The name at the bottom of subscripts: W_out of W_out[0][j], self.W of self.W[0]."""
    while isinstance(node, ast.Subscript) or (isinstance(node, ast.Attribute) and node.attr == "T"):
        node = node.value
    return ast.unparse(node) if node is not None else ""


def called(call: ast.Call) -> str:
    """The name of the function or method that is called, without what stands before its dot."""
    return ast.unparse(call.func).rsplit(".", 1)[-1]
