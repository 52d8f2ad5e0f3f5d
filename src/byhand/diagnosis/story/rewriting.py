"""The student's own line, rewritten: for each mistake, how its line may be changed.

A rewriting is a guess made from the syntax tree. It is told only after a copy with it was run and the finding was gone;
so a guess may be generous, and no activation, loss or optimizer need be recognised.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from byhand.diagnosis.findings import Finding
from byhand.diagnosis.story.text import Line, Node, Text, called, factors, first_line, nodes, operands, root

MOST = 24
"""Rewritings that are tried for one finding."""

Guess: TypeAlias = Callable[[Line], Iterator[str]]


def rewritings(source: str, finding: Finding, guesses: tuple[Guess, ...]) -> list[str]:
    """Sources in which the finding may be mended, the likeliest first; each parses.

    Parameters
    ----------
    source : str
        The text that the finding's places stand in.
    finding : Finding
        Its evidence may say "z_name", "a_name" (what an activation takes and gives), "activation", "factor" (the
        gradient used over the true one), "read_name" and "right_name" (what is read, and what should be), "name" (of
        the parameter), "delta_name", "rate_name", "count_name", "updated_at" (a line), "learning_rate", "epochs",
        "input_name", "target_name", "flat_name", "data_name".
    guesses : tuple
        How its line may be changed.
    """
    lines = sorted({p.line for p in [finding.place, *finding.also] if p.file == finding.place.file}, reverse=True)
    found: dict[str, None] = {}
    for guess in guesses:
        if len(lines) > 1:
            found |= dict.fromkeys(_everywhere(guess, source, lines, finding.evidence))
        found |= dict.fromkeys(_at(guess, source, finding.place.line, finding.evidence))
    alias = re.search(r"(?m)^\s*import numpy(?:\s+as\s+(\w+))?\s*$", source)
    numpy = (alias.group(1) or "numpy") if alias else "np"
    texts = [re.sub(r"\bnp\.", f"{numpy}.", text) for text in found] if numpy != "np" else list(found)
    return [text for text in texts if text != source and _parses(text)][:MOST]


def _at(guess: Guess, source: str, line: int, evidence: dict[str, Any]) -> list[str]:
    text = Text(source)
    statement = text.statement(line)
    return [] if statement is None else list(guess(Line(text, statement, evidence, line)))


def _everywhere(guess: Guess, source: str, lines: list[int], evidence: dict[str, Any]) -> Iterator[str]:
    """The k-th guess at every place of the mistake at once, from the last line up."""
    for k in range(MOST):
        changed = source
        for line in lines:
            here = _at(guess, changed, line, evidence) if _parses(changed) else []
            if len(here) <= k:
                return
            changed = here[k]
        yield changed


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return True


# ---- slopes of activations


def _activations(line: Line) -> list[tuple[str, str]]:
    """Pairs (z, a) as the script calls them here: those of the evidence, else every a = f(z) that it writes."""
    z, a = str(line.evidence.get("z_name") or ""), str(line.evidence.get("a_name") or "")
    if not z and not a:
        return _written_activations(line.text)
    here = [line.text.of(o) for o in operands(line.function)]  # self.a of one object may be layer.a here
    alike = [name for name in dict.fromkeys(here) if "." in name and name.rpartition(".")[2] == a.rpartition(".")[2]]
    return [(z, a), *(("", name) for name in alike if name != a)]


def _written_activations(text: Text) -> list[tuple[str, str]]:
    pairs: dict[tuple[str, str], None] = {}
    for statement in nodes(text.tree, ast.Assign):
        target, value = statement.targets[0], statement.value
        calls = [[a for a in c.args if not isinstance(a, ast.Constant)] for c in nodes(value, ast.Call)]
        given = [c[0] for c in calls if len(c) == 1]
        names = {text.of(o) for o in given if isinstance(o, ast.Name | ast.Attribute)} or {
            text.of(o) for o in operands(value)
        }
        if isinstance(target, ast.Name | ast.Attribute) and (len(names) == 1 or given):
            pairs[names.pop() if len(names) == 1 else "", text.of(target)] = None
    return list(pairs)


def _slopes(line: Line) -> list[str]:
    """How f′ may be written with the script's names: its own functions of one argument first."""
    functions = [f for f in nodes(line.text.tree, ast.FunctionDef) if nodes(f, ast.Return)]
    own = [f.name for f in functions if [a.arg for a in f.args.args] not in ([], ["self"]) and len(f.args.args) == 1]
    pairs = _activations(line)
    called_by_name = [f"{name}({x})" for name in own for pair in pairs for x in pair if x]
    written = []
    for z, a in pairs:
        written += [f"({z or a} > 0)", f"{a} * (1 - {a})" if a else "", f"(1 - {a or f'np.tanh({z})'} ** 2)"]
    wanted = {"relu": "> 0", "sigmoid": "(1 - ", "tanh": "** 2"}.get(str(line.evidence.get("activation")), "")
    return [*called_by_name, *sorted(filter(None, written), key=lambda slope: wanted not in slope)]


