// H = Q + Θ = LLᵀ and Z = L⁻¹Aᵀ; then
//
//     (ZᵀZ + E) dy = Zᵀ L⁻¹g − e,   dw = L⁻ᵀ(L⁻¹g − Z dy)
#include <algorithm>

#include "hot.hpp"
#include "interior_system.hpp"

namespace deadband {

namespace {

constexpr double RIDGE = 1e-13;  // of the largest diagonal entry of Q, for a C that is singular

// Routines take pointers to everything and change none of these.
char LOWER[] = "L", UPPER[] = "U", LEFT[] = "L", PLAIN[] = "N", TURNED[] = "T";
int ONE = 1;
double WHOLE = 1.0, NONE = 0.0;

DEADBAND_HOT void scale_column(double *__restrict out, const double *__restrict c, const double *__restrict s,
                               double t, int64_t n) {
    for (int64_t i = 0; i < n; ++i) out[i] = t * s[i] * c[i];
}

class DenseInterior final : public InteriorSystem {
public:
    DenseInterior(const InteriorProblem &problem, const Lapack &lapack)
        : problem_(problem),
          lapack_(lapack),
          n_(static_cast<int>(problem.n)),
          m_(static_cast<int>(problem.row_count())),
          twice_(2.0 * problem.program.risk_weight),
          scale_(problem.n),
          scaled_(problem.n),
          factor_(problem.n * problem.n),
          z_(problem.n * problem.row_count()),
          small_(problem.row_count()) {
        gather();
        double largest = 0.0;
        for (int64_t i = 0; i < problem.n; ++i) {
            scale_[i] = problem.program.scale[problem.name[i]];
            largest = std::max(largest, twice_ * scale_[i] * scale_[i] * matrix_[i * problem.n + i]);
        }
        ridge_ = RIDGE * largest;
    }

    void risk(const double *w, double *out) override {
        for (int64_t i = 0; i < n_; ++i) scaled_[i] = scale_[i] * w[i];
        lapack_.gemv(PLAIN, &n_, &n_, &twice_, matrix_, &n_, scaled_.data(), &ONE, &NONE, out, &ONE);
        for (int64_t i = 0; i < n_; ++i) out[i] *= scale_[i];
    }

    bool factor(const std::vector<double> &theta, const Shares &shares,
                const std::vector<double> &corner) override {
        const int64_t n = n_;
        for (int64_t j = 0; j < n; ++j) {
            const int64_t diagonal = j * n + j;
            scale_column(&factor_[diagonal], matrix_ + diagonal, &scale_[j], twice_ * scale_[j], n - j);
            factor_[diagonal] += theta[j] + ridge_;
        }
        int info = 0;
        lapack_.potrf(LOWER, &n_, factor_.data(), &n_, &info);
        if (info != 0) return false;
        small_.matrix = corner;
        if (m_ == 0) return true;
        for (int64_t r = 0; r < m_; ++r) problem_.row(r, shares, &z_[r * n]);
        lapack_.trsm(LEFT, LOWER, PLAIN, PLAIN, &n_, &m_, &WHOLE, factor_.data(), &n_, z_.data(), &n_);
        // The upper triangle by columns is the lower one by rows.
        lapack_.syrk(UPPER, TURNED, &m_, &n_, &WHOLE, z_.data(), &n_, &WHOLE, small_.matrix.data(), &m_);
        small_.factor();
        return true;
    }

    void solve(std::vector<double> &g, std::vector<double> &e) override {
        const int64_t n = n_;
        lapack_.trsv(LOWER, PLAIN, PLAIN, &n_, factor_.data(), &n_, g.data(), &ONE);
        for (int64_t r = 0; r < m_; ++r) e[r] = dot(&z_[r * n], g.data(), n) - e[r];
        small_.solve(e.data());
        for (int64_t r = 0; r < m_; ++r) add_scaled(g.data(), -e[r], &z_[r * n], n);
        lapack_.trsv(LOWER, TURNED, PLAIN, &n_, factor_.data(), &n_, g.data(), &ONE);
    }

private:
    // C of the names that move, copied only where some do not.
    void gather() {
        const int64_t all = problem_.program.n, n = problem_.n;
        // The routines do not write to it.
        matrix_ = const_cast<double *>(problem_.program.matrix);
        if (n == all) return;
        gathered_.resize(n * n);
        for (int64_t i = 0; i < n; ++i) {
            const double *row = matrix_ + problem_.name[i] * all;
            for (int64_t j = 0; j < n; ++j) gathered_[i * n + j] = row[problem_.name[j]];
        }
        matrix_ = gathered_.data();
    }

    const InteriorProblem &problem_;
    const Lapack &lapack_;
    int n_, m_;
    double twice_, ridge_ = 0.0;
    double *matrix_ = nullptr;
    std::vector<double> scale_, scaled_, factor_, z_, gathered_;
    SmallCholesky small_;
};

}  // namespace

std::unique_ptr<InteriorSystem> dense_interior(const InteriorProblem &problem, const Lapack &lapack) {
    return std::make_unique<DenseInterior>(problem, lapack);
}

}  // namespace deadband
