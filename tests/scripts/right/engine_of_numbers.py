# expected: right
"""An autodiff engine of single numbers with a hinge loss and a penalty; a few hundred values a pass."""
import math
import random


class Number:
    def __init__(self, value, origins=()):
        self.value, self.slope, self.origins = value, 0.0, origins

    def __add__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.value * other.value, ((self, other.value), (other, self.value)))

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        return Number(max(self.value, 0.0), ((self, 1.0 if self.value > 0 else 0.0),))

    def backward(self):
        order, seen = [], set()

        def visit(number):
            if number not in seen:
                seen.add(number)
                for origin, _ in number.origins:
                    visit(origin)
                order.append(number)

        visit(self)
        self.slope = 1.0
        for number in reversed(order):
            for origin, local in number.origins:
                origin.slope += local * number.slope


random.seed(4)
hidden = [([Number(random.gauss(0, 0.7)) for _ in range(2)], Number(0.0)) for _ in range(5)]
last, bias = [Number(random.gauss(0, 0.5)) for _ in range(5)], Number(0.0)
parameters = [p for ws, b in hidden for p in (*ws, b)] + last + [bias]
points = []
for k in range(16):
    angle, side = random.uniform(0, 2 * math.pi), 1 if k % 2 else -1
    points.append((((1 + 0.6 * side) * math.cos(angle), (1 + 0.6 * side) * math.sin(angle)), side))
for k in range(60):
    total = Number(0.0)
    for x, side in points:
        units = [sum((w * v for w, v in zip(ws, x)), b).relu() for ws, b in hidden]
        score = sum((w * u for w, u in zip(last, units)), bias)
        total = total + (1 + score * -side).relu() * (1 / len(points))
    total = total + sum(p * p for p in parameters) * 0.001
    for p in parameters:
        p.slope = 0.0
    total.backward()
    for p in parameters:
        p.value -= 0.2 * p.slope
    if k % 10 == 0:
        print(k, total.value)
