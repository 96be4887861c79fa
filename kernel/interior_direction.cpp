#include "interior_direction.hpp"

#include <algorithm>

#include "hot.hpp"

namespace deadband {

InteriorDirection::InteriorDirection(const InteriorProblem &problem, InteriorSystem &system,
                                     InteriorPoint &point)
    : problem_(problem),
      system_(system),
      point_(point),
      shares_{std::vector<double>(problem.n), std::vector<double>(problem.n)},
      give_(problem.segments()),
      theta_(problem.n),
      corner_(problem.row_count() * problem.row_count()),
      room_(problem.row_count()),
      target_(problem.segments()),
      names_(problem.n),
      price_step_(problem.row_count()) {}

bool InteriorDirection::factor() {
    const int64_t m = problem_.row_count();
    point_.pairs.invert();
    std::fill(corner_.begin(), corner_.end(), 0.0);
    eliminate_segments();
    for (int64_t r = 0; r < m; ++r) {
        double stiffness = 0.0;
        for (int64_t q : {point_.below[r], point_.above[r]})
            if (q >= 0) stiffness += point_.pairs.stiffness(q);
        room_[r] = stiffness > 0.0 ? 1.0 / stiffness : 0.0;
        corner_[r * m + r] += room_[r];
    }
    return system_.factor(theta_, shares_, corner_);
}

void InteriorDirection::eliminate_segments() {
    const InteriorProblem &p = problem_;
    const int64_t upper = p.segments();
    for (int64_t j = 0; j < upper; ++j)
        give_[j] = 1.0 / (point_.pairs.stiffness(j) + point_.pairs.stiffness(upper + j));
    for (int64_t i = 0; i < p.n; ++i) {
        double sum = 0.0, move = 0.0, size = 0.0;
        for (int64_t j = p.first[i]; j < p.first[i + 1]; ++j) {
            sum += give_[j];
            move += p.move[j] * give_[j];
            size += p.size[j] * give_[j];
        }
        theta_[i] = 1.0 / sum;
        shares_.move[i] = move * theta_[i];
        shares_.size[i] = size * theta_[i];
        double move_move = 0.0, move_size = 0.0, size_size = 0.0;
        for (int64_t j = p.first[i] + 1; j < p.first[i + 1]; ++j)
            for (int64_t k = p.first[i]; k < j; ++k) {
                const double both = give_[j] * give_[k] * theta_[i];
                const double by_move = p.move[j] - p.move[k], by_size = p.size[j] - p.size[k];
                move_move += both * by_move * by_move;
                move_size += both * by_move * by_size;
                size_size += both * by_size * by_size;
            }
        spread_corner(i, move_move, move_size, size_size);
    }
}

// Into the lower triangle: turnover comes before gross, gross before the sectors' grosses.
void InteriorDirection::spread_corner(int64_t i, double move_move, double move_size, double size_size) {
    const InteriorProblem &p = problem_;
    const int64_t m = p.row_count(), own = p.sector_gross[i];
    if (p.turnover >= 0) corner_[p.turnover * m + p.turnover] += move_move;
    for (int64_t r : {p.gross, own}) {
        if (r < 0) continue;
        corner_[r * m + r] += size_size;
        if (p.turnover >= 0) corner_[r * m + p.turnover] += move_size;
    }
    if (p.gross >= 0 && own >= 0) corner_[own * m + p.gross] += size_size;
}

void InteriorDirection::aim() {
    const InteriorProblem &p = problem_;
    InteriorPairs &pairs = point_.pairs;
    const int64_t upper = p.segments();
    for (int64_t j = 0; j < upper; ++j) {
        const int64_t q = upper + j;
        target_[j] = pairs.goal[j] * pairs.inverse[j] - pairs.goal[q] * pairs.inverse[q] - point_.slope[j];
    }
    row_targets();
    for (int64_t i = 0; i < p.n; ++i) names_[i] = name_target(i);
    system_.solve(names_, price_step_);
    const double on_move = p.move_price(price_step_.data());
    for (int64_t i = 0; i < p.n; ++i) segment_steps(i, on_move, p.size_price(price_step_.data(), i));
    for (int64_t j = 0; j < upper; ++j) pairs.gap_step[upper + j] = -pairs.gap_step[j];
    row_steps();
    pairs.follow();
}

void InteriorDirection::row_targets() {
    const InteriorPairs &pairs = point_.pairs;
    for (int64_t r = 0; r < problem_.row_count(); ++r) {
        double pull = point_.prices[r];
        if (point_.below[r] >= 0) pull += pairs.goal[point_.below[r]] * pairs.inverse[point_.below[r]];
        if (point_.above[r] >= 0) pull -= pairs.goal[point_.above[r]] * pairs.inverse[point_.above[r]];
        price_step_[r] = point_.missing[r] + pull * room_[r];
    }
}

// The mean of the segments' targets; the rows give up what the exchange between them brings.
double InteriorDirection::name_target(int64_t i) {
    const InteriorProblem &p = problem_;
    const int64_t first = p.first[i], last = p.first[i + 1];
    if (last - first == 1) return target_[first];
    double sum = 0.0, move = 0.0, size = 0.0;
    for (int64_t j = first; j < last; ++j) {
        sum += give_[j] * target_[j];
        for (int64_t k = first; k < j; ++k) {
            const double flow = give_[j] * give_[k] * theta_[i] * (target_[j] - target_[k]);
            move += flow * (p.move[j] - p.move[k]);
            size += flow * (p.size[j] - p.size[k]);
        }
    }
    if (p.turnover >= 0) price_step_[p.turnover] -= move;
    if (p.gross >= 0) price_step_[p.gross] -= size;
    if (p.sector_gross[i] >= 0) price_step_[p.sector_gross[i]] -= size;
    return sum * theta_[i];
}

void InteriorDirection::segment_steps(int64_t i, double on_move, double on_size) {
    const InteriorProblem &p = problem_;
    const int64_t first = p.first[i], last = p.first[i + 1];
    double *step = point_.pairs.gap_step.data();
    if (last - first == 1) {
        step[first] = names_[i];
        return;
    }
    for (int64_t j = first; j < last; ++j) {
        target_[j] -= on_move * p.move[j] + on_size * p.size[j];
        step[j] = give_[j] * theta_[i] * names_[i];
        for (int64_t k = first; k < j; ++k) {
            const double flow = give_[j] * give_[k] * theta_[i] * (target_[j] - target_[k]);
            step[j] += flow;
            step[k] -= flow;
        }
    }
}

void InteriorDirection::row_steps() {
    InteriorPairs &pairs = point_.pairs;
    for (int64_t r = 0; r < problem_.row_count(); ++r) {
        const int64_t below = point_.below[r], above = point_.above[r];
        double pull = point_.prices[r] + price_step_[r];
        if (below >= 0) pull += pairs.goal[below] * pairs.inverse[below];
        if (above >= 0) pull -= pairs.goal[above] * pairs.inverse[above];
        if (below >= 0) pairs.gap_step[below] = pull * room_[r];
        if (above >= 0) pairs.gap_step[above] = -pull * room_[r];
    }
}

void InteriorDirection::keep() {
    kept_gaps_ = point_.pairs.gap_step;
    kept_duals_ = point_.pairs.dual_step;
    kept_prices_ = price_step_;
}

void InteriorDirection::restore() {
    point_.pairs.gap_step.swap(kept_gaps_);
    point_.pairs.dual_step.swap(kept_duals_);
    price_step_.swap(kept_prices_);
}

void InteriorDirection::advance(double primal, double dual) {
    point_.pairs.advance(primal, dual);
    add_scaled(point_.prices.data(), dual, price_step_.data(), problem_.row_count());
}

}  // namespace deadband
