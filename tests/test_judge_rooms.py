"""The rooms of the judge, each on a tape written by hand: states, steps, the flow, versions, edits, lines."""

import numpy as np
import pytest

from byhand.diagnosis.findings import Place
from byhand.diagnosis.judge import fits
from byhand.diagnosis.judge.anatomy import Anatomy
from byhand.diagnosis.judge.edits import edits
from byhand.diagnosis.judge.factors import unequal_factors
from byhand.diagnosis.judge.fits import Step, all_equal, explain, proportion, with_decay
from byhand.diagnosis.judge.flows import frozen, unread
from byhand.diagnosis.judge.locate import call_beside, gradient_of, in_the_line_of, place_of, step_of
from byhand.diagnosis.judge.penalties import penalties
from byhand.diagnosis.judge.roles import Roles, State, find_roles
from byhand.diagnosis.judge.steps import Course
from byhand.diagnosis.judge.truncated import taken_over
from byhand.diagnosis.judge.verdict import judge_steps
from byhand.diagnosis.judge.versions import Versions
from byhand.diagnosis.tape.derive import forward
from byhand.diagnosis.tape.nodes import Const, Node

X = np.array([[0.0, 1.0], [1.0, 0.5], [2.0, -1.0], [-1.0, 0.3], [0.5, 0.5]])
Y = np.array([[1.0], [2.0], [0.0], [1.0], [0.5]])
V = np.array([[0.4, -0.3, 0.2], [0.1, 0.5, -0.6]])
W = np.array([[0.3], [-0.2], [0.4]])


class Hand:
    """A tape written node by node; a site is the operation and the lines that it was called from."""

    def __init__(self):
        self.nodes, self.names = [], {}

    def leaf(self, value, made="array", name=None, line=1):
        value = np.asarray(value, dtype=float)
        self.nodes.append(Node("leaf", (), {"made": made}, value, line, ("leaf", ("", line)), ""))
        if name:
            self.names[len(self.nodes) - 1] = name
        return len(self.nodes) - 1

    def put(self, op, *args, line=1, calls=(), **kw):
        values = [a.value if isinstance(a, Const) else self.nodes[a].value for a in args]
        node = Node(op, args, kw, np.zeros(0), line, (op, ("", line), *(("", call) for call in calls)), "")
        node.value = forward(node, values)
        self.nodes.append(node)
        return len(self.nodes) - 1


def linear(rounds=3, *, sign=-1.0, read_bias=True, step_bias=True, of_bias="sum", rate=0.1):
    """Rounds of x W + b against y, each line of the program at its own number."""
    tape = Hand()
    x, y = tape.leaf(X, "array", "x"), tape.leaf(Y, "array", "y")
    w, b = tape.leaf(W[:2], "random.normal", "W", 3), tape.leaf([0.0], "zeros", "b", 4)
    lr = tape.leaf(rate, "constant", "lr", 5)
    for _ in range(rounds):
        z = tape.put("matmul", x, w, line=6)
        out = tape.put("add", z, b, line=6) if read_bias else z
        error = tape.put("subtract", out, y, line=7)
        tape.put("sum", tape.put("multiply", error, error, line=8), line=8)
        grad_w = tape.put("matmul", tape.put("move", x, line=9, idx=np.arange(10).reshape(5, 2).T), error, line=9)
        grad_b = tape.put(of_bias, error, line=10, axis=0)
        w = tape.put("add" if sign > 0 else "subtract", w, tape.put("multiply", lr, grad_w, line=11), line=11)
        if step_bias:
            b = tape.put("subtract", b, tape.put("multiply", lr, grad_b, line=12), line=12)
    return tape


def judged(tape):
    with np.errstate(all="ignore"):
        return judge_steps(find_roles(tape))


def test_states_and_objectives_come_from_the_flow_alone():
    roles = find_roles(linear())
    assert {(s.name, len(s.versions)) for s in roles.states} == {("W", 3), ("b", 3)}  # no loss rests on the last
    own = roles.objectives[0]
    assert (own.kind, len(own.seeds), roles.nodes[own.seeds[0]].line) == ("loss", 3, 8)
    assert [o.kind for o in roles.objectives[1:]] == ["error"]
    assert roles.idle == []


