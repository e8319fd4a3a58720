"""Names of Debian's PHP packages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: php_packages
short_description: Debian's packages for extensions of PHP
description:
  - Each once and in order, for each version. An extension that another package carries gives that one's name.
  - Fails, naming C(php_extensions), for what is no name of an extension.
author: ForgeLab
positional: versions
options:
  _input: {description: "Extensions, fpm or cli.", type: list, elements: str, required: true}
  versions: {description: Versions of PHP or a single one., type: raw, required: true}
"""

EXAMPLES = r"""
- name: Show the packages
  ansible.builtin.debug:
    msg: "{{ ['fpm', 'pdo_mysql'] | forgelab.homelab.php_packages(['8.3', '8.4']) }}"
"""

RETURN = r"""
_value: {description: "Names of packages, such as php8.3-mysql.", type: list, elements: str}
"""

# Extensions that another package carries (file lists of Debian's php8.2-* packages).
CARRIED_BY = {
    "ctype": "common",
    "dom": "xml",
    "exif": "common",
    "fileinfo": "common",
    "ftp": "common",
    "iconv": "common",
    "mysqli": "mysql",
    "pcntl": "cli",
    "pdo": "common",
    "pdo_mysql": "mysql",
    "pdo_pgsql": "pgsql",
    "pdo_sqlite": "sqlite3",
    "posix": "common",
    "simplexml": "xml",
    "sockets": "common",
    "sqlite": "sqlite3",
    "tokenizer": "common",
    "xmlreader": "xml",
    "xmlwriter": "xml",
}


def php_packages(extensions: Iterable[object], versions: str | Iterable[str]) -> list[str]:
    """Debian packages of PHP versions (or one) for extensions (or `fpm`, `cli`), each once, in order.

    Raises AnsibleFilterError, which names php_extensions, for anything that is no extension's name.
    """
    packages: dict[str, None] = {}
    names = list(map(str, extensions))
    for version in [versions] if isinstance(versions, str) else versions:
        for extension in names:
            if not re.fullmatch(r"[a-z][a-z0-9_-]*", extension):
                raise AnsibleFilterError(f"php_extensions: {extension!r} is no name of an extension, such as mbstring.")
            packages[f"php{version}-{CARRIED_BY.get(extension, extension).replace('_', '-')}"] = None
    return list(packages)


class FilterModule:
    """The filter php_packages."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        """Filter functions by name."""
        return {"php_packages": php_packages}
