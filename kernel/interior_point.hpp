// The point an interior-point method is at, and what its weights and prices prove.
//
// Its pairs are, for each segment, the distance from the lower end; then, for each, that from the
// upper end; then for each row the distance of its slack from the bounds that there are.
#pragma once

#include <vector>

#include "interior_pairs.hpp"
#include "interior_system.hpp"

namespace deadband {

struct InteriorPoint {
    InteriorPoint(const InteriorProblem &problem, InteriorSystem &system);

    InteriorPairs pairs;
    std::vector<int64_t> below, above;  // (rows) the pair of a row's lower and upper bound, −1 none
    std::vector<double> prices;         // (rows)

    // Made by measure() from the above:
    std::vector<double> weights;  // (n)
    std::vector<double> slope;    // (segments) of the Lagrangian, without the segments' duals
    std::vector<double> missing;  // (rows) slack less value
    double value = 0.0;           // of the objective
    double gap = 0.0;             // between value and what the prices prove
    double passed = 0.0;          // the most by which a limit is

    void measure();
    bool finite() const;

private:
    void use_rows();
    void find_slopes();
    void prove();
    void start();
    double typical_product();
    void place(double scale);
    void balance(int64_t r, double sign, double scale);
    void open_rows();

    const InteriorProblem &problem_;
    InteriorSystem &system_;
    std::vector<double> risk_, names_, used_;
};

}  // namespace deadband
