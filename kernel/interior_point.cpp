#include "interior_point.hpp"

#include <algorithm>
#include <cmath>

#include "hot.hpp"

namespace deadband {

InteriorPoint::InteriorPoint(const InteriorProblem &problem, InteriorSystem &system)
    : problem_(problem), system_(system) {
    int64_t count = 2 * problem.segments();
    for (const InteriorRow &row : problem.rows) {
        const bool equality = row.lower == row.upper;
        below.push_back(!equality && std::isfinite(row.lower) ? count++ : -1);
        above.push_back(!equality && std::isfinite(row.upper) ? count++ : -1);
    }
    pairs.resize(count);
    slope.resize(problem.segments());
    for (auto *list : {&prices, &missing, &used_}) list->assign(problem.row_count(), 0.0);
    for (auto *list : {&weights, &risk_, &names_}) list->assign(problem.n, 0.0);
    start();
}

void InteriorPoint::measure() {
    const InteriorProblem &p = problem_;
    use_rows();
    for (int64_t r = 0; r < p.row_count(); ++r) {
        double slack = p.rows[r].lower;
        if (below[r] >= 0) slack += pairs.gap[below[r]];
        else if (above[r] >= 0) slack = p.rows[r].upper - pairs.gap[above[r]];
        missing[r] = slack - used_[r];
    }
    find_slopes();
    prove();
}

bool InteriorPoint::finite() const {
    return std::isfinite(value) && std::isfinite(gap) && std::isfinite(passed);
}

// Weights, and what the segments use of every row, in whatever order they are filled.
void InteriorPoint::use_rows() {
    const InteriorProblem &p = problem_;
    std::fill(used_.begin(), used_.end(), 0.0);
    double moves = 0.0, sizes = 0.0;
    for (int64_t i = 0; i < p.n; ++i) {
        double sum = 0.0, size = 0.0;
        for (int64_t j = p.first[i]; j < p.first[i + 1]; ++j) {
            sum += pairs.gap[j];
            moves += p.move[j] * pairs.gap[j];
            size += p.size[j] * pairs.gap[j];
        }
        names_[i] = sum;
        weights[i] = p.base[i] + sum;
        sizes += size;
        if (p.sector[i] >= 0) used_[p.sector[i]] += sum;
        if (p.sector_gross[i] >= 0) used_[p.sector_gross[i]] += size;
    }
    if (p.turnover >= 0) used_[p.turnover] = moves;
    if (p.gross >= 0) used_[p.gross] = sizes;
    for (int64_t r = 0; r < p.signed_rows; ++r) used_[r] = dot(&p.coefficients[r * p.n], names_.data(), p.n);
}

void InteriorPoint::find_slopes() {
    const InteriorProblem &p = problem_;
    system_.risk(weights.data(), risk_.data());
    for (int64_t i = 0; i < p.n; ++i) names_[i] = p.linear[i] + risk_[i];
    p.add_slopes(prices.data(), names_.data());
    const double on_move = p.move_price(prices.data());
    for (int64_t i = 0; i < p.n; ++i) {
        const double on_size = p.size_price(prices.data(), i);
        for (int64_t j = p.first[i]; j < p.first[i + 1]; ++j)
            slope[j] = names_[i] + p.slope[j] + on_move * p.move[j] + on_size * p.size[j];
    }
}

// The gap as a sum of terms that are not negative: what each name could still gain at these prices,
// and what is paid for limits that are not used up. Segments count as filled in order here.
void InteriorPoint::prove() {
    const InteriorProblem &p = problem_;
    gap = passed = 0.0;
    value = p.constant;
    double moves = 0.0, sizes = 0.0;
    for (int64_t k = p.signed_rows; k < p.row_count(); ++k) used_[k] = 0.0;
    for (int64_t i = 0; i < p.n; ++i) {
        double rest = weights[i] - p.base[i], part = 0.0, here = 0.0, least = 0.0, size = 0.0;
        if (p.sector[i] >= 0) used_[p.sector[i]] += rest;
        value += weights[i] * (p.linear[i] + 0.5 * risk_[i]);
        for (int64_t j = p.first[i]; j < p.first[i + 1]; ++j) {
            const double filled = std::min(rest, p.length[j]);
            rest -= filled;
            part += slope[j] * p.length[j];
            least = std::min(least, part);
            here += slope[j] * filled;
            value += p.slope[j] * filled;
            moves += p.move[j] * filled;
            size += p.size[j] * filled;
        }
        gap += here - least;
        sizes += size;
        if (p.sector_gross[i] >= 0) used_[p.sector_gross[i]] += size;
    }
    if (p.turnover >= 0) used_[p.turnover] = moves;
    if (p.gross >= 0) used_[p.gross] = sizes;
    for (int64_t r = 0; r < p.row_count(); ++r) {
        const InteriorRow &row = p.rows[r];
        passed = std::max(passed, std::max(row.lower - used_[r], used_[r] - row.upper));
        if (prices[r] > 0.0 && std::isfinite(row.upper)) gap += prices[r] * (row.upper - used_[r]);
        if (prices[r] < 0.0 && std::isfinite(row.lower)) gap += prices[r] * (row.lower - used_[r]);
    }
}

}  // namespace deadband