def _times_slope(line: Line) -> Iterator[str]:
    """The slope as one more factor: of the whole, of an operand of a matrix product, of what is summed."""
    spots = [line.value, *(side for _, left, right in line.products() for side in (right, left))]
    spots += [given for _, given in line.calls("sum", "mean")]
    for spot in spots:
        for slope in _slopes(line):
            new = line.text.product(factors(spot), slope)
            is_argument = spot is line.value or isinstance(line.text.parent[spot], ast.Call)
            yield line.text.replace((spot, new if is_argument else f"({new})"))


def _times_slope_where_it_goes(line: Line) -> Iterator[str]:
    """The slope where the value only gets another name, or in the activation's own layer, which sends it on."""
    target = line.text.of(line.target) if line.target is not None else None
    aliases = [n for n in nodes(line.function, ast.Assign) if line.text.of(n.value) == target]
    own = str(line.evidence.get("a_name") or "")
    for layer in nodes(line.text.tree, ast.ClassDef):
        if own and own in [line.text.of(t) for n in nodes(layer, ast.Assign) for t in n.targets]:
            returns = [(n, f) for f in nodes(layer, ast.FunctionDef) for n in nodes(f, ast.Return)]
            aliases += [n for n, f in returns if n.value and line.text.of(n.value) in [a.arg for a in f.args.args]]
    for alias in aliases:
        for slope in _slopes(line):
            yield line.text.replace((alias.value, line.text.product([alias.value], slope)))


def _other_slope(line: Line) -> Iterator[str]:
    """Another slope in place of the factors that are made of z and a only."""
    names = {name for pair in _activations(line) + _written_activations(line.text) for name in pair}
    for product, parts in line.text.products(line.value):
        slope = [f for f in parts if operands(f) and {line.text.of(o) for o in operands(f)} <= names]
        rest = [f for f in parts if f not in slope]
        for new in _slopes(line) if slope and rest else ():
            yield line.text.replace((product, line.text.product(rest, new)))


def _other_argument(line: Line) -> Iterator[str]:
    """z where a stands, and a where z stands."""
    for z, a in _activations(line):
        for old, new in ((a, z), (z, a)):
            here = [o for o in line.operands if line.text.of(o) == old]
            if here and new:
                yield line.text.replace(*((o, new) for o in here))


def _sibling_factor(line: Line) -> Iterator[str]:
    """A factor that the step of another parameter has, in the same function, and this one lacks."""
    own = {line.text.of(f) for f in line.factors}
    for other in line.near():
        theirs = {line.text.of(f): f for f in other.factors}
        for missing in [f for name, f in theirs.items() if name not in own] if len(own & set(theirs)) > 1 else ():
            yield line.with_value(line.text.product(line.factors, line.text.factor(missing)))


