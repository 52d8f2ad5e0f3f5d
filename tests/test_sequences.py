import numpy as np
import pytest

from byhand import sequences


def lengths_of(mask):
    lengths = mask.sum(axis=1).astype(int)
    np.testing.assert_array_equal(mask, np.arange(mask.shape[1]) < lengths[:, None])
    return lengths


@pytest.mark.parametrize(("task", "answer"), [(sequences.reverse, lambda s: s[::-1]), (sequences.sort, sorted)])
def test_what_is_rearranged(task, answer):
    x, y, mask = task(300, (3, 7), n_symbols=5, seed=0)
    assert (x.shape, y.shape) == ((300, 7), (300, 7, 6))
    lengths = lengths_of(mask)
    assert set(lengths) == {3, 4, 5, 6, 7}
    assert set(x[mask == 1]) == {1, 2, 3, 4, 5}
    assert not x[mask == 0].any()
    for row, target, length in zip(x, y.argmax(axis=-1), lengths, strict=True):
        assert target[:length].tolist() == list(answer(row[:length].tolist()))
    again = task(300, (3, 7), n_symbols=5, seed=0)
    np.testing.assert_array_equal(again[0], x)
    assert task(2, 4, seed=0)[2].all()


def test_what_is_kept_in_mind():
    x, y, mask = sequences.copy(50, 3, delay=4, n_symbols=5, seed=0)
    assert x.shape == mask.shape == (50, 10)
    np.testing.assert_array_equal(y.argmax(axis=-1)[:, -3:], x[:, :3])
    assert (x[:, -3:] == 6).all()
    assert not x[:, 3:7].any()
    np.testing.assert_array_equal(mask, [[0] * 7 + [1] * 3] * 50)


def test_what_is_added():
    x, y = sequences.add(20_000, 10, seed=0)
    assert (x[:, :5, 1].sum(axis=1) == 1).all()
    assert (x[:, 5:, 1].sum(axis=1) == 1).all()
    np.testing.assert_allclose(y[:, 0], (x[..., 0] * x[..., 1]).sum(axis=1))
    assert ((y - 1) ** 2).mean() == pytest.approx(1 / 6, rel=0.03)


def test_parentheses_match_or_close_too_early():
    x, y = sequences.parentheses(400, 10, seed=0)
    assert y.mean() == 0.5
    for row, matches in zip(x, y[:, 0], strict=True):
        text = "".join("()"[int(one)] for one in row)
        assert text.count("(") == 5
        while "()" in text:
            text = text.replace("()", "")
        assert (text == "") == bool(matches)
    assert len({row.tobytes() for row in x}) > 100
    assert 0.5 < (x[y[:, 0] == 0, 0] == 0).mean() < 0.95  # the first alone does not tell


def test_the_characters_of_a_text():
    text = "the cat sat on the mat"
    x, y, alphabet = sequences.characters(text, 6, every=2)
    assert alphabet == "".join(sorted(set(text)))
    for k, (row, target) in enumerate(zip(x.astype(int), y.argmax(axis=-1), strict=True)):
        assert "".join(alphabet[i] for i in row) == text[2 * k : 2 * k + 6]
        assert "".join(alphabet[i] for i in target) == text[2 * k + 1 : 2 * k + 7]
    assert len(x) == 8


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: sequences.reverse(0), "n is at least 1"),
        (lambda: sequences.sort(3, (5, 4)), "longest is at least 5"),
        (lambda: sequences.parentheses(3, 5), "an even length"),
        (lambda: sequences.characters("abc", 3), "no stretch of 3"),
        (lambda: sequences.add(3, 1), "length is at least 2"),
    ],
)
def test_mistakes_are_named(mistake, message):
    with pytest.raises(ValueError, match=message):
        mistake()
