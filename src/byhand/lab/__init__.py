"""The practical: `cells` has what its notebook calls, `build` makes its files."""

from byhand.lab.cells import agree, animate, comparison, in_short, question, say, show

__all__ = ["agree", "animate", "comparison", "in_short", "question", "say", "show"]