def _slope_function(line: Line) -> Iterator[str]:
    """What a function that should give a slope returns."""
    function = line.statement if isinstance(line.statement, ast.FunctionDef) else line.function
    if isinstance(function, ast.FunctionDef) and function.args.args:
        x = function.args.args[-1].arg
        for node in [n for n in nodes(function, ast.Return) if n.value is not None]:
            for slope in (f"1.0 * ({x} > 0)", f"{x} * (1 - {x})", f"1 - {x} ** 2", f"1 - np.tanh({x}) ** 2"):
                yield line.text.replace((node.value, slope))


# ---- signs, factors, sums


def _sign(line: Line) -> Iterator[str]:
    text, statement = line.text, line.statement
    turned = {ast.Add: ("+", "-"), ast.Sub: ("-", "+")}
    if isinstance(statement, ast.AugAssign) and type(statement.op) in turned:
        yield text.operator(statement.target, line.value, *turned[type(statement.op)])
    if isinstance(line.whole, ast.BinOp) and line.whole.right is line.value:
        yield text.operator(line.whole.left, line.value, *turned[type(line.whole.op)])
    for node in nodes(line.value, ast.UnaryOp):
        if isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
            yield text.replace((node, text.of(node.operand)))
    for node in nodes(line.value, ast.BinOp):
        if isinstance(node.op, ast.Sub):
            yield text.replace((node.left, text.of(node.right)), (node.right, text.factor(node.left)))
    yield line.with_value(f"-({text.of(line.value)})")


def _without(line: Line, factor: ast.expr) -> Iterator[str]:
    """Without one factor of its product."""
    for product, parts in line.text.products(line.value):
        if factor in parts:
            yield line.text.replace((product, line.text.without(product, [factor])))


def _constant_factor(line: Line) -> Iterator[str]:
    """What is used, divided by how many times the true gradient it is."""
    factor = float(line.evidence.get("factor") or 0)
    if factor == 0:
        return
    for number in nodes(line.value, ast.Constant):
        if isinstance(number.value, int | float):
            new = number.value / factor
            if abs(new - 1) < 1e-9:
                yield from _without(line, number)
            yield line.text.replace((number, f"{new:g}"))
    for node in nodes(line.value, ast.BinOp):
        if isinstance(node.op, ast.Div):
            yield line.text.replace((node, line.text.of(node.left)))
    more = round(1 / factor)
    if more > 1 and abs(more * factor - 1) < 1e-6:
        rate = line.factors[:1] if isinstance(line.factors[0], ast.Name) else []
        rest = line.text.product(line.factors[len(rate) :]) if rate else line.text.factor(line.value)
        yield line.with_value(" * ".join([*map(line.text.of, rate), str(more), rest]))
    if round(factor) > 1 and abs(factor - round(factor)) < 1e-6:
        yield line.with_value(f"{line.text.factor(line.value)} / {round(factor)}")


def _factor_less(line: Line) -> Iterator[str]:
    """Without one name that it is multiplied with: the learning rate, where the evidence names it."""
    rate = line.evidence.get("rate_name")
    for factor in nodes(line.value, ast.Name, ast.Attribute):
        if rate in (None, line.text.of(factor)):
            yield from _without(line, factor)


def _sum_or_mean(line: Line) -> Iterator[str]:
    if abs(float(line.evidence.get("factor") or 0)) < 1:  # the sum is wanted
        for node in nodes(line.value, ast.BinOp):
            if isinstance(node.op, ast.Div):
                yield line.text.replace((node, line.text.of(node.left)))
    for old, new in (("sum", "mean"), ("mean", "sum")):
        functions = [call.func for call, _ in line.calls(old) if isinstance(call.func, ast.Attribute)]
        if functions:
            yield line.text.replace(*((f, f"{line.text.of(f.value)}.{new}") for f in functions))
    count = line.evidence.get("count_name")
    for number in [count] if count else dict.fromkeys(f"len({root(o)})" for o in line.operands):
        yield line.with_value(f"{line.text.factor(line.value)} / {number}")


