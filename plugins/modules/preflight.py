#!/usr/bin/python
# Copyright: ForgeLab contributors. MIT license.
"""Proof that a run can succeed, given before anything on the device is changed."""

from __future__ import annotations

import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.forgelab.homelab.plugins.module_utils.apt import (
    FRESH_SECONDS,
    STATUS,
    candidates,
    in_series,
    installable,
    lists_age_seconds,
    missing_problems,
    not_installed,
    nothing_half_installed,
    parse_installed,
    parse_installed_versions,
    plain_name,
    product,
    refresh_lists,
    series_of,
)
from ansible_collections.forgelab.homelab.plugins.module_utils.device import (
    device_facts,
    distribution_problem,
    parse_os_release,
    read_only,
    read_text,
    supported,
)
from ansible_collections.forgelab.homelab.plugins.module_utils.locks import dpkg_interrupted, locked_by
from ansible_collections.forgelab.homelab.plugins.module_utils.ports import listeners, port_problem, process_name
from ansible_collections.forgelab.homelab.plugins.module_utils.vendors import sources_path

DOCUMENTATION = r"""
module: preflight
short_description: Prove that a run on this device can succeed
description:
  - Changes nothing. The one exception is apt's own index - when packages have no candidate and the package lists are
    missing or older than an hour, they are refreshed with C(apt-get update) and asked again.
  - Fails with one message that lists every problem and what to choose instead.
author: ForgeLab
options:
  device: {description: Name of the device in messages., type: str, required: true}
  distributions:
    description: The oldest version that is supported of each distribution, by its id (C(debian), C(ubuntu)).
    type: dict
    required: true
  packages: {description: Packages that must have an installation candidate., type: list, elements: str, default: []}
  needs: {description: "The same packages by role, for the note of what each of them needs.", type: dict, default: {}}
  series:
    description: Which versions (C(9.7)) are wanted of packages whose name does not say it.
    type: dict
    default: {}
  vendors:
    description:
      - Repositories to look in for packages that the device's own sources lack, without setting them up. Name, title,
        base_url, key_url, fingerprints, suites (by distribution release), components, packages and shared.
    type: list
    elements: dict
    default: []
  disk_mb: {description: Free disk space needed in MiB., type: int, default: 0}
  memory_mb: {description: Memory needed in MiB; a tenth less is accepted., type: int, default: 0}
  ports:
    description: TCP ports that must be free, or held by the named process.
    type: list
    elements: dict
    default: []
    suboptions:
      port: {description: Port number., type: int, required: true}
      process: {description: Process that may hold it., type: str, required: true}
  controller_time: {description: The controller's clock in seconds since 1970., type: float}
  clock_tolerance_seconds: {description: How far the clocks may differ., type: int, default: 300}
  lock_wait_seconds: {description: How long to wait for another package manager., type: int, default: 60}
"""

EXAMPLES = r"""
- name: Check that the run can succeed
  forgelab.homelab.preflight:
    device: "{{ inventory_hostname }}"
    distributions: {debian: "12", ubuntu: "22.04"}
    packages: [nginx, php8.2-fpm]
    ports: [{port: 80, process: nginx}]
"""

RETURN = r"""
forgelab:
  description: Facts about the device, the result of every check, and whether packages are to be installed or repaired.
  returned: always
  type: dict
"""

# A machine sold as 2 GB shows up to a tenth less: firmware, graphics and the kernel keep theirs.
MEMORY_SHARE = 0.9


def check(name: str, problem: str | None = None, choose: str = "") -> dict:
    """Result of one check; without a problem it is fine."""
    return {"check": name, "ok": problem is None, "problem": problem, "choose": choose if problem else ""}


