#include "greedy_side.hpp"

#include <algorithm>
#include <cstddef>
#include <cmath>

namespace deadband::greedy {

namespace {

// Weights proportional to `raw` that sum to `total`, none above `cap`.
std::vector<double> fill_to(const std::vector<double> &raw, double total, double cap) {
    std::vector<double> weights(raw.size(), 0.0);
    std::vector<bool> open(raw.size());
    for (size_t i = 0; i < raw.size(); ++i) open[i] = raw[i] > 0.0;
    double left = total;
    ExactSum sum;
    while (left > 0.0) {
        sum.clear();
        for (size_t i = 0; i < raw.size(); ++i)
            if (open[i]) sum.add(raw[i]);
        const double whole = sum.value();
        if (whole == 0.0) break;
        int64_t capped = 0;
        for (size_t i = 0; i < raw.size(); ++i) {
            if (!open[i]) continue;
            weights[i] = left * raw[i] / whole;
            if (weights[i] >= cap) {
                weights[i] = cap;
                open[i] = false;
                ++capped;
            }
        }
        if (capped == 0) break;
        left -= cap * static_cast<double>(capped);
        // Who is still open starts anew.
        for (size_t i = 0; i < raw.size(); ++i)
            if (open[i]) weights[i] = 0.0;
    }
    return weights;
}

std::vector<double> targets(const Problem &problem, const Config &config, const Side &side,
                            const std::vector<Ranked> &best, int64_t k_buy) {
    const double cap = config.per_name_cap;
    const double places = static_cast<double>(side.places);
    if (config.weighting == Weighting::EQUAL)
        return std::vector<double>(best.size(), smaller(cap, side.budget / places));
    std::vector<double> raw;
    for (const Ranked &one : best) {
        if (config.weighting == Weighting::SCORE) {
            raw.push_back(std::max(one.key, 0.0));
        } else {
            const double scale = problem.scale ? problem.scale[one.name] : 1.0;
            raw.push_back(scale > 0.0 ? 1.0 / scale : 0.0);
        }
    }
    return fill_to(raw, side.budget * static_cast<double>(k_buy) / places, cap);
}

std::vector<Ranked> donors(Draft &draft, const Config &config, double sign,
                           const std::vector<Ranked> &inside_sell) {
    const Problem &p = draft.problem;
    const Better better{*p.symbols};
    std::vector<Ranked> found;
    for (int64_t name : draft.live()) {
        if (!(draft.weights[name] * sign > 0.0) || !is_ranked(p, name) || p.cut[name]) continue;
        const Ranked one = {sign * p.z[name], name};
        const bool kept = one.key > config.z_keep - EQUALITY && !inside_sell.empty() &&
                          !better(inside_sell.back(), one);
        if (!kept) found.push_back(one);
    }
    std::sort(found.begin(), found.end(), [&p](const Ranked &a, const Ranked &b) {
        return Better{*p.symbols}({-a.key, a.name}, {-b.key, b.name});
    });
    return found;
}

Side make_side(Draft &draft, double sign, double budget, const Config &config) {
    const Problem &p = draft.problem;
    const Config::Ranks &ranks = sign > 0.0 ? config.long_side : config.short_side;
    Side side;
    side.sign = sign;
    side.places = ranks.places;
    side.budget = budget;
    const std::vector<Ranked> inside_sell = top(p, sign, ranks.sell);
    const size_t buys = std::min(inside_sell.size(), static_cast<size_t>(ranks.buy));
    const std::vector<Ranked> best(inside_sell.begin(),
                                   inside_sell.begin() + static_cast<std::ptrdiff_t>(buys));
    const std::vector<double> target = targets(p, config, side, best, ranks.buy);
    for (size_t i = 0; i < buys; ++i) {
        const auto [key, name] = best[i];
        const double w = draft.weights[name];
        // A name cut or trimmed in this cycle is not bought back in it.
        const bool untouched = !p.cut[name] && std::fabs(w) >= std::fabs(p.current[name]);
        if (key > config.z_keep && untouched && w * sign >= 0.0)
            side.buyers.push_back({name, key, target[i]});
    }
    side.donors = donors(draft, config, sign, inside_sell);
    return side;
}

}  // namespace

std::vector<Side> sides(Draft &draft, const Config &config) {
    const double gross = draft.problem.mandate_gross, net = draft.problem.mandate_net;
    const double free = 1.0 - config.budget_buffer;
    if (config.short_side.places > 0) {
        const double half = free * gross / 2.0;
        return {make_side(draft, 1.0, half, config), make_side(draft, -1.0, half, config)};
    }
    // Σw = 1 leaves no cash to keep as a buffer.
    const double budget = draft.problem.fully_invested ? smaller(smaller(1.0, gross), net)
                                                       : free * smaller(gross, net);
    return {make_side(draft, 1.0, budget, config)};
}

}  // namespace deadband::greedy
