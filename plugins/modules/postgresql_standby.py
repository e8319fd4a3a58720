#!/usr/bin/python
# Copyright: ForgeLab contributors. MIT license.
"""A PostgreSQL cluster made into a standby of another one, or from a standby into the primary."""

from __future__ import annotations

import os
import pwd
import re
import shutil
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.forgelab.homelab.plugins.module_utils.postgresql import (
    Cluster,
    Primary,
    Refused,
    bytes_of,
    keeps_streaming,
    streams,
)

DOCUMENTATION = r"""
module: postgresql_standby
short_description: Follow another PostgreSQL, or take over from it
description:
  - With O(follow), a fresh empty cluster is replaced by a copy of the primary (pg_basebackup, through a replication
    slot of its own), which then follows it. One that follows already is left alone. One with data of its own is never
    overwritten; the module refuses instead.
  - The copy is made beside the cluster, so that one that was cut off leaves the cluster as it was.
  - With O(replaced), this cluster is a primary whose standby has taken over. It is made unable to take writes, whether
    the new primary answers or not (as a standby that follows nobody yet), and then follows the new primary where its
    data allow it; with O(replace_data) they are replaced by a copy.
  - Without O(follow) and O(replaced), a standby is promoted, but only if its primary does not answer any more.
  - Expects C(primary_conninfo) and C(primary_slot_name) in the configuration already, and runs as root.
author: ForgeLab
options:
  version: {description: Major version of the cluster C(main)., type: str, required: true}
  follow:
    description: The primary.
    type: dict
    suboptions:
      host: {description: Its address., type: str, required: true}
      user: {description: User with the right to replicate., type: str, required: true}
      passfile: {description: File with the password in libpq's format., type: path, required: true}
      slot: {description: Name of this standby's replication slot., type: str, required: true}
      remedy: {description: What to do when it does not let this server in., type: str, default: ""}
      max_connections: {description: Connections that this server is configured for., type: int, required: true}
  replaced: {description: Whether a standby of this cluster has taken over., type: bool, default: false}
  replace_data:
    description: Whether what this cluster alone has may go for a copy of the primary.
    type: bool
    default: false
  recopy_command: {description: The command that copies the primary's data again., type: str, default: ""}
  patience_seconds: {description: How long to wait until changes arrive., type: int, default: 45}
"""

EXAMPLES = r"""
- name: Follow the primary
  forgelab.homelab.postgresql_standby:
    version: "15"
    follow:
      host: 192.168.1.11
      user: replicator
      passfile: /etc/postgresql/15/main/primary.pgpass
      slot: db2
      max_connections: 100
"""

RETURN = r"""
state: {description: "C(primary) or C(standby).", returned: always, type: str}
bytes_behind:
  description: How much of the primary's WAL this standby has not made visible yet. Of standbys only.
  returned: success
  type: int
"""

# A standby whose limits are lower than its primary's does not start.
LIMITS = (
    "max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions",
    "max_locks_per_transaction",
)  # fmt: skip
ANSWERS, REJECTS = 0, 1  # exit statuses of pg_isready(1)

CONTENTS = """
SELECT concat_ws(', ',
  (SELECT 'the databases ' || string_agg(datname, ', ' ORDER BY datname) FROM pg_database
   WHERE datname NOT IN ('postgres', 'template0', 'template1')),
  (SELECT 'the users ' || string_agg(rolname, ', ' ORDER BY rolname) FROM pg_roles
   WHERE rolname <> 'postgres' AND rolname !~ '^pg_'),
  (SELECT 'tables in the database postgres' FROM pg_class WHERE oid >= 16384 LIMIT 1))
"""


