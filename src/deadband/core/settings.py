"""Settings from TOML text and environment variables: every fault at once, each with its cure."""

from __future__ import annotations

import difflib
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from .config import ALIASES, Settings
from .errors import ConfigError
from .units import BPS

ENV_PREFIX = "DEADBAND_"
"""DEADBAND_OPTIMIZE__LAMBDA_RISK=10 overrides optimize.lambda_risk."""


def parse_settings(text: str, environ: Mapping[str, str], source: str = "config") -> Settings:
    """Read TOML `text`, then the environment's overrides; raise ConfigError with all faults."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise ConfigError((f"{source} is not TOML: {fault}.",)) from fault
    faults: list[str] = []
    _overlay(tables, environ)
    settings: Settings = _build(Settings, tables, "", faults)
    if faults:
        raise ConfigError(tuple(f"{source}: {fault}" for fault in faults))
    return settings


def _overlay(tables: dict[str, Any], environ: Mapping[str, str]) -> None:
    for name, text in sorted(environ.items()):
        if not name.startswith(ENV_PREFIX):
            continue
        path = name.removeprefix(ENV_PREFIX).split("__")
        table: dict[str, Any] = tables
        cls: Any = Settings
        for key in (part.lower() for part in path[:-1]):
            if not isinstance(table.get(key), dict):
                table[key] = {}
            table = table[key]
            inner = _types(cls).get(key)
            cls = inner if is_dataclass(inner) else Settings
        spelled = {name.lower(): name for name in _types(cls)}
        key = spelled.get(path[-1].lower(), path[-1].lower())
        try:
            table[key] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            table[key] = text


@cache
def _types(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _build(cls: Any, table: Mapping[str, Any], path: str, faults: list[str]) -> Any:
    """Make a dataclass of a TOML table, noting unknown keys and values of the wrong kind."""
    wanted = {f.name: _types(cls)[f.name] for f in fields(cls)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = ALIASES.get(key, key) if path == "optimize." else key
        if name not in wanted:
            seconds = ALIASES if path == "optimize." else ()
            faults.append(_unknown(path + key, key, [*wanted, *seconds]))
        elif (each := _table_of(wanted[name])) is not None:
            values[name] = _built_list(each, value, f"{path}{name}", faults)
        elif is_dataclass(wanted[name]):
            if isinstance(value, dict):
                values[name] = _build(wanted[name], value, f"{path}{name}.", faults)
            else:
                faults.append(f"{path}{key} is {value!r}, expected a table [{key}].")
        else:
            kept = _fitted(value, wanted[name])
            if kept is _UNFIT:
                faults.append(f"{path}{key} is {value!r}, expected {_named(wanted[name])}.")
            else:
                values[name] = kept * BPS if key == "tau_name_bps" else kept
    return cls(**values)


def _table_of(wanted: Any) -> Any:
    """The dataclass that a list of tables holds, or None for any other kind of setting."""
    items = typing.get_args(wanted) if typing.get_origin(wanted) is tuple else ()
    return items[0] if items and is_dataclass(items[0]) else None


def _built_list(each: Any, value: Any, path: str, faults: list[str]) -> tuple[Any, ...]:
    """One dataclass for each table of a list, called by its name or its place from 1."""
    if not (isinstance(value, list) and all(isinstance(table, dict) for table in value)):
        faults.append(f"{path} is {value!r}, expected tables, each under [[{path}]].")
        return ()
    return tuple(
        _build(each, table, f"{path}[{table.get('name') or number}].", faults)
        for number, table in enumerate(value, start=1)
    )


def _unknown(path: str, key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]}?" if near else f" Known: {', '.join(sorted(known))}."
    return f"{path} is not a setting.{hint}"


_UNFIT = object()


def _fitted(value: Any, wanted: Any) -> Any:
    """The value as the field wants it, or _UNFIT."""
    if isinstance(wanted, types.UnionType):
        choices = [_fitted(value, option) for option in typing.get_args(wanted)]
        return next((choice for choice in choices if choice is not _UNFIT), _UNFIT)
    if typing.get_origin(wanted) is tuple:
        kept = [_fitted(item, typing.get_args(wanted)[0]) for item in _items(value)]
        fits = isinstance(value, list) and not any(item is _UNFIT for item in kept)
        return tuple(kept) if fits else _UNFIT
    if wanted is float and type(value) is int:
        return float(value)
    return value if type(value) is wanted else _UNFIT


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _named(wanted: Any) -> str:
    names = {float: "a number", int: "a whole number", str: "text", bool: "true or false"}
    if isinstance(wanted, types.UnionType):
        return " or ".join(
            _named(option) for option in typing.get_args(wanted) if option is not type(None)
        )
    if typing.get_args(wanted)[:1] == (float,):
        return "a list of numbers"
    return names.get(wanted, "a list of texts")
