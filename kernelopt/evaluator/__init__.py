"""The straight line of one kernel: inspect, build, load, check, time. `judge` walks it, by `settings`.

| room | what is decided there |
| --- | --- |
| `expected` | what outputs should be: the reference in fp64, on inputs that bite (`distributions`) |
| `data` | where input sets lie, and how no timed call sees one twice (`recipe`) |
| `workers` | how a process that holds a kernel is spoken to, stopped and read (`line`, `worker`, `memory`) |
| `compare` | right or wrong (`check`, `tolerances`), and in words what is wrong (`mismatch`) |
| `timing` | which is faster (`timer`, `clock`, `stats`), and whether timed outputs are right (`auditor`) |
| `cuda` | the same memory and windows on an NVIDIA GPU |
| `profiles` | what bounds a kernel on this processor |

`trial` makes the checks of one loaded kernel; `story` keeps what is told of it at the end.
"""
