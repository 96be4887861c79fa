// The convex program of deadband/optimize/exact/program.py, as views on its arrays. Nothing is copied.
//
//     minimise   λ xᵀCx + qᵀw + Σ_l h_lᵀ|w − t_l|          with x = s∘w
//     within     low ≤ w ≤ high
//                floor ≤ R w ≤ ceiling
//                |Σ_{group = k} w| ≤ sector_k
//                Σ counted·|w − home| ≤ turnover
//                Σ|w| ≤ gross,  Σ_{group = k} |w| ≤ sector_gross_k
//
// Limits are numbered as Program.names lists them: R signed rows, G sectors, turnover, gross,
// G sector grosses.
#pragma once

#include <cstdint>

namespace deadband {

struct Program {
    int64_t n = 0;             // names
    int64_t signed_rows = 0;   // R
    int64_t groups = 0;        // G
    int64_t layers = 0;        // L, hinges per name
    int64_t factors = 0;       // k, 0 when the correlation is dense or absent

    const double *linear = nullptr;         // q (n)
    const double *scale = nullptr;          // s (n)
    const double *low = nullptr;            // (n)
    const double *high = nullptr;           // (n)
    const double *home = nullptr;           // (n)
    const double *hinge_at = nullptr;       // t (L, n)
    const double *hinge_weight = nullptr;   // h (L, n)
    const double *rows = nullptr;           // (R, n)
    const double *floor = nullptr;          // (R)
    const double *ceiling = nullptr;        // (R)
    const int64_t *group = nullptr;         // (n), -1 none
    const double *sector = nullptr;         // (G)
    const double *sector_gross = nullptr;   // (G)
    const bool *counted = nullptr;          // (n)
    double turnover = 0.0;
    double gross = 0.0;

    double risk_weight = 0.0;               // λ
    const double *matrix = nullptr;         // C (n, n), null in factor form and without risk
    const double *loadings = nullptr;       // B (n, k)
    const double *specific = nullptr;       // d (n)

    bool has_risk() const { return matrix != nullptr || loadings != nullptr; }
    int64_t limits() const { return signed_rows + groups + 2 + groups; }
    int64_t sector_row(int64_t k) const { return signed_rows + k; }
    int64_t turnover_row() const { return signed_rows + groups; }
    int64_t gross_row() const { return turnover_row() + 1; }
    int64_t sector_gross_row(int64_t k) const { return gross_row() + 1 + k; }
};

}  // namespace deadband
