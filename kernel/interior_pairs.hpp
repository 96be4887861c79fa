// What must stay positive: pairs of a gap and its dual, whose products go to zero together.
#pragma once

#include <cstdint>
#include <vector>

namespace deadband {

struct InteriorPairs {
    std::vector<double> gap, dual;            // both > 0
    std::vector<double> gap_step, dual_step;  // the direction
    std::vector<double> goal;                 // the product that the direction makes for, to first order
    std::vector<double> inverse;              // 1 / gap

    void resize(int64_t count);
    int64_t count() const { return static_cast<int64_t>(gap.size()); }
    // dual / gap
    double stiffness(int64_t q) const { return dual[q] * inverse[q]; }

    void invert();
    // The duals' steps that go with the gaps' steps and the goals.
    void follow();
    // The longest step that keeps gaps, or duals, from going below zero; at most 1.
    double primal_reach() const;
    double dual_reach() const;
    // Mean product after these steps.
    double product(double primal, double dual) const;
    // Goals of `target` for all, less what the present direction adds to second order.
    void center(double target);
    // Goals that bring products far from `target` after these steps nearer to it; false if none is.
    bool recenter(double target, double primal, double dual);
    void advance(double primal, double dual);
};

}  // namespace deadband
