from __future__ import annotations

import re

from forgelab.recipes.roles.spec import Roles
from matrix.cases import ROLES
from matrix.machine import Listener, Machine, directives

MODULES = {"pgsql": "pdo_pgsql", "mysql": "pdo_mysql"}  # as php -m names what the others call so
WEB = {"nginx"}  # who serves pages needs FPM; a worker must not have it


def modules(roles: Roles) -> set[str]:
    """What `php -m` shows of the extensions that the role php installs."""
    extensions = roles.specs["php"].options["php_extensions"].default
    assert isinstance(extensions, list)
    return {MODULES.get(name, name) for name in extensions if name not in ("cli", "fpm")}


def check(machine: Machine) -> set[Listener]:
    version = machine.config["php_version"]
    shown = machine.run(f"php{version}", "-i")
    assert re.search(rf"^PHP Version => {re.escape(version)}\.", shown, re.M)
    assert set(machine.run(f"php{version}", "-m").lower().split()) >= modules(ROLES)
    assert re.search(r"^memory_limit => -1 ", shown, re.M)  # of the command line
    if machine.components & WEB:
        _fpm(machine, version)
    else:
        assert not machine.installed(f"php{version}-fpm")
    return set()


def _fpm(machine: Machine, version: str) -> None:
    machine.assert_service(f"php{version}-fpm.service")
    config = machine.config
    values = directives(machine.run(f"php-fpm{version}", "-i"), "=>")
    upload = f"{config['upload_max_mb']}M"
    assert values["upload_max_filesize"] == f"{upload} => {upload}"
    assert values["opcache.enable"] == "On => On"
    assert values["expose_php"] == "Off => Off"
    pool = machine.run(f"php-fpm{version}", "-tt")
    for setting, option in (
        ("pm.max_children", "php_pm_max_children"),
        ("php_admin_value[memory_limit]", "php_memory_limit"),
        ("php_admin_value[max_execution_time]", "php_max_execution_time"),
    ):
        found = re.search(rf"\s{re.escape(setting)} = (\S+)", pool)
        wanted = str(config[option])
        if found:
            assert found[1] == wanted, f"{setting} is {found[1]}, not {wanted}"
        else:
            name = setting.partition("[")[2].rstrip("]")
            assert values[name] == f"{wanted} => {wanted}", f"{name} is {values[name]}, not {wanted}"
