"""Names of Debian's PHP packages, and the files that configure them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

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


# Template and destination, by what reads them.
CLI_FILES = {"php-cli.ini.j2": "/etc/php/{version}/cli/conf.d/99-forgelab.ini"}
FPM_FILES = {
    "php.ini.tmpl": "/etc/php/{version}/fpm/conf.d/99-forgelab.ini",
    "pool.conf.j2": "/etc/php/{version}/fpm/pool.d/zz-forgelab.conf",
    "logrotate.j2": "/etc/logrotate.d/forgelab-php{dashed}",
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
    """Filters of the role php."""

    def filters(self) -> dict[str, Callable[..., list[Any]]]:
        """Filter functions by name."""
        return {"php_packages": php_packages, "php_files": php_files}
