#include "interior_problem.hpp"

#include <algorithm>
#include <cmath>

#include "hot.hpp"

namespace deadband {

namespace {

constexpr double SHORTEST = 1e-12;  // of a segment; shorter ones are left out
constexpr double FAR = 100.0;       // where a bound that nothing implies is put, weights being fractions
constexpr double SAME = 1e-13;      // bounds this close make an equality

}  // namespace

InteriorProblem::InteriorProblem(const Program &given) : program(given), fixed_(given.n) {
    cut(Kinks(given));
    if (!possible) return;
    pull_of_fixed();
    find_rows();
    measure_bases();
}

void InteriorProblem::cut(const Kinks &kinks) {
    first.push_back(0);
    for (int64_t i = 0; i < program.n; ++i) {
        const int64_t count = kinks.count(i);
        if (program.low[i] > program.high[i]) possible = false;
        double from = kinks.at(i, 0), until = kinks.at(i, count - 1), far = 0.0;
        if (!std::isfinite(from) || !std::isfinite(until)) {
            far = far_bound(kinks, i);
            from = std::max(from, -far);
            until = std::min(until, far);
        }
        fixed_[i] = from;
        const size_t before = length.size();
        for (int64_t j = 0; j + 1 < count; ++j) {
            const double left = j == 0 ? from : kinks.at(i, j);
            const double right = j + 2 == count ? until : kinks.at(i, j + 1);
            if (!(right - left > SHORTEST)) continue;
            length.push_back(right - left);
            slope.push_back(kinks.hinge_slope(i, j));
            move.push_back(kinks.move_sign(i, j));
            size.push_back(kinks.size_sign(i, j));
        }
        if (length.size() == before) continue;
        name.push_back(i);
        base.push_back(from);
        far_.push_back(far);
        first.push_back(segments());
    }
    n = static_cast<int64_t>(name.size());
}

// No weight within gross and turnover is beyond it, or else no weight that makes sense.
double InteriorProblem::far_bound(const Kinks &kinks, int64_t i) const {
    double implied = program.gross;
    if (program.counted[i]) implied = std::min(implied, program.turnover + std::fabs(program.home[i]));
    double far = std::isfinite(implied) ? 2.0 * implied : FAR;
    for (int64_t j = 0; j < kinks.count(i); ++j)
        if (std::isfinite(kinks.at(i, j))) far = std::max(far, 2.0 * std::fabs(kinks.at(i, j)) + 1.0);
    return far;
}

// linear = q + Q w of the fixed names, who also have a value of their own.
void InteriorProblem::pull_of_fixed() {
    const Program &p = program;
    std::vector<double> held(fixed_), x(p.n), pull(p.n, 0.0), sums(p.factors, 0.0);
    for (int64_t i = 0; i < n; ++i) held[name[i]] = 0.0;
    for (int64_t i = 0; i < p.n; ++i) {
        x[i] = p.scale[i] * held[i];
        if (x[i] == 0.0) continue;
        if (p.matrix != nullptr) add_scaled(pull.data(), x[i], p.matrix + i * p.n, p.n);
        if (p.loadings != nullptr) add_scaled(sums.data(), x[i], p.loadings + i * p.factors, p.factors);
    }
    for (int64_t i = 0; i < p.n; ++i) {
        if (p.loadings != nullptr)
            pull[i] = dot(p.loadings + i * p.factors, sums.data(), p.factors) + p.specific[i] * x[i];
        pull[i] *= 2.0 * p.risk_weight * p.scale[i];
        constant += held[i] * (p.linear[i] + 0.5 * pull[i]);
        for (int64_t l = i; l < p.layers * p.n; l += p.n)
            constant += p.hinge_weight[l] * std::fabs(fixed_[i] - p.hinge_at[l]);
    }
    linear.resize(n);
    for (int64_t i = 0; i < n; ++i) linear[i] = p.linear[name[i]] + pull[name[i]];
}

void InteriorProblem::add_row(int64_t limit, double lower, double upper) {
    if (!std::isfinite(lower) && !std::isfinite(upper)) return;
    if (lower > upper) possible = false;
    rows.push_back({limit, lower, upper});
}

void InteriorProblem::find_rows() {
    const Program &p = program;
    for (int64_t r = 0; r < p.signed_rows; ++r) {
        const size_t before = rows.size();
        add_row(r, p.floor[r], p.ceiling[r]);
        if (rows.size() == before) continue;
        for (int64_t i = 0; i < n; ++i) coefficients.push_back(p.rows[r * p.n + name[i]]);
    }
    signed_rows = row_count();
    if (std::isfinite(p.turnover)) {
        turnover = row_count();
        add_row(p.turnover_row(), -INFINITY, p.turnover);
    }
    if (std::isfinite(p.gross)) {
        gross = row_count();
        add_row(p.gross_row(), -INFINITY, p.gross);
    }
    std::vector<int64_t> of_sector(p.groups, -1), of_size(p.groups, -1);
    for (int64_t k = 0; k < p.groups; ++k) {
        if (!std::isfinite(p.sector[k])) continue;
        of_sector[k] = row_count();
        add_row(p.sector_row(k), -p.sector[k], p.sector[k]);
    }
    for (int64_t k = 0; k < p.groups; ++k) {
        if (!std::isfinite(p.sector_gross[k])) continue;
        of_size[k] = row_count();
        add_row(p.sector_gross_row(k), -INFINITY, p.sector_gross[k]);
    }
    for (int64_t i = 0; i < n; ++i) {
        const int64_t k = p.group[name[i]];
        sector.push_back(k >= 0 ? of_sector[k] : -1);
        sector_gross.push_back(k >= 0 ? of_size[k] : -1);
    }
}

// The rows speak of x, so their bounds give up what the bases use.
void InteriorProblem::measure_bases() {
    const Program &p = program;
    for (InteriorRow &row : rows) {
        double used = 0.0;
        const int64_t limit = row.limit;
        const int64_t k = limit - (limit < p.turnover_row() ? p.sector_row(0) : p.sector_gross_row(0));
        for (int64_t i = 0; i < p.n; ++i) {
            const double w = fixed_[i];
            if (limit < p.signed_rows) used += p.rows[limit * p.n + i] * w;
            else if (limit == p.turnover_row()) used += p.counted[i] ? std::fabs(w - p.home[i]) : 0.0;
            else if (limit == p.gross_row()) used += std::fabs(w);
            else if (p.group[i] == k) used += limit < p.turnover_row() ? w : std::fabs(w);
        }
        row.lower -= used;
        row.upper -= used;
        if (row.upper - row.lower <= SAME) row.lower = row.upper;
    }
}

bool InteriorProblem::bases_fit(double tolerance) const {
    return std::all_of(rows.begin(), rows.end(), [&](const InteriorRow &row) {
        return row.lower <= tolerance && row.upper >= -tolerance;
    });
}

void InteriorProblem::add_slopes(const double *y, double *out) const {
    for (int64_t r = 0; r < signed_rows; ++r) add_scaled(out, y[r], &coefficients[r * n], n);
    for (int64_t i = 0; i < n; ++i)
        if (sector[i] >= 0) out[i] += y[sector[i]];
}

void InteriorProblem::add_prices(const double *y, const Shares &shares, double *out) const {
    add_slopes(y, out);
    if (turnover >= 0) add_scaled(out, y[turnover], shares.move.data(), n);
    if (gross >= 0) add_scaled(out, y[gross], shares.size.data(), n);
    for (int64_t i = 0; i < n; ++i)
        if (sector_gross[i] >= 0) out[i] += y[sector_gross[i]] * shares.size[i];
}

void InteriorProblem::use(const double *w, const Shares &shares, double *out) const {
    std::fill(out, out + row_count(), 0.0);
    for (int64_t r = 0; r < signed_rows; ++r) out[r] = dot(&coefficients[r * n], w, n);
    if (turnover >= 0) out[turnover] = dot(shares.move.data(), w, n);
    if (gross >= 0) out[gross] = dot(shares.size.data(), w, n);
    for (int64_t i = 0; i < n; ++i) {
        if (sector[i] >= 0) out[sector[i]] += w[i];
        if (sector_gross[i] >= 0) out[sector_gross[i]] += shares.size[i] * w[i];
    }
}

void InteriorProblem::row(int64_t r, const Shares &shares, double *out) const {
    if (r < signed_rows) std::copy(&coefficients[r * n], &coefficients[r * n] + n, out);
    else if (r == turnover) std::copy(shares.move.begin(), shares.move.end(), out);
    else if (r == gross) std::copy(shares.size.begin(), shares.size.end(), out);
    else
        for (int64_t i = 0; i < n; ++i)
            out[i] = sector[i] == r ? 1.0 : sector_gross[i] == r ? shares.size[i] : 0.0;
}

void InteriorProblem::spread(const double *w, double *out) const {
    std::copy(fixed_.begin(), fixed_.end(), out);
    for (int64_t i = 0; i < n; ++i)
        out[name[i]] = std::min(std::max(w[i], program.low[name[i]]), program.high[name[i]]);
}

bool InteriorProblem::escaped(const double *w) const {
    for (int64_t i = 0; i < n; ++i)
        if (far_[i] > 0.0 && std::fabs(w[i]) > 0.75 * far_[i]) return true;
    return false;
}

}  // namespace deadband
