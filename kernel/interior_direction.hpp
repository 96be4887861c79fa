// Directions from a point: segments first, names next, rows last.
//
// With Θ_j the stiffness of a segment (its two duals over their gaps) and 1/Θ_i = Σ_j 1/Θ_j, the
// segments of a name share its step as their 1/Θ_j, and exchange what their slopes differ by:
//
//     dx_j = (Θ_i/Θ_j) dw_i + Σ_k (Θ_i/Θ_jΘ_k) (g_j − g_k)
//
// A row sees the name by the mean of its segments' coefficients; what it sees of the exchange is a
// sum over pairs of segments. So no difference of large numbers is ever taken.
#pragma once

#include <vector>

#include "interior_point.hpp"

namespace deadband {

class InteriorDirection {
public:
    InteriorDirection(const InteriorProblem &problem, InteriorSystem &system, InteriorPoint &point);

    // Factors the system at the point; false where it is not positive definite.
    bool factor();
    // The direction to the goals of the point's pairs, into their steps.
    void aim();
    // Puts a direction aside, and makes it the present one again.
    void keep();
    void restore();
    void advance(double primal, double dual);

private:
    void eliminate_segments();
    void spread_corner(int64_t i, double move_move, double move_size, double size_size);
    void row_targets();
    double name_target(int64_t i);
    void segment_steps(int64_t i, double on_move, double on_size);
    void row_steps();

    const InteriorProblem &problem_;
    InteriorSystem &system_;
    InteriorPoint &point_;
    Shares shares_;
    std::vector<double> give_;        // (segments) 1/Θ_j
    std::vector<double> theta_;       // (n)
    std::vector<double> corner_;      // (rows, rows)
    std::vector<double> room_;        // (rows) 1 / stiffness of the slack, 0 in an equality
    std::vector<double> target_;      // (segments) g
    std::vector<double> names_, price_step_;
    std::vector<double> kept_gaps_, kept_duals_, kept_prices_;
};

}  // namespace deadband
