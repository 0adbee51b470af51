"""Processors' time of the servers that a benchmark has started, by what they are."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def spent() -> dict[str, float]:
    """Seconds of all our children with theirs, ended ones too: of PostgreSQL, of Redis and of the rest (the web)."""
    found = {"PostgreSQL": 0.0, "Redis": 0.0, "web": 0.0}
    processes = {pid: fields for pid in _numbers() if (fields := _fields(pid))}
    ours = {os.getpid()}
    while more := {pid for pid, (parent, _, _) in processes.items() if parent in ours} - ours:
        ours |= more
    for pid in ours - {os.getpid()}:
        _, name, seconds = processes[pid]
        kind = "PostgreSQL" if name.startswith("postgres") else "Redis" if name.startswith("redis") else "web"
        found[kind] += seconds
    return found


def _numbers() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _fields(pid: int) -> tuple[int, str, float] | None:
    """Parent, name, seconds with those of ended children."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    name, _, rest = text.partition("(")[2].rpartition(")")
    fields = rest.split()
    return int(fields[1]), name, sum(map(int, fields[11:15])) / _TICKS
