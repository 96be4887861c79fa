// What holds every name where an optimum has it: the counterpart of deadband/optimize/exact/marginals.py.
//
// Follows `marginals` and `explained` there operation by operation, so that both give the
// same bits; tests/property/test_margins_kernel.py compares them.
#pragma once

#include <cstdint>

#include "program.hpp"

namespace deadband::margins {

// core/reasons.py Code.number
namespace code {
enum : int16_t { TARGET_MOVED = 15, HOLD_LIMIT = 25, HOLD_FLAT = 26, HOLD_CURRENT = 27 };
}  // namespace code

// core/limits.py Limit.number
namespace limit {
enum : int16_t {
    NONE = 0, PER_NAME_CAP = 1, GROSS = 2, SECTOR = 4, SECTOR_GROSS = 5, TURNOVER = 7, TURNOVER_NAME = 8,
    PERMIT = 12,
};
}  // namespace limit

constexpr double SAME = 1e-12;        // marginals.py
constexpr double NEGLIGIBLE = 1e-9;   // marginals.py

// The book and the box that marginals.py reads of the problem, and the answer with its slopes.
struct Answer {
    const double *current = nullptr;      // (n)
    const double *cost = nullptr;         // (n)
    const int16_t *cut = nullptr;         // (n)
    const double *cap_low = nullptr;      // (n)
    const double *cap_high = nullptr;     // (n)
    double turnover_name = 0.0;
    const double *half_borrow = nullptr;  // (n), null where nobody pays for shorts
    const int16_t *row_limit = nullptr;   // (R), the limit that each signed row is
    const double *weights = nullptr;      // (n)
    const double *prices = nullptr;       // (limits)
    const double *risk = nullptr;         // (n)
};

// What is answered (n).
struct Columns {
    int16_t *code = nullptr, *limit = nullptr;
    double *gain = nullptr;
};

void explain(const Program &program, const Answer &answer, const Columns &out);

}  // namespace deadband::margins
