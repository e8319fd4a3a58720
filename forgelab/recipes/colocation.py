"""Whether two servers on one device may both have a role with their values, and what becomes of these. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from forgelab.recipes.resolve import ResolvedComponent
from forgelab.recipes.roles.spec import RoleSpec

SHOWN = 60  # characters of a value in a sentence


def conflict(spec: RoleSpec, mine: ResolvedComponent, theirs: ResolvedComponent, my_server: str) -> str:
    """Why both cannot be, as the rest of a sentence that begins with the other server's name; empty when they can."""
    rules = spec.colocation
    if any(value(each, spec, name) == wanted for each in (mine, theirs) for name, wanted in rules.exempt_if.items()):
        return ""
    if rules.exclusive:
        return f"has {spec.title} there, which a device can have once"
    can_differ = (*rules.may_differ, *mergeable(spec, [mine, theirs]))
    must = [name for name in spec.options if name not in can_differ]
    if rules.partition_by:
        both = [name for name in rules.partition_by if _words(mine, spec, name) & _words(theirs, spec, name)]
        if not both:
            must = list(rules.must_match)
        elif any(value(mine, spec, name) != value(theirs, spec, name) for name in rules.partition_by):
            shown = _shown(value(theirs, spec, both[0]))
            return f"has {spec.title} for {both[0]} {shown} there: {my_server} must have another one"
    for name in must:
        one, other = value(mine, spec, name), value(theirs, spec, name)
        if one != other:
            if name in {**mine.secret_variables, **theirs.secret_variables} or spec.options[name].secret:
                return f"has {spec.title} there with a {name} of its own: both need the same"
            return (
                f"has {spec.title} there with {name} {_shown(other)}, and {my_server} would have {_shown(one)}: "
                "both need the same"
            )
    return ""


def merged(spec: RoleSpec, component: ResolvedComponent, others: Iterable[ResolvedComponent]) -> dict[str, object]:
    """The component's variables with those that the role merges joined with the others' on the device."""
    found = dict(component.variables)
    others = list(others)
    for name in mergeable(spec, [component, *others]) if others else ():
        own = value(component, spec, name)
        all_of_them = [own, *(value(other, spec, name) for other in others)]
        if all(isinstance(each, list) for each in all_of_them):
            joined: list[object] = []
            for item in (item for each in all_of_them if isinstance(each, list) for item in each):
                if item not in joined:
                    joined.append(item)
            found[name] = joined
        else:
            found[name] = any(all_of_them)
    return found


def mergeable(spec: RoleSpec, components: Iterable[ResolvedComponent]) -> list[str]:
    """The variables that the role merges; not where one holds a secret, which is nobody else's business."""
    secret = {name for component in components for name in component.secret_variables}
    return [name for name in spec.colocation.merged if name not in secret]


def never_conflicts(spec: RoleSpec) -> bool:
    """Whether any two servers may have the role, whatever the values."""
    rules = spec.colocation
    return not (rules.exclusive or rules.partition_by or set(spec.options) - {*rules.may_differ, *rules.merged})


def value(component: ResolvedComponent, spec: RoleSpec, name: str) -> object:
    """What the role will see: the value given, else its default."""
    given = {**component.variables, **component.secret_variables}
    return given.get(name, spec.options[name].default)


def _words(component: ResolvedComponent, spec: RoleSpec, name: str) -> set[str]:
    return set(str(value(component, spec, name) or "").split()) or {""}


def _shown(found: object) -> str:
    text = ", ".join(str(item) for item in found) if isinstance(found, list) else str(found)
    text = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
    return text or '""'
