// With the k factors as unknowns of their own, (Q + Θ) dw + Aᵀ dy = g is D dw + Bᵀ f + Aᵀ dy = g
// with D diagonal, so dw goes first and one matrix of k factors and all rows is left:
//
//     [ I/2λ + B D⁻¹Bᵀ   B D⁻¹Aᵀ     ] [f ]   [ B D⁻¹g     ]
//     [ A D⁻¹Bᵀ          A D⁻¹Aᵀ + E ] [dy] = [ A D⁻¹g − e ]      B = (s∘loadings)ᵀ
//
// Sectors are one-hot: all of them together cost O(n k).
#include <algorithm>

#include "hot.hpp"
#include "interior_system.hpp"

namespace deadband {

namespace {

constexpr int64_t WIDTH = 4;  // rows are padded to a multiple of it, and names taken that many at once

// Adds Σ_k t_k f_k f_kᵀ to the lower triangle of `matrix`, all rows `stride` apart; f has 4 rows.
DEADBAND_HOT void add_outer(double *__restrict matrix, const double *__restrict f, const double *t,
                            int64_t stride) {
    const double *f1 = f + stride, *f2 = f1 + stride, *f3 = f2 + stride;
    for (int64_t a = 0; a < stride; ++a) {
        const double t0 = t[0] * f[a], t1 = t[1] * f1[a], t2 = t[2] * f2[a], t3 = t[3] * f3[a];
        double *__restrict row = matrix + a * stride;
        const int64_t last = a - a % WIDTH + WIDTH;
        for (int64_t b = 0; b < last; ++b) row[b] += (t0 * f[b] + t1 * f1[b]) + (t2 * f2[b] + t3 * f3[b]);
    }
}

DEADBAND_HOT void multiply(double *__restrict out, const double *__restrict a, const double *__restrict b,
                           int64_t n) {
    for (int64_t i = 0; i < n; ++i) out[i] = a[i] * b[i];
}

class FactorInterior final : public InteriorSystem {
public:
    explicit FactorInterior(const InteriorProblem &problem)
        : problem_(problem),
          n_(problem.n),
          k_(problem.program.factors),
          m_(problem.row_count()),
          wide_(k_ + problem.signed_rows + (problem.turnover >= 0) + (problem.gross >= 0)),
          twice_(2.0 * problem.program.risk_weight),
          stride_((wide_ + WIDTH - 1) / WIDTH * WIDTH),
          columns_(wide_ * n_),
          rows_((n_ + WIDTH) * stride_, 0.0),
          outer_(stride_ * stride_),
          groups_(m_ * stride_),
          own_(n_, 0.0),
          inverse_(n_),
          work_(n_),
          side_(k_ + m_),
          small_(k_ + m_) {
        const Program &p = problem.program;
        for (int64_t i = 0; i < n_; ++i) {
            const int64_t a = problem.name[i];
            const double s = p.scale[a];
            for (int64_t f = 0; f < k_; ++f) column(f)[i] = s * p.loadings[a * k_ + f];
            if (p.loadings != nullptr) own_[i] = twice_ * s * s * p.specific[a];
        }
        std::copy(problem.coefficients.begin(), problem.coefficients.end(), columns_.begin() + k_ * n_);
        for (int64_t a = 0; a < k_ + problem.signed_rows; ++a)
            for (int64_t i = 0; i < n_; ++i) rows_[i * stride_ + a] = column(a)[i];
    }

    void risk(const double *w, double *out) override {
        multiply(out, own_.data(), w, n_);
        for (int64_t f = 0; f < k_; ++f) add_scaled(out, twice_ * dot(column(f), w, n_), column(f), n_);
    }

