// One side of the book: who may be bought, up to what weight, and who may give; see side.py.
#pragma once

#include <vector>

#include "greedy_draft.hpp"
#include "greedy_scan.hpp"

namespace deadband::greedy {

struct Buyer {
    int64_t name;
    double key;     // sign·z
    double target;  // |weight|
};

struct Side {
    double sign = 1.0;
    int64_t places = 0;
    double budget = 0.0;
    std::vector<Buyer> buyers;   // rank ≤ K_buy above z_keep, best first
    std::vector<Ranked> donors;  // held names that may give weight, worst first
};

// The long side, and the short one when K_short asks for it; the draft after trims.
std::vector<Side> sides(Draft &draft, const Config &config);

}  // namespace deadband::greedy