def check_system(facts: dict, oldest: dict[str, str]) -> list[dict]:
    """Root, systemd, distribution and writable file systems."""
    release = parse_os_release(read_text("/etc/os-release"))
    wrong = distribution_problem(release, read_text("/etc/debian_version"), oldest)
    root = None if os.geteuid() == 0 else "Commands on the device do not run as root"
    systemd = None if read_text("/proc/1/comm").strip() == "systemd" else "The init system is not systemd"
    frozen = ", ".join(read_only())
    return [
        check(
            "distribution", f"This device {wrong}" if wrong else None, f"{supported(oldest)}: choose another device."
        ),
        check("root", root, "Connect as root, or as a user who may use sudo (become: true)."),
        check("systemd", systemd, "Choose a device that was started with systemd."),
        check(
            "file systems",
            f"Nothing can be written to {frozen}, it is mounted read-only" if frozen else None,
            "Look for a worn disk with `dmesg | tail`, then restart the device.",
        ),
    ]


def check_sizes(facts: dict, disk_mb: int, memory_mb: int) -> list[dict]:
    """Disk space and memory, in MiB."""
    disk, memory = facts["disk_free_mb"], facts["memory_total_mb"]
    full = f"Only {disk} MB of disk are free, {disk_mb} MB are needed" if disk < disk_mb else None
    small = memory < memory_mb * MEMORY_SHARE
    tight = f"The device has {memory} MB of memory, {memory_mb} MB are needed" if small else None
    return [
        check("disk", full, "Free some (`apt-get clean`, `journalctl --vacuum-size=50M`), or choose another device."),
        check("memory", tight, "Choose a device with more memory."),
    ]


def check_clock(ahead: float, tolerance: int) -> dict:
    """The device's clock against the controller's, in seconds."""
    wrong = f"The clock is {abs(ahead):.0f} seconds {'ahead of' if ahead > 0 else 'behind'} the controller's"
    fix = "Set it with `timedatectl set-ntp true`, or by hand with `timedatectl set-time`."
    return check("clock", wrong if abs(ahead) > tolerance else None, fix)


def check_lock(wait_seconds: int) -> dict:
    """Another package manager at work."""
    held = locked_by(wait_seconds)
    if not held:
        return check("package manager")
    path, pid = held
    return check(
        "package manager",
        f"Another package manager is at work: {process_name(pid)} (process {pid}) holds {path}",
        "Wait until it has finished, then run again.",
    )


def check_series(series: dict[str, str]) -> dict:
    """What is installed already in another version than the wanted one: a server is not turned into another one."""
    installed = parse_installed_versions(read_text(str(STATUS))) if series else {}
    other = {
        name: installed[name] for name, wanted in series.items() if not in_series(installed.get(name, wanted), wanted)
    }
    problems = [f"{name} is installed in version {version}, not {series[name]}" for name, version in other.items()]
    choices = [f"{product(name)[0]} {series_of(version)}" for name, version in other.items()]
    return check(
        "versions",
        "; ".join(problems) or None,
        f"Choose {' and '.join(choices)}, or another device for the other version.",
    )


def without_candidate(names: list[str], series: dict[str, str]) -> tuple[list[str], list[str], dict]:
    """Those of `names` with no candidate of the wanted version, all packages known to apt, what there is instead."""
    found, known = installable(names) if names else (set(), [])
    asked = [name for name in names if name in series and name in found]
    offered = candidates(asked) if asked else {}
    other = {name: version for name, version in offered.items() if not in_series(version, series[name])}
    missing = [name for name in names if name not in found or name in other]
    instead = {
        name: (f"this device offers {product(name)[0]} {series_of(version)}", "add the vendor's repository")
        for name, version in other.items()
    }
    return missing, known, instead


