#include "interior_system.hpp"

#include <cmath>

#include "hot.hpp"

namespace deadband {

namespace {

constexpr double VANISHED = 1e-14;     // of what a pivot was
constexpr double OUT_OF_REACH = 1e100;

}  // namespace

void SmallCholesky::factor() {
    for (int64_t i = 0; i < size; ++i) {
        double *row = &matrix[i * size];
        const double own = row[i];
        for (int64_t j = 0; j < i; ++j)
            row[j] = (row[j] - dot(row, &matrix[j * size], j)) / matrix[j * size + j];
        const double rest = own - dot(row, row, i);
        row[i] = rest > VANISHED * own ? std::sqrt(rest) : OUT_OF_REACH;
    }
}

void SmallCholesky::solve(double *x) const {
    for (int64_t i = 0; i < size; ++i) x[i] = (x[i] - dot(&matrix[i * size], x, i)) / matrix[i * size + i];
    for (int64_t i = size - 1; i >= 0; --i) {
        x[i] /= matrix[i * size + i];
        add_scaled(x, -x[i], &matrix[i * size], i);
    }
}

}  // namespace deadband
