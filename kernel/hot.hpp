// Short loops over contiguous doubles that most of the time goes into.
//
// Sums run in eight fixed lanes, added in a fixed order, so that the width of a machine's vectors
// never changes a bit of the result. Built with -ffp-contract=off for the same reason.
#pragma once

#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__linux__)
#define DEADBAND_HOT __attribute__((target_clones("avx2", "default")))
#else
#define DEADBAND_HOT
#endif

namespace deadband {

// Σ a_i b_i
double dot(const double *a, const double *b, int64_t n);

// y += t x
void add_scaled(double *y, double t, const double *x, int64_t n);

// One Givens rotation of two columns: now = c old + s left, left = c left − s old.
void rotate(double *now, const double *old, double *left, double c, double s, int64_t n);

}  // namespace deadband
