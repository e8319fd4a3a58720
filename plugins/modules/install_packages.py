#!/usr/bin/python
# Copyright: ForgeLab contributors. MIT license.
"""Installs all packages of a run in one transaction, after what a cut-off installation left behind is repaired."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.forgelab.homelab.plugins.module_utils.apt import (
    FRESH_SECONDS,
    lists_age_seconds,
    refresh_lists,
)
from ansible_collections.forgelab.homelab.plugins.module_utils.dpkg import (
    AptFailed,
    install,
    missing,
    repair,
    statuses,
    unsettled,
)
from ansible_collections.forgelab.homelab.plugins.module_utils.hold import held
from ansible_collections.forgelab.homelab.plugins.module_utils.locks import dpkg_interrupted, locked_by

DOCUMENTATION = r"""
module: install_packages
short_description: Install packages in one apt transaction
description:
  - Looks into dpkg's own database first, which takes a tenth of a second, where M(ansible.builtin.apt) opens apt's
    cache and takes some three seconds longer on a fresh device.
  - When an earlier installation was cut off (a cancelled run, a power cut), C(dpkg --configure -a) and
    C(apt-get --fix-broken install) finish it first, keeping configuration files that were changed by hand.
  - Package lists older than an hour are refreshed, and once more if the download fails because a package has gone.
author: ForgeLab
options:
  names: {description: Package names. One with a version or release (C(x=1.*)) always counts as missing.,
          type: list, elements: str, default: []}
  hold:
    description:
      - systemd units that their packages must not start. They are enabled, and are started by the role that
        configures them, so that none ever runs with its package's configuration.
      - Without effect where the device has a policy-rc.d of its own.
    type: list
    elements: str
    default: []
  for: {description: "Names by role, for the note of what was installed for whom.", type: dict, default: {}}
  lock_wait_seconds: {description: How long to wait for another package manager., type: int, default: 120}
"""

EXAMPLES = r"""
- name: Install the packages
  forgelab.homelab.install_packages:
    names: [nginx, php8.2-fpm]
    hold: [nginx.service]
"""

RETURN = r"""
missing: {description: Packages that were not installed and now are., returned: always, type: list, elements: str}
forgelab: {description: C(installed) - by role the packages that were not there before., returned: always, type: dict}
repaired: {description: Packages that had been left half installed., returned: always, type: list, elements: str}
"""


def finish_interrupted(module: AnsibleModule) -> None:
    """Repair, or fail with what to do by hand."""
    try:
        repair()
    except AptFailed as trouble:
        if unsettled(statuses()):
            module.fail_json(
                msg=f"An earlier installation was cut off and could not be finished:\n{trouble}\n"
                "Look at it on the device with `dpkg --audit`, then run again."
            )


def install_all(module: AnsibleModule, names: list[str]) -> None:
    """Install, with fresh package lists, or fail with apt's own words."""
    refreshed = lists_age_seconds() > FRESH_SECONDS
    trouble = refresh_lists() if refreshed else None
    with held(module.params["hold"]) as environment:
        try:
            install(names, module.params["lock_wait_seconds"], **environment)
            return
        except AptFailed as problem:
            said = str(problem)
        if not refreshed:
            trouble = refresh_lists()
            try:
                install(names, module.params["lock_wait_seconds"], **environment)
                return
            except AptFailed as problem:
                said = str(problem)
    lists = f"\nThe package lists could not be refreshed either ({trouble})." if trouble else ""
    module.fail_json(
        msg=f"apt could not install the packages:\n{said}{lists}\n"
        "Check the device's network, its disk space and /etc/apt/sources.list, then run again."
    )


def noted(wanted: list[str], owners: dict) -> dict[str, list[str]]:
    """By role, those of the packages that are installed for it now."""
    found = {role: [name for name in names if name in wanted] for role, names in owners.items()}
    return {role: names for role, names in found.items() if names}


def main() -> None:
    """Entry point on the device."""
    strings = {"type": "list", "elements": "str", "default": []}
    spec = {
        "names": strings,
        "hold": strings,
        "for": {"type": "dict", "default": {}},
        "lock_wait_seconds": {"type": "int", "default": 120},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    found = statuses()
    broken = unsettled(found)
    damaged = bool(broken) or dpkg_interrupted()
    wanted = missing(module.params["names"], found)
    if (damaged or wanted) and not module.check_mode:
        held_by = locked_by(module.params["lock_wait_seconds"])
        if held_by:
            module.fail_json(
                msg=f"Another package manager (process {held_by[1]}) still holds {held_by[0]}: wait for it, "
                "then run again."
            )
        if damaged:
            finish_interrupted(module)
            wanted = missing(module.params["names"], statuses())
        if wanted:
            install_all(module, wanted)
    diff = {"before": "", "after": "".join(f"{name}\n" for name in wanted), "after_header": "packages to install"}
    module.exit_json(
        changed=bool(damaged or wanted),
        missing=wanted,
        repaired=broken,
        forgelab={} if module.check_mode else {"installed": noted(wanted, module.params["for"])},
        diff=[diff] if module._diff and wanted else [],
    )


if __name__ == "__main__":
    main()
