from __future__ import annotations

from matrix.machine import ANYWHERE, LOCAL, Listener, Machine

MB = 1024 * 1024


def ask(machine: Machine, question: str) -> str:
    return machine.run("runuser", "-u", "postgres", "--", "psql", "-Atc", question).strip()


def check(machine: Machine) -> set[Listener]:
    version = machine.config["postgresql_version"]
    machine.assert_service("postgresql.service", f"postgresql@{version}-main.service")
    assert ask(machine, "SHOW server_version").split(".")[0] == version
    assert ask(machine, "SHOW password_encryption") == "scram-sha-256"
    buffers = int(ask(machine, "SELECT setting::bigint * 8192 FROM pg_settings WHERE name = 'shared_buffers'")) // MB
    assert 64 <= buffers <= machine.memory_mb // 4
    assert buffers != 128  # PostgreSQL's own default: not tuned
    assert ask(machine, "SELECT count(*) FROM pg_settings WHERE pending_restart") == "0"
    assert ask(machine, "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method IN ('trust', 'password')") == "0"
    assert ask(machine, "SHOW max_connections") == str(machine.config.get("max_connections", 100))
    if _is_standby(machine):
        _follows(machine)
    else:
        _login(machine, "Database Credentials", "CREATE TABLE t (n int); DROP TABLE t; SELECT 42")
    remote = remote_access(machine)
    assert (ask(machine, "SHOW listen_addresses") == "localhost") is not remote
    return {Listener("tcp", 5432, ANYWHERE if remote else LOCAL, "postgres")}


def remote_access(machine: Machine) -> bool:
    """Whether somebody was let in from elsewhere."""
    named = ("allowed_networks", "allowed_servers", "standby_networks", "standby_servers")
    return any(machine.config.get(option) for option in named)


def _is_standby(machine: Machine) -> bool:
    return bool(machine.config.get("replicate_from")) and not machine.config["postgresql_promote"]


def _follows(machine: Machine) -> None:
    assert ask(machine, "SELECT pg_is_in_recovery()") == "t"
    assert ask(machine, "SELECT status FROM pg_stat_wal_receiver") == "streaming"
    _login(machine, next(title for title in machine.credentials if "for reading" in title), "SELECT 42")


def _login(machine: Machine, block: str, question: str) -> None:
    fields = machine.credentials[block]
    login = f"postgresql://{fields['User']}:{fields['Password']}@127.0.0.1/{fields['Database']}"
    assert machine.run("psql", login, "-Atc", question).strip().endswith("42")
    refused = login.replace(fields["Password"], "wrong")
    assert "password authentication failed" in machine.run("psql", refused, "-Atc", "SELECT 1", ok=(2,))
