#include "margins.hpp"

#include <algorithm>
#include <cmath>

namespace deadband::margins {

namespace {

double sign(double x) { return x > 0.0 ? 1.0 : (x < 0.0 ? -1.0 : 0.0); }

// 1 where a step to `side` adds to |distance|, −1 where it takes off, 0 without a side.
double outward(double side, double distance) {
    return distance == 0.0 ? std::fabs(side) : side * sign(distance);
}

class Explainer {
public:
    Explainer(const Program &program, const Answer &answer) : p_(program), a_(answer) {
        double largest = 0.0;
        for (int64_t i = 0; i < p_.n; ++i) largest = std::max(largest, std::fabs(-p_.linear[i]));
        negligible_ = NEGLIGIBLE * (1.0 + largest);
        for (int64_t r = 0; r < p_.signed_rows; ++r)
            if (a_.prices[r] != 0.0) priced_rows_ = r + 1;
        const double *of_sector = a_.prices + p_.signed_rows, *of_size = a_.prices + p_.gross_row() + 1;
        by_sector_ = std::any_of(of_sector, of_sector + p_.groups, [](double y) { return y != 0.0; });
        by_size_ = std::any_of(of_size, of_size + p_.groups, [](double y) { return y != 0.0; });
    }

    void explain(int64_t i, const Columns &out) const {
        const double weight = a_.weights[i], here = a_.current[i];
        double gain = -p_.linear[i] - a_.risk[i];
        double least = weight == here ? a_.cost[i] : 0.0;
        if (a_.half_borrow) {
            gain -= a_.half_borrow[i] * sign(weight);
            least += weight == 0.0 ? a_.half_borrow[i] : 0.0;
        }
        least += negligible_;
        const double size = std::fabs(gain);
        const double side = size > least ? sign(gain) : 0.0;
        out.gain[i] = std::fabs(side * (size - least));
        const int16_t stopper = side == 0.0 ? limit::NONE : stopped_by(i, side);
        out.limit[i] = stopper;
        if (weight != here)
            out.code[i] = a_.cut[i] > 0 ? a_.cut[i] : static_cast<int16_t>(code::TARGET_MOVED);
        else if (stopper != limit::NONE)
            out.code[i] = code::HOLD_LIMIT;
        else
            out.code[i] = here != 0.0 ? code::HOLD_CURRENT : code::HOLD_FLAT;
    }

private:
    // The bound that ends the way to `side`, else the limit whose price weighs most against it.
    int16_t stopped_by(int64_t i, double side) const {
        const double weight = a_.weights[i];
        if (side > 0.0 ? weight >= p_.high[i] : weight <= p_.low[i]) return end_of_box(i, side);
        int16_t best = limit::NONE;
        double most = 0.0;
        const auto weigh = [&best, &most](int16_t limit, double against) {
            if (against > most) {
                best = limit;
                most = against;
            }
        };
        for (int64_t r = 0; r < priced_rows_; ++r)
            weigh(a_.row_limit[r], side * a_.prices[r] * p_.rows[r * p_.n + i]);
        const int64_t k = p_.group[i];
        if (by_sector_ && k >= 0) weigh(limit::SECTOR, side * a_.prices[p_.sector_row(k)]);
        const double on_move = a_.prices[p_.turnover_row()];
        if (on_move > 0.0 && p_.counted[i])
            weigh(limit::TURNOVER, outward(side, weight - a_.current[i]) * on_move);
        const double on_size = a_.prices[p_.gross_row()];
        if (on_size > 0.0) weigh(limit::GROSS, outward(side, weight) * on_size);
        if (by_size_ && k >= 0)
            weigh(limit::SECTOR_GROSS, outward(side, weight) * a_.prices[p_.sector_gross_row(k)]);
        return best;
    }

    int16_t end_of_box(int64_t i, double side) const {
        const double weight = a_.weights[i];
        if (weight == (side > 0.0 ? a_.cap_high[i] : a_.cap_low[i])) return limit::PER_NAME_CAP;
        const double moved = std::fabs(weight - a_.current[i]);
        return std::fabs(moved - a_.turnover_name) <= SAME ? limit::TURNOVER_NAME : limit::PERMIT;
    }

    const Program &p_;
    const Answer &a_;
    double negligible_ = 0.0;
    int64_t priced_rows_ = 0;
    bool by_sector_ = false, by_size_ = false;
};

}  // namespace

void explain(const Program &program, const Answer &answer, const Columns &out) {
    const Explainer explainer(program, answer);
    for (int64_t i = 0; i < program.n; ++i) explainer.explain(i, out);
}

}  // namespace deadband::margins