def _bias_sum(line: Line) -> Iterator[str]:
    """The sum over the samples of the layer's own delta."""
    text, delta = line.text, line.evidence.get("delta_name")
    near = sorted(line.near(), key=lambda n: abs(n.statement.lineno - line.statement.lineno))
    sides = [text.factor(side) for n in near for _, left, right in n.products() for side in (right, left)]
    sides.sort(key=lambda side: side.endswith(".T"))
    deltas = list(dict.fromkeys([str(delta)] if delta else sides))
    sums = line.calls("sum", "mean")
    for call, given in sums:
        rest = ", ".join(text.of(k.value) if k.arg is None else f"{k.arg}={text.of(k.value)}" for k in call.keywords)
        for name in deltas:
            yield text.replace((call, f"{name}.sum({rest or 'axis=0'})"))
        axes = [k.value for k in call.keywords if k.arg == "axis" and isinstance(k.value, ast.Constant)]
        yield text.replace(*((a, "0" if a.value else "1") for a in axes))
        yield text.replace((call, f"{text.factor(given)}.sum(axis=0)"))
    for operand in [] if sums else line.operands:
        bare = operand.value if isinstance(operand, ast.Subscript) else operand
        for name in dict.fromkeys([text.of(bare), *deltas]):
            yield text.replace((operand, f"{name}.sum(axis=0)"))
            yield text.replace((operand, f"{name}.sum(axis=0, keepdims=True)"))


# ---- products and names


def _turned(line: Line) -> Iterator[str]:
    """A factor of a matrix product transposed, or the whole; the two of an outer product exchanged."""
    text = line.text

    def turn(node: ast.expr) -> str:
        bare = node.value if isinstance(node, ast.Attribute) and node.attr == "T" else None
        return text.of(bare) if bare is not None else f"{text.factor(node)}.T"

    for node, left, right in line.products():
        if isinstance(node, ast.Call) and called(node) == "outer":
            yield text.replace((left, text.of(right)), (right, text.of(left)))
        else:
            yield text.replace((right, turn(right)))
            yield text.replace((left, turn(left)))
            yield text.replace((left, turn(right)), (right, turn(left)))
    for operand in line.operands:
        above = text.parent[operand]
        is_turned = isinstance(above, ast.Attribute) and above.attr == "T"
        yield text.replace(
            (
                above if isinstance(above, ast.Attribute) and is_turned else operand,
                text.of(operand) if is_turned else turn(operand),
            )
        )


def _elementwise(line: Line) -> Iterator[str]:
    for node, left, right in line.products():
        new = line.text.product([left, right])
        yield line.text.replace((node, new if node is line.value else f"({new})"))


def _other_name(line: Line) -> Iterator[str]:
    """Another of the script's values in place of one that is read, the nearest first."""
    text, right = line.text, line.evidence.get("right_name") or line.evidence.get("delta_name")
    reads = [o for o in line.operands if line.evidence.get("read_name") in (None, text.of(o))]
    reads += [side for _, left, right_ in line.products() for side in (left, right_) if operands(side) != [side]]
    near = sorted(line.near(), key=lambda n: abs(n.statement.lineno - line.statement.lineno))
    known = [text.of(n.target) for n in near if n.target is not None and n.statement.lineno <= line.statement.lineno]
    for name in [str(right)] if right else dict.fromkeys(known):
        for read in reads:
            if (
                right
                or not isinstance(read, ast.Name | ast.Attribute)
                or isinstance(read, ast.Attribute) == ("." in name)
            ):
                yield text.replace((read, name))


# ---- order


