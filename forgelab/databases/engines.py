"""The database engines that roles of the catalog install."""

POSTGRESQL = "postgresql"
ENGINES = (POSTGRESQL, "mysql", "mariadb")  # roles
