#!/usr/bin/python
# Copyright: ForgeLab contributors. MIT license.
"""The few facts that roles read, under Ansible's own names, in a fraction of the time that setup takes."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.forgelab.homelab.plugins.module_utils.device import device_facts, standard_facts

DOCUMENTATION = r"""
module: device_facts
short_description: Read the facts that ForgeLab's roles need
description:
  - Reads /proc and /etc/os-release. Returns memory, processors, architecture, distribution and default address under
    the names of M(ansible.builtin.setup), so that no other gathering of facts is needed.
author: ForgeLab
options:
  reserved_mb:
    description: Memory in MiB that is reserved for others. RV(ansible_facts) shows so much less, and at least 256.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Read the device's facts
  forgelab.homelab.device_facts:
"""

RETURN = r"""
forgelab:
  description: The facts that ForgeLab keeps about a device.
  returned: always
  type: dict
"""


def main() -> None:
    """Entry point on the device."""
    spec = {"reserved_mb": {"type": "int", "default": 0}}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    facts = device_facts()
    seen = standard_facts(facts, reserved_mb=module.params["reserved_mb"])
    module.exit_json(changed=False, ansible_facts=seen, forgelab={"facts": facts})


if __name__ == "__main__":
    main()
