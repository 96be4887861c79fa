// The program as the interior-point method sees it: names that can move, cut at their kinks.
//
//     w_i = base_i + Σ_j x_j   over the segments j of name i,   0 ≤ x_j ≤ length_j
//
// base is the lowest weight. Along a segment the hinges, the move |w − home| and the size |w| are
// linear, so every limit is one row. Segments fill in order at an optimum, since slopes only rise.
// Names that cannot move are constants; limits that are not there are left out.
#pragma once

#include <vector>

#include "kinks.hpp"
#include "program.hpp"

namespace deadband {

struct InteriorRow {
    int64_t limit;        // its place in Program.names
    double lower, upper;  // less what the bases use; infinite where one-sided, equal in an equality
};

// How the rows see names: a name's share in turnover and in size per unit of its weight, (n) each.
struct Shares {
    std::vector<double> move, size;
};

class InteriorProblem {
public:
    explicit InteriorProblem(const Program &program);

    const Program &program;
    bool possible = true;  // false where a box or a limit is empty
    int64_t n = 0;         // names that move
    std::vector<int64_t> name, first;               // (n), (n + 1): segments first[i] .. first[i + 1]
    std::vector<double> base, linear;               // (n); linear includes the pull of fixed names
    std::vector<double> length, slope, move, size;  // (segments); slope of the hinges, signs
    double constant = 0.0;                          // what fixed names and hinges at the bases cost

    // Rows: the signed ones, turnover, gross, then sectors and sector grosses, one a group each.
    std::vector<InteriorRow> rows;
    int64_t signed_rows = 0, turnover = -1, gross = -1;
    std::vector<double> coefficients;           // (signed_rows, n)
    std::vector<int64_t> sector, sector_gross;  // (n): the row of the name's group, −1 none

    int64_t segments() const { return static_cast<int64_t>(length.size()); }
    int64_t row_count() const { return static_cast<int64_t>(rows.size()); }

    // out (n) += what prices y of the signed rows and sectors add to the slope of a name.
    void add_slopes(const double *y, double *out) const;
    // The price of a name's size: gross and its sector gross.
    double size_price(const double *y, int64_t i) const {
        return (gross >= 0 ? y[gross] : 0.0) + (sector_gross[i] >= 0 ? y[sector_gross[i]] : 0.0);
    }
    double move_price(const double *y) const { return turnover >= 0 ? y[turnover] : 0.0; }
    // out (n) += Aᵀy, out (rows) = A w, and row r of A, with names seen by their shares.
    void add_prices(const double *y, const Shares &shares, double *out) const;
    void use(const double *w, const Shares &shares, double *out) const;
    void row(int64_t r, const Shares &shares, double *out) const;

    // All names' weights (program.n), given those that move; inside the box.
    void spread(const double *w, double *out) const;
    // Whether the bases keep every limit.
    bool bases_fit(double tolerance) const;
    // Whether a weight went to where a bound that is not there was put.
    bool escaped(const double *w) const;

private:
    void cut(const Kinks &kinks);
    double far_bound(const Kinks &kinks, int64_t i) const;
    void find_rows();
    void add_row(int64_t limit, double lower, double upper);
    void pull_of_fixed();
    void measure_bases();

    std::vector<double> fixed_;  // (program.n): weights of fixed names, bases of the others
    std::vector<double> far_;    // (n): distance of a bound put in, 0 where both are there
};

}  // namespace deadband