def test_what_is_only_added_to_is_idle():
    roles = find_roles(linear(read_bias=False))
    assert [s.name for s in roles.states] == ["W"]
    assert [s.name for s in roles.idle] == ["b"]


def test_steps_are_their_factor_times_the_gradient():
    roles = find_roles(linear(rate=0.1))
    course = Course(roles)
    gradients = course.gradient(roles.objectives[0])
    for state in roles.states:
        found = course.explain(state, gradients, roles.objectives[0])
        assert found.kind == "follows"
        assert list(found.factors.values()) == pytest.approx([-0.05] * 2)  # the loss has its 2 in the gradient
    assert sum(course.explain(s, gradients, roles.objectives[0]).evidence for s in roles.states) == 2 * 2 - 1 + 2 - 1


def test_what_is_held_against_the_same_gradient_again_is_not_explained_again_and_counts_all_the_same():
    roles = find_roles(linear())
    course, objective = Course(roles), roles.objectives[0]
    gradients = course.gradient(objective)
    [weights] = [s for s in roles.states if s.name == "W"]
    before = course.swept
    found = course.explain(weights, gradients, objective)
    cost = course.swept - before
    alike = {v: g.copy() for v, g in gradients.items()}
    assert course.explain(weights, alike, objective) is found
    assert cost > 0
    assert course.swept == before + 2 * cost
    turned = {v: -g for v, g in gradients.items()}
    assert course.explain(weights, turned, objective).kind == "opposes"
    first = weights.versions[0]
    of_later_ones = course.explain(weights, {v: g for v, g in gradients.items() if v != first}, objective)
    assert list(of_later_ones.factors) == weights.versions[1:-1]


def test_a_factor_of_its_own_in_each_step_explains_nothing():
    nodes = linear().nodes
    steps = [Step(2, 2, np.array([c, 2 * c]), np.array([1.0, 2.0])) for c in (-1.0, -3.0)]
    steps = [Step(2 + k, 2, s.change, s.gradient) for k, s in enumerate(steps)]
    assert explain(steps, nodes).kind == "scattered"
    assert explain(steps[:1], nodes).kind == "follows"
    assert proportion(np.array([2.0, 4.0]), np.array([1.0, 2.0]), 1e-6) == pytest.approx(2.0)
    assert proportion(np.array([2.0, 5.0]), np.array([1.0, 2.0]), 1e-6) is None
    assert proportion(np.array([3.0]), np.array([2.0]), 1e-6) == 1.5
    assert all_equal([1.0, 1.00001])
    assert not all_equal([1.0, 1.1])


@pytest.mark.parametrize("seed", range(20))
def test_the_first_steps_show_that_a_parameter_is_no_part_of_them_and_hide_none_of_which_it_is(seed):
    rng = np.random.default_rng(seed)
    nodes = [Node("leaf", (), {}, rng.normal(size=(2, 3)), 1, ("leaf",), "") for _ in range(6)]
    gradients = [rng.normal(size=(2, 3)) * 10.0 ** rng.integers(-2, 3) for _ in nodes]

    def steps(share, more):
        made = [-0.1 * g - share * n.value + more for g, n in zip(gradients, nodes, strict=True)]
        rounded = [d + rng.uniform(-1, 1, d.shape) * 1e-7 * np.abs(d).max() for d in made]
        return [Step(k, k + 1, d, g) for k, (d, g) in enumerate(zip(rounded, gradients, strict=True))]

    assert with_decay(steps(0.5, 0), nodes).share == pytest.approx(-0.5, rel=1e-3)
    assert with_decay(steps(0.5, 0.1), nodes) is None


