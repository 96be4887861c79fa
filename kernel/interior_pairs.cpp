#include "interior_pairs.hpp"

#include <algorithm>

#include "hot.hpp"

namespace deadband {

namespace {

constexpr int64_t LANES = 8;
constexpr double NEAR = 10.0;  // products within this factor of the target are left as they are

// The largest −step/value, at least 1.
DEADBAND_HOT double steepest(const double *value, const double *step, int64_t n) {
    double lane[LANES] = {1, 1, 1, 1, 1, 1, 1, 1};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int64_t j = 0; j < LANES; ++j) {
            const double ratio = -step[i + j] / value[i + j];
            lane[j] = ratio > lane[j] ? ratio : lane[j];
        }
    for (; i < n; ++i) lane[0] = std::max(lane[0], -step[i] / value[i]);
    return *std::max_element(lane, lane + LANES);
}

// Σ (a + s da)(b + t db)
DEADBAND_HOT double sum_products(const double *a, const double *da, double s, const double *b,
                                 const double *db, double t, int64_t n) {
    double lane[LANES] = {0, 0, 0, 0, 0, 0, 0, 0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int64_t j = 0; j < LANES; ++j)
            lane[j] += (a[i + j] + s * da[i + j]) * (b[i + j] + t * db[i + j]);
    for (; i < n; ++i) lane[0] += (a[i] + s * da[i]) * (b[i] + t * db[i]);
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

DEADBAND_HOT void reciprocals(double *__restrict out, const double *__restrict a, int64_t n) {
    for (int64_t i = 0; i < n; ++i) out[i] = 1.0 / a[i];
}

DEADBAND_HOT void dual_steps(double *__restrict out, const double *__restrict inverse,
                             const double *__restrict goal, const double *__restrict dual,
                             const double *__restrict step, int64_t n) {
    for (int64_t i = 0; i < n; ++i) out[i] = inverse[i] * (goal[i] - dual[i] * step[i]) - dual[i];
}

DEADBAND_HOT void second_order(double *__restrict goal, double target, const double *__restrict a,
                               const double *__restrict b, int64_t n) {
    for (int64_t i = 0; i < n; ++i) goal[i] = target - a[i] * b[i];
}

}  // namespace

void InteriorPairs::resize(int64_t count) {
    for (auto *list : {&gap, &dual, &gap_step, &dual_step, &goal, &inverse}) list->assign(count, 0.0);
}

void InteriorPairs::invert() { reciprocals(inverse.data(), gap.data(), count()); }

void InteriorPairs::follow() {
    dual_steps(dual_step.data(), inverse.data(), goal.data(), dual.data(), gap_step.data(), count());
}

double InteriorPairs::primal_reach() const { return 1.0 / steepest(gap.data(), gap_step.data(), count()); }

double InteriorPairs::dual_reach() const { return 1.0 / steepest(dual.data(), dual_step.data(), count()); }

double InteriorPairs::product(double primal, double dually) const {
    return sum_products(gap.data(), gap_step.data(), primal, dual.data(), dual_step.data(), dually, count()) /
           static_cast<double>(count());
}

void InteriorPairs::center(double target) {
    second_order(goal.data(), target, gap_step.data(), dual_step.data(), count());
}

bool InteriorPairs::recenter(double target, double primal, double dually) {
    const double least = target / NEAR, most = target * NEAR;
    bool any = false;
    for (int64_t q = 0; q < count(); ++q) {
        const double product = (gap[q] + primal * gap_step[q]) * (dual[q] + dually * dual_step[q]);
        if (product >= least && product <= most) continue;
        any = true;
        goal[q] += product < least ? least - product : std::max(most - product, -most);
    }
    return any;
}

void InteriorPairs::advance(double primal, double dually) {
    add_scaled(gap.data(), primal, gap_step.data(), count());
    add_scaled(dual.data(), dually, dual_step.data(), count());
}

}  // namespace deadband
