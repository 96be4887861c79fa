#include "limits.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "hot.hpp"

namespace deadband {

namespace {

constexpr double SLACK = 2e-13;  // a limit is passed beyond this share of 1 + its bound
constexpr double NEVER = std::numeric_limits<double>::infinity();

}  // namespace

Limits::Limits(const Program &program, const Kinks &kinks, double penalty)
    : p_(program), kinks_(kinks), penalty_(penalty) {
    const int64_t m = program.limits();
    lower_.assign(m, -NEVER);
    upper_.assign(m, NEVER);
    value_.assign(m, 0.0);
    slope_.assign(m, 0.0);
    price_.assign(m, 0.0);
    slack_.assign(m, 0.0);
    side_.assign(m, Side::IDLE);
    for (int64_t r = 0; r < program.signed_rows; ++r) {
        lower_[r] = program.floor[r];
        upper_[r] = program.ceiling[r];
    }
    for (int64_t k = 0; k < program.groups; ++k) {
        lower_[program.sector_row(k)] = -program.sector[k];
        upper_[program.sector_row(k)] = program.sector[k];
        upper_[program.sector_gross_row(k)] = program.sector_gross[k];
    }
    upper_[program.turnover_row()] = program.turnover;
    upper_[program.gross_row()] = program.gross;
    for (int64_t l = 0; l < m; ++l) {
        const double most = std::max(std::isfinite(lower_[l]) ? std::fabs(lower_[l]) : -1.0,
                                     std::isfinite(upper_[l]) ? std::fabs(upper_[l]) : -1.0);
        if (most < 0.0) continue;
        live_.push_back(l);
        slack_[l] = SLACK * (1.0 + most);
    }
}

double Limits::coefficient(int64_t limit, int64_t name, int64_t j) const {
    if (limit < p_.signed_rows) return p_.rows[limit * p_.n + name];
    if (limit < p_.turnover_row()) return p_.group[name] == limit - p_.signed_rows ? 1.0 : 0.0;
    if (limit == p_.turnover_row()) return kinks_.move_sign(name, j);
    if (limit == p_.gross_row()) return kinks_.size_sign(name, j);
    const bool member = p_.group[name] == limit - p_.gross_row() - 1;
    return member ? kinks_.size_sign(name, j) : 0.0;
}

void Limits::measure(const double *weights) {
    std::fill(value_.begin(), value_.end(), 0.0);
    for (int64_t r = 0; r < p_.signed_rows; ++r) value_[r] = dot(p_.rows + r * p_.n, weights, p_.n);
    double moved = 0.0, size = 0.0;
    for (int64_t i = 0; i < p_.n; ++i) {
        const double w = weights[i];
        if (p_.counted[i]) moved += std::fabs(w - p_.home[i]);
        if (w == 0.0) continue;
        size += std::fabs(w);
        const int64_t k = p_.group[i];
        if (k < 0) continue;
        value_[p_.sector_row(k)] += w;
        value_[p_.sector_gross_row(k)] += std::fabs(w);
    }
    value_[p_.turnover_row()] = moved;
    value_[p_.gross_row()] = size;
}

void Limits::slopes(const std::vector<int64_t> &names, const std::vector<int64_t> &segments,
                    const double *p) {
    for (int64_t l : live_) slope_[l] = 0.0;
    double moved = 0.0, size = 0.0;
    for (size_t a = 0; a < names.size(); ++a) {
        const int64_t i = names[a], j = segments[a], k = p_.group[i];
        for (int64_t r = 0; r < p_.signed_rows; ++r) slope_[r] += p_.rows[r * p_.n + i] * p[a];
        moved += kinks_.move_sign(i, j) * p[a];
        const double outward = kinks_.size_sign(i, j) * p[a];
        size += outward;
        if (k < 0) continue;
        slope_[p_.sector_row(k)] += p[a];
        slope_[p_.sector_gross_row(k)] += outward;
    }
    slope_[p_.turnover_row()] = moved;
    slope_[p_.gross_row()] = size;
}

void Limits::advance(double step) {
    for (int64_t l : live_) value_[l] += step * slope_[l];
}

double Limits::reach(int64_t limit, double tiny, Side *side) const {
    const double slope = slope_[limit], value = value_[limit];
    if (std::fabs(slope) <= tiny) return NEVER;
    const bool over = value > upper_[limit] + slack_[limit], under = value < lower_[limit] - slack_[limit];
    const bool rising = slope > 0.0;
    // Outside and going further out meets no bound; coming back in meets the near one.
    if ((over && rising) || (under && !rising)) return NEVER;
    const bool to_upper = over || (rising && !under);
    const double target = to_upper ? upper_[limit] : lower_[limit];
    if (!std::isfinite(target)) return NEVER;
    *side = equality(limit) ? Side::BOTH : target == upper_[limit] ? Side::UPPER : Side::LOWER;
    return std::max(0.0, (target - value) / slope);
}

Side Limits::nearest_side(int64_t limit) const {
    if (equality(limit)) return Side::BOTH;
    return value_[limit] - lower_[limit] < upper_[limit] - value_[limit] ? Side::LOWER : Side::UPPER;
}

double Limits::bound(int64_t limit) const {
    return side_[limit] == Side::LOWER ? lower_[limit] : upper_[limit];
}

double Limits::passed(int64_t limit) const {
    const double over = value_[limit] - upper_[limit], under = lower_[limit] - value_[limit];
    const double most = std::max(over, under);
    return most > slack_[limit] ? most : 0.0;
}

bool Limits::any_passed() const {
    for (int64_t l : live_)
        if (side_[l] == Side::IDLE && passed(l) > 0.0) return true;
    return false;
}

void Limits::release(int64_t limit) {
    side_[limit] = Side::IDLE;
    price_[limit] = 0.0;
}

void Limits::price_idle() {
    for (int64_t l : live_) {
        if (side_[l] != Side::IDLE) continue;
        const bool over = value_[l] > upper_[l] + slack_[l], under = value_[l] < lower_[l] - slack_[l];
        price_[l] = over ? penalty_ : under ? -penalty_ : 0.0;
    }
}

double Limits::wrong(int64_t limit) const {
    if (side_[limit] == Side::UPPER) return std::max(0.0, -price_[limit]);
    if (side_[limit] == Side::LOWER) return std::max(0.0, price_[limit]);
    return 0.0;
}

double Limits::linear_price(int64_t name) const {
    double sum = 0.0;
    for (int64_t r = 0; r < p_.signed_rows; ++r)
        if (price_[r] != 0.0) sum += price_[r] * p_.rows[r * p_.n + name];
    const int64_t k = p_.group[name];
    return k >= 0 ? sum + price_[p_.sector_row(k)] : sum;
}

void Limits::add_linear_prices(double *slopes) const {
    for (int64_t r = 0; r < p_.signed_rows; ++r)
        if (price_[r] != 0.0) add_scaled(slopes, price_[r], p_.rows + r * p_.n, p_.n);
    for (int64_t i = 0; i < p_.n; ++i)
        if (p_.group[i] >= 0) slopes[i] += price_[p_.sector_row(p_.group[i])];
}

}  // namespace deadband
