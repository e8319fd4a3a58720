from __future__ import annotations

from matrix.checks.postgresql import remote_access
from matrix.machine import ANYWHERE, LOCAL, Listener, Machine

MB = 1024 * 1024
# What the package and the server itself make: by the socket or locked, none of them can come over the network.
SYSTEM = {"root", "debian-sys-maint", "mysql.infoschema", "mysql.session", "mysql.sys"}


def ask(machine: Machine, question: str) -> str:
    return machine.run("mysql", "-NBe", question).strip()


def check(machine: Machine) -> set[Listener]:
    machine.assert_service("mysql.service")
    assert ask(machine, "SELECT @@version").startswith(f"{machine.config['mysql_version']}.")
    assert ask(machine, "SELECT @@character_set_server, @@collation_server").split() == [
        "utf8mb4",
        "utf8mb4_unicode_ci",
    ]
    pool = int(ask(machine, "SELECT @@innodb_buffer_pool_size")) // MB
    share = machine.config.get("memory_share", 50)
    assert pool in range(machine.memory_mb * share // 200 - 1, machine.memory_mb * share // 200 + 129)  # whole chunks
    assert ask(machine, "SELECT @@max_connections") == str(machine.config.get("max_connections", 100))
    fields = machine.credentials["Database Credentials"]
    _accounts(machine, fields["User"], fields["Database"])
    login = ("mysql", "-h", "127.0.0.1", "-u", fields["User"], f"-p{fields['Password']}", fields["Database"])
    assert machine.run(*login, "-NBe", "CREATE TABLE t (n int); DROP TABLE t; SELECT 42").startswith("42\n")
    wrong = [*login[:5], "-pwrong", fields["Database"]]
    assert "Access denied" in machine.run(*wrong, "-NBe", "SELECT 1", ok=(1,))
    remote = remote_access(machine)
    assert (ask(machine, "SELECT @@bind_address") == "127.0.0.1") is not remote
    where = ANYWHERE if remote else LOCAL
    return {Listener("tcp", 3306, where, "mysqld"), Listener("tcp", 33060, LOCAL, "mysqld")}


def _accounts(machine: Machine, user: str, database: str) -> None:
    """Nobody but the system's own and the one that was asked for, who may do what it wants with its database alone."""
    assert set(ask(machine, "SELECT DISTINCT User FROM mysql.user").split()) == {user, *SYSTEM}
    databases = set(ask(machine, "SHOW DATABASES").split())
    assert databases == {database, "information_schema", "mysql", "performance_schema", "sys"}
    question = "SELECT DISTINCT Host, plugin, account_locked FROM mysql.user WHERE User = "
    assert ask(machine, f"{question} 'root'").split() == ["localhost", "auth_socket", "N"]
    assert ask(machine, f"{question} 'debian-sys-maint'").split() == ["localhost", "auth_socket", "N"]
    plugins = ask(machine, f"SELECT DISTINCT plugin FROM mysql.user WHERE User = '{user}'")
    assert plugins == "caching_sha2_password"
    locked = "SELECT count(*) FROM mysql.user WHERE User LIKE 'mysql.%' AND account_locked = 'N'"
    assert ask(machine, locked) == "0"
    elsewhere = f"SELECT count(*) FROM mysql.db WHERE User = '{user}' AND REPLACE(Db, '\\\\', '') <> '{database}'"
    assert ask(machine, elsewhere) == "0"
    assert machine.run("runuser", "-u", "nobody", "--", "mysql", "-uroot", "-e", "SELECT 1", ok=(1,)).startswith(
        "ERROR 1698"
    )
