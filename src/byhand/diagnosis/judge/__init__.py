"""The judge: which values of a tape are parameters, which the loss, and whether each step follows its gradient."""

from byhand.diagnosis.judge.report import judge

__all__ = ["judge"]
