#include "exact_sum.hpp"

#include <cmath>
#include <cstddef>
#include <utility>

namespace deadband {

void ExactSum::add(double x) {
    size_t kept = 0;
    for (double y : partials_) {
        if (std::fabs(x) < std::fabs(y)) std::swap(x, y);
        const double high = x + y;
        const double low = y - (high - x);
        if (low != 0.0) partials_[kept++] = low;
        x = high;
    }
    partials_.resize(kept);
    if (x != 0.0) partials_.push_back(x);
}

double ExactSum::value() const {
    if (partials_.empty()) return 0.0;
    size_t left = partials_.size();
    double high = partials_[--left];
    double low = 0.0;
    while (left > 0 && low == 0.0) {
        const double x = high;
        const double y = partials_[--left];
        high = x + y;
        low = y - (high - x);
    }
    // Half-way cases round to even by what is left below them.
    if (left > 0 && ((low < 0.0 && partials_[left - 1] < 0.0) ||
                     (low > 0.0 && partials_[left - 1] > 0.0))) {
        const double twice = low * 2.0;
        const double x = high + twice;
        if (twice == x - high) high = x;
    }
    return high;
}

}  // namespace deadband
