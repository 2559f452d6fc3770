"""What is wrong with a profile, in one line: the key, what it is, and what it must be."""

import json
from collections.abc import Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError


def mistake(kind: type[BaseModel], error: ValidationError) -> str:
    """The first thing that is wrong with a table of this kind."""
    first = error.errors()[0]
    path = first["loc"]
    missing, strange = first["type"] == "missing", first["type"] == "extra_forbidden"
    keys, known, right = _followed(kind, path[:-1] if strange else path)
    if strange:
        where = ".".join([*keys, str(path[-1])])
        return f"{where}: unknown key; those here are {', '.join(known)}"
    where = ".".join(keys) or "whole table"
    if first["type"] == "value_error":
        return f"{where}: {first['ctx']['error']}"
    must = right or (f"a table with {', '.join(known)}" if known else "a table")
    return f"{where}: {'missing' if missing else _shown(first['input'])}; it must be {must}"


def _followed(kind: type[BaseModel], path: Sequence[int | str]) -> tuple[list[str], list[str], str]:
    """The keys of a path that stand in the file, the keys of the last table, and what is right.

    Behind those keys a path goes on with the kinds of value that were tried.
    """
    keys: list[str] = []
    table: type[BaseModel] | None = kind
    right, named = "", False
    for part in path:
        if named:
            keys.append(str(part))
            named = False
        elif table is not None and part in table.model_fields:
            field = table.model_fields[str(part)]
            keys.append(str(part))
            right, table = field.description or "", _table_in(field.annotation)
            named = get_origin(field.annotation) is dict
        else:
            break
    return keys, [*table.model_fields] if table else [], right


def _table_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _table_in(each))), None)


def _shown(value: object) -> str:
    return f"{json.dumps(value, default=str, ensure_ascii=False)} cannot be"
