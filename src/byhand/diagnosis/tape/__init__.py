"""Runs a program so that every number it computes stays on a tape, and differentiates what stands there.

`run.trace` gives a `Trace`; `nodes` says what stands on its tape, `derive` differentiates it. The rooms above judge.

The program works on its own values, of the types that it made: nothing is wrapped. The rewritten text (`rewrite`) hands
each operation to a `Recorder` (`calls`), which computes it as Python would and notes what came of what; values are
known again by their identity (`values`). What isn't recorded runs in the program's own text, at its own speed.
"""
