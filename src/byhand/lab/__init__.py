"""The practical: `cells` has what its notebook calls, `build` makes its files."""

from byhand.lab.cells import agree, comparison, in_short, question, say, show

__all__ = ["agree", "comparison", "in_short", "question", "say", "show"]
