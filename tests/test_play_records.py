"""Questions are read into dataclasses: what fits comes out as it went in, and what doesn't is told with its place."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Annotated, Literal

import pytest

from byhand.play.records import Limits, MisfitError, decoder, encode


@dataclass(frozen=True)
class Inner:
    name: Annotated[str, Limits(longest=3)]
    code: Annotated[str, Limits(pattern="[0-9]+")] = "0"


@dataclass(frozen=True)
class Outer:
    inner: Inner
    count: Annotated[int, Limits(least=1, most=3)]
    rate: Annotated[float, Limits(above=0)] = 0.5
    size: Literal[0, 24] = 0
    on: bool = False
    numbers: Annotated[list[float], Limits(shortest=1, longest=3)] = field(default_factory=lambda: [1.0])
    pair: tuple[int, float] | None = None
    inners: list[Inner] = field(default_factory=list)
    table: Annotated[dict[Annotated[str, Limits(longest=2)], Inner], Limits(longest=1)] = field(default_factory=dict)


read = decoder(Outer)
LEAST = {"inner": {"name": "abc"}, "count": 1}


def test_what_is_left_out_has_its_default_and_all_comes_back_as_it_went():
    full = Outer(Inner("a", "12"), 3, 2.0, 24, True, [1.0, -2.5], (4, 0.5), [Inner("b")], {"x": Inner("c")})
    assert read(json.dumps(LEAST)) == Outer(Inner("abc"), 1)
    assert read(encode(full)) == full


def test_whole_numbers_are_numbers_and_become_floats():
    got = read(json.dumps(LEAST | {"rate": 2, "numbers": [1, 2.5]}))
    assert [type(value) for value in (got.rate, *got.numbers)] == [float, float, float]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"count": 0}, "question.count: a whole number from 1 up to 3 is expected, not 0"),
        ({"count": 4}, "question.count: a whole number from 1 up to 3 is expected, not 4"),
        ({"count": 1.0}, "question.count: a whole number from 1 up to 3 is expected, not 1.0"),
        ({"count": True}, "question.count: a whole number from 1 up to 3 is expected, not true"),
        ({"rate": 0}, "question.rate: a number above 0 is expected, not 0"),
        ({"rate": "1"}, 'question.rate: a number above 0 is expected, not "1"'),
        ({"rate": None}, "question.rate: a number above 0 is expected, not null"),
        ({"size": 12}, "question.size: one of 0, 24 is expected, not 12"),
        ({"size": False}, "question.size: one of 0, 24 is expected, not false"),
        ({"size": [0]}, "question.size: one of 0, 24 is expected, not [0]"),
        ({"on": 1}, "question.on: true or false is expected, not 1"),
        ({"numbers": []}, "question.numbers: a list of numbers of at least 1 and at most 3 is expected, not []"),
        ({"numbers": [1, 2, 3, 4]}, "question.numbers: a list of numbers of at least 1 and at most 3 is expected, not"),
        (
            {"numbers": [True]},
            "question.numbers: a list of numbers of at least 1 and at most 3 is expected, not [true]",
        ),
        ({"numbers": {"0": 1}}, "question.numbers: a list of numbers"),
        ({"pair": [1]}, "question.pair: a list of 2 is expected, not [1]"),
        ({"pair": [1, "a"]}, 'question.pair[1]: a number is expected, not "a"'),
        ({"inners": [{"name": "a"}, {"name": 1}]}, "question.inners[1].name: a text of at most 3 is expected, not 1"),
        ({"inner": {"name": "abcd"}}, 'question.inner.name: a text of at most 3 is expected, not "abcd"'),
        ({"inner": {"name": "a", "code": "1\n"}}, "question.inner.code: a text like [0-9]+ is expected, not"),
        ({"inner": {}}, "question.inner: an object with name is expected, not {}"),
        ({"inner": []}, "question.inner: an object is expected, not []"),
        (
            {"more": 1},
            'question: one of inner, count, rate, size, on, numbers, pair, inners, table is expected, not "m',
        ),
        ({"table": {"x": {"name": 1}}}, "question.table.x.name: a text of at most 3 is expected, not 1"),
        ({"table": {"xyz": {"name": "a"}}}, 'question.table: a text of at most 2 is expected, not "xyz"'),
        ({"table": {"x": LEAST["inner"], "y": LEAST["inner"]}}, "question.table: an object of at most 1 is expected"),
        ({"inner": {"name": "x" * 99}}, f'not "{"x" * 36}…'),
    ],
    ids=str,
)
def test_what_does_not_fit_is_told_with_its_place(change, told):
    with pytest.raises(MisfitError) as error:
        read(json.dumps(LEAST | change))
    assert told in str(error.value)


@pytest.mark.parametrize("number", ["1e999", "-1e999"])
def test_no_number_is_infinite(number):
    for name, value in (("rate", number), ("numbers", f"[{number}]")):
        with pytest.raises(MisfitError, match=r"is expected, not .*Infinity"):
            read(json.dumps(LEAST)[:-1] + f', "{name}": {value}}}')


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"count": NaN}', "9" * 5000])
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"Expecting|not JSON|digits"):
        read(text)


def test_numbers_that_are_not_finite_go_out_as_null():
    numbers = [1.5, float("inf"), float("nan"), -float("inf")]
    assert json.loads(encode(Outer(Inner("a"), 1, numbers=numbers)))["numbers"] == [1.5, None, None, None]
    assert encode({"a": (1, [float("nan")])}) == b'{"a":[1,[null]]}'