def _later(line: Line) -> Iterator[str]:
    """The step below what still reads the old weights: moved there, or that read above it."""
    text = line.text
    use = [line.statement, *text.above(line.statement, ast.stmt)]
    for step in _steps(line):
        for part in [step, *text.above(step, ast.stmt)]:
            beside = next((n for n in use if text.parent.get(n) is text.parent.get(part)), None)
            if isinstance(beside, ast.Return) and beside.value is not None:
                kept = f"sent_back = {text.of(beside.value)}"
                yield Text(text.replace((beside.value, "sent_back"))).insert(
                    first_line(part), kept, indent=part.col_offset
                )
            elif beside is not None and beside.lineno > part.lineno:
                yield text.move(part, (beside.end_lineno or 0) + 1)
                yield text.move(beside, first_line(part))
            if beside is not None:
                break


def _steps(line: Line) -> list[ast.stmt]:
    """The steps of what the line reads."""
    step = line.text.statement(int(line.evidence.get("updated_at") or 0))
    reads = {root(o) for o in line.operands}
    near = [n for n in line.near() if root(n.target) in reads]
    is_step = [isinstance(n.statement, ast.AugAssign) or root(n.target) in map(root, operands(n.whole)) for n in near]
    return [step] if step is not None else [n.statement for n, yes in zip(near, is_step, strict=True) if yes]


def _read_once(line: Line) -> Iterator[str]:
    """A factor that reads what the loop changes, computed before the loop."""
    new = next(n for n in ("slope", "slope_before", "kept_slope") if not re.search(rf"\b{n}\b", line.text.source))
    for loop in line.text.above(line.statement, ast.For)[:1]:
        moving = {ast.unparse(n) for n in nodes(loop.target, ast.Name)}
        still = [f for f in line.factors if not moving & {n.id for n in nodes(f, ast.Name)}]
        named = [f for f in still if root(line.target).split(".")[0] in {n.id for n in nodes(f, ast.Name)}]
        for factor in [*named, *(f for f in still if f not in named and nodes(f, ast.Call))]:  # a call may read it, too
            kept = f"{new} = {line.text.of(factor)}"
            yield Text(line.text.replace((factor, new))).insert(loop.lineno, kept, indent=loop.col_offset)


def _into_loop(line: Line) -> Iterator[str]:
    """Into the loop that ends above the statement; or added up in the loop that it stands in."""
    text, statement = line.text, line.statement
    body: list[ast.stmt] = getattr(text.parent[statement], "body", [])
    before = body[: body.index(statement)] if statement in body else []
    for loop in [n for n in before if isinstance(n, ast.For | ast.While)][-1:]:
        inside = loop.body[0].col_offset
        lines = list(text.lines)
        for k in range(loop.end_lineno or 0, statement.end_lineno or 0):
            lines[k] = " " * (inside - line.indent) * bool(lines[k].strip()) + lines[k]
        yield "\n".join(lines) + "\n"
        yield text.move(statement, (loop.end_lineno or 0) + 1, inside)
    if isinstance(statement, ast.Assign):
        yield text.operator(statement.targets[0], line.whole, "=", "+=")
    for loop in text.above(statement, ast.For, ast.While) if isinstance(statement, ast.Return) else ():
        yield text.move(statement, (loop.end_lineno or 0) + 1, loop.col_offset)


def _into_loop_below(line: Line) -> Iterator[str]:
    """To the beginning of a round of the next loop, of one inside it first."""
    below = [n for n in nodes(line.text.tree, ast.For, ast.While) if n.lineno > line.statement.lineno]
    whole = [n for n in below if n.col_offset == line.statement.col_offset][:1]
    for loop in [n for outer in whole for n in reversed(nodes(outer, ast.For, ast.While))]:
        yield line.text.move(line.statement, loop.body[0].lineno, loop.body[0].col_offset)


def _out_of_loop(line: Line) -> Iterator[str]:
    for loop in line.text.above(line.statement, ast.For, ast.While):
        yield line.text.move(line.statement, loop.lineno, loop.col_offset)


