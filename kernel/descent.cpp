#include "descent.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace deadband {

namespace {

constexpr int64_t SWEEPS = 50;
constexpr double CLOSE = 1e-6;       // a sweep that moves no name further than this is the last
constexpr double FIRST_SWEEP = 2.0;  // times the limit: what turnover and gross may come to on the first
constexpr double LATER = 1.1;        // and on later sweeps, which hardly change either

class Descent {
public:
    Descent(const Program &program, const Kinks &kinks, Gradient &gradient, double *weights)
        : p_(program), kinks_(kinks), gradient_(gradient), w_(weights), curvature_(program.n) {
        for (int64_t i = 0; i < p_.n; ++i) {
            curvature_[i] = 2.0 * p_.risk_weight * p_.scale[i] * p_.scale[i] * variance(i);
            add(i, w_[i], 1.0);
        }
    }

    bool run() {
        for (int64_t sweeps = 0; sweeps < SWEEPS; ++sweeps) {
            const double most = sweeps == 0 ? FIRST_SWEEP : LATER;
            double furthest = 0.0;
            for (int64_t i = 0; i < p_.n; ++i) {
                furthest = std::max(furthest, go(i));
                if (beyond(most)) return false;
            }
            if (furthest <= CLOSE) break;
        }
        return !beyond(1.0);
    }

private:
    double variance(int64_t i) const {
        if (p_.matrix) return p_.matrix[i * p_.n + i];
        double own = p_.specific[i];
        for (int64_t f = 0; f < p_.factors; ++f) {
            const double loading = p_.loadings[i * p_.factors + f];
            own += loading * loading;
        }
        return own;
    }

    // Moves one name to where its part is least; returns how far.
    double go(int64_t i) {
        if (kinks_.count(i) < 2 || !(curvature_[i] > 0.0)) return 0.0;
        const double slope = gradient_.of(i, w_[i]) - curvature_[i] * w_[i];
        const double there = least(i, slope), change = there - w_[i];
        if (change == 0.0) return 0.0;
        gradient_.moved_at_once(i, change);
        add(i, w_[i], -1.0);
        add(i, there, 1.0);
        w_[i] = there;
        return std::fabs(change);
    }

    // The least of curvature/2 w² + slope w and the hinges: in the first segment that rises at its end.
    double least(int64_t i, double slope) const {
        const int64_t last = kinks_.count(i) - 1;
        for (int64_t j = 0; j < last; ++j) {
            const double flat = -(slope + kinks_.hinge_slope(i, j)) / curvature_[i];
            if (flat <= kinks_.at(i, j)) return kinks_.at(i, j);
            if (flat <= kinks_.at(i, j + 1)) return flat;
        }
        return kinks_.at(i, last);
    }

    void add(int64_t i, double weight, double sign) {
        size_ += sign * std::fabs(weight);
        if (p_.counted[i]) moved_ += sign * std::fabs(weight - p_.home[i]);
    }

    bool beyond(double times) const { return size_ > times * p_.gross || moved_ > times * p_.turnover; }

    const Program &p_;
    const Kinks &kinks_;
    Gradient &gradient_;
    double *w_;
    std::vector<double> curvature_;
    double size_ = 0.0, moved_ = 0.0;
};

}  // namespace

bool descend(const Program &program, const Kinks &kinks, Gradient &gradient, double *weights) {
    const Gradient before = gradient;
    const std::vector<double> start(weights, weights + program.n);
    gradient.bring_up_to_date();
    if (Descent(program, kinks, gradient, weights).run()) return true;
    gradient = before;
    std::copy(start.begin(), start.end(), weights);
    return false;
}

}  // namespace deadband
