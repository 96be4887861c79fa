// The equality-constrained step on the names that are free and the limits that are active.
//
//     H p + Aᵀy = r,   A p = e         H = Q + εI on the free names, A the active limits on them
//
// Names and limits come and go one at a time; each implementation keeps what makes that cheap.
// Positions are those in the lists of free names and of active limits of the caller, which appends
// at the end and, when it removes one, moves the later ones up.
#pragma once

#include <memory>
#include <vector>

#include "program.hpp"

namespace deadband {

class FreeSystem {
public:
    virtual ~FreeSystem() = default;

    // Appends a name; `coefficients` has one entry for each active limit. False where H would no
    // longer be positive definite in double precision; the name is then not added.
    virtual bool add_name(int64_t name, const double *coefficients) = 0;
    virtual void remove_name(int64_t position) = 0;

    // Appends a limit; `coefficients` has one entry for each free name. False where it depends on
    // the active ones; it is then not added.
    virtual bool add_limit(const double *coefficients) = 0;
    virtual void remove_limit(int64_t position) = 0;

    // Solves for the step p (free names) and the prices y (active limits). Returns −1, or the
    // position of an active limit that has come to depend on those before it.
    virtual int64_t solve(const double *r, const double *e, double *p, double *y) = 0;
};

// Cholesky factor of H, kept under appends and deletions; for a dense correlation.
std::unique_ptr<FreeSystem> dense_system(const Program &program, double ridge);

// Woodbury on k factors and the active limits; for a factor correlation, or none (k = 0).
std::unique_ptr<FreeSystem> factor_system(const Program &program, double ridge);

}  // namespace deadband