def check_packages(
    packages: list[str], series: dict[str, str], vendors: list[dict], facts: dict
) -> tuple[list[dict], dict]:
    """Installation candidates, with one refresh of the package lists where they are missing or old; and which vendors'
    repositories the device is to have (`sources`) and no longer to have (`absent`)."""
    wanted = list(dict.fromkeys(plain_name(package) for package in packages))
    names = not_installed(wanted)
    missing, known, instead = without_candidate(names, series)
    trouble = None
    if missing and lists_age_seconds() > FRESH_SECONDS:
        trouble = refresh_lists()
        missing, known, instead = without_candidate(names, series)
    chosen, results, troubles = {"sources": [], "absent": []}, [], instead
    if vendors and (missing or any(sources_path(vendor["name"]).exists() for vendor in vendors)):
        from ansible_collections.forgelab.homelab.plugins.module_utils.vendor_choice import choose

        installed = parse_installed(read_text(str(STATUS)))
        choice = choose(vendors, str(facts["distribution_release"]), wanted, missing, installed, series)
        chosen = {"sources": choice.sources, "absent": choice.absent}
        missing, troubles = [name for name in missing if name not in choice.found], {**instead, **choice.troubles}
    system = str(facts["distribution_name"])
    results += [check("packages", *texts) for texts in missing_problems(missing, known, system, troubles, series)]
    if missing and trouble:
        fix = "Check the device's network and /etc/apt/sources.list."
        results.append(check("package lists", f"The package lists could not be refreshed ({trouble})", fix))
    return results or [check("packages")], chosen


def packages_needed(packages: list[str]) -> bool:
    """Whether there is anything to install or to repair."""
    wanted = not_installed(packages)
    return bool(wanted) or dpkg_interrupted() or not nothing_half_installed(read_text(str(STATUS)))


def check_all(params: dict, facts: dict, ahead: float) -> tuple[list[dict], dict]:
    """Every check, the quick and informative ones first; and the vendors' repositories that are needed."""
    listening = listeners()
    ports = [(item["port"], port_problem(item["port"], item["process"], listening)) for item in params["ports"]]
    first = [
        *check_system(facts, params["distributions"]),
        *check_sizes(facts, params["disk_mb"], params["memory_mb"]),
        check_clock(ahead, params["clock_tolerance_seconds"]),
        check_lock(params["lock_wait_seconds"]),
        check_series(params["series"]),
    ]
    offered, vendors = check_packages(params["packages"], params["series"], params["vendors"], facts)
    return [*first, *offered, *(check(f"port {port}", *(problem or ())) for port, problem in ports)], vendors


def failure(device: str, results: list[dict]) -> str | None:
    """One message with every problem, None when there is none."""
    wrong = [f"- {item['problem']}. {item['choose']}" for item in results if not item["ok"]]
    return "\n".join([f"{device} cannot be provisioned like this. Nothing was changed.", *wrong]) if wrong else None


def argument_spec() -> dict:
    """Ansible's argument spec of the module: the options documented above."""
    port = {"port": {"type": "int", "required": True}, "process": {"type": "str", "required": True}}
    return {
        "device": {"type": "str", "required": True},
        "distributions": {"type": "dict", "required": True},
        "packages": {"type": "list", "elements": "str", "default": []},
        "needs": {"type": "dict", "default": {}},
        "series": {"type": "dict", "default": {}},
        "vendors": {"type": "list", "elements": "dict", "default": []},
        "disk_mb": {"type": "int", "default": 0},
        "memory_mb": {"type": "int", "default": 0},
        "ports": {"type": "list", "elements": "dict", "default": [], "options": port},
        "controller_time": {"type": "float"},
        "clock_tolerance_seconds": {"type": "int", "default": 300},
        "lock_wait_seconds": {"type": "int", "default": 60},
    }


def main() -> None:
    """Entry point on the device."""
    began = time.time()
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    ahead = began - params["controller_time"] if params["controller_time"] else 0.0
    facts = device_facts()
    results, vendors = check_all(params, facts, ahead)
    notes = ["An earlier installation was cut off; it will be repaired."] if dpkg_interrupted() else []
    needed = packages_needed(params["packages"])
    forgelab = {
        "facts": facts,
        "preflight": results,
        "notes": notes,
        "packages_needed": needed,
        "needs": {role: [plain_name(name) for name in names] for role, names in params["needs"].items()},
        "vendors": vendors,
    }
    message = failure(params["device"], results)
    if message:
        module.fail_json(msg=message, forgelab=forgelab)
    module.exit_json(changed=False, forgelab=forgelab)


if __name__ == "__main__":
    main()
