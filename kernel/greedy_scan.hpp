// The passes over all n names: who has to be looked at, and who are the best.
#pragma once

#include <vector>

#include "greedy.hpp"

namespace deadband::greedy {

// Names, ascending, that have weight, must go, or whose bounds or hard box do not hold zero.
void find_live(const Problem &problem, std::vector<int64_t> &found);

struct Ranked {
    double key;  // sign·z
    int64_t name;
};

// Key first, then symbol; a total order.
struct Better {
    const Symbols &symbols;
    bool operator()(const Ranked &a, const Ranked &b) const {
        if (a.key != b.key) return a.key > b.key;
        return symbols.before(a.name, b.name) ||
               (!symbols.before(b.name, a.name) && a.name < b.name);
    }
};

// Whether a name may be ranked at all: it has a score and is not the hedge.
inline bool is_ranked(const Problem &problem, int64_t name) {
    return problem.scored[name] && name != problem.hedge;
}

// The k best ranked names by sign·z, best first, as core/arrays.py top: O(n + k log k).
std::vector<Ranked> top(const Problem &problem, double sign, int64_t k);

}  // namespace deadband::greedy
