#include "kinks.hpp"

#include <algorithm>
#include <cmath>

namespace deadband {

namespace {

bool counts_size(const Program &p, int64_t name) {
    if (std::isfinite(p.gross)) return true;
    const int64_t k = p.group[name];
    return k >= 0 && std::isfinite(p.sector_gross[k]);
}

}  // namespace

Kinks::Kinks(const Program &program)
    : program_(program),
      stride_(program.layers + 4),
      count_(program.n),
      at_(program.n * stride_),
      slope_(program.n * stride_) {
    const bool moves = std::isfinite(program.turnover);
    for (int64_t i = 0; i < program.n; ++i) {
        double *at = &at_[i * stride_];
        const double low = program.low[i], high = program.high[i];
        int64_t found = 0;
        // Insertion keeps the few kinks of a name in order; equal ones count once.
        auto insert = [&](double kink) {
            int64_t j = found;
            while (j > 0 && at[j - 1] > kink) --j;
            if (j > 0 && at[j - 1] == kink) return;
            std::move_backward(at + j, at + found, at + found + 1);
            at[j] = kink;
            ++found;
        };
        auto inside = [&](double kink) {
            if (kink > low && kink < high) insert(kink);
        };
        insert(low);
        insert(high);
        if (moves && program.counted[i]) inside(program.home[i]);
        if (counts_size(program, i)) inside(0.0);
        for (int64_t l = 0; l < program.layers; ++l)
            if (program.hinge_weight[l * program.n + i] != 0.0) inside(program.hinge_at[l * program.n + i]);
        count_[i] = found;
        for (int64_t j = 0; j + 1 < found; ++j) {
            double slope = 0.0;
            for (int64_t l = 0; l < program.layers; ++l) {
                const double weight = program.hinge_weight[l * program.n + i];
                slope += at[j] >= program.hinge_at[l * program.n + i] ? weight : -weight;
            }
            slope_[i * stride_ + j] = slope;
        }
    }
}

int64_t Kinks::nearest(int64_t name, double w, double snap) const {
    int64_t best = -1;
    double least = snap;
    for (int64_t j = 0; j < count_[name]; ++j) {
        const double distance = std::fabs(at(name, j) - w);
        if (distance <= least) {
            least = distance;
            best = j;
        }
    }
    return best;
}

int64_t Kinks::segment(int64_t name, double w) const {
    int64_t j = 0;
    while (j + 2 < count_[name] && at(name, j + 1) < w) ++j;
    return j;
}

}  // namespace deadband
