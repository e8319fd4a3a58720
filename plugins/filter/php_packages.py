"""Names of Debian's PHP packages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ansible.errors import AnsibleFilterError

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