def _fresh_sum(line: Line) -> Iterator[str]:
    """An accumulated gradient that starts anew."""
    if isinstance(line.statement, ast.AugAssign):
        yield line.text.operator(line.statement.target, line.value, "+=", "=")
        for loop in line.text.above(line.statement, ast.For, ast.While):
            reset = f"{root(line.target)} = np.zeros_like({root(line.target)})"
            yield line.text.insert(loop.body[0].lineno, reset, indent=loop.body[0].col_offset)


def _own_step(line: Line) -> Iterator[str]:
    """A step for a parameter that has none, as that of another parameter is written; or `global`."""
    name, text = str(line.evidence.get("name") or line.evidence.get("read_name") or ""), line.text
    if isinstance(line.function, ast.FunctionDef) and name.isidentifier():
        first = line.function.body[0]
        yield text.insert(first.lineno, f"global {name}", indent=first.col_offset)
    for step in [Line(text, n, {}) for n in nodes(text.tree, ast.AugAssign, ast.Assign)] if name else ():
        reads = [text.of(o) for o in operands(step.whole)]
        other = root(step.target)
        if other == name or not (isinstance(step.statement, ast.AugAssign) or other in reads):
            continue
        known = [text.of(near.target) for near in step.near() if near.target is not None]
        row = text.lines[step.statement.lineno - 1]
        for gradient in [r for r in reads if r in known and r != other]:
            for mine in sorted(known, key=lambda k: k != gradient.replace(other, name)):
                yield text.insert(step.statement.lineno + 1, row.replace(gradient, mine).replace(other, name))


# ---- starts, data, rates


def _random_start(line: Line) -> Iterator[str]:
    drawn = [
        s
        for s in nodes(line.text.tree, ast.Assign)
        if isinstance(s.value, ast.Call) and called(s.value) == "default_rng"
    ]
    generators = [line.text.of(s.targets[0]) for s in drawn if s.lineno < line.statement.lineno]
    for call, shape in line.calls("zeros", "ones", "full", "empty"):
        outer = [n for n in line.text.above(call, ast.BinOp) if n in nodes(line.value, ast.BinOp)]
        for generator in [*generators[-1:], "np.random"]:
            yield line.text.replace(((outer or [call])[-1], f"{generator}.normal(0, 0.5, {line.text.of(shape)})"))


def _larger_start(line: Line) -> Iterator[str]:
    numbers = nodes(line.statement, ast.Constant)
    small = [c for c in numbers if isinstance(c.value, float) and 0 < abs(c.value) < 0.5]
    yield line.text.replace(*((c, "0.5") for c in small))


def _other_number(line: Line, value: Any, *times: float) -> Iterator[str]:
    """A number where the script writes it, at the line or anywhere, times a factor."""
    numbers = [*nodes(line.statement, ast.Constant), *nodes(line.text.tree, ast.Constant)]
    is_it = [c for c in numbers if type(c.value) in (int, float) and value and abs(c.value / value - 1) < 1e-9]
    for many in times:
        for number in is_it[:1]:
            new = number.value * many
            yield line.text.replace((number, str(int(new)) if new == int(new) else f"{new:g}"))


def _scaled(line: Line) -> Iterator[str]:
    name = str(line.evidence.get("data_name") or root(line.target))
    definitions = [s for s in nodes(line.text.tree, ast.Assign) if line.text.of(s.targets[0]) == name]
    for definition in definitions[-1:] or [line.statement]:
        row = f"{name} = ({name} - {name}.mean(axis=0)) / {name}.std(axis=0)"
        yield line.text.insert((definition.end_lineno or 0) + 1, row, indent=definition.col_offset)


