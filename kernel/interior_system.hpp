// The Newton system over the weights, in dense and in factor form.
//
//     (Q + Θ) dw + Aᵀ dy = g          Q = 2λ s∘C∘s on the names that move, Θ diagonal
//     A dw − E dy = e                 A the rows with the names' shares, E positive semidefinite
#pragma once

#include <memory>
#include <vector>

#include "interior_problem.hpp"

namespace deadband {

// BLAS and LAPACK by the Fortran convention: column-major, every argument a pointer, 32-bit sizes.
struct Lapack {
    void (*potrf)(char *uplo, int *n, double *a, int *lda, int *info);
    void (*trsm)(char *side, char *uplo, char *trans, char *diag, int *m, int *n, double *alpha, double *a,
                 int *lda, double *b, int *ldb);
    void (*trsv)(char *uplo, char *trans, char *diag, int *n, double *a, int *lda, double *x, int *incx);
    void (*syrk)(char *uplo, char *trans, int *n, int *k, double *alpha, double *a, int *lda, double *beta,
                 double *c, int *ldc);
    void (*gemv)(char *trans, int *m, int *n, double *alpha, double *a, int *lda, double *x, int *incx,
                 double *beta, double *y, int *incy);
};

class InteriorSystem {
public:
    virtual ~InteriorSystem() = default;

    // Q w, (n) each.
    virtual void risk(const double *w, double *out) = 0;
    // `corner` holds E (rows, rows), of which the lower triangle is read. False where Q + Θ is not
    // positive definite in double precision.
    virtual bool factor(const std::vector<double> &theta, const Shares &shares,
                        const std::vector<double> &corner) = 0;
    // In place: g becomes dw, e becomes dy.
    virtual void solve(std::vector<double> &g, std::vector<double> &e) = 0;
};

// One Cholesky of n names, then one of the rows: O(n³/3 + n² rows).
std::unique_ptr<InteriorSystem> dense_interior(const InteriorProblem &problem, const Lapack &lapack);

// One Cholesky of factors and rows together: O(n (k + rows)²). Without risk k = 0.
std::unique_ptr<InteriorSystem> factor_interior(const InteriorProblem &problem);

// Cholesky by rows of a small matrix, of which the lower triangle is read and replaced. A pivot
// that vanishes is put out of reach: what depends on the rest then gets no step.
struct SmallCholesky {
    explicit SmallCholesky(int64_t order) : size(order), matrix(order * order) {}

    double *row(int64_t i) { return &matrix[i * size]; }
    void factor();
    void solve(double *x) const;

    int64_t size;
    std::vector<double> matrix;
};

}  // namespace deadband
