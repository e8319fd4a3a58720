"""The files that configure PHP."""

from __future__ import annotations

from collections.abc import Callable, Iterable

DOCUMENTATION = r"""
name: php_files
short_description: The files that configure versions of PHP
description: Gives the version, template and destination of each.
author: ForgeLab
positional: settings, fpm
options:
  _input: {description: Versions of PHP., type: list, elements: str, required: true}
  settings: {description: Template of the settings of FPM., type: str, required: true}
  fpm: {description: Whether FPM is installed., type: bool, required: true}
"""

EXAMPLES = r"""
- name: Show the files
  ansible.builtin.debug:
    msg: "{{ ['8.3'] | forgelab.homelab.php_files('php.ini.tmpl', true) }}"
"""

RETURN = r"""
_value: {description: "Mappings with version, src and dest.", type: list, elements: dict}
"""

# Template and destination, by what reads them.
CLI_FILES = {"php-cli.ini.j2": "/etc/php/{version}/cli/conf.d/99-forgelab.ini"}
FPM_FILES = {
    "php.ini.tmpl": "/etc/php/{version}/fpm/conf.d/99-forgelab.ini",
    "pool.conf.j2": "/etc/php/{version}/fpm/pool.d/zz-forgelab.conf",
    "logrotate.j2": "/etc/logrotate.d/forgelab-php{dashed}",
}


def php_files(versions: Iterable[str], settings: str, fpm: bool) -> list[dict[str, str]]:
    """What configures PHP versions: version, template and destination of each file; `settings` is the template of FPM's
    settings."""
    files = CLI_FILES | (FPM_FILES if fpm else {})
    return [
        {
            "version": version,
            "src": settings if src == "php.ini.tmpl" else src,
            "dest": dest.format(version=version, dashed=version.replace(".", "-")),
        }
        for version in versions
        for src, dest in files.items()
    ]


class FilterModule:
    """The filter php_files."""

    def filters(self) -> dict[str, Callable[..., list[dict[str, str]]]]:
        """Filter functions by name."""
        return {"php_files": php_files}