def test_an_explosion_hides_no_step_before_it():
    nodes = linear().nodes
    changes = [np.array([-1.0, 2.0]), np.array([-1e12, -2e12])]
    steps = [Step(2 + k, 2, change, np.array([1.0, 2.0])) for k, change in enumerate(changes)]
    assert explain(steps, nodes).kind == "other"
    assert explain(steps[1:], nodes).kind == "follows"


def test_a_right_tape_is_right_and_each_flaw_is_named_at_its_line():
    assert judged(linear()).kind == "right"
    assert [(m.id, m.states[0].name) for m in judged(linear(sign=1.0)).mistakes] == [("sign-flipped", "W")]
    assert [m.id for m in judged(linear(read_bias=False)).mistakes] == ["bias-missing"]
    assert [m.id for m in judged(linear(step_bias=False, rounds=5)).mistakes] == ["parameter-never-updated"]
    assert [m.id for m in judged(linear(of_bias="mean")).mistakes] == ["bias-gradient-wrong"]


def test_the_flow_shows_what_is_never_read_and_what_never_changes():
    roles = find_roles(linear(read_bias=False))
    course = Course(roles)
    gradients = course.gradient(roles.objectives[0])
    [(state, product)] = unread(course, gradients)
    assert (state.name, course.nodes[product].op) == ("b", "matmul")
    roles = find_roles(linear(step_bias=False, rounds=4))
    course = Course(roles)
    gradients = course.gradient(roles.objectives[0])
    [(array, use)] = frozen(course, gradients, roles.objectives[0], {})
    assert (course.nodes[array].line, course.nodes[use].line) == (4, 6)


def test_unequal_factors_are_those_that_the_rates_do_not_account_for():
    roles = find_roles(linear(of_bias="mean"))
    course = Course(roles)
    objective = roles.objectives[0]
    gradients = course.gradient(objective)
    explained = course.explain_all(roles.states, gradients, objective)
    [factor] = unequal_factors(course, explained, gradients, own_loss=False, sizes={5, 1})
    assert (factor.id, [s.name for s in factor.states]) == ("bias-gradient-wrong", ["b"])
    assert factor.factor == pytest.approx(1 / 5)


def two_layers(rounds=3, *, early=False, slope=True):
    """Rounds of tanh(x V) W; `early` lets W take its step before the error is sent back through it."""
    tape = Hand()
    x, y, lr = tape.leaf(X), tape.leaf(Y), tape.leaf(0.1, "constant")
    v, w = tape.leaf(V, "random.normal", "V"), tape.leaf(W, "random.normal", "W")
    turned = tape.put("move", x, idx=np.arange(10).reshape(5, 2).T)
    for _ in range(rounds):
        a = tape.put("tanh", tape.put("matmul", x, v, line=3), line=3)
        error = tape.put("subtract", tape.put("matmul", a, w, line=4), y, line=5)
        tape.put("sum", tape.put("square", error, line=6), line=6)
        grad_w = tape.put("matmul", tape.put("move", a, line=7, idx=np.arange(15).reshape(5, 3).T), error, line=7)
        later = tape.put("subtract", w, tape.put("multiply", lr, grad_w, line=8), line=8)
        through = later if early else w
        back = tape.put("matmul", error, tape.put("move", through, line=9, idx=np.arange(3).reshape(1, 3)), line=9)
        if slope:
            bent = tape.put("subtract", Const(1), tape.put("square", a, line=10), line=10)
            back = tape.put("multiply", back, bent, line=10)
        v = tape.put(
            "subtract", v, tape.put("multiply", lr, tape.put("matmul", turned, back, line=11), line=11), line=11
        )
        w = later
    return tape


def test_a_read_of_a_later_version_is_seen_and_its_step_computed_again():
    roles = find_roles(two_layers(early=True))
    course = Course(roles)
    gradients = course.gradient(roles.objectives[0])
    versions = Versions(course, gradients, roles.states)
    [read] = versions.reads
    assert (course.nodes[read.at].line, read.state.name, read.is_own, read.is_slope) == (9, "W", True, False)
    mended = versions.mended()
    state = next(s for s in roles.states if s.name == "V")
    for v in state.versions[:2]:
        np.testing.assert_allclose(mended[v][1], -0.05 * gradients[v], rtol=1e-9, atol=1e-15)
    roles = find_roles(two_layers())
    course = Course(roles)
    assert Versions(course, course.gradient(roles.objectives[0]), roles.states).reads == []


