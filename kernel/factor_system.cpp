// H = D + VVᵀ with D diagonal and V of k columns, so that p = D⁻¹(r − V v − Aᵀy) and (v, y) solve
//
//     [ I + VᵀD⁻¹V   VᵀD⁻¹Aᵀ ] [v]   [ VᵀD⁻¹r     ]
//     [ A D⁻¹V       A D⁻¹Aᵀ ] [y] = [ A D⁻¹r − e ]
//
// A name that enters or leaves changes this small matrix by a rank-one term. Taking terms away again
// loses digits, so the matrix is summed afresh after some of them, and after any large one.
#include <algorithm>
#include <cmath>

#include "free_system.hpp"
#include "hot.hpp"

namespace deadband {

namespace {

constexpr double DEPENDENT = 1e-11;
constexpr double LARGE = 1e4;     // a term this much larger than what stays is not subtracted
constexpr int64_t OFTEN = 24;     // terms taken away before the sums are made afresh

class FactorSystem final : public FreeSystem {
public:
    FactorSystem(const Program &program, double ridge)
        : p_(program), k_(program.factors), ridge_(ridge), small_(k_ * k_, 0.0) {
        for (int64_t f = 0; f < k_; ++f) small_[f * k_ + f] = 1.0;
    }

    bool add_name(int64_t name, const double *coefficients) override {
        const double s = p_.scale[name], twice = 2.0 * p_.risk_weight;
        const double d = ridge_ + (k_ > 0 ? twice * s * s * p_.specific[name] : 0.0);
        if (!(d > 0.0)) return false;
        const double size = k_ > 0 ? std::sqrt(twice) * s : 0.0;
        std::vector<double> v(k_);
        for (int64_t f = 0; f < k_; ++f) v[f] = size * p_.loadings[name * k_ + f];
        inverse_.push_back(1.0 / d);
        v_.push_back(std::move(v));
        for (size_t r = 0; r < a_.size(); ++r) a_[r].push_back(coefficients[r]);
        take(static_cast<int64_t>(inverse_.size()) - 1, 1.0);
        return true;
    }

    void remove_name(int64_t position) override {
        const double largest = inverse_[position] * dot(v_[position].data(), v_[position].data(), k_);
        take(position, -1.0);
        inverse_.erase(inverse_.begin() + position);
        v_.erase(v_.begin() + position);
        for (auto &row : a_) row.erase(row.begin() + position);
        if (++taken_ >= OFTEN || largest > LARGE || k_ == 0) sum_afresh();
    }

    bool add_limit(const double *coefficients) override {
        a_.emplace_back(coefficients, coefficients + inverse_.size());
        crossed_.emplace_back(k_, 0.0);
        const size_t w = a_.size();
        limits_.emplace_back(w, 0.0);
        for (size_t a = 0; a < inverse_.size(); ++a) {
            const double t = a_[w - 1][a] * inverse_[a];
            if (t == 0.0) continue;
            add_scaled(crossed_[w - 1].data(), t, v_[a].data(), k_);
            for (size_t r = 0; r < w; ++r) limits_[w - 1][r] += t * a_[r][a];
        }
        stale_ = true;
        if (factor() < 0) return true;
        remove_limit(static_cast<int64_t>(w) - 1);
        return false;
    }

    void remove_limit(int64_t position) override {
        a_.erase(a_.begin() + position);
        crossed_.erase(crossed_.begin() + position);
        limits_.erase(limits_.begin() + position);
        for (size_t r = position; r < limits_.size(); ++r) limits_[r].erase(limits_[r].begin() + position);
        stale_ = true;
    }

