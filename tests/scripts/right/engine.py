# expected: right
"""A small engine of numbers that remember how they were made, and a network of them."""
import math
import random


class Number:
    def __init__(self, value, made_of=(), slopes=()):
        self.value, self.made_of, self.slopes, self.grad = value, made_of, slopes, 0

    def __add__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.value + other.value, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.value * other.value, (self, other), (other.value, self.value))

    __radd__, __rmul__ = __add__, __mul__

    def tanh(self):
        t = math.tanh(self.value)
        return Number(t, (self,), (1 - t * t,))

    def backward(self):
        order, seen = [], set()

        def visit(number):
            if number not in seen:
                seen.add(number)
                for parent in number.made_of:
                    visit(parent)
                order.append(number)

        visit(self)
        self.grad = 1.0
        for number in reversed(order):
            for parent, slope in zip(number.made_of, number.slopes):
                parent.grad += slope * number.grad


class Unit:
    def __init__(self, inputs, bends):
        self.w, self.b, self.bends = [Number(random.uniform(-1, 1)) for _ in range(inputs)], Number(0), bends

    def __call__(self, x):
        z = sum((w * v for w, v in zip(self.w, x)), self.b)
        return z.tanh() if self.bends else z


random.seed(3)
hidden, last = [Unit(2, True) for _ in range(6)], Unit(6, False)
points = [(random.uniform(-1, 1), random.uniform(-1, 1)) for _ in range(30)]
goals = [1.0 if a * b > 0 else -1.0 for a, b in points]
numbers = [n for unit in (*hidden, last) for n in (*unit.w, unit.b)]
for epoch in range(25):
    errors = [last([unit(p) for unit in hidden]) + -goal for p, goal in zip(points, goals)]
    loss = sum(e * e for e in errors) * (1 / len(points))
    for n in numbers:
        n.grad = 0
    loss.backward()
    for n in numbers:
        n.value -= 0.1 * n.grad
print(loss.value)
