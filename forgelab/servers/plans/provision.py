"""From a server to the plan of its run: the recipe's components as roles, and what joins them."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.conf import settings

from forgelab.lib.problems import ConfigInvalid, DocumentError
from forgelab.recipes.generated_role import generated_role, role_name
from forgelab.recipes.resolve import ResolvedComponent, ResolvedRecipe
from forgelab.recipes.versions.vendors import planned_vendors, vendors
from forgelab.runs.plan import Plan, PlannedRole
from forgelab.servers import extensions
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.colocation.colocated import colocated_components
from forgelab.servers.spec.links import server_links
from forgelab.servers.spec.server_spec import ServerSpec

# Before the preflight: which packages the roles need depends on the device's distribution and processor.
FACTS = PlannedRole(name="facts", title="Reading the device", always=True)


def server_plan(spec: ServerSpec) -> Plan:
    """What provisioning the server will do, in the order of its steps. Raises `ConfigInvalid` for an unfit config."""
    links = server_links(spec)
    resolved = spec.resolved(links)
    resolved = dataclasses.replace(resolved, components=tuple(colocated_components(spec, resolved, links)))
    components = extensions.roles(spec, [_component_role(component) for component in resolved.components])
    finishing = role_name(spec.name)
    generated = generated_role(resolved, finishing)
    offered = _vendors(resolved)
    roles = [_facts(spec), _preflight(resolved, offered), *_repositories(offered), _packages(resolved), *components]
    if generated:
        roles.append(PlannedRole(name=finishing, title="Finishing touches"))
    roles.append(_versions(resolved))
    return Plan(
        slug=spec.name,
        title=f"Provision {spec.name}",
        roles=tuple(roles),
        generated_roles={**spec.recipe.own_roles, **({finishing: generated} if generated else {})},
    )


def _facts(spec: ServerSpec) -> PlannedRole:
    """What was reserved for others before this server came is not its own to count on; see docs/colocation.md."""
    reserved = spec.reserved_before_mb
    return dataclasses.replace(FACTS, variables={"facts_reserved_mb": reserved}) if reserved else FACTS


def _component_role(component: ResolvedComponent) -> PlannedRole:
    version = component.version if component.version not in ("", "latest") else ""
    return PlannedRole(
        name=component.role,
        title=f"Setting up {component.title} {version}".rstrip(),
        variables=component.variables,
        secrets=component.secret_variables,
    )


def _union(resolved: ResolvedRecipe, suffix: str) -> str:
    """Jinja for all roles' lists of one kind: the roles know best what they need for the chosen versions."""
    return "{{ " + " + ".join(f"{component.role}_{suffix}" for component in resolved.components) + " }}"


def _vendors(resolved: ResolvedRecipe) -> list[dict[str, Any]]:
    """The vendors of its components. Raises `ConfigInvalid` for a vendors.yaml that cannot be used."""
    try:
        known = vendors(settings.VENDORS_FILE, recipe_catalog().roles.vendors)
    except DocumentError as wrong:
        raise ConfigInvalid({"vendors.yaml": f"{settings.VENDORS_FILE}: {wrong}"}) from None
    return planned_vendors((component.role for component in resolved.components), known)


def _repositories(offered: list[dict[str, Any]]) -> list[PlannedRole]:
    """Which of the vendors are needed is known only when the device has been looked at."""
    expressions = {
        "repositories_sources": "{{ preflight_result.forgelab.vendors.sources | default([]) }}",
        "repositories_absent": "{{ preflight_result.forgelab.vendors.absent | default([]) }}",
    }
    return [PlannedRole("repositories", "Setting up vendors' repositories", expressions=expressions)] if offered else []


def _by_role(resolved: ResolvedRecipe, suffix: str) -> str:
    """Jinja for a mapping of all roles to their lists of one kind."""
    pairs = ", ".join(f"'{component.role}': {component.role}_{suffix}" for component in resolved.components)
    return "{{ {" + pairs + "} }}"


def _preflight(resolved: ResolvedRecipe, offered: list[dict[str, Any]]) -> PlannedRole:
    return PlannedRole(
        name="preflight",
        title="Checking the device",
        variables={
            "preflight_memory_mb": resolved.requirements.memory_mb.minimum,
            "preflight_disk_mb": resolved.requirements.storage_mb.minimum,
            "preflight_vendors": offered,
        },
        expressions={
            "preflight_packages": _union(resolved, "packages"),
            "preflight_series": _series(resolved),
            "preflight_ports": _union(resolved, "ports"),
            "preflight_needs": _by_role(resolved, "packages"),
        },
    )


def _series(resolved: ResolvedRecipe) -> str:
    """Jinja for the versions of packages whose names do not say them; few roles have such packages."""
    known = "".join(f", {component.role}_series | default({{}})" for component in resolved.components)
    return "{{ {} | combine({}" + known + ") }}"


def _packages(resolved: ResolvedRecipe) -> PlannedRole:
    return PlannedRole(
        name="packages",
        title="Installing packages",
        expressions={
            "packages_names": _union(resolved, "packages"),
            "packages_hold": _union(resolved, "services"),
            "packages_for": _by_role(resolved, "packages"),
            "packages_needed": "{{ preflight_result.forgelab.packages_needed | default(true) }}",
        },
    )


def _versions(resolved: ResolvedRecipe) -> PlannedRole:
    reports = ", ".join(f"{component.role}_report" for component in resolved.components)
    return PlannedRole(
        name="versions", title="Recording versions", expressions={"versions_reports": "{{ [" + reports + "] }}"}
    )
