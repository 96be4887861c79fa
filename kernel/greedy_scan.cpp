#include "greedy_scan.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "hot.hpp"

namespace deadband::greedy {

namespace {

// Names are looked at in blocks: a whole one is ruled out without a branch for each name.
constexpr int64_t BLOCK = 32;

bool is_live(const Problem &p, int64_t i) {
    return p.current[i] != 0.0 || p.cut[i] != 0 || p.low_cap[i] > 0.0 || p.high_cap[i] < 0.0 ||
           p.hard_low[i] > 0.0 || p.hard_high[i] < 0.0;
}

}  // namespace

// The first block at or after `from` with a live name in it, or where whole blocks end.
DEADBAND_HOT int64_t next_live(const Problem &p, int64_t from) {
    for (; from + BLOCK <= p.n; from += BLOCK) {
        const double *w = p.current + from, *low = p.low_cap + from, *high = p.high_cap + from;
        const double *hard_low = p.hard_low + from, *hard_high = p.hard_high + from;
        const int16_t *cut = p.cut + from;
        int64_t any = 0;
        int16_t cuts = 0;
        for (int64_t j = 0; j < BLOCK; ++j)
            any |= (w[j] != 0.0) | (low[j] > 0.0) | (high[j] < 0.0) | (hard_low[j] > 0.0) |
                   (hard_high[j] < 0.0);
        for (int64_t j = 0; j < BLOCK; ++j) cuts = static_cast<int16_t>(cuts | cut[j]);
        if (any || cuts) break;
    }
    return from;
}

// As next_live, for a key of at least `least`.
DEADBAND_HOT int64_t next_good(const double *z, double sign, double least, int64_t from,
                               int64_t n) {
    for (; from + BLOCK <= n; from += BLOCK) {
        int64_t any = 0;
        for (int64_t j = from; j < from + BLOCK; ++j) any |= sign * z[j] >= least;
        if (any) break;
    }
    return from;
}

void find_live(const Problem &p, std::vector<int64_t> &found) {
    for (int64_t i = next_live(p, 0); i < p.n; i = next_live(p, i))
        for (const int64_t end = std::min(i + BLOCK, p.n); i < end; ++i)
            if (is_live(p, i)) found.push_back(i);
}

std::vector<Ranked> top(const Problem &p, double sign, int64_t k) {
    std::vector<Ranked> best;
    if (k <= 0) return best;
    const size_t wanted = static_cast<size_t>(std::min(k, p.n));
    size_t full = 2 * wanted + static_cast<size_t>(BLOCK);
    double least = -std::numeric_limits<double>::infinity();
    const auto by_key = [](const Ranked &a, const Ranked &b) { return a.key > b.key; };
    const auto last = [&] { return best.begin() + static_cast<std::ptrdiff_t>(wanted); };
    for (int64_t i = next_good(p.z, sign, least, 0, p.n); i < p.n;) {
        const int64_t end = std::min(i + BLOCK, p.n);
        for (; i < end; ++i)
            if (sign * p.z[i] >= least && is_ranked(p, i)) best.push_back({sign * p.z[i], i});
        if (best.size() > full) {
            // Who is below the k-th best so far is out; who ties with it may not be.
            std::nth_element(best.begin(), last() - 1, best.end(), by_key);
            least = (last() - 1)->key;
            best.erase(std::remove_if(last(), best.end(),
                                      [least](const Ranked &one) { return one.key < least; }),
                       best.end());
            full = std::max(full, 2 * best.size());
        }
        i = next_good(p.z, sign, least, end, p.n);
    }
    const Better better{*p.symbols};
    if (best.size() > wanted) {
        std::nth_element(best.begin(), last() - 1, best.end(), better);
        best.resize(wanted);
    }
    std::sort(best.begin(), best.end(), better);
    return best;
}

}  // namespace deadband::greedy
