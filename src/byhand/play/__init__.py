"""The page of `byhand play`: step through forward and backward in the browser, with the real numbers.

`schema` says what the page may ask and what it gets (`records` reads and writes it as JSON), `engine` answers (one
pure function on the library's own code), `judgement` says what was found, `landscape` is the loss over two weights,
`presets` are what to start from, `stories` tells of them beat by beat, `listing` writes an experiment out as code,
`answers` has all questions by name, `server` hands out the page, `export` makes one file of a story or a recorded run,
`site` a folder for any web server. The page itself lies in `static`. All but `server` needs NumPy alone.
"""
