"""What recipes read of each other's servers, compared with what those publish. It needs the whole catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from forgelab.lib.problems import Problem, did_you_mean, listing
from forgelab.recipes.model import LinkRead, Recipe


def unpublished_reads(recipe: Recipe, recipes: Mapping[str, Recipe]) -> tuple[Problem, ...]:
    """A problem for everything that this recipe reads of another server and that no server it may name publishes."""
    found = dict.fromkeys((read.option, read.name) for read in recipe.reads)
    firsts = [next(read for read in recipe.reads if (read.option, read.name) == each) for each in found]
    return tuple(problem for read in firsts if (problem := _problem(recipe, read, recipes)))


def _problem(recipe: Recipe, read: LinkRead, recipes: Mapping[str, Recipe]) -> Problem | None:
    types = recipe.option(read.option).server_types or tuple(recipes)
    if not all(name in recipes for name in types):  # what a recipe that is not there publishes, nobody knows
        return None
    published = {one.name for name in types for one in recipes[name].publishes}
    if read.name in published:
        return None
    hint = did_you_mean(read.name, published) or f"; they publish {listing(sorted(published))}"
    placeholder = f"${{{read.option}_{read.name}}}".upper()
    return Problem(read.path, f"{placeholder} is never known: no {' or '.join(types)} publishes {read.name}{hint}")