def test_an_edit_is_the_whole_gradient_with_one_mistake():
    roles = find_roles(two_layers(slope=False))
    course = Course(roles)
    objective = roles.objectives[0]
    body = Anatomy(roles, course.gradient(objective), course.limit)
    left_out = next(e for e in edits(body, objective.seeds) if e.id.endswith("derivative-missing"))
    state = next(s for s in roles.states if s.name == "V")
    assert not course.explain(state, course.gradient(objective), objective).holds
    assert course.explain(state, course.gradient(objective, left_out.overrides), objective).right
    [mistake] = judged(two_layers(slope=False)).mistakes
    assert (mistake.id, [s.name for s in mistake.states]) == ("hidden-derivative-missing", ["V"])
    assert [m.id for m in judged(two_layers(early=True)).mistakes] == ["updated-weights-used"]


def test_lines_are_those_of_the_step_the_gradient_or_the_call():
    roles = find_roles(linear())
    course = Course(roles)
    state = next(s for s in roles.states if s.name == "W")
    assert course.nodes[step_of(course, state)].line == 11
    assert course.nodes[gradient_of(course, state)].line == 9
    tape = Hand()
    x = tape.leaf([1.0, 2.0])
    inner, step = tape.put("tanh", x, line=2, calls=(20, 30)), tape.put("square", x, line=5, calls=(30,))
    course = Course(find_roles(tape))
    assert place_of(course, inner) == Place(2)
    assert call_beside(course, inner, step) == Place(20)
    assert in_the_line_of(course, inner, step) == Place(2)


def with_penalty(strength=0.5, *, factor=2.0, rounds=4):
    """Rounds of x W against y with a penalty in the loss, whose derivative the step takes with a factor."""
    tape = Hand()
    x, y = tape.leaf(X, "array", "x"), tape.leaf(Y, "array", "y")
    w = tape.leaf(W[:2], "random.normal", "W", 3)
    lr, lam = tape.leaf(0.05, "constant", "lr", 5), tape.leaf(strength, "constant", "lam", 5)
    for _ in range(rounds):
        error = tape.put("subtract", tape.put("matmul", x, w, line=6), y, line=7)
        of_error = tape.put("sum", tape.put("multiply", error, error, line=8), line=8)
        of_w = tape.put("multiply", lam, tape.put("sum", tape.put("multiply", w, w, line=8), line=8), line=8)
        tape.put("add", of_error, of_w, line=8)
        turned = tape.put("move", x, line=9, idx=np.arange(10).reshape(5, 2).T)
        grad = tape.put("multiply", Const(2.0), tape.put("matmul", turned, error, line=9), line=9)
        shrink = tape.put("multiply", Const(factor), tape.put("multiply", lam, w, line=10), line=10)
        grad = tape.put("add", grad, shrink, line=11)
        w = tape.put("subtract", w, tape.put("multiply", lr, grad, line=12), line=12)
    return tape


def test_a_penalty_in_the_loss_says_how_much_a_step_shrinks():
    tape = with_penalty()
    roles = find_roles(tape)
    gradients = Course(roles).gradient(roles.objectives[0])
    used = penalties(roles, roles.states[0], gradients)
    assert [(roles.nodes[t].op, roles.nodes[t].line) for t in used] == [("multiply", 8)] * len(roles.states[0].versions)
    assert judged(tape).kind == "right"
    [mistake] = judged(with_penalty(factor=1.0)).mistakes
    assert (mistake.id, mistake.detail["factor"]) == ("penalty-gradient-wrong", 0.5)
    assert [m.id for m in judged(with_penalty(factor=0.0)).mistakes] == ["penalty-gradient-wrong"]


