from __future__ import annotations

from tests.matrix.machine import ANYWHERE, LOCAL, Listener, Machine

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
    _login(machine)
    remote = remote_access(machine)
    assert (ask(machine, "SHOW listen_addresses") == "localhost") is not remote
    return {Listener("tcp", 5432, ANYWHERE if remote else LOCAL, "postgres")}


def remote_access(machine: Machine) -> bool:
    """Whether somebody was let in from elsewhere."""
    return bool(machine.config.get("allowed_networks") or machine.config.get("allowed_servers"))


def _login(machine: Machine) -> None:
    fields = machine.credentials["Database Credentials"]
    login = f"postgresql://{fields['User']}:{fields['Password']}@127.0.0.1/{fields['Database']}"
    assert machine.run("psql", login, "-Atc", "CREATE TABLE t (n int); DROP TABLE t; SELECT 42").strip().endswith("42")
    refused = login.replace(fields["Password"], "wrong")
    assert "password authentication failed" in machine.run("psql", refused, "-Atc", "SELECT 1", ok=(2,))
