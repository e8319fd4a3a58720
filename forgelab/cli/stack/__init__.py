"""The embedded stack: web, workers and beat as children of one small supervisor. `forgelab up`, `down` and `status`.

Django is imported once, in the supervisor, and the children are forked from it: they share its memory, and the whole
stack starts in the time of one import.
"""