def test_what_a_pass_takes_over_from_earlier_parameters_is_a_constant():
    tape = Hand()
    w, h = tape.leaf(0.5, "random.normal", "w", 1), tape.leaf([0.3, 0.8], "array", "h", 2)
    kept, passes = [], []
    for _ in range(3):  # h = tanh(w h), and w steps by what comes back from this pass alone
        z = tape.put("multiply", w, h, line=3)
        h = tape.put("tanh", z, line=4)
        kept.append((w, z))
        passes.append(tape.put("sum", h, line=5))
        w = tape.put("subtract", w, tape.put("multiply", Const(0.1), passes[-1], line=6), line=6)
    state = State([v for v, _ in kept], 1, "w")
    roles = Roles(tape.nodes, [state], {v: state for v, _ in kept})
    reached = set(range(len(tape.nodes)))
    cut = taken_over(roles, reached)
    assert sorted(cut) == [z for _, z in kept[1:]]  # each pass but the first takes h over
    for (v, z), t in zip(kept[1:], passes[1:], strict=True):
        g = np.array([1.0, 2.0])
        assert [(a, float(np.sum(flow))) for a, flow in cut[z](g)] == [
            (v, pytest.approx(float(g @ tape.nodes[tape.nodes[z].args[1]].value)))
        ]
        assert t in reached


def test_a_value_that_is_no_activations_derivative_stands_for_it():
    tape = Hand()
    x, y = tape.leaf(X, "array", "x"), tape.leaf(Y, "array", "y")
    v, w = tape.leaf(V, "random.normal", "V", 3), tape.leaf(W, "random.normal", "W", 4)
    lr = tape.leaf(0.1, "constant", "lr", 5)
    for _ in range(3):
        h = tape.put("tanh", tape.put("matmul", x, v, line=6), line=6)
        error = tape.put("subtract", tape.put("matmul", h, w, line=7), y, line=8)
        tape.put("sum", tape.put("multiply", error, error, line=9), line=9)
        slope = tape.put("subtract", Const(1.0), h, line=10)  # 1 - a, where 1 - a² belongs
        back = tape.put("matmul", error, tape.put("move", w, line=11, idx=np.arange(3).reshape(1, 3)), line=11)
        delta = tape.put("multiply", back, slope, line=11)
        grad_w = tape.put("matmul", tape.put("move", h, line=12, idx=np.arange(15).reshape(5, 3).T), error, line=12)
        grad_v = tape.put("matmul", tape.put("move", x, line=13, idx=np.arange(10).reshape(5, 2).T), delta, line=13)
        w = tape.put("subtract", w, tape.put("multiply", lr, grad_w, line=14), line=14)
        v = tape.put("subtract", v, tape.put("multiply", lr, grad_v, line=15), line=15)
    [mistake] = judged(tape).mistakes
    assert (mistake.id, [s.name for s in mistake.states]) == ("derivative-wrong", ["V"])
    assert tape.nodes[mistake.detail["slope"]].line == 10


def margin_steps(*, seed=2, share=0.3, noise=0.0):
    """Steps of two numbers at falling rates, each along a sample beyond its margin and against its own parameter."""
    rng, nodes, steps = np.random.default_rng(seed), Hand(), []
    w = rng.normal(size=2)
    for k in range(8):
        g, rate = -rng.normal(size=2), 1 / (k + 5)
        change = -rate * (g + share * w) + noise * rng.normal(size=2)
        before = nodes.leaf(w, "array", "w")
        steps.append(Step(before, before + 1, change, g))
        w = w + change
    return steps, nodes.nodes


def test_a_rate_for_each_step_leaves_one_of_two_numbers_to_be_explained():
    found = fits.with_penalty(*margin_steps())
    assert (found.kind, found.share, found.evidence) == ("follows", pytest.approx(0.3), 7)
    assert fits.with_penalty(*margin_steps(noise=0.01)) is None
    assert fits.with_penalty(*margin_steps(share=-0.3)) is None
