"""What a flow knows beside its arrays, carried along with the data of another tool and taken up again from there."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from flowgrad.io.contents import Contents

# The name under which the record stands in field data and attributes.
RECORD = "flowgrad_flow"


def written(record: Mapping[str, Any]) -> str:
    """The record as text, for tools that hold numbers and texts only."""
    return json.dumps(dict(record))


def recalled(text: Any) -> dict[str, Any]:
    """The record in a text; empty where there is none, or something else."""
    try:
        found = json.loads(str(text))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def with_record(
    contents: Contents, about: Mapping[str, Any], record: Mapping[str, Any]
) -> tuple[Contents, dict[str, Any]]:
    """The contents, and the options of :func:`flowgrad.read` with those that the record adds: what the user said goes
    first, and what is no longer there is left to the rules of reading."""
    told = {name: value for name, value in about.items() if value is not None}
    for name in ("axisymmetric", "out_of_plane"):
        if name in record:
            told.setdefault(name, record[name])
    here = {"points": contents.point_data, "cells": contents.cell_data}.get(str(record.get("location")), {})
    if str(record.get("velocity")) in here and _is_meant(told, record):
        told |= {"velocity": record["velocity"], "location": record["location"]}
        noise = record.get("noise")
        if isinstance(noise, float) or str(noise) in here:
            told.setdefault("noise", noise)
    return dataclasses.replace(contents, producer=str(record.get("producer", contents.producer))), told


def _is_meant(told: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    return all(told.get(name, record[name]) == record[name] for name in ("velocity", "location"))
