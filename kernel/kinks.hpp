// Where a name can rest: the kinks of its part of the objective, in order, low first, high last.
//
// Between two kinks its part is smooth: the signs of w − home and of w, and the slope of its hinges,
// are those of the segment. Segment j of a name lies between its kinks j and j + 1.
#pragma once

#include <vector>

#include "program.hpp"

namespace deadband {

class Kinks {
public:
    explicit Kinks(const Program &program);

    int64_t count(int64_t name) const { return count_[name]; }
    double at(int64_t name, int64_t j) const { return at_[name * stride_ + j]; }

    // Slope of the hinges over segment j.
    double hinge_slope(int64_t name, int64_t j) const { return slope_[name * stride_ + j]; }
    // Sign of w − home over segment j; 0 for names whose moves do not count.
    double move_sign(int64_t name, int64_t j) const {
        if (!program_.counted[name]) return 0.0;
        return at(name, j) >= program_.home[name] ? 1.0 : -1.0;
    }
    double size_sign(int64_t name, int64_t j) const { return at(name, j) >= 0.0 ? 1.0 : -1.0; }

    // The kink that lies within `snap` of w, the nearest one, or −1.
    int64_t nearest(int64_t name, double w, double snap) const;
    // The segment that holds w, which is no kink.
    int64_t segment(int64_t name, double w) const;

private:
    const Program &program_;
    int64_t stride_;
    std::vector<int64_t> count_;
    std::vector<double> at_, slope_;
};

}  // namespace deadband