    bool factor(const std::vector<double> &theta, const Shares &shares,
                const std::vector<double> &corner) override {
        shares_ = &shares;
        for (int64_t r = problem_.signed_rows; k_ + r < wide_; ++r) {
            problem_.row(r, shares, column(k_ + r));
            for (int64_t i = 0; i < n_; ++i) rows_[i * stride_ + k_ + r] = column(k_ + r)[i];
        }
        for (int64_t i = 0; i < n_; ++i) inverse_[i] = 1.0 / (own_[i] + theta[i]);
        std::fill(small_.matrix.begin(), small_.matrix.end(), 0.0);
        for (int64_t f = 0; f < k_; ++f) small_.row(f)[f] = 1.0 / twice_;
        for (int64_t r = 0; r < m_; ++r)
            std::copy(corner.begin() + r * m_, corner.begin() + r * m_ + r + 1, small_.row(k_ + r) + k_);
        std::fill(outer_.begin(), outer_.end(), 0.0);
        std::fill(groups_.begin(), groups_.end(), 0.0);
        for (int64_t from = 0; from < n_; from += WIDTH) add_names(from);
        for (int64_t a = 0; a < wide_; ++a) add_scaled(small_.row(a), 1.0, &outer_[a * stride_], a + 1);
        for (int64_t r = wide_ - k_; r < m_; ++r)
            add_scaled(small_.row(k_ + r), 1.0, &groups_[r * stride_], wide_);
        add_own_groups();
        small_.factor();
        return true;
    }

    void solve(std::vector<double> &g, std::vector<double> &e) override {
        multiply(work_.data(), inverse_.data(), g.data(), n_);
        for (int64_t f = 0; f < k_; ++f) side_[f] = dot(column(f), work_.data(), n_);
        problem_.use(work_.data(), *shares_, &side_[k_]);
        for (int64_t r = 0; r < m_; ++r) side_[k_ + r] -= e[r];
        small_.solve(side_.data());
        std::copy(side_.begin() + k_, side_.end(), e.begin());
        std::fill(work_.begin(), work_.end(), 0.0);
        for (int64_t f = 0; f < k_; ++f) add_scaled(work_.data(), side_[f], column(f), n_);
        problem_.add_prices(e.data(), *shares_, work_.data());
        for (int64_t i = 0; i < n_; ++i) g[i] = inverse_[i] * (g[i] - work_[i]);
    }

private:
    double *column(int64_t a) { return &columns_[a * n_]; }

    // Names `from` to from + 3; those past the last have rows of zeros.
    void add_names(int64_t from) {
        double t[WIDTH] = {};
        for (int64_t i = from; i < std::min(from + WIDTH, n_); ++i) {
            t[i - from] = inverse_[i];
            const int64_t r = problem_.sector[i], q = problem_.sector_gross[i];
            const double *row = &rows_[i * stride_], size = inverse_[i] * shares_->size[i];
            if (r >= 0) add_scaled(&groups_[r * stride_], inverse_[i], row, wide_);
            if (q >= 0) add_scaled(&groups_[q * stride_], size, row, wide_);
        }
        add_outer(outer_.data(), &rows_[from * stride_], t, stride_);
    }

    void add_own_groups() {
        for (int64_t i = 0; i < n_; ++i) {
            const int64_t r = problem_.sector[i], q = problem_.sector_gross[i];
            if (r >= 0) small_.row(k_ + r)[k_ + r] += inverse_[i];
            if (q < 0) continue;
            const double size = inverse_[i] * shares_->size[i];
            small_.row(k_ + q)[k_ + q] += size * shares_->size[i];
            if (r >= 0) small_.row(k_ + q)[k_ + r] += size;
        }
    }

    const InteriorProblem &problem_;
    int64_t n_, k_, m_, wide_;
    double twice_;
    int64_t stride_;
    const Shares *shares_ = nullptr;
    // Factors, then the rows of all names: by columns, (n) each, and again by names.
    std::vector<double> columns_, rows_;
    std::vector<double> outer_, groups_, own_, inverse_, work_, side_;
    SmallCholesky small_;
};

}  // namespace

std::unique_ptr<InteriorSystem> factor_interior(const InteriorProblem &problem) {
    return std::make_unique<FactorInterior>(problem);
}

}  // namespace deadband