def mismatch(version: str, own: dict[str, int], theirs: dict[str, int], theirs_version: int) -> str | None:
    """Why a standby with these limits could not follow, as a sentence, or None."""
    if str(theirs_version // 10000) != version:
        return (
            f"postgresql_version: the primary has PostgreSQL {theirs_version // 10000}, this device {version}; "
            "a standby needs the same."
        )
    lower = [f"{name} {own[name]}, not {theirs[name]}" for name in LIMITS if own[name] < theirs[name]]
    if lower:
        return f"This device has {' and '.join(lower)} as its primary: a standby must have at least the same."
    return None


def copy(cluster: Cluster, primary: Primary) -> None:
    """Replace the empty cluster by a copy of the primary. Raises Refused; then the old one is back."""
    data = Path(cluster.ask("SHOW data_directory")[0])
    new, old = data.with_name(f"{data.name}.forgelab-new"), data.with_name(f"{data.name}.forgelab-old")
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    primary.place()
    done = cluster.run(
        "pg_basebackup", "--pgdata", str(new), "--dbname", primary.connection, "--wal-method", "stream",
        "--no-password", "--checkpoint", "fast", "--slot", primary.follow["slot"],
    )  # fmt: skip
    if done.returncode:
        shutil.rmtree(new, ignore_errors=True)
        raise Refused(f"pg_basebackup could not copy {primary.follow['host']}: {done.stderr.strip()}")
    mark_standby(new)
    cluster.systemctl("stop")
    data.rename(old)
    new.rename(data)
    try:
        cluster.systemctl("start")
    except Refused:
        data.rename(new)
        old.rename(data)
        cluster.systemctl("start")
        shutil.rmtree(new, ignore_errors=True)
        raise
    shutil.rmtree(old)


def check(cluster: Cluster, primary: Primary, replace: bool) -> None:
    """Raises Refused unless this cluster is empty, or all of it may go, and it could follow the primary."""
    contents = "" if replace else cluster.ask(CONTENTS)[0]
    host, version = primary.follow["host"], cluster.version
    if contents:
        raise Refused(
            f"This device's PostgreSQL is no standby and not empty: it has {contents}. It is not replaced by a copy of "
            f"{host}. If all of it may go, run on this device `pg_dropcluster --stop {version} main && "
            f"pg_createcluster {version} main`, then run again; else choose another device."
        )
    system, _ = primary.identify()
    if not replace and cluster.ask("SELECT system_identifier FROM pg_control_system()") == [system]:
        raise Refused(f"postgresql_replicate_from: {host} is this device itself; name the primary.")
    own = {name: int(cluster.ask(f"SHOW {name}")[0]) for name in LIMITS}
    own["max_connections"] = primary.follow["max_connections"]
    theirs = {name: int(primary.ask(f"SHOW {name}")[0]) for name in LIMITS}
    fault = mismatch(version, own, theirs, int(primary.ask("SHOW server_version_num")[0]))
    if fault:
        raise Refused(fault)


def bytes_behind(cluster: Cluster, primary: Primary, patience: float) -> int:
    """How far behind the standby is once changes arrive. Raises Refused when they do not."""
    if not streams(cluster, patience):
        primary.identify()
        raise Refused(
            f"This standby gets no changes from {primary.follow['host']}. Its log says: {cluster.last_words()}\n"
            "If the primary has removed what this standby had not fetched yet, copy its data again: "
            f"{recopy_command(cluster)}."
        )
    _, position = primary.identify()
    return max(0, position - bytes_of(cluster.ask("SELECT pg_last_wal_replay_lsn()")[0]))


def recopy_command(cluster: Cluster) -> str:
    """How somebody copies the data again by hand."""
    return (
        f"run on this device `pg_dropcluster --stop {cluster.version} main && "
        f"pg_createcluster {cluster.version} main`, then run again"
    )


def fence(cluster: Cluster, dry: bool) -> bool:
    """Make a primary that was replaced unable to take writes; whether that was necessary. It needs nobody else."""
    data = cluster.data()
    if not data or not (data / "PG_VERSION").exists() or (data / "standby.signal").exists():
        return False
    if not dry:
        mark_standby(data)
        cluster.systemctl("try-restart")
    return True


def mark_standby(data: Path) -> None:
    """By this file PostgreSQL knows when it starts that it is a standby."""
    signal = data / "standby.signal"
    signal.touch(mode=0o600)
    owner = pwd.getpwnam("postgres")
    os.chown(signal, owner.pw_uid, owner.pw_gid)


def rejoin(cluster: Cluster, primary: Primary, params: dict, dry: bool) -> dict:
    """Let a fenced primary follow the one that replaced it. Raises Refused where that takes a copy."""
    primary.place()
    patience = min(params["patience_seconds"], 10) if params["replace_data"] else params["patience_seconds"]
    if keeps_streaming(cluster, patience):
        return {"changed": False, "state": "standby", "bytes_behind": bytes_behind(cluster, primary, patience)}
    system, _ = primary.identify()
    host = primary.follow["host"]
    if not params["replace_data"]:
        raise Refused(
            f"{host} has taken over from this PostgreSQL, which takes no more writes, but can be read from. It cannot "
            f"follow {host} as it is: it may hold last changes that {host} never had. To replace its data by a copy of "
            f"{host}: {params['recopy_command'] or recopy_command(cluster)}"
        )
    if cluster.ask("SELECT system_identifier FROM pg_control_system()") != [system]:
        raise Refused(
            f"{host} is no copy of this PostgreSQL, so it did not take over from it: name the server that did."
        )
    check(cluster, primary, replace=True)
    if not dry:
        copy(cluster, primary)
    return {"changed": True, "state": "standby"}


def follow(cluster: Cluster, params: dict, dry: bool) -> dict:
    """Make the cluster a standby where it is none."""
    primary = Primary(cluster, params["follow"])
    changed = not cluster.is_standby()
    if params["replaced"] and not changed:
        return rejoin(cluster, primary, params, dry)
    if changed:
        check(cluster, primary, replace=False)
        if dry:
            return {"changed": True, "state": "primary"}
        copy(cluster, primary)
    patience = params["patience_seconds"]
    return {"changed": changed, "state": "standby", "bytes_behind": bytes_behind(cluster, primary, patience)}


def take_over(cluster: Cluster, dry: bool) -> dict:
    """Promote the cluster where it is a standby."""
    data = cluster.data()
    if not data or not (data / "standby.signal").exists():
        return {"changed": False, "state": "primary"}
    cluster.systemctl("start")
    primary = cluster.ask("SHOW primary_conninfo")[0]
    host = re.search(r"host=(\S+)", primary)
    if host and cluster.run("pg_isready", "-q", "-t", "5", "-d", primary).returncode in (ANSWERS, REJECTS):
        raise Refused(
            f"{host.group(1)}, the primary, still answers: with two primaries, changes would go to one or the other. "
            f"Stop it first: run there `systemctl mask --now {cluster.unit}`, then run again."
        )
    if not dry and cluster.ask("SELECT pg_promote(true, 300)") != ["t"]:
        raise Refused(f"This standby did not become the primary within 300 seconds: {cluster.last_words()}")
    return {"changed": True, "state": "primary"}


def main() -> None:
    """Entry point on the device."""
    text = {"type": "str", "required": True}
    primary = {
        "host": text,
        "user": text,
        "passfile": {"type": "path", "required": True},
        "slot": text,
        "remedy": {"type": "str", "default": ""},
        "max_connections": {"type": "int", "required": True},
    }
    spec = {
        "version": text,
        "follow": {"type": "dict", "options": primary, "no_log": False},
        "replaced": {"type": "bool", "default": False},
        "replace_data": {"type": "bool", "default": False},
        "recopy_command": {"type": "str", "default": ""},
        "patience_seconds": {"type": "int", "default": 45},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    cluster = Cluster(module.params["version"])
    try:
        if module.params["follow"]:
            result = follow(cluster, module.params, module.check_mode)
        elif module.params["replaced"]:
            result = {"changed": fence(cluster, module.check_mode), "state": "standby"}
        else:
            result = take_over(cluster, module.check_mode)
    except Refused as problem:
        module.fail_json(msg=str(problem))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
