"""The practical: what its notebook calls (`agree`, `question`, `say`, `show`); `build` makes its files."""

from byhand.lab.cells import agree, question, say, show

__all__ = ["agree", "question", "say", "show"]
