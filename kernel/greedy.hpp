// Greedy top-K rotation, the counterpart of deadband/optimize/greedy.py: the same bits.
//
// Each function here follows the Python function of its name operation by operation: same order of
// sums, same side of every comparison, first of equal minima. Who changes one changes both;
// tests/property/test_greedy_kernel.py compares them. Only what is O(n) is done otherwise: names
// without weight, which no rule can reach, are not looked at twice.
#pragma once

#include <cstdint>
#include <stdexcept>

namespace deadband::greedy {

// core/reasons.py Code.number
namespace code {
enum : int16_t {
    DROP_GREEN = 10, ROTATE_OUT = 11, BUY_BETTER = 12, BUY_TOP_K = 13, HEDGE_BETA = 14,
    HOLD_KEEP = 20, HOLD_RANK = 21, HOLD_NO_GAP = 22, HOLD_NO_EDGE = 23, HOLD_NO_DONOR = 24,
    HOLD_LIMIT = 25, HOLD_FLAT = 26,
    CAP_NAME = 30, CAP_SECTOR = 31, CAP_BETA = 32, CAP_NET = 33, CAP_GROSS = 34, CAP_FROZEN = 35,
};
}  // namespace code

// core/limits.py Limit.number
namespace limit {
enum : int16_t {
    NONE = 0, PER_NAME_CAP = 1, GROSS = 2, NET = 3, SECTOR = 4, SECTOR_GROSS = 5, BETA = 6,
    TURNOVER = 7, TURNOVER_NAME = 8, SLOTS = 10, BUDGET = 11, PERMIT = 12,
};
}  // namespace limit

constexpr double NOTHING = 1e-12;    // draft.py: a move smaller than this is none
constexpr double TOLERANCE = 1e-12;  // core/limits.py
constexpr double EQUALITY = 1e-12;   // core/arrays.py

// Symbols are compared on ties alone, so they are not read before one.
class Symbols {
public:
    virtual ~Symbols() = default;
    virtual bool before(int64_t a, int64_t b) const = 0;
};

// core/types.py Problem, as views; the limits with `_cap` are those of `bounds`.
struct Problem {
    int64_t n = 0;
    int64_t groups = 0;
    const Symbols *symbols = nullptr;
    const double *z = nullptr;
    const bool *scored = nullptr;
    const double *edge = nullptr;
    const double *cost = nullptr;
    const double *scale = nullptr;  // null: no volatilities
    const double *current = nullptr;
    const double *low = nullptr, *high = nullptr;
    const double *hard_low = nullptr, *hard_high = nullptr;
    const int16_t *cut = nullptr;
    const bool *in_profit = nullptr;
    int64_t hedge = -1;
    double turnover_left = 0.0;

    const int64_t *group = nullptr;
    const double *beta = nullptr;  // null: not given

    const double *low_cap = nullptr, *high_cap = nullptr;
    double gross_cap = 0.0, net_cap = 0.0, beta_cap = 0.0, name_turnover_cap = 0.0;
    const double *sector_cap = nullptr, *sector_gross_cap = nullptr;

    double mandate_gross = 0.0, mandate_net = 0.0;
    bool fully_invested = false;

    // −1 for none.
    int64_t sector_of(int64_t name) const {
        if (group[name] >= groups) throw std::out_of_range("group holds a sector without a name.");
        return group[name];
    }
};

enum class Weighting { EQUAL, SCORE, INVERSE_VOL };

// What the pass reads of core/config.py OptimizationConfig.
struct Config {
    struct Ranks {
        int64_t places = 0, buy = 0, sell = 0;
    };
    Ranks long_side, short_side;
    double z_keep = 0.0, delta_z_min = 0.0, tau_utility = 0.0, name_drift_threshold = 0.0;
    double budget_buffer = 0.0, per_name_cap = 0.0, hedge_cap = 0.0, repair_tolerance = 0.0;
    Weighting weighting = Weighting::EQUAL;
};

// What is answered (n), as codes.py Columns. Given: `limit`, `gap`, `gain`, `cost` filled with 0.
struct Columns {
    double *weights = nullptr;
    int16_t *code = nullptr, *limit = nullptr;
    int64_t *counterpart = nullptr;
    double *gap = nullptr, *gain = nullptr, *cost = nullptr;
};

void rotate_top_k(const Problem &problem, const Config &config, const Columns &out);

// Python's max and min of two: the first of equal ones.
inline double larger(double a, double b) { return b > a ? b : a; }
inline double smaller(double a, double b) { return b < a ? b : a; }
inline double sign(double x) { return x > 0.0 ? 1.0 : (x < 0.0 ? -1.0 : 0.0); }
inline bool keeps(double value, double bound) { return value <= bound + TOLERANCE * (1.0 + bound); }

}  // namespace deadband::greedy
