from __future__ import annotations

from matrix.checks.postgresql import remote_access
from matrix.machine import ANYWHERE, LOCAL, Listener, Machine

MB = 1024 * 1024


def ask(machine: Machine, question: str) -> str:
    return machine.run("mariadb", "-NBe", question).strip()


def check(machine: Machine) -> set[Listener]:
    machine.assert_service("mariadb.service")
    found = ask(machine, "SELECT @@version").split(".")
    wanted = machine.config["mariadb_version"].split(".")
    assert [int(part) for part in found[:2]] >= [int(part) for part in wanted]
    assert ask(machine, "SELECT @@character_set_server") == "utf8mb4"
    pool = int(ask(machine, "SELECT @@innodb_buffer_pool_size")) // MB
    assert 64 <= pool <= machine.memory_mb // 2
    assert ask(machine, "SELECT @@max_connections") == str(machine.config.get("max_connections", 100))
    fields = machine.credentials["Database Credentials"]
    login = ("mariadb", "-h", "127.0.0.1", "-u", fields["User"], f"-p{fields['Password']}", fields["Database"])
    assert machine.run(*login, "-NBe", "CREATE TABLE t (n int); DROP TABLE t; SELECT 42").strip().endswith("42")
    wrong = [*login[:5], "-pwrong", fields["Database"]]
    assert "Access denied" in machine.run(*wrong, "-NBe", "SELECT 1", ok=(1,))
    assert ask(machine, "SELECT count(*) FROM mysql.user WHERE user = ''") == "0"
    remote = remote_access(machine)
    assert (ask(machine, "SELECT @@bind_address") == "127.0.0.1") is not remote
    return {Listener("tcp", 3306, ANYWHERE if remote else LOCAL, "mariadbd")}