    int64_t solve(const double *r, const double *e, double *p, double *y) override {
        if (const int64_t k = factor(); k >= 0) return k;
        const int64_t m = static_cast<int64_t>(inverse_.size()), w = static_cast<int64_t>(a_.size());
        std::vector<double> &x = side_;
        x.assign(k_ + w, 0.0);
        for (int64_t a = 0; a < m; ++a) {
            const double t = r[a] * inverse_[a];
            add_scaled(x.data(), t, v_[a].data(), k_);
            p[a] = t;
        }
        for (int64_t l = 0; l < w; ++l) x[k_ + l] = dot(a_[l].data(), p, m) - e[l];
        const int64_t size = k_ + w;
        for (int64_t i = 0; i < size; ++i)
            x[i] = (x[i] - dot(&factor_[i * size], x.data(), i)) / factor_[i * size + i];
        for (int64_t i = size - 1; i >= 0; --i) {
            x[i] /= factor_[i * size + i];
            add_scaled(x.data(), -x[i], &factor_[i * size], i);
        }
        for (int64_t a = 0; a < m; ++a) p[a] = r[a] - dot(v_[a].data(), x.data(), k_);
        for (int64_t l = 0; l < w; ++l) {
            y[l] = x[k_ + l];
            add_scaled(p, -y[l], a_[l].data(), m);
        }
        for (int64_t a = 0; a < m; ++a) p[a] *= inverse_[a];
        return -1;
    }

private:
    // Adds (sign +1) or takes away (−1) the term of one free name.
    void take(int64_t a, double sign) {
        const double t = sign * inverse_[a];
        const std::vector<double> &v = v_[a];
        for (int64_t f = 0; f < k_; ++f) add_scaled(&small_[f * k_], t * v[f], v.data(), f + 1);
        for (size_t r = 0; r < a_.size(); ++r) {
            const double s = t * a_[r][a];
            if (s == 0.0) continue;
            add_scaled(crossed_[r].data(), s, v.data(), k_);
            for (size_t q = 0; q <= r; ++q) limits_[r][q] += s * a_[q][a];
        }
        stale_ = true;
    }

    void sum_afresh() {
        std::fill(small_.begin(), small_.end(), 0.0);
        for (int64_t f = 0; f < k_; ++f) small_[f * k_ + f] = 1.0;
        for (auto &row : crossed_) std::fill(row.begin(), row.end(), 0.0);
        for (auto &row : limits_) std::fill(row.begin(), row.end(), 0.0);
        for (size_t a = 0; a < inverse_.size(); ++a) take(static_cast<int64_t>(a), 1.0);
        taken_ = 0;
    }

    // Cholesky of the small matrix, by rows; the first limit that depends on those before it, or −1.
    int64_t factor() {
        if (!stale_) return -1;
        const int64_t w = static_cast<int64_t>(a_.size()), size = k_ + w;
        factor_.resize(size * size);
        for (int64_t i = 0; i < size; ++i) {
            double *row = &factor_[i * size];
            const double *from = i < k_ ? &small_[i * k_] : crossed_[i - k_].data();
            std::copy(from, from + std::min(i + 1, k_), row);
            if (i >= k_) std::copy(limits_[i - k_].begin(), limits_[i - k_].end(), row + k_);
            const double own = row[i];
            for (int64_t j = 0; j < i; ++j)
                row[j] = (row[j] - dot(row, &factor_[j * size], j)) / factor_[j * size + j];
            const double rest = own - dot(row, row, i);
            if (i >= k_ && !(rest > DEPENDENT * own)) return i - k_;
            row[i] = std::sqrt(rest);
        }
        stale_ = false;
        return -1;
    }

    const Program &p_;
    int64_t k_;
    double ridge_;
    std::vector<double> inverse_;               // D⁻¹ of each free name
    std::vector<std::vector<double>> v_;        // its row of V
    std::vector<std::vector<double>> a_;        // each active limit on the free names
    std::vector<double> small_;                 // I + VᵀD⁻¹V, lower half
    std::vector<std::vector<double>> crossed_;  // A D⁻¹V, a row a limit
    std::vector<std::vector<double>> limits_;   // A D⁻¹Aᵀ, lower half
    std::vector<double> factor_, side_;
    bool stale_ = true;
    int64_t taken_ = 0;
};

}  // namespace

std::unique_ptr<FreeSystem> factor_system(const Program &program, double ridge) {
    return std::make_unique<FactorSystem>(program, ridge);
}

}  // namespace deadband
