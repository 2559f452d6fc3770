"""What both tiers' schemas are written with: names of constraints, and columns of one kind."""

from typing import Final

from sqlalchemy import String

NAMING: Final = {  # constraints have the same names in every database, so migrations find them
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
ID = String(64)
TIME = String(24)  # RFC 3339, UTC, milliseconds
HASH = String(64)  # hex
