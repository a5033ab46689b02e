"""The only writer of run state. `report/` and `export/` only read it.

A run is a folder::

    runs/NAME/
      manifest.json      versions, machine, models, flags, suite provenance, tasks
      journal.sqlite     every event in order (WAL); the state of a run is a fold over it
      artifacts/ab/cdef  texts by content hash (32 hex digits): kernels, task sources, build logs
      transcript.jsonl   every LM call, ready for `--lm replay:`; rebuilt from the journal if lost
      kernels/<task>.py  the best correct kernel of each task (.cc in the language aie)
      prompts/           the frontier's prompts and the best single one
      writer.lock        held by the one process that writes; `writer.json` says which

`manifest` documents the manifest's fields. Events (`kind`, `key` → `data`), all JSON:

    session     n                     {"action": "start|resume|stop", "reason": str, "budget": {...}}
    skip        task slug             {"reason": str, "bytes": int}
    lm          call key              {"role", "system", "user", "completion": {...}}
    evaluation  slug:kernel hash      `evaluation.to_json` plus {"source": artifact hash}
    rollout     candidate hash:slug   {"candidate", "task", "score", "kernel", "attempts": [...],
                                       "objectives": {...}, "cost_usd", "seconds"}
    retrieval   query                 {"excerpts": [...]}: what the manual index found
    iteration   number                {"iteration", "evaluations", "cost_usd", "elapsed_s", "frontier"}
    proposal    number-how              {"iteration", "parents", "components", "candidate", "accepted",
                                       "before", "after", "margin", "reason", "parts": {...}}
    candidate   index                 {"index", "hash", "parts": {...}, "parents": [...], "how":
                                       "seed|reflection|merge", "scores": {slug: float}, "iteration"}
    remeasure   slug:kernel hash      `evaluation.to_json` of a winner, measured again in fresh processes

A session that the user cut short stops with the reason ``interrupted``; any other reason counts as finished.
An attempt of a rollout is {"kernel": hash | null, "step": "generate|refine-1|...", "status", "stage",
"score", "speedup": {...} | null, "cached": bool, "reason"}.
"""
