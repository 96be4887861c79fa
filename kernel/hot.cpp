#include "hot.hpp"

namespace deadband {

DEADBAND_HOT double dot(const double *__restrict a, const double *__restrict b, int64_t n) {
    double lane[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int64_t j = 0; j < 8; ++j) lane[j] += a[i + j] * b[i + j];
    double rest = 0.0;
    for (; i < n; ++i) rest += a[i] * b[i];
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7])) + rest;
}

DEADBAND_HOT void add_scaled(double *__restrict y, double t, const double *__restrict x, int64_t n) {
    for (int64_t i = 0; i < n; ++i) y[i] += t * x[i];
}

DEADBAND_HOT void rotate(double *__restrict now, const double *__restrict old, double *__restrict left,
                         double c, double s, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
        const double here = old[i], carried = left[i];
        now[i] = c * here + s * carried;
        left[i] = c * carried - s * here;
    }
}

}  // namespace deadband
