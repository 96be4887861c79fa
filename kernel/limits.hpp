// The limits over many names: what each uses, which are active, and what each costs.
//
// A limit is idle (inside its bounds), active (held at one of them, in the system of the step), or
// passed: outside, and then paid for at a price beyond any that an optimum would ask. So a start
// outside some limits is legal, and the way back inside needs no phase of its own.
#pragma once

#include <cmath>
#include <vector>

#include "kinks.hpp"
#include "program.hpp"

namespace deadband {

enum class Side { IDLE, LOWER, UPPER, BOTH };  // BOTH: an equality

class Limits {
public:
    Limits(const Program &program, const Kinks &kinks, double penalty);

    // Coefficient of `limit` on a name that is in segment j.
    double coefficient(int64_t limit, int64_t name, int64_t j) const;

    void measure(const double *weights);
    // Change per unit of step of every live limit, from the free names' directions.
    void slopes(const std::vector<int64_t> &names, const std::vector<int64_t> &segments, const double *p);
    void advance(double step);

    // The step at which the limit next reaches a bound, or infinity; `side` says which.
    double reach(int64_t limit, double tiny, Side *side) const;
    // The side whose bound is nearer to the value.
    Side nearest_side(int64_t limit) const;
    double bound(int64_t limit) const;  // that an active limit is held at
    double gap(int64_t limit) const { return bound(limit) - value_[limit]; }
    double passed(int64_t limit) const;  // by how much, 0 inside
    bool any_passed() const;             // of the idle ones
    void raise_penalty(double factor) { penalty_ *= factor; }

    // What rounding left between the value and the bound counts again when values are measured.
    void activate(int64_t limit, Side side) {
        side_[limit] = side;
        if (std::fabs(gap(limit)) < SNAP) value_[limit] = bound(limit);
    }
    void release(int64_t limit);
    void set_price(int64_t limit, double price) { price_[limit] = price; }
    // Prices of limits that are not active: 0, or the penalty where passed.
    void price_idle();
    // How far the price of an active limit has the wrong sign, 0 when right.
    double wrong(int64_t limit) const;

    double price(int64_t limit) const { return price_[limit]; }
    Side side(int64_t limit) const { return side_[limit]; }
    const std::vector<int64_t> &live() const { return live_; }

    // What the prices add to a name's slope whatever its segment; and to all names' (n).
    double linear_price(int64_t name) const;
    void add_linear_prices(double *slopes) const;
    double move_price() const { return price_[p_.turnover_row()]; }
    double size_price(int64_t name) const {
        const int64_t k = p_.group[name];
        return price_[p_.gross_row()] + (k >= 0 ? price_[p_.sector_gross_row(k)] : 0.0);
    }

private:
    static constexpr double SNAP = 1e-11;

    bool equality(int64_t limit) const { return lower_[limit] == upper_[limit]; }

    const Program &p_;
    const Kinks &kinks_;
    double penalty_;
    std::vector<double> lower_, upper_, slack_, value_, slope_, price_;
    std::vector<Side> side_;
    std::vector<int64_t> live_;
};

}  // namespace deadband
