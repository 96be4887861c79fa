// A primal active-set method that starts where the book is (SOLVER.md).
//
// Every name rests at a kink or is free inside a segment; every limit is idle, active or passed.
//   1. The step on the free names with the active limits held: FreeSystem.
//   2. Go along it to the first kink, the first bound, or its end.
//   3. At its end, an active limit whose price has the wrong sign is let go; else the resting name
//      that gains most is freed, a short list first, all names when the list is dry.
//   4. No limit and no name gains: optimal.
// Invariants: free names lie strictly inside or at an end of their segment; the active limits are
// independent on the free names; the objective with passed limits at their penalty never rises.
// No names × names matrix is ever factored: the work follows the names that move.
#pragma once

#include <cstdint>

#include "program.hpp"

namespace deadband {

enum class Outcome { OPTIMAL, PASSED, PIVOTS, FREE, STUCK };

struct ActiveSetOptions {
    int64_t most_pivots = 0;  // hand over beyond; counted, never timed
    int64_t most_free = 0;    // hand over beyond
    double snap = 0.0;        // a start this close to a kink rests at it
    bool descend = false;     // first look for a start nearer the optimum (descent.hpp); its names may
                              // all be free
};

struct ActiveSetResult {
    Outcome outcome = Outcome::STUCK;
    int64_t pivots = 0;
    int64_t most_free = 0;
    int64_t pricings = 0;  // of all names
};

// `weights` (n) is the start, clipped to [low, high], and becomes the answer; limits whose entry of
// `prices` is not 0 start active where they are near a bound.
ActiveSetResult solve_active_set(const Program &program, const ActiveSetOptions &options, double *weights,
                                 double *prices);

}  // namespace deadband
