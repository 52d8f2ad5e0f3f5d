"""Judges what a student wrote: the practical question by question, and any other program by its training.

`file` reads it and decides which of the two it is; `practical` compares values and functions with what the practical
asks for (`asked`, `trials`), `free` puts the program, or small drivers around its functions, on the tape. The child in
the sandbox (`book`, `free`'s job) runs and records; what is right is decided by the parent or by the tape's judge.
"""
