"""Recipes: `manifest.yaml` read into frozen objects, and everything that follows from one.

The manifest is the only place where a server type is described. Nothing here imports Django except
`forms` and `serializers`.
"""
