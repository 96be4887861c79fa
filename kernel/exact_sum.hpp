// A sum without rounding between terms: the double nearest to the true sum, whatever the order.
//
// Source: J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric
// Predicates" (1997), grow-expansion; Python's math.fsum gives the same bits. Terms are finite.
#pragma once

#include <cstddef>
#include <vector>

namespace deadband {

class ExactSum {
public:
    void add(double x);
    double value() const;
    void clear() { partials_.clear(); }

private:
    // Their sum is the true one; each is below the last bit of the next.
    std::vector<double> partials_;
};

}  // namespace deadband