def _column(line: Line) -> Iterator[str]:
    """A flat array as a column, where it is compared with one."""
    name = line.evidence.get("flat_name") or line.evidence.get("target_name")
    flat = [o for o in operands(line.statement) if name in (root(o), line.text.of(o))]
    yield line.text.replace(*((o, f"{line.text.of(o)}.reshape(-1, 1)") for o in flat))
    for node in [n for n in nodes(line.statement, ast.BinOp) if isinstance(n.op, ast.Sub)]:
        for side in (node.right, node.left):
            if operands(side) == [side]:
                yield line.text.replace((side, f"{line.text.of(side)}.reshape(-1, 1)"))


def _one_order(line: Line) -> Iterator[str]:
    """One permutation for both."""
    x, y, text = line.evidence.get("input_name"), line.evidence.get("target_name"), line.text
    drawn = [(s, c) for s in nodes(line.function, ast.Assign, ast.Expr) for c in nodes(s, ast.Call)]
    drawn = [(s, c) for s, c in drawn if called(c) in ("permutation", "shuffle") and s.col_offset == line.indent]
    if x and y and drawn:
        generator = ast.unparse(drawn[0][1].func).rpartition(".")[0] or "np.random"
        rows = [f"order = {generator}.permutation(len({x}))", f"{x}, {y} = {x}[order], {y}[order]"]
        gone = {k for s, _ in drawn for k in range(s.lineno, (s.end_lineno or 0) + 1)}
        kept = [(k, row) for k, row in enumerate(text.lines, 1) if k not in gone]
        before = [row for k, row in kept if k < min(gone)]
        yield (
            "\n".join([*before, *(" " * line.indent + r for r in rows), *(r for k, r in kept if k > min(gone))]) + "\n"
        )


def _copied(line: Line) -> Iterator[str]:
    """A new array in place of a change of what was given."""
    signs: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
    if isinstance(line.statement, ast.AugAssign) and isinstance(line.target, ast.Name):
        sign, name = signs.get(type(line.statement.op), "-"), line.target.id
        yield line.text.replace((line.statement, f"{name} = {name} {sign} {line.text.factor(line.value)}"))
    name = str(line.evidence.get("name") or root(line.target))
    first = line.function.body[0] if isinstance(line.function, ast.FunctionDef) else line.statement
    for place in (line.statement, first):
        yield line.text.insert(place.lineno, f"{name} = {name}.copy()", indent=place.col_offset)
    yield from _as_a_copy(line)


def _as_a_copy(line: Line) -> Iterator[str]:
    """A copy of what is assigned."""
    if isinstance(line.statement, ast.Assign):
        yield line.with_value(f"{line.text.factor(line.value)}.copy()")


def _named_anew(line: Line) -> Iterator[str]:
    """What a call gives takes the name of an array that it is given."""
    call = line.statement.value if isinstance(line.statement, ast.Expr) else None
    if isinstance(call, ast.Call):
        for array in (getattr(call.func, "value", None), *call.args):
            if isinstance(array, ast.Name | ast.Attribute | ast.Subscript):
                yield line.text.replace((call, f"{line.text.of(array)} = {line.text.of(call)}"))


# ---- outputs, logarithms, softmax


def _no_activation(line: Line) -> Iterator[str]:
    """The output without its activation, and every gradient without its slope."""
    text = line.text
    for call in [c for c in nodes(line.value, ast.Call) if c not in [p for p, _, _ in line.products()]]:
        given = [a for a in call.args if not isinstance(a, ast.Constant)] or [getattr(call.func, "value", call)]
        z, made = text.of(given[0]), {text.of(given[0]), root(line.target)}
        pairs: list[tuple[Node, str]] = [(call, z)]
        for product, parts in text.products(text.tree):
            slopes = [f for f in parts if isinstance(f, ast.Call | ast.Compare)]
            gone = [
                f
                for f in slopes
                if (isinstance(f, ast.Call) and [text.of(a) for a in f.args] == [z])
                or (operands(f) and {text.of(o) for o in operands(f)} <= made)
            ]
            if gone and len(gone) < len(parts):
                pairs.append((product, text.without(product, gone)))
        yield text.replace(*pairs)


