"""What the student can be taught about the NPU; see `skills` for how teaching works."""

from __future__ import annotations

from kernelopt.lms._builtin.skills import Skill

AIE_SKILLS: tuple[Skill, ...] = (
    Skill(
        "vectors",
        "Use the vector unit: load with aie::load_v, compute with aie:: operations on whole vectors, and "
        "store with aie::store_v; no loop over single elements.",
        (r"\bvector unit\b", r"\baie::load_v\b", r"\b(whole|aie) vectors\b"),
        ("vector score 0.0 %", ", 1x the speed of the scalar kernel"),
        mistake=True,  # nothing else helps a kernel that works on single elements
    ),
    Skill(
        "tail",
        "Where results end within a vector, let the last vector overlap with those before (unaligned "
        "store) or store its elements one by one: nothing may be stored outside of the buffer.",
        (r"\blast vector\b.*\boverlap\b", r"\boutside of the buffer\b"),
        ("leaves the buffer", "a store outside of the buffer"),
        mistake=True,
    ),
    Skill(
        "restrict",
        "Copy every buffer pointer to a `__restrict` pointer first: else a store orders the loads behind it.",
        (r"__restrict\b", r"\brestrict pointer"),
        ("say __restrict",),
    ),
    Skill(
        "pipeline",
        "Put AIE_PREPARE_FOR_PIPELINING and AIE_LOOP_MIN_ITERATION_COUNT before each loop of constant "
        "length.",
        (r"\baie_prepare_for_pipelining\b", r"\bsoftware pipelin"),
        ("not pipelined",),
    ),
    Skill(
        "wide",
        "Work on vectors of 512 bits where the operation has them: 64 lanes of 8 bits, 32 of 16.",
        (r"\b512 bits?\b", r"\b64 lanes\b"),
        ("cycles an iteration",),
    ),
    Skill(
        "accumulators",
        "In reductions keep several accumulators that take turns: one waits for its own last result.",
        (r"\bseveral accumulators\b", r"\btwo accumulators\b"),
        ("bound by recurrence", "bound by a recurrence"),
    ),
    Skill(
        "blocks",
        "Multiply matrices in blocks with aie::mmul: elements that are broadcast one by one wait for the "
        "move unit.",
        (r"\baie::mmul\b", r"\bwait for the move unit\b"),
        ("bound by slot mov",),
    ),
    Skill(
        "vector_ends",
        "The core has no scalar float unit: finish a reduction in a vector too, and take one element of it.",
        (r"\bno scalar (float unit|fpu)\b",),
        ("the core has no scalar fpu",),
    ),
)
"""In the order in which a reviewer would give the advice."""
