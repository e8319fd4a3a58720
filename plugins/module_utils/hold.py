"""Keeping services from being started by their own packages, before their configuration is there (runs on the device).

Debian's packages ask /usr/sbin/policy-rc.d before they start a service (policy-rc.d.8 of init-system-helpers,
deb-systemd-invoke(1p)); 101 forbids it. The one written here obeys a variable of the environment, so if it should
outlive a run that was cut off, it forbids nobody else anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")
VARIABLE = "FORGELAB_HOLD"
MARK = "Managed by ForgeLab"
TEXT = f"""#!/bin/sh
# {MARK}: while it installs packages, services named in {VARIABLE} are not started by them.
case " ${VARIABLE} " in
    *" ${{1%.service}} "*)
        [ "$2" != start ] || exit 101
        # A trigger restarts a service whether it runs or not.
        [ "$2" != restart ] || systemctl is-active --quiet "$1" || exit 101
        ;;
esac
exit 0
"""


def service_names(units: Iterable[str]) -> list[str]:
    """What packages call these units: `postgresql@15-main.service` is started as `postgresql`."""
    return sorted({unit.removesuffix(".service").partition("@")[0] for unit in units})


@contextmanager
def held(units: Iterable[str], policy: Path = POLICY) -> Iterator[dict[str, str]]:
    """The environment in which installing packages starts none of `units`; empty where somebody has a policy."""
    names = service_names(units)
    if not names or (policy.exists() and MARK not in policy.read_text(errors="replace")):
        yield {}
        return
    policy.write_text(TEXT)
    policy.chmod(0o755)
    try:
        yield {VARIABLE: " ".join(names)}
    finally:
        policy.unlink(missing_ok=True)
