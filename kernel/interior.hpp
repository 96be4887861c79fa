// A primal-dual interior-point method for the convex program, for regimes with many free names.
//
//  1. Every name is cut at its kinks into segments with a box each (interior_problem).
//  2. It starts where all products of gap and dual are equal (interior_start).
//  3. An iteration factors once (interior_direction, interior_system), looks where a step to
//     products of zero would lead, aims at products a little short of that and at the curvature
//     seen (Mehrotra), then tries to bring outlying products back (Gondzio), as far as that
//     lengthens the step.
//  4. Done once weights and prices prove a small gap and no limit is passed. Primal and dual steps
//     differ at first; where that gets lost, it starts again with steps of one length.
#pragma once

#include <vector>

#include "interior_system.hpp"
#include "program.hpp"

namespace deadband {

struct InteriorAnswer {
    // (n) and (limits) in the order of Program.names; zeros where not converged.
    std::vector<double> weights, prices;
    int64_t iterations = 0;
    bool converged = false;
};

// `accuracy` of the gap, relative to 1 + |value|. Deterministic; never throws on an odd program.
InteriorAnswer solve_interior(const Program &program, const Lapack &lapack, double accuracy);

}  // namespace deadband
