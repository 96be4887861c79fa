// Where the interior-point method starts: near the analytic center, as the limits over all names
// see it.
//
//  1. One product μ of gap and dual for all pairs, from how steep the objective is.
//  2. Each segment at the minimum of its own cost and barrier, x with μ/x − μ/(length − x) = cost,
//     given prices of turnover and gross that leave these limits a slack of μ/price, and of signed
//     rows that would otherwise be passed.
//  3. Slacks of the other rows well inside, every dual μ/gap, prices from the duals of their rows.
#include <algorithm>
#include <cmath>

#include "interior_point.hpp"

namespace deadband {

namespace {

constexpr double SHARE = 0.25;           // μ over mean cost and mean length
constexpr double LEAST_SLOPE = 1e-4;     // counted as the objective's, so that μ > 0
constexpr int HALVINGS = 9;              // of the range of a price,
constexpr double LEAST = 1.0 / 16.0;     // which is μ times this
constexpr double MOST = 1099511627776.0; // to this
constexpr double INSIDE = 0.1;           // of its width: how far inside a two-sided row starts
constexpr double LEAST_SLACK = 1e-4;     // of a one-sided row

}  // namespace

void InteriorPoint::start() {
    const InteriorProblem &p = problem_;
    const double scale = typical_product();
    place(scale);
    for (int64_t r : {p.turnover, p.gross})
        if (r >= 0) balance(r, 1.0, scale);
    for (int64_t r = 0; r < p.signed_rows; ++r) {
        if (used_[r] > p.rows[r].upper) balance(r, 1.0, scale);
        if (used_[r] < p.rows[r].lower) balance(r, -1.0, scale);
    }
    open_rows();
    for (int64_t q = 0; q < pairs.count(); ++q) pairs.dual[q] = scale / pairs.gap[q];
    for (int64_t r = 0; r < p.row_count(); ++r) {
        // An equality has no duals and keeps the price that it was balanced with.
        if (p.rows[r].lower < p.rows[r].upper) prices[r] = 0.0;
        if (above[r] >= 0) prices[r] += pairs.dual[above[r]];
        if (below[r] >= 0) prices[r] -= pairs.dual[below[r]];
    }
}

double InteriorPoint::typical_product() {
    const InteriorProblem &p = problem_;
    for (int64_t i = 0; i < p.n; ++i) {
        const int64_t a = p.name[i];
        weights[i] = std::min(std::max(p.program.home[a], p.program.low[a]), p.program.high[a]);
    }
    system_.risk(weights.data(), risk_.data());
    double steep = 0.0;
    for (int64_t i = 0; i < p.n; ++i)
        for (int64_t j = p.first[i]; j < p.first[i + 1]; ++j)
            steep += std::max(std::fabs(p.linear[i] + risk_[i] + p.slope[j]), LEAST_SLOPE) * p.length[j];
    return SHARE * steep / static_cast<double>(p.segments());
}

// Segments at the minimum of cost and barrier at the present prices, and what that uses of the rows.
void InteriorPoint::place(double scale) {
    const InteriorProblem &p = problem_;
    const int64_t upper = p.segments();
    std::copy(p.linear.begin(), p.linear.end(), names_.begin());
    p.add_slopes(prices.data(), names_.data());
    const double on_move = p.move_price(prices.data());
    for (int64_t i = 0; i < p.n; ++i) {
        const double on_size = p.size_price(prices.data(), i);
        for (int64_t j = p.first[i]; j < p.first[i + 1]; ++j) {
            const double cost = names_[i] + p.slope[j] + on_move * p.move[j] + on_size * p.size[j];
            const double length = p.length[j], drop = std::fabs(cost) * length;
            const double root = std::sqrt(drop * drop + 4.0 * scale * scale);
            const double near = 2.0 * scale * length / (drop + 2.0 * scale + root);
            pairs.gap[j] = cost >= 0.0 ? near : length - near;
            pairs.gap[upper + j] = cost >= 0.0 ? length - near : near;
        }
    }
    use_rows();
}

// The price of row r, of this sign, at which its upper (+1) or lower (−1) bound is just kept.
void InteriorPoint::balance(int64_t r, double sign, double scale) {
    const InteriorRow &row = problem_.rows[r];
    const bool equality = row.lower == row.upper;
    double least = LEAST * scale, most = MOST * scale;
    for (int h = 0; h < HALVINGS; ++h) {
        const double price = std::sqrt(least * most), slack = equality ? 0.0 : scale / price;
        prices[r] = sign * price;
        place(scale);
        const bool passes = sign > 0.0 ? used_[r] + slack > row.upper : used_[r] - slack < row.lower;
        (passes ? least : most) = price;
    }
    prices[r] = sign * most;
    place(scale);
}

void InteriorPoint::open_rows() {
    for (int64_t r = 0; r < problem_.row_count(); ++r) {
        const InteriorRow &row = problem_.rows[r];
        if (below[r] >= 0 && above[r] >= 0) {
            const double inside = INSIDE * (row.upper - row.lower);
            const double slack = std::min(std::max(used_[r], row.lower + inside), row.upper - inside);
            pairs.gap[below[r]] = slack - row.lower;
            pairs.gap[above[r]] = row.upper - slack;
        } else if (above[r] >= 0) {
            pairs.gap[above[r]] = std::max(row.upper - used_[r], LEAST_SLACK);
        } else if (below[r] >= 0) {
            pairs.gap[below[r]] = std::max(used_[r] - row.lower, LEAST_SLACK);
        }
    }
}

}  // namespace deadband