def _clipped_log(line: Line) -> Iterator[str]:
    yield line.text.replace(*((z, f"np.maximum({line.text.of(z)}, 1e-12)") for _, z in line.calls("log")))


def _rows(line: Line) -> Iterator[str]:
    """Sums and maxima over the classes of one sample."""
    whole = Line(line.text, line.function, {}) if isinstance(line.function, ast.FunctionDef) else line
    for part in (line, whole):
        calls = part.calls("sum", "max")
        new = [f"{line.text.factor(given)}.{called(call)}(axis=-1, keepdims=True)" for call, given in calls]
        yield line.text.replace(*((call, text) for (call, _), text in zip(calls, new, strict=True)))


def _shifted(line: Line) -> Iterator[str]:
    for most in (".max(axis=-1, keepdims=True)", ".max()"):
        yield line.text.replace(
            *((z, f"{line.text.of(z)} - {line.text.factor(z)}{most}") for _, z in line.calls("exp"))
        )


def _falling_sigmoid(line: Line) -> Iterator[str]:
    for _, z in line.calls("exp"):
        yield line.text.replace((z, f"-{line.text.factor(z)}"))


GUESSES: dict[str, tuple[Guess, ...]] = {
    "sign-flipped": (_sign,),
    "output-derivative-missing": (_times_slope_where_it_goes, _sibling_factor, _times_slope),
    "hidden-derivative-missing": (_times_slope_where_it_goes, _sibling_factor, _times_slope),
    "derivative-of-activation": (_other_argument, _other_slope, _slope_function),
    "derivative-always-1": (_slope_function, _other_slope),
    "wrong-layer-activation": (_other_slope, _other_name),
    "updated-weights-used": (_later, _read_once),
    "slope-read-again": (_read_once, _later),
    "hidden-error-raw": (_other_name, _times_slope),
    "delta-wrong": (_other_slope, _times_slope, _other_name),
    "bias-gradient-wrong": (_sibling_factor, _factor_less, _bias_sum, _times_slope),
    "weight-gradient-wrong": (_sibling_factor, _turned, _other_name),
    "wrong-parameter-gradient": (_other_name,),
    "constant-factor": (_constant_factor,),
    "learning-rate-twice": (_factor_less,),
    "sum-versus-mean": (_sum_or_mean, _constant_factor),
    "transposed-gradient": (_turned,),
    "dot-instead-of-elementwise": (_elementwise,),
    "stale-gradient": (_fresh_sum, _into_loop_below, _into_loop, _out_of_loop),
    "update-outside-loop": (_into_loop,),
    "seed-in-loop": (_out_of_loop,),
    "parameter-never-updated": (_own_step,),
    "symmetric-initialization": (_random_start,),
    "tiny-initialization": (_larger_start,),
    "learning-rate-too-high": (lambda line: _other_number(line, line.evidence.get("learning_rate"), 0.5, 0.1, 0.01),),
    "learning-rate-too-low": (
        lambda line: _other_number(line, line.evidence.get("learning_rate"), 10, 1e2, 1e3, 1e4, 1e5),
    ),
    "too-few-epochs": (lambda line: _other_number(line, line.evidence.get("epochs"), 10),),
    "unscaled-data": (_scaled,),
    "broadcast-error-matrix": (_column,),
    "label-shuffle-mismatch": (_one_order,),
    "input-mutated": (_copied,),
    "start-changed": (_copied,),
    "best-not-copied": (_as_a_copy,),
    "result-unused": (_named_anew,),
    "dead-relu-output": (_no_activation,),
    "target-outside-range": (_no_activation,),
    "log-of-zero": (_clipped_log,),
    "softmax-wrong-axis": (_rows,),
    "softmax-overflow": (_shifted,),
    "sigmoid-falling": (_falling_sigmoid,),
    "forward-returns-z": (_other_name,),
}
"""How the line of each mistake may be changed; a mistake that is not here is mended by thought."""
