// H = LLᵀ, with Y = L⁻¹Aᵀ kept beside it; the prices come from YYᵀ.
#include <algorithm>
#include <cmath>

#include "free_system.hpp"
#include "hot.hpp"

namespace deadband {

namespace {

constexpr double DEPENDENT = 1e-12;  // share of its own length a new row must add
constexpr double SINGULAR = 1e-11;   // share of its own variance a new name must add

class DenseSystem final : public FreeSystem {
public:
    DenseSystem(const Program &program, double ridge) : p_(program), ridge_(ridge) { reserve(64); }

    bool add_name(int64_t name, const double *coefficients) override {
        const int64_t m = size();
        if (m == capacity_) reserve(2 * capacity_);
        std::vector<double> &row = work_;
        row.resize(m + 1);
        const double *c = p_.matrix + name * p_.n;
        const double own = 2.0 * p_.risk_weight * p_.scale[name];
        for (int64_t a = 0; a < m; ++a) row[a] = own * p_.scale[free_[a]] * c[free_[a]];
        const double variance = own * p_.scale[name] * c[name] + ridge_;
        forward(row.data());
        const double rest = variance - dot(row.data(), row.data(), m);
        if (!(rest > SINGULAR * variance)) return false;
        for (int64_t b = 0; b < m; ++b) column(b)[m] = row[b];
        const double pivot = std::sqrt(rest);
        column(m)[m] = pivot;
        for (size_t r = 0; r < y_.size(); ++r)
            y_[r].push_back((coefficients[r] - dot(row.data(), y_[r].data(), m)) / pivot);
        free_.push_back(name);
        return true;
    }

    // Dropping row r of L leaves its column r behind, which a rank-one update takes back in.
    void remove_name(int64_t r) override {
        const int64_t m = size(), tail = m - r - 1;
        std::vector<double> &left = work_;
        left.assign(column(r) + r + 1, column(r) + m);
        for (int64_t b = 0; b < r; ++b) std::move(column(b) + r + 1, column(b) + m, column(b) + r);
        std::vector<double> carry(y_.size());
        for (size_t k = 0; k < y_.size(); ++k) {
            carry[k] = y_[k][r];
            y_[k].erase(y_[k].begin() + r);
        }
        for (int64_t j = 0; j < tail; ++j) {
            const double *old = column(r + 1 + j) + r + 1 + j;
            double *now = column(r + j) + r + j;
            const double diagonal = old[0], add = left[j];
            const double length = std::sqrt(diagonal * diagonal + add * add);
            const double c = diagonal / length, s = add / length;
            now[0] = length;
            rotate(now + 1, old + 1, left.data() + j + 1, c, s, tail - j - 1);
            for (size_t k = 0; k < y_.size(); ++k) {
                const double here = y_[k][r + j];
                y_[k][r + j] = c * here + s * carry[k];
                carry[k] = c * carry[k] - s * here;
            }
        }
        free_.erase(free_.begin() + r);
    }

    bool add_limit(const double *coefficients) override {
        std::vector<double> row(coefficients, coefficients + size());
        forward(row.data());
        y_.push_back(std::move(row));
        if (factor_prices() < 0) return true;
        y_.pop_back();
        return false;
    }

    void remove_limit(int64_t position) override { y_.erase(y_.begin() + position); }

    int64_t solve(const double *r, const double *e, double *p, double *y) override {
        const int64_t m = size(), w = static_cast<int64_t>(y_.size());
        std::copy(r, r + m, p);
        forward(p);
        if (const int64_t k = factor_prices(); k >= 0) return k;
        for (int64_t k = 0; k < w; ++k) {
            double sum = dot(y_[k].data(), p, m) - e[k];
            for (int64_t l = 0; l < k; ++l) sum -= schur_[k * w + l] * y[l];
            y[k] = sum / schur_[k * w + k];
        }
        for (int64_t k = w - 1; k >= 0; --k) {
            double sum = y[k];
            for (int64_t l = k + 1; l < w; ++l) sum -= schur_[l * w + k] * y[l];
            y[k] = sum / schur_[k * w + k];
        }
        for (int64_t k = 0; k < w; ++k) add_scaled(p, -y[k], y_[k].data(), m);
        backward(p);
        return -1;
    }

private:
    int64_t size() const { return static_cast<int64_t>(free_.size()); }
    double *column(int64_t b) { return &factor_[b * capacity_]; }

    void reserve(int64_t capacity) {
        std::vector<double> wider(capacity * capacity);
        for (int64_t b = 0; b < size(); ++b)
            std::copy(column(b) + b, column(b) + size(), &wider[b * capacity + b]);
        factor_.swap(wider);
        capacity_ = capacity;
    }

    void forward(double *x) {
        const int64_t m = size();
        for (int64_t b = 0; b < m; ++b) {
            x[b] /= column(b)[b];
            add_scaled(x + b + 1, -x[b], column(b) + b + 1, m - b - 1);
        }
    }

    void backward(double *x) {
        const int64_t m = size();
        for (int64_t b = m - 1; b >= 0; --b)
            x[b] = (x[b] - dot(column(b) + b + 1, x + b + 1, m - b - 1)) / column(b)[b];
    }

    // Cholesky of YYᵀ, the prices' system; the first limit that depends on those before it, or −1.
    int64_t factor_prices() {
        const int64_t w = static_cast<int64_t>(y_.size()), m = size();
        schur_.resize(w * w);
        for (int64_t k = 0; k < w; ++k) {
            double own = 0.0;
            for (int64_t l = 0; l <= k; ++l) {
                double sum = dot(y_[k].data(), y_[l].data(), m);
                if (l == k) own = sum;
                for (int64_t j = 0; j < l; ++j) sum -= schur_[k * w + j] * schur_[l * w + j];
                if (l < k) {
                    schur_[k * w + l] = sum / schur_[l * w + l];
                } else {
                    if (!(sum > DEPENDENT * own)) return k;
                    schur_[k * w + k] = std::sqrt(sum);
                }
            }
        }
        return -1;
    }

    const Program &p_;
    double ridge_;
    int64_t capacity_ = 0;
    std::vector<int64_t> free_;
    std::vector<double> factor_;          // L by columns, `capacity_` apart
    std::vector<std::vector<double>> y_;  // one row of Yᵀ a limit
    std::vector<double> schur_, work_;
};

}  // namespace

std::unique_ptr<FreeSystem> dense_system(const Program &program, double ridge) {
    return std::make_unique<DenseSystem>(program, ridge);
}

}  // namespace deadband
