"""The embedded stack: web, workers and clock as children of one process manager. `forgelab up`, `down` and `status`.

Django is imported once, in the process manager, and the children are forked from it: they share its memory, and
the whole stack starts in the time of one import.
"""
